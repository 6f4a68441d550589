"""a screen on a terminal of another size: the part around the cursor, drawn over what was drawn last"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from codewire_py.daemon.screen.canvas import clamp
from codewire_py.daemon.screen.paint import BEGIN, END, UNSTYLE

if TYPE_CHECKING:
    from codewire_py.daemon.screen.screen import Screen

# The title is put aside. Lines do not break: a character that is wider there than here spoils only its own row.
ENTER = b"\x18\x1b\\" + END + UNSTYLE + b"\x1b[22;0t\x1b[?1049h\x1b[?6l\x1b[?69l\x1b[?7l"
CLEAR = b"\x1b[H\x1b[2J"
LEAVE = b"\x1b[m\x1b[?7h\x1b[?25h\x1b[?1049l\x1b[23;0t"
PUT_ASIDE = re.compile(rb"\x1b\[22;\d+t")  # what the program has put aside itself is not on this terminal
SHOW_CURSOR, HIDE_CURSOR = b"\x1b[?25h", b"\x1b[?25l"
CURSOR = 25


class View:
    """What one viewer's terminal of `rows` and `cols` has been sent: it needs nothing but what differs now.

    Of a larger screen it shows a part, which moves as little as keeps the cursor inside; dots are where a smaller
    one ends. The program's settings are in force; a mouse counts from the corner of the part.
    """

    def __init__(self, rows: int, cols: int) -> None:
        self.rows, self.cols = clamp(rows), clamp(cols)
        self.top = self.left = 0
        self.forget()

    def forget(self) -> None:
        """Somebody else had the terminal: begin again from any state."""
        self.drawn: list[bytes] = []
        self.has_entered = False
        self.cursor = self.unset = b""
        self.settings: tuple[bytes, int] | None = None
        self.title = ""

    def resize(self, rows: int, cols: int) -> None:
        if (clamp(rows), clamp(cols)) != (self.rows, self.cols):
            self.rows, self.cols = clamp(rows), clamp(cols)
            self.drawn = []

    def draw(self, screen: Screen) -> bytes:
        """The bytes that make the terminal show what the screen shows now; none if it does already."""
        self.follow(screen)
        entering = b"" if self.has_entered else ENTER
        self.has_entered = True
        before, self.cursor = self.cursor, self.place_cursor(screen)
        parts = self.set_modes(screen) + self.draw_rows(screen)
        if parts:
            return entering + b"".join([BEGIN, HIDE_CURSOR, *parts, self.cursor, END])
        return self.cursor if self.cursor != before else b""

    def leave(self) -> bytes:
        """The bytes that undo all of it; nothing of it stays on the terminal's own screen."""
        left = self.unset + LEAVE if self.has_entered else b""
        self.forget()
        return left

    # -- the part that is shown

    def follow(self, screen: Screen) -> None:
        """Lines are read from their beginning: it is shown whenever the cursor is near enough to it."""
        row, col = screen.cursor()
        self.top = scroll(self.top, row, self.rows, screen.rows)
        self.left = scroll(self.left if col >= self.cols else 0, col, self.cols, screen.cols)

    def draw_rows(self, screen: Screen) -> list[bytes]:
        parts = [] if self.drawn else [CLEAR]
        before = self.drawn or [b""] * self.rows
        self.drawn = [self.draw_row(screen, row) for row in range(self.rows)]
        for row, drawn in enumerate(self.drawn):
            if drawn != before[row]:  # erased before: after its last column, that would erase this column
                parts.append(b"\x1b[%dH\x1b[K%b" % (row + 1, drawn))
        return parts

    def draw_row(self, screen: Screen, row: int) -> bytes:
        if row >= screen.rows:
            return dots(self.cols)
        drawn = screen.draw_row(self.top + row, self.left, min(self.left + self.cols, screen.cols))
        if screen.cols < self.cols:
            drawn += b"\x1b[%dG%b" % (screen.cols + 1, dots(self.cols - screen.cols))
        return drawn

    def place_cursor(self, screen: Screen) -> bytes:
        row, col = screen.cursor()
        place = b"\x1b[%d;%dH" % (row - self.top + 1, col - self.left + 1)
        return place + (SHOW_CURSOR if screen.modes.is_on(CURSOR) else HIDE_CURSOR)

    # -- the rest of the terminal

    def set_modes(self, screen: Screen) -> list[bytes]:
        """How keys and the mouse are told, colours, the cursor's shape: as the program set them, all or none."""
        modes = screen.modes
        parts = []
        settings = PUT_ASIDE.sub(b"", modes.settings().replace(HIDE_CURSOR, b"")), modes.keyboard_flags
        if settings != self.settings:
            parts += [self.unset or modes.unset(), settings[0], b"\x1b[=%du" % settings[1]]
            self.settings, self.unset = settings, modes.unset()
        if screen.title != self.title:
            self.title = screen.title
            parts.append(b"\x1b]2;%b\x1b\\" % self.title.encode())
        return parts


def scroll(first: int, at: int, shown: int, there: int) -> int:
    """The first row or column to be shown, as near to `first` as lets `at` be seen, and no room is wasted."""
    first = max(min(first, at), at - shown + 1)
    return max(0, min(first, there - shown))


@lru_cache(maxsize=64)
def dots(count: int) -> bytes:
    """The same for every row, so that a vast terminal takes no room here."""
    return b"\x1b[2m" + "\u00b7".encode() * count + b"\x1b[m"
