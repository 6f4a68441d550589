"""run a program in a terminal that names nobody, press keys, and keep every byte it says"""

from __future__ import annotations

import fcntl
import os
import re
import select
import shutil
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from recording.answers import Answers

DESK = Path("/tmp/desk")  # the same on every machine: programs show where they are
HOME, FOLDER = DESK / "home", DESK / "shop"
QUIET_SECONDS = 0.4
PATIENCE_SECONDS = 20.0
RESTLESS_SECONDS = 2.0  # a spinner is never quiet

# Processes, host name and network of their own: what top and htop list, and what an agent can reach.
ALONE = ["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "--uts"]
ALONE += [*(["--map-root-user"] if os.getuid() else []), "sh", "-c", 'hostname desk; exec "$@"', "sh"]

ENVIRONMENT = {
    "HOME": str(HOME),
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "TMPDIR": str(DESK / "tmp"),  # Codex wants no home in it
    "TERM": "xterm-256color",
    "COLORTERM": "truecolor",
    "LANG": "C.UTF-8",
    "USER": "ada",
    "LOGNAME": "ada",
    "SHELL": "/bin/bash",
    "GIT_CONFIG_NOSYSTEM": "1",
}


class Stuck(Exception):
    """The program did not show what the play waits for."""


class Stage:
    """A program on its terminal. `said` is every byte so far."""

    def __init__(self, command: Sequence[str], rows: int, cols: int, environment: dict[str, str]) -> None:
        self.answers = Answers(rows, cols)
        self.said = b""
        self.master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))
        self.process = subprocess.Popen(
            [*ALONE, *command], stdin=slave, stdout=slave, stderr=slave, cwd=FOLDER, start_new_session=True,
            env={**ENVIRONMENT, **environment},
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - nothing else runs here
        )  # fmt: skip
        os.close(slave)

    def hear(self, seconds: float) -> bool:
        """Whether it said something within that time; it is answered."""
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.master, 1 << 16)
        except OSError:
            return False
        self.said += data
        self.press(self.answers.feed(data))
        return bool(data)

    def press(self, keys: bytes) -> None:
        while keys:
            keys = keys[os.write(self.master, keys) :]

    def until(self, pattern: str) -> None:
        """Until it has said that since the last key, and then until it is quiet."""
        start = len(self.said)
        deadline = time.monotonic() + PATIENCE_SECONDS
        wanted = re.compile(pattern.encode())
        while not wanted.search(self.said, start):
            self.hear(0.1)
            if time.monotonic() > deadline:
                raise Stuck(f"waited in vain for {pattern!r} after {self.said[start:][-2000:]!r}")
        self.until_quiet()

    def until_quiet(self) -> None:
        deadline = time.monotonic() + RESTLESS_SECONDS
        while self.hear(QUIET_SECONDS) and time.monotonic() < deadline:
            pass

    def until_end(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.process.poll() is None:
            self.hear(0.05)
            if time.monotonic() > deadline:
                raise Stuck(f"it does not end: {self.said[-2000:]!r}")
        while self.hear(0):
            pass

    def close(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.master)


def clear_desk() -> None:
    shutil.rmtree(DESK, ignore_errors=True)


def lay_desk() -> None:
    clear_desk()
    HOME.mkdir(parents=True)
    FOLDER.mkdir()
    (DESK / "tmp").mkdir()
