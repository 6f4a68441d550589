"""what control characters and sequences do to a screen"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from codewire_py.daemon.screen import strings
from codewire_py.daemon.screen.row import Row
from codewire_py.daemon.screen.tokens import parse
from codewire_py.stream.grammar import CONTROLS

if TYPE_CHECKING:
    from codewire_py.daemon.screen.canvas import Canvas

Action = Callable[["Canvas", list[int]], None]
WITHOUT_CONTROLS = dict.fromkeys(CONTROLS)
SOFT, ALIGN = "!p", "#8"
SLOTS = "()*+"


def plan(body: str) -> tuple[Action | None, list[int]]:
    """What to do for what stands behind CSI, and with which parameters."""
    name, parameters = parse(body)
    return ACTIONS.get(name), parameters


def count_of(parameters: list[int]) -> int:
    return parameters[0] or 1


# -- single characters


def obey(canvas: Canvas, char: str) -> None:
    match char:
        case "\r":
            canvas.x = 0
        case "\b":
            canvas.x = max(0, min(canvas.x, canvas.cols - 1) - 1)
        case "\t":
            move_tabs(canvas, [1])
        case "\n" | "\v" | "\f":
            if canvas.returns:
                canvas.x = 0
            canvas.line_feed()
        case "\x0e" | "\x0f":
            shift(canvas, int(char == "\x0e"))


def shift(canvas: Canvas, index: int) -> None:
    canvas.shift = index
    canvas.graphics = canvas.charsets[index] == "0"


def obey_odd(canvas: Canvas, sequence: str) -> None:
    """Escapes, strings, and sequences with controls inside, which are obeyed first."""
    if sequence[1:] in ESCAPES:
        ESCAPES[sequence[1:]](canvas)
        return
    if sequence[1:2] in ("]", "P", "X", "^", "_", "k"):
        strings.obey(canvas, sequence)
        return
    for char in sequence[1:]:
        if char < " " and char not in "\x18\x1a":
            obey(canvas, char)
    body = sequence[1:].translate(WITHOUT_CONTROLS)
    if body.endswith(("\x18", "\x1a")):
        return
    if body[:1] in ("]", "P", "X", "^", "_", "k"):
        strings.obey(canvas, "\x1b" + body)
    elif body.endswith("m") and body[0] == "[" and not body[1:-1].strip("0123456789:;"):
        canvas.pen = canvas.styles.change(canvas.pen, body[1:-1])
    elif body.startswith("["):
        action, parameters = plan(body[1:])
        if action:
            action(canvas, parameters)
    else:
        obey_escape(canvas, body)


def obey_escape(canvas: Canvas, body: str) -> None:
    if body in ESCAPES:
        ESCAPES[body](canvas)
    elif len(body) == 2 and body[0] in SLOTS:
        designate(SLOTS.index(body[0]), body[1], canvas)


def designate(slot: int, name: str, canvas: Canvas) -> None:
    canvas.charsets[slot] = name
    shift(canvas, canvas.shift)


def reverse_index(canvas: Canvas) -> None:
    if canvas.y == canvas.top:
        canvas.scroll_down(1)
    elif canvas.y > 0:
        canvas.y -= 1
    canvas.x = min(canvas.x, canvas.cols - 1)


def next_line(canvas: Canvas) -> None:
    canvas.x = 0
    canvas.line_feed()


def set_tab(canvas: Canvas) -> None:
    canvas.tabs.add(min(canvas.x, canvas.cols - 1))


def align(canvas: Canvas) -> None:
    canvas.top, canvas.bottom = 0, canvas.height - 1
    canvas.x = canvas.y = 0
    for row in canvas.lines:
        row.fill(0, canvas.cols, canvas.plain, "E")


ESCAPES: dict[str, Callable[[Canvas], None]] = {
    "7": lambda canvas: canvas.save(),
    "8": lambda canvas: canvas.restore(),
    "D": lambda canvas: canvas.line_feed(),
    "E": next_line,
    "H": set_tab,
    "M": reverse_index,
    "c": lambda canvas: canvas.reset(),
    "n": lambda canvas: shift(canvas, 2),
    "o": lambda canvas: shift(canvas, 3),
    ALIGN: align,
}
for index, slot in enumerate(SLOTS):
    for name in "0B":  # those in use
        ESCAPES[slot + name] = partial(designate, index, name)

# -- the cursor


def move_up(canvas: Canvas, parameters: list[int]) -> None:
    limit = canvas.top if canvas.y >= canvas.top else 0
    canvas.y = max(limit, canvas.y - count_of(parameters))
    canvas.x = min(canvas.x, canvas.cols - 1)


def move_down(canvas: Canvas, parameters: list[int]) -> None:
    limit = canvas.bottom if canvas.y <= canvas.bottom else canvas.height - 1
    canvas.y = min(limit, canvas.y + count_of(parameters))
    canvas.x = min(canvas.x, canvas.cols - 1)


def move_right(canvas: Canvas, parameters: list[int]) -> None:
    canvas.x = min(canvas.x + count_of(parameters), canvas.cols - 1)


def move_left(canvas: Canvas, parameters: list[int]) -> None:
    canvas.x = max(0, min(canvas.x, canvas.cols - 1) - count_of(parameters))


def move_lines_down(canvas: Canvas, parameters: list[int]) -> None:
    move_down(canvas, parameters)
    canvas.x = 0


def move_lines_up(canvas: Canvas, parameters: list[int]) -> None:
    move_up(canvas, parameters)
    canvas.x = 0


def move_to_column(canvas: Canvas, parameters: list[int]) -> None:
    canvas.x = min(count_of(parameters), canvas.cols) - 1


def move_to_row(canvas: Canvas, parameters: list[int]) -> None:
    canvas.move_to(count_of(parameters) - 1, min(canvas.x, canvas.cols - 1))


def move(canvas: Canvas, parameters: list[int]) -> None:
    canvas.move_to(count_of(parameters) - 1, (parameters[1] if len(parameters) > 1 else 1) - 1)


def move_rows(canvas: Canvas, parameters: list[int]) -> None:
    row = canvas.y - (canvas.top if canvas.origin else 0)
    canvas.move_to(row + count_of(parameters), min(canvas.x, canvas.cols - 1))


def move_tabs(canvas: Canvas, parameters: list[int]) -> None:
    for _ in range(min(count_of(parameters), canvas.cols)):
        if canvas.x >= canvas.cols:
            return
        ahead = (col for col in range(canvas.x + 1, canvas.cols) if col in canvas.tabs)
        canvas.x = next(ahead, canvas.cols - 1)


def move_tabs_back(canvas: Canvas, parameters: list[int]) -> None:
    canvas.x = min(canvas.x, canvas.cols - 1)
    for _ in range(min(count_of(parameters), canvas.cols)):
        behind = (col for col in range(canvas.x - 1, 0, -1) if col in canvas.tabs)
        canvas.x = next(behind, 0)


def clear_tabs(canvas: Canvas, parameters: list[int]) -> None:
    if parameters[0] == 0:
        canvas.tabs.discard(canvas.x)
    elif parameters[0] == 3:
        canvas.tabs.clear()


def set_region(canvas: Canvas, parameters: list[int]) -> None:
    top = max(parameters[0], 1) - 1
    bottom = parameters[1] if len(parameters) > 1 else 0
    last = min(bottom or canvas.height, canvas.height) - 1
    if top < last:
        canvas.top, canvas.bottom = top, last
        canvas.move_to(0, 0)


# -- erasing and shifting


def erase_in_line(canvas: Canvas, parameters: list[int]) -> None:
    row, col, cols = canvas.lines[canvas.y], canvas.x, canvas.cols
    kind = parameters[0]
    if kind > 2:
        return
    end = min(col + 1, cols) if kind == 1 else cols  # about to wrap, nothing is right of the cursor
    row.fill(0 if kind else col, end, canvas.pen.blank)
    if end == cols:
        row.wraps = False


def erase_in_display(canvas: Canvas, parameters: list[int]) -> None:
    kind = parameters[0]
    if kind == 3:
        canvas.scrollback.clear()
    if kind > 2:
        return
    if kind < 2:
        erase_in_line(canvas, [kind])
    rows = {0: range(canvas.y + 1, canvas.height), 1: range(canvas.y), 2: range(canvas.height)}[kind]
    for index in rows:
        canvas.lines[index] = Row(canvas.cols, canvas.pen.blank)
    if kind == 1 and canvas.x >= canvas.cols - 1:
        canvas.lines[canvas.y].wraps = False


def erase_characters(canvas: Canvas, parameters: list[int]) -> None:
    canvas.x = col = min(canvas.x, canvas.cols - 1)
    canvas.lines[canvas.y].fill(col, min(col + count_of(parameters), canvas.cols), canvas.pen.blank)


def insert_characters(canvas: Canvas, parameters: list[int]) -> None:
    canvas.x = min(canvas.x, canvas.cols - 1)
    canvas.lines[canvas.y].insert(canvas.x, count_of(parameters), canvas.pen.blank)


def delete_characters(canvas: Canvas, parameters: list[int]) -> None:
    canvas.x = min(canvas.x, canvas.cols - 1)
    canvas.lines[canvas.y].delete(canvas.x, count_of(parameters), canvas.pen.blank)


def insert_lines(canvas: Canvas, parameters: list[int]) -> None:
    if canvas.top <= canvas.y <= canvas.bottom:
        canvas.scroll_down(count_of(parameters), canvas.y)
        canvas.x = 0


def delete_lines(canvas: Canvas, parameters: list[int]) -> None:
    if canvas.top <= canvas.y <= canvas.bottom:
        for _ in range(min(count_of(parameters), canvas.bottom - canvas.y + 1)):
            del canvas.lines[canvas.y]
            canvas.lines.insert(canvas.bottom, Row(canvas.cols, canvas.pen.blank))
        canvas.lines[canvas.y - 1].wraps = False
        canvas.x = 0


def repeat(canvas: Canvas, parameters: list[int]) -> None:
    """What stands before the cursor: to be used right after it was written."""
    chars = canvas.lines[canvas.y].chars
    char = chars[canvas.x - 1] or chars[canvas.x - 2] if canvas.x else ""
    most = canvas.cols * (canvas.height if char.isascii() else 1)
    graphics, canvas.graphics = canvas.graphics, False
    canvas.write(char * min(count_of(parameters), most))
    canvas.graphics = graphics


# -- modes


def set_modes(canvas: Canvas, parameters: list[int], on: bool) -> None:
    for mode in parameters:
        if mode == 4:
            canvas.insert = on
        elif mode == 20:
            canvas.returns = on


def set_private_modes(canvas: Canvas, parameters: list[int], on: bool) -> None:
    for mode in parameters:
        if mode == 6:
            canvas.origin = on
            canvas.move_to(0, 0)
        elif mode == 7:
            canvas.autowrap = on
        elif mode in (47, 1047, 1049):
            switch(canvas, mode, on)
        elif mode == 1048:
            canvas.save() if on else canvas.restore()


def switch(canvas: Canvas, mode: int, on: bool) -> None:
    if mode == 1049 and on:
        canvas.save()
    canvas.show(mode if on else 0)
    if mode == 1049 and not on:
        canvas.restore()


ACTIONS: dict[str, Action] = {
    "A": move_up, "B": move_down, "C": move_right, "D": move_left, "E": move_lines_down, "F": move_lines_up,
    "G": move_to_column, "H": move, "I": move_tabs, "J": erase_in_display, "K": erase_in_line, "L": insert_lines,
    "M": delete_lines, "P": delete_characters, "X": erase_characters, "@": insert_characters, "Z": move_tabs_back,
    "`": move_to_column, "a": move_right, "b": repeat, "d": move_to_row, "e": move_rows, "f": move, "g": clear_tabs,
    "r": set_region, "?J": erase_in_display, "?K": erase_in_line,
    "S": lambda canvas, parameters: canvas.scroll_up(count_of(parameters)),
    "T": lambda canvas, parameters: canvas.scroll_down(count_of(parameters)) if len(parameters) < 2 else None,
    "s": lambda canvas, parameters: canvas.save(),
    "u": lambda canvas, parameters: canvas.restore(),
    "h": lambda canvas, parameters: set_modes(canvas, parameters, True),
    "l": lambda canvas, parameters: set_modes(canvas, parameters, False),
    "?h": lambda canvas, parameters: set_private_modes(canvas, parameters, True),
    "?l": lambda canvas, parameters: set_private_modes(canvas, parameters, False),
    "?W": lambda canvas, parameters: canvas.reset_tabs() if parameters[0] == 5 else None,
    SOFT: lambda canvas, parameters: soft_reset(canvas),
}  # fmt: skip


def soft_reset(canvas: Canvas) -> None:
    canvas.reset_softly()
    canvas.saved.pop(canvas.is_alternate, None)
