"""our own terminal: raw while attached, given back as it was"""

from __future__ import annotations

import os
import termios

from codewire_py.errors import NoTerminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

IFLAG, OFLAG, CFLAG, LFLAG, CC = 0, 1, 2, 3, 6
SLICE = 1024  # what a blocking terminal surely takes when poll says it is writable


class OwnTerminal:
    """Descriptors 0 and 1. Output goes through a descriptor of our own, so that it can be non-blocking."""

    def __init__(self) -> None:
        if not (os.isatty(0) and os.isatty(1)):
            raise NoTerminal("attach needs a terminal for its input and output")
        self.before = termios.tcgetattr(0)
        self.output = reopen(1)
        self.is_blocking = self.output < 0
        if self.is_blocking:
            self.output = os.dup(1)

    def enter_raw(self) -> None:
        raw = termios.tcgetattr(0)
        raw[IFLAG] &= ~(
            termios.IGNBRK | termios.BRKINT | termios.PARMRK | termios.ISTRIP | termios.INLCR | termios.IGNCR
            | termios.ICRNL | termios.IXON
        )  # fmt: skip
        raw[OFLAG] &= ~termios.OPOST
        raw[LFLAG] &= ~(termios.ECHO | termios.ECHONL | termios.ICANON | termios.ISIG | termios.IEXTEN)
        raw[CFLAG] = raw[CFLAG] & ~(termios.CSIZE | termios.PARENB) | termios.CS8
        raw[CC][termios.VMIN], raw[CC][termios.VTIME] = 1, 0
        termios.tcsetattr(0, termios.TCSANOW, raw)

    def leave_raw(self, last_words: bytes = b"") -> None:
        """Undo what the program switched on, then the raw mode. A terminal that is gone needs nothing."""
        try:
            os.set_blocking(self.output, True)
            while last_words:
                last_words = last_words[os.write(self.output, last_words) :]
        except OSError:
            pass
        try:
            termios.tcsetattr(0, termios.TCSADRAIN, self.before)
        except termios.error:
            pass
        finally:
            if not self.is_blocking:
                os.set_blocking(self.output, False)

    def size(self) -> tuple[int, int]:
        """(rows, columns)"""
        return own_size()

    def write(self, data: bytes | memoryview) -> int:
        """How much it took; 0: it takes nothing now. OSError: it is gone."""
        try:
            return os.write(self.output, data[:SLICE] if self.is_blocking else data)
        except BlockingIOError:
            return 0

    def close(self) -> None:
        os.close(self.output)


def own_size(default: Sequence[int] = (0, 0)) -> tuple[int, int]:
    """(rows, columns) of whichever of our descriptors is a terminal."""
    for descriptor in (0, 1, 2):
        try:
            cols, rows = os.get_terminal_size(descriptor)
        except OSError:
            continue
        if rows and cols:
            return rows, cols
    return default[0], default[1]


def reopen(descriptor: int) -> int:
    """The same terminal by its name: then our O_NONBLOCK is not the shell's. -1 where it has no name here."""
    try:
        name = os.ttyname(descriptor)
        fresh = os.open(name, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError:
        return -1
    if os.fstat(fresh).st_rdev != os.fstat(descriptor).st_rdev:
        os.close(fresh)
        return -1
    return fresh
