"""what is drawn on: two screens of rows, one cursor, and how text gets onto them"""

from __future__ import annotations

from codewire_py.daemon.limits import LARGEST_SIDE
from codewire_py.daemon.screen.row import Row
from codewire_py.daemon.screen.scrollback import Scrollback
from codewire_py.daemon.screen.style import Styles
from codewire_py.daemon.screen.width import (
    MOST_JOINED,
    NARROW,
    RUNS,
    WIDENING,
    ZWJ,
    joins,
    waits,
    widens,
    width,
)
from codewire_py.stream.tabs import usual_stops

GRAPHICS = str.maketrans("`abcdefghijklmnopqrstuvwxyz{|}~_", "◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·\u00a0")


class Saved:
    """What DECSC remembers."""

    def __init__(self, canvas: Canvas) -> None:
        self.x, self.y, self.pen, self.origin = canvas.x, canvas.y, canvas.pen, canvas.origin
        self.charsets, self.shift = list(canvas.charsets), canvas.shift


class Canvas:
    """A cursor behind the last column (`x == cols`) is about to wrap."""

    def __init__(self, rows: int, cols: int, scrollback_bytes: int) -> None:
        self.height, self.cols = clamp(rows), clamp(cols)
        self.styles = Styles()
        self.plain = self.styles.plain
        self.scrollback = Scrollback(scrollback_bytes)
        self.reset()

    def reset(self) -> None:
        self.main = [Row(self.cols, self.plain) for _ in range(self.height)]
        self.other = [Row(self.cols, self.plain) for _ in range(self.height)]
        self.lines = self.main  # of the screen that shows
        self.alternate = 0  # the mode it was entered by
        self.saved: dict[bool, Saved] = {}  # by whether it is the alternate screen's
        self.title = ""
        self.x: int = 0
        self.y: int = 0
        self.reset_tabs()
        self.reset_softly()

    def reset_softly(self) -> None:
        self.pen = self.plain
        self.top, self.bottom = 0, self.height - 1
        self.insert = self.origin = self.returns = False
        self.autowrap = True
        self.charsets = ["B", "B", "B", "B"]
        self.shift = 0
        self.graphics = False

    def reset_tabs(self, first: int = 0) -> None:
        """From that column on."""
        kept = [col for col in self.tabs if col < first] if first else []
        self.tabs: set[int] = {*kept, *usual_stops(first, LARGEST_SIDE)}

    @property
    def is_alternate(self) -> bool:
        return self.alternate > 0

    # -- writing

    def write(self, text: str) -> None:
        if self.graphics:
            text = text.translate(GRAPHICS)
        if not (text.isascii() or NARROW.fullmatch(text)):
            self.write_each(text)
            return
        start, end = self.x, self.x + len(text)
        if end > self.cols or self.insert:
            self.write_long(text)
            return
        row = self.lines[self.y]
        chars = row.chars
        if not chars[start]:
            chars[start - 1] = " "
        if end < self.cols and not chars[end]:
            chars[end] = " "
        chars[start:end] = text
        row.styles[start:end] = [self.pen] * (end - start)
        self.x = end

    def write_long(self, text: str) -> None:
        """More than the row has room for, or in between."""
        room = self.cols - min(self.x, self.cols - 1)
        if not self.autowrap and len(text) > room:
            text = text[: room - 1] + text[-1]
        at = 0
        while at < len(text):
            if self.x >= self.cols:
                self.wrap()
            piece = text[at : at + self.cols - self.x]
            row, end = self.lines[self.y], self.x + len(piece)
            if self.insert:
                row.insert(self.x, len(piece), self.pen.blank)
            row.fill(self.x, end, self.pen)
            row.chars[self.x : end] = piece
            self.x = end
            at += len(piece)

    def wrap(self, gaps: bool = False) -> None:
        """The cursor was behind the last column, and more comes; or it `gaps`: a wide character has no room there."""
        if not self.autowrap:
            self.x = self.cols - 1
            return
        row = self.lines[self.y]
        row.wraps, row.gaps = True, gaps
        self.x = 0
        self.line_feed()

    def write_each(self, text: str) -> None:
        for match in RUNS.finditer(text):
            run = match[0]
            if match.lastindex and not self.joins_next():
                self.write(run)
                continue
            for char in run:
                wide = width(char)
                if not (self.x and self.join(char, wide)) and wide:
                    self.write_one(char, wide)

    def joins_next(self) -> bool:
        """Whether whatever comes next goes with the character before the cursor."""
        chars = self.lines[self.y].chars
        return self.x > 0 and (chars[self.x - 1] or chars[self.x - 2]).endswith(ZWJ)

    def write_one(self, char: str, wide: int) -> None:
        if self.x + wide > self.cols:
            if wide > self.cols:
                return
            if not self.autowrap:
                return
            self.wrap(gaps=self.x < self.cols)
        row = self.lines[self.y]
        if self.insert:
            row.insert(self.x, wide, self.pen.blank)
        row.fill(self.x, self.x + wide, self.pen, "")
        row.chars[self.x] = char
        self.x += wide

    def join(self, char: str, wide: int) -> bool:
        """Whether it went with the character before the cursor."""
        row = self.lines[self.y]
        col = self.x - 1
        while col and not row.chars[col]:
            col -= 1
        cell = row.chars[col]
        if wide and not joins(cell, char):
            return False
        needs_two = wide == 1 or (char == WIDENING and widens(cell))  # of what joins, half a flag takes one
        is_growing = needs_two and self.x - col == 1
        if is_growing and self.x >= self.cols and not (self.autowrap and self.cols > 1):
            return True  # there is no room for it anywhere
        if len(cell) < MOST_JOINED and (char != ZWJ or waits(cell)):
            row.chars[col] = cell + char
        if is_growing:
            self.widen(row, col)
        return True

    def widen(self, row: Row, col: int) -> None:
        """The character before the cursor takes two columns after all; without room, on the next row."""
        if self.x < self.cols:
            if self.insert:
                row.insert(self.x, 1, self.pen.blank)
            row.fill(self.x, self.x + 1, row.styles[col], "")
            self.x += 1
        else:
            char = row.chars[col]
            row.fill(col, self.cols, self.pen.blank)
            self.wrap(gaps=True)
            self.write_one(char, 2)

    # -- moving

    def line_feed(self) -> None:
        if self.y == self.bottom:
            self.scroll_up(1)
        elif self.y < self.height - 1:
            self.y += 1
        if self.x >= self.cols:
            self.x = self.cols - 1

    def scroll_up(self, count: int) -> None:
        lines, blank = self.lines, self.pen.blank
        keeps = self.top == 0 and lines is self.main
        for _ in range(min(count, self.bottom - self.top + 1)):
            row = lines.pop(self.top)
            if row.gaps and lines:
                row.look_at(lines[0])
            if keeps:
                self.scrollback.push(row, self.plain)
            lines.insert(self.bottom, Row(self.cols, blank))
        if self.top:
            lines[self.top - 1].wraps = False

    def scroll_down(self, count: int, first: int | None = None) -> None:
        """From row `first` on; no row runs on into one that was not below it."""
        top = self.top if first is None else first
        for _ in range(min(count, self.bottom - top + 1)):
            del self.lines[self.bottom]
            self.lines.insert(top, Row(self.cols, self.pen.blank))
        self.lines[self.bottom].wraps = self.lines[top - 1].wraps = False

    def move_to(self, row: int, col: int) -> None:
        """Both from 0; within the region if that is the origin."""
        first, last = (self.top, self.bottom) if self.origin else (0, self.height - 1)
        y, end = first + row, self.cols - 1
        self.y = last if y > last else max(y, first)
        self.x = end if col > end else max(col, 0)

    def save(self) -> None:
        self.saved[self.is_alternate] = Saved(self)

    def restore(self) -> None:
        saved = self.saved.get(self.is_alternate)
        if saved is None:
            self.x = self.y = 0
            self.pen, self.origin = self.plain, False
            self.charsets, self.shift = ["B", "B", "B", "B"], 0
        else:
            self.x, self.y = min(saved.x, self.cols), min(saved.y, self.height - 1)
            self.pen, self.origin = saved.pen, saved.origin
            self.charsets, self.shift = list(saved.charsets), saved.shift
        self.graphics = self.charsets[self.shift] == "0"

    def show(self, alternate: int) -> None:
        """The alternate screen, by the mode that asks for it, which begins blank; or 0: the main one."""
        if bool(alternate) == self.is_alternate:
            return
        self.alternate = alternate
        if alternate:
            self.other = [Row(self.cols, self.pen.blank) for _ in range(self.height)]
        self.lines = self.other if alternate else self.main


def clamp(side: int) -> int:
    return max(1, min(side, LARGEST_SIDE))
