"""a visit to a keeper's door, by a raw socket: as docs/keeper.md says, not as our own code does it"""

from __future__ import annotations

import array
import fcntl
import os
import select
import signal
import socket
import struct
import termios
import time
from pathlib import Path

BELL, TERMINAL, FULL, DONE, NOBODY = b".", b"t", b"!", b"+", b"-"
PROGRAM, FOREGROUND, SESSION = 0, 1, 2
KILL = signal.SIGKILL
SECONDS = 20.0


class Visit:
    greeting = b""

    def __init__(self, door: Path) -> None:
        self.peer = socket.socket(socket.AF_UNIX)
        self.terminals: list[int] = []
        try:
            self.peer.connect(str(door))  # waits where a non-blocking one would be told that there is a queue
        except BaseException:
            self.peer.close()
            raise
        self.peer.settimeout(SECONDS)

    def keeper(self) -> int:
        """The pid of whoever opened the door."""
        raw = self.peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        return int(struct.unpack("iII", raw)[0])

    def hear(self) -> bytes:
        """The words that are there, once there are some; empty: the keeper has closed."""
        try:
            words, extras, _, _ = self.peer.recvmsg(4096, socket.CMSG_SPACE(4), socket.MSG_CMSG_CLOEXEC)
        except ConnectionResetError:
            return b""
        for _, _, data in extras:
            self.terminals += array.array("i", data).tolist()
        return words

    def has_words(self, seconds: float = 0.0) -> bool:
        return bool(select.select([self.peer], [], [], seconds)[0])

    def unread(self) -> int:
        """How many bytes wait for us."""
        return int(struct.unpack("i", fcntl.ioctl(self.peer, termios.FIONREAD, b"\0\0\0\0"))[0])

    def until_taken(self) -> None:
        """Until the keeper has read all that we said."""
        deadline = time.monotonic() + SECONDS
        while fcntl.ioctl(self.peer, termios.TIOCOUTQ, b"\0\0\0\0") != b"\0\0\0\0":
            assert time.monotonic() < deadline, "the keeper does not read"

    def until_word(self, *wanted: bytes) -> bytes:
        """Hear until one of these words comes; EOFError when the keeper has closed instead."""
        while words := self.hear():
            for word in wanted:
                if word in words:
                    return word
        raise EOFError(f"closed before any of {wanted}")

    def until_closed(self) -> bytes:
        """Everything it still says."""
        heard = b""
        while words := self.hear():
            heard += words
        return heard

    def order(self, order: bytes) -> None:
        self.peer.sendall(order)

    def signal(self, number: int, target: int) -> bytes:
        """Done, or nobody; empty when the keeper has closed before it could say."""
        self.order(bytes((ord("S"), number, target, 0)))
        try:
            return self.until_word(DONE, NOBODY)
        except EOFError:
            return b""

    def terminal(self) -> int:
        self.order(b"t\0\0\0")
        while not self.terminals:
            assert self.hear(), "closed before the terminal came"
        return self.terminals[-1]

    def type(self, text: bytes) -> None:
        terminal = self.terminals[-1] if self.terminals else self.terminal()
        while text:
            _, writable, _ = select.select([], [terminal], [], SECONDS)
            assert writable, "the terminal takes no more"
            text = text[os.write(terminal, text) :]

    def close(self) -> None:
        self.peer.close()
        while self.terminals:
            os.close(self.terminals.pop())
