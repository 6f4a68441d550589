"""answer what a program asks its terminal, so that it starts as it would in a real one"""

from __future__ import annotations

import re
from collections.abc import Callable

Answer = Callable[[re.Match[bytes], int, int], bytes]

QUERY = re.compile(
    rb"\x1b(?:"
    rb"\[(?P<attributes>0?c)"
    rb"|\[(?P<secondary>>0?c)"
    rb"|\[(?P<name>>0?q)"
    rb"|\[(?P<status>5n)"
    rb"|\[(?P<cursor>6n)"
    rb"|\[(?P<keyboard>\?u)"
    rb"|\[(?P<window>1[468]t)"
    rb"|\[\?(?P<mode>\d+)\$p"
    rb"|\](?P<colour>1[012]);\?(?:\x07|\x1b\\)"
    rb"|P\$q(?P<setting>[^\x1b]*)\x1b\\"
    rb"|P\+q(?P<capability>[^\x1b]*)\x1b\\"
    rb")"
)

COLOURS = {b"10": b"d0d0/d0d0/d0d0", b"11": b"1010/1010/1010", b"12": b"d0d0/d0d0/d0d0"}
CELL_ROWS, CELL_COLS = 20, 10


def window(match: re.Match[bytes], rows: int, cols: int) -> bytes:
    kind = match["window"][:2]
    if kind == b"14":
        return b"\x1b[4;%d;%dt" % (rows * CELL_ROWS, cols * CELL_COLS)
    if kind == b"16":
        return b"\x1b[6;%d;%dt" % (CELL_ROWS, CELL_COLS)
    return b"\x1b[8;%d;%dt" % (rows, cols)


ANSWERS: dict[str, Answer] = {
    "attributes": lambda *_: b"\x1b[?62;22c",
    "secondary": lambda *_: b"\x1b[>1;10;0c",
    "name": lambda *_: b"\x1bP>|desk\x1b\\",
    "status": lambda *_: b"\x1b[0n",
    "cursor": lambda *_: b"\x1b[1;1R",
    "keyboard": lambda *_: b"\x1b[?0u",
    "window": window,
    "mode": lambda match, *_: b"\x1b[?%s;0$y" % match["mode"],
    "colour": lambda match, *_: b"\x1b]%s;rgb:%s\x1b\\" % (match["colour"], COLOURS[match["colour"]]),
    "setting": lambda *_: b"\x1bP0$r\x1b\\",
    "capability": lambda *_: b"\x1bP0+r\x1b\\",
}


class Answers:
    """Fed with what the program says, it says what to type back; a query cut in two is seen once it is whole."""

    def __init__(self, rows: int, cols: int) -> None:
        self.size = (rows, cols)
        self.pending = b""

    def feed(self, data: bytes) -> bytes:
        self.pending += data
        answers = b""
        end = 0
        for match in QUERY.finditer(self.pending):
            assert match.lastgroup
            answers += ANSWERS[match.lastgroup](match, *self.size)
            end = match.end()
        start = self.pending.rfind(b"\x1b", max(end, len(self.pending) - 256))
        self.pending = self.pending[start:] if start >= 0 else b""
        return answers
