"""cut a byte stream into frames: kind, length, payload"""

from __future__ import annotations

from codewire_py.errors import ProtocolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

CONTROL, DATA = 0, 1
HEADER = 5
MAX_PAYLOAD = 16 << 20
CHUNK = 256 << 10  # of a log in one frame: large output is many frames, never one


def frame(kind: int, payload: bytes) -> bytes:
    return bytes((kind,)) + len(payload).to_bytes(4, "big") + payload


class Frames:
    """Feed it what arrives, take whole frames out."""

    __slots__ = ("_limit", "_unread")

    def __init__(self, limit: int = MAX_PAYLOAD) -> None:
        self._unread = bytearray()
        self._limit = limit

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        self._unread += data
        while len(self._unread) >= HEADER:
            kind, size = self._unread[0], int.from_bytes(self._unread[1:HEADER], "big")
            if kind not in (CONTROL, DATA):
                raise ProtocolError(f"unknown frame type: {kind:#04x}")
            if size > self._limit:
                raise ProtocolError(f"frame payload too large: {size} bytes")
            if len(self._unread) < HEADER + size:
                return
            payload = bytes(self._unread[HEADER : HEADER + size])
            del self._unread[: HEADER + size]
            yield kind, payload
