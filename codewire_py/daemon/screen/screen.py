"""the screen of a terminal: feed it what a program prints, ask it what can be seen"""

from __future__ import annotations

import codecs

from codewire_py.daemon.limits import SCROLLBACK_BYTES
from codewire_py.daemon.screen import controls, paint, reflow
from codewire_py.daemon.screen.canvas import Canvas, clamp
from codewire_py.daemon.screen.lines import END
from codewire_py.daemon.screen.row import Row
from codewire_py.daemon.screen.rushing import rush
from codewire_py.daemon.screen.style import Style
from codewire_py.daemon.screen.tokens import CONTROL, CONTROL_SEQUENCE, LOOKS, NEWLINE, TEXT, TOKENS
from codewire_py.stream.modes import Modes
from codewire_py.stream.scan import Pieces

MOST_PLANS = 4096
RUSHING_BYTES = 4096  # in one piece
LONGEST_PLANNED = 256  # characters of a sequence
_Decoder = codecs.getincrementaldecoder("utf-8")


class Screen(Canvas):
    """A canvas, and a stream that draws on it."""

    rushes = True

    def __init__(self, rows: int, cols: int, scrollback_bytes: int = SCROLLBACK_BYTES) -> None:
        super().__init__(rows, cols, scrollback_bytes)
        self.pieces = Pieces()
        self.decoder = _Decoder("replace")
        self.modes = Modes()
        self.plans: dict[str, tuple[controls.Action | None, list[int]]] = {}

    # -- what can be seen

    @property
    def rows(self) -> int:
        return self.height

    def cursor(self) -> tuple[int, int]:
        return self.y, min(self.x, self.cols - 1)

    def text(self) -> list[str]:
        return [row.text() for row in self.lines]

    def history_text(self, count: int) -> list[str]:
        return self.scrollback.text(count)

    def cell(self, row: int, col: int) -> tuple[str, Style]:
        return self.lines[row].chars[col], self.lines[row].styles[col]

    def draw_row(self, row: int, left: int = 0, right: int | None = None) -> bytes:
        line = self.lines[row]
        end = line.used(self.plain) if right is None else min(right, line.used(self.plain))
        return line.draw(left, max(left, end), self.plain)

    def leaves_main_alone(self) -> bool:
        return paint.leaves_main_alone(self)

    def unfinished(self) -> int:
        """How many of the last bytes are the beginning of a character or a sequence; 0 if it is too long to matter."""
        begun = len(self.decoder.getstate()[0]) + len(self.pieces.held)
        return 0 if self.pieces.is_leaving_out else begun

    def paint(
        self, scrollback: int = 1000, afresh: bool = False, note: str = "", with_pending: bool = True
    ) -> bytes:
        painted = paint.paint(self, self.modes, scrollback, afresh, note)
        begun: bytes = self.decoder.getstate()[0]
        return painted + begun + self.pieces.pending() if with_pending else painted

    # -- following a stream

    def feed(self, data: bytes) -> None:
        self.modes.feed(data)
        if self.rushes and len(data) >= RUSHING_BYTES and self.y == self.height - 1:
            begun = data.find(END) + len(END) if END in data else 0  # a line that began before
            self.draw(data[:begun])
            data = data[begun:]
            if self.is_free():
                data = data[rush(self, data) :]
        self.draw(data)

    def draw(self, data: bytes) -> None:
        text = self.decoder.decode(self.pieces.whole(data))
        for match in TOKENS.finditer(text):
            kind = match.lastindex
            if kind == TEXT:
                self.write(match[0])
            elif kind == LOOKS:
                looks = match[LOOKS]
                self.pen = self.pen.next.get(looks) or self.styles.change(self.pen, looks)
            elif kind == NEWLINE:
                if match[0] == "\r\n" or self.returns:
                    self.x = 0
                self.line_feed()
            elif kind == CONTROL_SEQUENCE:
                action, parameters = self.plans.get(match[CONTROL_SEQUENCE]) or self.plan(
                    match[CONTROL_SEQUENCE]
                )
                if action:
                    action(self, parameters)
            elif kind == CONTROL:
                controls.obey(self, match[0])
            else:
                controls.obey_odd(self, match[0])

    def plan(self, body: str) -> tuple[controls.Action | None, list[int]]:
        if len(self.plans) > MOST_PLANS:
            self.plans.clear()
        plan = controls.plan(body)
        if len(body) <= LONGEST_PLANNED:
            self.plans[body] = plan
        return plan

    def is_free(self) -> bool:
        """Whether a line that is printed now goes up, row by row, as it is."""
        is_whole = not self.pieces.inside and not self.decoder.getstate()[0]
        is_full = self.top == 0 and self.bottom == self.height - 1 and not self.is_alternate
        return is_whole and is_full and not self.insert and not self.graphics

    def resize(self, rows: int, cols: int) -> None:
        if (rows, cols) != (self.height, self.cols):
            reflow.resize(self, clamp(rows), clamp(cols), self.drawn)

    def drawn(self, line: bytes, cols: int) -> list[Row]:
        """The rows that a line of the scrollback takes at that width."""
        blank = Screen(len(line) // cols + 2, cols)
        blank.styles, blank.plain = self.styles, self.plain
        blank.reset()
        blank.feed(line.removesuffix(b"\r\n"))
        return blank.main[: blank.y + 1]
