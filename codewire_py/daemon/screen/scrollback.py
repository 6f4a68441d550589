"""the rows that have left a screen at its top, kept as the bytes that draw them"""

from __future__ import annotations

from collections import deque

from codewire_py.daemon.screen.row import Row
from codewire_py.daemon.screen.style import Style
from codewire_py.stream.plain import Plain

END = b"\r\n"
OVERHEAD = 48  # bytes that a row costs beside its own


class Scrollback:
    """A row that ran on into the next has no line end."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.rows: deque[bytes] = deque()
        self.size = 0
        self.pushed = 0  # rows, ever

    def push(self, row: Row, plain: Style) -> None:
        line = row.encode(plain)
        self.push_lines([line if row.wraps else line + END])

    def push_lines(self, lines: list[bytes]) -> None:
        """Rows as they are to be drawn, in the default style before and after."""
        self.rows += lines
        self.pushed += len(lines)
        self.size += sum(map(len, lines)) + OVERHEAD * len(lines)
        while self.size > self.most:
            self.size -= len(self.rows.popleft()) + OVERHEAD

    def pop_line(self, most: int) -> bytes:
        """Take back what was pushed last, with the rows that ran on into it, until that are so many bytes."""
        line = b""
        while self.rows and len(line) < most and not (line and self.rows[-1].endswith(END)):
            row = self.rows.pop()
            self.size -= len(row) + OVERHEAD
            line = row + line
        return line

    def clear(self) -> None:
        self.rows.clear()
        self.size = 0

    def last(self, count: int) -> list[bytes]:
        count = min(count, len(self.rows))
        return [self.rows[index] for index in range(len(self.rows) - count, len(self.rows))]

    def text(self, count: int) -> list[str]:
        """As text; rows that ran on into each other stay rows."""
        return [as_text(row) for row in self.last(count)]


def as_text(row: bytes) -> str:
    plain = Plain()
    return (plain.feed(row.removesuffix(END)) + plain.flush()).decode("utf-8", "replace").rstrip(" ")
