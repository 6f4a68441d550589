"""lines that rush by: those that leave a screen within one piece go to its scrollback as they are, undrawn"""

from __future__ import annotations

import re

from codewire_py.daemon.screen.canvas import Canvas
from codewire_py.daemon.screen.lines import END, LOOKS, is_plain, plain_texts, whole_lines
from codewire_py.daemon.screen.row import Row

WORTH = 2  # screens: one is drawn anyway
C1 = re.compile(rb"\xc2[\x80-\x9f]")  # controls, which some terminals obey
RESETS = (b"\x1b[m", b"\x1b[0m")


def rush(canvas: Canvas, data: bytes) -> int:
    """How much of `data` is done with. A line has just ended, so the last row is blank if the cursor is in it.

    The canvas is free: no region, no insertion, no charset, the main screen. Then it is blank: what comes next, a
    screen of lines less one, draws it from its top.
    """
    if canvas.y < canvas.height - 1 or canvas.x or canvas.pen is not canvas.plain:
        return 0
    lines = whole_lines(data)
    gone = lines[: len(lines) - (canvas.height - 1)]
    if len(lines) < WORTH * canvas.height or not all(map(ends_plain, gone)):
        return 0
    raw = END.join(gone)
    if b"\t" in raw or not fit(raw, canvas.cols):
        return 0
    for row in canvas.lines[:-1]:
        canvas.scrollback.push(row, canvas.plain)
    canvas.scrollback.push_lines([line + END for line in gone])
    for index in range(canvas.height):
        canvas.lines[index] = Row(canvas.cols, canvas.plain)
    canvas.y = 0
    return len(raw) + len(END)


def fit(raw: bytes, cols: int) -> bool:
    """Whether no line is longer than a row. No character has more columns than bytes."""
    bare = LOOKS.sub(b"", raw)
    lines = bare.split(END)
    is_odd = not is_plain(bare) or not bare.count(b"\r") == bare.count(b"\n") == len(lines) - 1
    if is_odd or C1.search(bare) or not is_utf8(bare):
        return False
    return max(map(len, lines)) <= cols or bool(plain_texts(raw, cols))


def is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def ends_plain(line: bytes) -> bool:
    """Whether a line that begins in the default style ends in it."""
    last = line.rfind(b"\x1b[")
    return last < 0 or line.startswith(RESETS, last)
