"""both ends of a WebSocket in one test: the daemon's stream, and a peer that says and hears frames"""

from __future__ import annotations

import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing
from websockets.protocol import State
from websockets.server import ServerProtocol

from codewire_py.daemon.listeners.websocket import WebStream, silent
from codewire_py.wire.frames import DATA
from codewire_py.wire.frames import frame as framed
from webs import CLOSE

MOST = 1000  # bytes of a message, in these tests
HELLO = framed(DATA, b"hello")


class Far:
    """The peer's side: what it says, and what it hears, frame by frame."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self.stream, self.unread = stream, b""

    async def say(self, *frames: bytes) -> None:
        await self.stream.send_all(b"".join(frames))

    async def exactly(self, size: int) -> bytes:
        while len(self.unread) < size:
            data = await self.stream.receive_some(1 << 16)
            if not data:
                raise EOFError(self.unread)
            self.unread += data
        found, self.unread = self.unread[:size], self.unread[size:]
        return found

    async def next(self) -> tuple[int, bytes]:
        first, size = await self.exactly(2)
        if size > 125:
            (size,) = struct.unpack(
                "!H" if size == 126 else "!Q", await self.exactly(2 if size == 126 else 8)
            )
        return first & 0x0F, await self.exactly(size)

    async def goodbye(self) -> tuple[int, str]:
        opcode, payload = await self.next()
        assert opcode == CLOSE, (opcode, payload)
        return struct.unpack("!H", payload[:2])[0], payload[2:].decode()

    async def is_left(self) -> bool:
        try:
            while await self.stream.receive_some(1 << 16):
                pass
        except trio.BrokenResourceError:
            pass
        return True


@asynccontextmanager
async def pair(buffer: int = 0) -> AsyncIterator[tuple[WebStream, Far]]:
    """Over real TCP. `buffer`: of the peer, which then takes little without reading."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as far:
        if buffer:
            far.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        far.connect(listener.getsockname())
        peer, _ = listener.accept()
        if buffer:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
        peer.setblocking(False)
        far.setblocking(False)
        protocol = ServerProtocol(state=State.OPEN, max_size=MOST, logger=silent)
        stream = WebStream(trio.SocketStream(trio.socket.from_stdlib_socket(peer)), protocol)
        try:
            with trio.fail_after(20):
                yield stream, Far(trio.SocketStream(trio.socket.from_stdlib_socket(far)))
        finally:
            await stream.drop()


async def expect_broken(stream: WebStream, payload: bytes) -> None:
    with pytest.raises((trio.BrokenResourceError, trio.ClosedResourceError)):
        await stream.send_all(framed(DATA, payload))
