"""write what a socket takes, and keep the rest for when it takes more"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket


class Outbox:
    """Of a socket, blocking or not. `unwritten` is what it has not taken yet."""

    __slots__ = ("_peer", "unwritten")

    def __init__(self, peer: socket.socket) -> None:
        self._peer = peer
        self.unwritten = bytearray()

    def send(self, data: bytes) -> None:
        self.unwritten += data
        try:
            while self.unwritten:
                del self.unwritten[: self._peer.send(self.unwritten)]
        except OSError as error:
            if not is_not_yet(error) or self._peer.gettimeout() != 0:
                raise


class PlainPeer:
    """A socket that carries frames as they are, to be used without blocking."""

    __slots__ = ("_outbox", "_peer")

    def __init__(self, peer: socket.socket) -> None:
        self._peer, self._outbox = peer, Outbox(peer)

    @property
    def unwritten(self) -> bytearray:
        return self._outbox.unwritten

    def sendall(self, data: bytes) -> None:
        self._outbox.send(data)

    def recv(self, size: int) -> bytes:
        return self._peer.recv(size)

    def setblocking(self, flag: bool) -> None:
        self._peer.setblocking(flag)

    def settimeout(self, seconds: float | None) -> None:
        self._peer.settimeout(seconds)

    def fileno(self) -> int:
        return self._peer.fileno()

    def is_silent(self) -> bool:
        """Its own program watches over the link."""
        return False

    def close(self) -> None:
        self._peer.close()


def is_not_yet(error: OSError) -> bool:
    """Encryption has names of its own for that."""
    return isinstance(error, BlockingIOError) or type(error).__name__ in (
        "SSLWantReadError",
        "SSLWantWriteError",
    )
