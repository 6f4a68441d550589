"""clients that stay: each `cw` in a terminal or behind a pipe of its own, whose output is taken in all the time"""

from __future__ import annotations

import fcntl
import os
import re
import select
import struct
import subprocess
import termios
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from codewire_py.client.connection import Connection
from codewire_py.home.paths import SOCKET, connect
from codewire_py.wire.codec import decode
from codewire_py.wire.frames import DATA
from codewire_py.wire.messages import Attached, Ended, Message, Painted
from homes import CW, SECONDS, Home, until
from own_terminals import SILENT

BLOCK = 1 << 16
ROWS, COLS = 24, 80


class Viewer:
    """One client. `output` grows by itself, unless the test said that it is stuck."""

    def __init__(self, process: subprocess.Popen[bytes], source: int, errors: Path) -> None:
        self.process, self.source, self.errors_file = process, source, errors
        self.output = bytearray()
        self.is_over = threading.Event()

    def take(self) -> bool:
        """Read once; False when the client has closed its output."""
        try:
            data = os.read(self.source, BLOCK)
        except OSError:  # a terminal whose other end is closed
            data = b""
        self.output += data
        if not data:
            self.is_over.set()
        return bool(data)

    def type(self, keys: bytes) -> None:
        """As the person before its terminal."""
        while keys:
            keys = keys[os.write(self.source, keys) :]

    def errors(self) -> str:
        return self.errors_file.read_bytes().decode(errors="replace")

    def told(self) -> str:
        return f"it showed {bytes(self.output[-200:])!r} and said {self.errors()!r}, status {self.process.poll()}"

    def is_attached(self) -> bool:
        """Then it begins with a paint."""
        words: list[str] = list(self.process.args)  # type: ignore[arg-type]
        return words[words.index(CW[-1]) + 1] in ("attach", "launch")

    def session(self) -> int:
        """The session that an attach says it shows."""
        words = re.compile(r"attached to session (\d+)")
        return int(until(lambda: words.search(self.errors()), "a client to attach", told=self.told)[1])

    def until_shown(self, text: bytes) -> None:
        until(lambda: text in self.output, f"{self.process.args} to show {text!r}", told=self.told)

    def end(self, seconds: float = SECONDS) -> int:
        """How it ended; by then its whole output is here."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise AssertionError(f"{error}; {self.told()}") from error
        assert self.is_over.wait(SECONDS)
        return status


class Viewers:
    """All clients of a home that stay. One thread takes in what they print, so none waits for the test."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.all: list[Viewer] = []
        self.poll = select.epoll()
        self.reading: dict[int, Viewer] = {}
        self.stop, self.stopper = os.pipe()
        self.poll.register(self.stop, select.EPOLLIN)
        self.thread = threading.Thread(target=self.take_in, daemon=True)
        self.thread.start()

    def in_terminal(self, *words: str, is_read: bool = True) -> Viewer:
        """`cw` in a terminal of its own; what it says on standard error goes elsewhere."""
        terminal, slave = os.openpty()
        tty.setraw(slave)
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLS, 0, 0))
        return self.begin(words, terminal, slave, slave, is_read)

    def in_pipe(self, *words: str, is_read: bool = True) -> Viewer:
        outlet, inlet = os.pipe()
        return self.begin(words, outlet, subprocess.DEVNULL, inlet, is_read)

    def begin(self, words: tuple[str, ...], source: int, stdin: int, stdout: int, is_read: bool) -> Viewer:
        errors = self.home.path.parent / f"errors-{len(self.all)}"
        with errors.open("wb") as file:
            process = subprocess.Popen(
                [*self.home.command, *words], env={**self.home.env, **SILENT}, stdin=stdin, stdout=stdout, stderr=file,
                start_new_session=True,
            )  # fmt: skip
        os.close(stdout)
        viewer = Viewer(process, source, errors)
        self.all.append(viewer)
        if is_read:
            self.read(viewer)
        return viewer

    def read(self, viewer: Viewer) -> None:
        """From now on, if it was stuck."""
        self.reading[viewer.source] = viewer
        self.poll.register(viewer.source, select.EPOLLIN)

    def take_in(self) -> None:
        while True:
            for source, _ in self.poll.poll():
                if source == self.stop:
                    return
                if not self.reading[source].take():
                    self.poll.unregister(source)

    def close(self) -> None:
        for viewer in self.all:
            viewer.process.kill()
            viewer.process.wait(10)
        os.write(self.stopper, b".")
        self.thread.join()
        self.poll.close()
        for descriptor in (self.stop, self.stopper, *(viewer.source for viewer in self.all)):
            with suppress(OSError):
                os.close(descriptor)


class Peer:
    """A viewer that is no `cw`: the daemon serves it the log, by the documented protocol."""

    def __init__(self, home: Home, request: Message) -> None:
        self.connection = Connection(connect(f"{home.path}/{SOCKET}", SECONDS))
        self.begun = self.connection.ask(request)

    def read_all(self) -> bytes:
        """What it is to show, up to the end of the session, and of the conversation."""
        shown = bytearray(self.begun.paint if isinstance(self.begun, Attached) else b"")
        while True:
            kind, payload = self.connection.receive()
            if kind == DATA:
                shown += payload
            elif isinstance(message := decode(payload), Painted):
                shown += message.paint
            elif isinstance(message, Ended):
                self.connection.close()
                return bytes(shown)


@contextmanager
def new_viewers(home: Home) -> Iterator[Viewers]:
    viewers = Viewers(home)
    try:
        yield viewers
    finally:
        viewers.close()
