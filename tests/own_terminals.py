"""`cw` in a terminal of its own, with a person before it: typed into, resized, hung up, looked at"""

from __future__ import annotations

import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from homes import CW, SECONDS, Home, until

ROWS, COLS = 24, 80
SILENT = {"TERM": "vt220"}  # a terminal that is asked nothing, for nobody here answers


class OwnTerminal:
    """A terminal that outlives what runs in it. `shown` is every byte it was sent; `env` is different in it."""

    def __init__(
        self, home: Home, command: Sequence[str], rows: int = ROWS, cols: int = COLS, **env: str
    ) -> None:
        self.master, self.slave = os.openpty()
        self.resize(rows, cols)
        self.before = self.modes()
        self.shown = b""
        env = {**home.env, **SILENT, **env}
        self.process = subprocess.Popen(
            command, env=env, stdin=self.slave, stdout=self.slave, stderr=self.slave, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - nothing else runs here
        )  # fmt: skip

    # -- a person's part

    def type(self, data: bytes) -> None:
        while data:
            data = data[os.write(self.master, data) :]

    def resize(self, rows: int, cols: int) -> None:
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def signal(self, number: int) -> None:
        os.kill(self.process.pid, number)

    def hang_up(self) -> None:
        """As when the window is closed: every end that is ours goes."""
        self.take()
        os.close(self.slave)
        os.close(self.master)
        self.master = self.slave = -1

    # -- what there is to see

    def modes(self) -> list[Any]:
        return termios.tcgetattr(self.slave)

    def is_as_before(self) -> bool:
        return self.modes() == self.before

    def take(self, seconds: float = 0.0) -> bytes:
        """What was sent since, at most so long from now."""
        start = len(self.shown)
        while self.master >= 0 and select.select([self.master], [], [], seconds)[0]:
            self.shown += os.read(self.master, 1 << 16)
            seconds = 0.0
        return self.shown[start:]

    def until_shown(self, text: bytes, count: int = 1, seconds: float = SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while self.shown.count(text) < count:
            self.take(0.05)
            assert time.monotonic() < deadline, f"{text!r} was not shown {count} times: {self.shown!r}"
            gone = self.process.poll() is not None and not self.take()
            assert not gone or self.shown.count(text) >= count, f"ended without {text!r}: {self.shown!r}"

    def attached(self) -> int:
        """Wait until it says so; the session. By then the terminal is about to be raw: wait for that as well."""
        self.until_shown(b" to detach)")
        until(lambda: not self.is_as_before() or self.process.poll() is not None, "the terminal to be raw")
        found = re.search(rb"attached to session (\d+)", self.shown)
        assert found
        return int(found[1])

    def end(self, seconds: float = SECONDS) -> int:
        """Its exit status; whatever it says meanwhile is taken."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            self.take(0.02)
            assert time.monotonic() < deadline, f"it does not end: {self.shown!r}"
        self.take()
        return self.process.wait()

    def close(self) -> None:
        if self.process.poll() is None:
            self.signal(signal.SIGKILL)
        while self.process.poll() is None:
            self.take(0.02)
        for descriptor in (self.master, self.slave):
            with suppress(OSError):
                os.close(descriptor)


class Desk:
    """All own terminals of a test."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.terminals: list[OwnTerminal] = []

    def cw(self, *words: str, **options: Any) -> OwnTerminal:
        return self.run([*CW, *words], **options)

    def run(self, command: Sequence[str], **options: Any) -> OwnTerminal:
        terminal = OwnTerminal(self.home, command, **options)
        self.terminals.append(terminal)
        return terminal

    def attach(self, *words: str, **options: Any) -> OwnTerminal:
        """Attached and raw when this returns."""
        terminal = self.cw("attach", *words, **options)
        terminal.attached()
        return terminal


@contextmanager
def new_desk(home: Home) -> Iterator[Desk]:
    desk = Desk(home)
    try:
        yield desk
    finally:
        for terminal in desk.terminals:
            terminal.close()
