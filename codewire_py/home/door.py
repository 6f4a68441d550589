"""visit a keeper: hear its bell, ask for the terminal, send signals (the contract is docs/keeper.md)"""

from __future__ import annotations

import _socket
import os
import sys

from codewire_py.errors import ProtocolError
from codewire_py.home.paths import DOOR, connect

BELL, TERMINAL, FULL, DONE, NOBODY = b".", b"t", b"!", b"+", b"-"
PROGRAM, FOREGROUND, SESSION = 0, 1, 2
OLDEST, NEWEST = 1, 1  # contracts that a keeper may still be alive with
CLOSE_ON_EXEC = getattr(_socket, "MSG_CMSG_CLOEXEC", 0)
MEBIBYTE = 1 << 20


class Door:
    """A visit. It never blocks: wait until `fileno` is readable, then `hear`."""

    __slots__ = ("_is_asking", "_peer", "is_open", "is_paused", "terminal", "version")

    def __init__(self, peer: _socket.socket) -> None:
        peer.setblocking(False)
        self._peer = peer
        self.version = 0
        self.terminal = -1
        self.is_open = True
        self._is_asking = False
        self.is_paused = False  # the disk is full: the program waits

    def fileno(self) -> int:
        return self._peer.fileno()

    def hear(self) -> bytes:
        """The keeper's words since; `is_open` tells whether there may be more."""
        try:
            words = self._receive_terminal() if self._is_asking else self._peer.recv(4096)
        except BlockingIOError:
            return b""
        except OSError:
            words = b""
        if words == BELL and self.version and not self.is_paused:
            return words  # by far the most frequent
        if words and not self.version:
            self.version, words = words[0], words[1:] or BELL
            if not OLDEST <= self.version <= NEWEST:
                raise ProtocolError(f"a keeper speaks version {self.version} of its contract")
        self.is_open = bool(words)
        if words:
            self.is_paused = words.rfind(FULL) > words.rfind(BELL) or (self.is_paused and BELL not in words)
        return words

    def _receive_terminal(self) -> bytes:
        words, extras, _, _ = self._peer.recvmsg(4096, _socket.CMSG_SPACE(4), CLOSE_ON_EXEC)
        for _, _, data in extras:
            self.terminal = int.from_bytes(data[:4], sys.byteorder)
            self._is_asking = False
        return words

    def keeper(self) -> int:
        """The pid of whoever opened this door; 0 where the system does not tell."""
        if not hasattr(_socket, "SO_PEERCRED"):
            return 0
        raw = self._peer.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)
        return int.from_bytes(raw[:4], sys.byteorder)

    def ask_terminal(self) -> None:
        self._is_asking = True
        self._order(b"t\0\0\0")

    def send_signal(self, number: int, target: int) -> None:
        self._order(bytes((ord("S"), number, target, 0)))

    def _order(self, order: bytes) -> None:
        try:
            self._peer.send(order)
        except OSError:
            self.is_open = False

    def close(self) -> None:
        self._peer.close()
        if self.terminal >= 0:
            os.close(self.terminal)
            self.terminal = -1


def visit(directory: str, timeout: float | None = 5.0) -> Door:
    """Go to the session's door; FileNotFoundError and ConnectionRefusedError: nobody keeps it now."""
    return Door(connect(f"{directory}/{DOOR}", timeout))
