"""give a screen another size: lines of the main screen are broken anew, the alternate one is cut or filled"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from codewire_py.daemon.screen.row import Row
from codewire_py.daemon.screen.scrollback import END
from codewire_py.daemon.screen.style import Style

if TYPE_CHECKING:
    from codewire_py.daemon.screen.canvas import Canvas

LONGEST_TAKEN = 8192  # bytes: of a line without an end, as much as comes down at once
Draw = Callable[[bytes, int], list[Row]]


class Line:
    """Rows that run on into each other, joined."""

    def __init__(self) -> None:
        self.chars: list[str] = []
        self.styles: list[Style] = []

    def add(self, row: Row, plain: Style) -> None:
        end = row.end(plain) if row.wraps else row.used(plain)
        self.chars += row.chars[:end]
        self.styles += row.styles[:end]

    def pad(self, length: int, plain: Style) -> None:
        missing = length - len(self.chars)
        self.chars += [" "] * missing
        self.styles += [plain] * missing

    def narrow(self) -> None:
        """Without wide characters."""
        for index, char in enumerate(self.chars):
            if not char:
                self.chars[index - 1] = self.chars[index] = " "

    def broken(self, cols: int, plain: Style) -> list[Row]:
        """Its rows at that width; a wide character is not torn."""
        rows: list[Row] = []
        at = 0
        if cols == 1:
            self.narrow()
        while at < len(self.chars) or not rows:
            end = min(at + cols, len(self.chars))
            is_torn = end < len(self.chars) and not self.chars[end] and end > at + 1
            end -= is_torn
            row = Row(cols, plain)
            row.chars[: end - at] = self.chars[at:end]
            row.styles[: end - at] = self.styles[at:end]
            row.wraps, row.gaps = end < len(self.chars), is_torn
            rows.append(row)
            at = max(end, at + 1)
        return rows


def resize(canvas: Canvas, rows: int, cols: int, draw: Draw) -> None:
    """`draw`: the rows that a line of the scrollback takes at a width."""
    x, y = canvas.x, canvas.y
    if cols > canvas.cols:
        canvas.reset_tabs(canvas.cols)
    resize_main(canvas, rows, cols, draw)
    main = canvas.x, canvas.y
    canvas.other = cropped(canvas.other, rows, cols, canvas.plain)
    if canvas.is_alternate:
        canvas.x, canvas.y = min(x, cols - 1), min(y, rows - 1)
    else:
        canvas.x, canvas.y = main
    canvas.lines = canvas.other if canvas.is_alternate else canvas.main
    canvas.height, canvas.cols = rows, cols
    canvas.top, canvas.bottom = 0, rows - 1
    for saved in canvas.saved.values():
        saved.x, saved.y = min(saved.x, cols), min(saved.y, rows - 1)


def cropped(lines: list[Row], rows: int, cols: int, plain: Style) -> list[Row]:
    for row in lines:
        row.resize(cols, plain)
    return lines[:rows] + [Row(cols, plain) for _ in range(rows - len(lines))]


def resize_main(canvas: Canvas, rows: int, cols: int, draw: Draw) -> None:
    """While the alternate screen shows, the cursor of the main one is where it was saved, if it was."""
    saved = canvas.saved.get(False)
    if canvas.is_alternate and saved is not None:
        canvas.x, canvas.y = saved.x, saved.y
    is_about_to_wrap = canvas.x >= canvas.cols
    old = trimmed(canvas)
    fresh = old if cols == canvas.cols else rebroken(canvas, old, cols)
    place(canvas, fresh, rows, cols, lambda line: draw(line, cols))
    if is_about_to_wrap and canvas.x == cols - 1 and cols == canvas.cols:
        canvas.x = cols
    if canvas.is_alternate and saved is not None:
        saved.x, saved.y = canvas.x, canvas.y


def trimmed(canvas: Canvas) -> list[Row]:
    """Without the blank rows below the cursor and the text."""
    lines = canvas.main
    end = len(lines)
    while end > canvas.y + 1 and not lines[end - 1].used(canvas.plain):
        end -= 1
    return lines[:end]


def rebroken(canvas: Canvas, old: list[Row], cols: int) -> list[Row]:
    fresh: list[Row] = []
    line, cursor = Line(), -1
    for index, row in enumerate(old):
        if index == canvas.y:
            cursor = len(line.chars) + min(canvas.x, canvas.cols - 1)
        row.look_at(old[min(index + 1, len(old) - 1)])
        line.add(row, canvas.plain)
        if row.wraps and index < len(old) - 1:
            continue
        if cursor >= 0:
            is_behind = 0 < cursor == len(line.chars)  # the text: then it stays behind its last character
            line.pad(cursor + (not is_behind), canvas.plain)
            broken = line.broken(cols, canvas.plain)
            canvas.y, canvas.x = where(broken, cursor - is_behind, len(fresh), canvas.plain)
            canvas.x += is_behind
            cursor = -1
        else:
            broken = line.broken(cols, canvas.plain)
        fresh += broken
        line = Line()
    return fresh


def where(rows: list[Row], cursor: int, above: int, plain: Style) -> tuple[int, int]:
    """Which row and column the character has that stood at `cursor` in the line."""
    for index, row in enumerate(rows):
        length = row.end(plain)
        if cursor < length or index == len(rows) - 1:
            return above + index, min(cursor, length - 1)
        cursor -= length
    return above, 0


def place(canvas: Canvas, lines: list[Row], rows: int, cols: int, draw: Callable[[bytes], list[Row]]) -> None:
    """Bottom rows stay; what has no room goes up into the scrollback, what there is room for comes down."""
    while len(lines) > rows and canvas.y > 0:
        canvas.scrollback.push(lines.pop(0), canvas.plain)
        canvas.y -= 1
    del lines[rows:]
    was_full = len(lines) >= len(canvas.main) or rows > len(canvas.main)
    if was_full and len(lines) < rows:
        taken = taken_back(canvas, rows - len(lines), draw)
        lines[:0] = taken
        canvas.y += len(taken)
    canvas.main = lines + [Row(cols, canvas.plain) for _ in range(rows - len(lines))]
    for row in canvas.main:
        if len(row.chars) != cols:
            row.resize(cols, canvas.plain)


def taken_back(canvas: Canvas, room: int, draw: Callable[[bytes], list[Row]]) -> list[Row]:
    """Whole lines from the scrollback, as far as they fit."""
    taken: list[Row] = []
    while room > len(taken) and canvas.scrollback.rows:
        line = canvas.scrollback.pop_line(LONGEST_TAKEN)
        rows = draw(line)
        rows[-1].wraps = not line.endswith(END) and rows[-1].used(canvas.plain) == len(rows[-1].chars)
        if len(rows) > room - len(taken):
            for row in rows[: len(rows) - (room - len(taken))]:
                canvas.scrollback.push(row, canvas.plain)
            rows = rows[len(rows) - (room - len(taken)) :]
        taken = rows + taken
    return taken
