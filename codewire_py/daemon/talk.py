"""what a verb has of its conversation: messages and log bytes, both ways, and the house around it"""

from __future__ import annotations

from collections import deque

import trio

from codewire_py.daemon import limits
from codewire_py.daemon.departure import Departure
from codewire_py.daemon.sessions import Sessions
from codewire_py.errors import ProtocolError
from codewire_py.wire import messages
from codewire_py.wire.codec import decode, encode
from codewire_py.wire.declare import Message
from codewire_py.wire.frames import CHUNK, CONTROL, DATA, Frames, frame


class Talk:
    """`peer` is the process at the other end, 0 where that is not known."""

    def __init__(
        self, stream: trio.abc.Stream, sessions: Sessions, departure: Departure, peer: int = 0
    ) -> None:
        self.stream, self.sessions, self.departure, self.peer = stream, sessions, departure, peer
        self.frames = Frames()
        self.unread: deque[tuple[int, bytes]] = deque()
        self.writing = trio.Lock()
        self.has_greeted = False
        self.scope = trio.CancelScope()

    async def receive(self) -> Message | None:
        """The next message; None when the peer has left, however it did."""
        while not self.unread:
            try:
                data = await self.stream.receive_some(65536)
            except trio.BrokenResourceError:
                return None
            if not data:
                return None
            self.unread.extend(self.frames.feed(bytes(data)))
        kind, payload = self.unread.popleft()
        if kind != CONTROL:
            raise ProtocolError("typed bytes travel as messages, not as data frames")
        return decode(payload)

    async def say(self, message: Message) -> None:
        with trio.fail_after(limits.REPLY_SECONDS):
            async with self.writing:
                await self.stream.send_all(encode(message))

    async def say_slowly(self, message: Message) -> None:
        """One of many: as slowly as the peer likes."""
        async with self.writing:
            await self.stream.send_all(encode(message))

    async def send_data(self, data: bytes) -> None:
        """As slowly as the peer likes: it is merely behind."""
        for start in range(0, len(data), CHUNK):
            async with self.writing:
                await self.stream.send_all(frame(DATA, data[start : start + CHUNK]))

    async def notice_leaving(self, scope: trio.CancelScope) -> None:
        """While a verb streams, what the peer says means nothing; when it leaves, nobody wants the stream."""
        while await self.receive() is not None:
            pass
        scope.cancel()

    async def announce_leaving(self, scope: trio.CancelScope) -> None:
        """Tell a peer that waits for more that the daemon goes, so that it knows how to come back."""
        await self.departure.begun.wait()
        await self.say(messages.Leaving(why=self.departure.why))
        scope.cancel()

    async def close(self) -> None:
        await self.stream.aclose()
