"""what a verb has of its conversation: messages and log bytes, both ways, and the house around it"""

from __future__ import annotations

from collections import deque

import trio

from codewire_py.daemon import limits
from codewire_py.daemon.departure import Departure
from codewire_py.daemon.descriptors import room_for
from codewire_py.daemon.grants import OWNER, Grant
from codewire_py.daemon.limited import Limited
from codewire_py.daemon.sessions import Sessions
from codewire_py.daemon.tokens import Tokens
from codewire_py.errors import ProtocolError
from codewire_py.wire import messages
from codewire_py.wire.codec import decode_request, encode
from codewire_py.wire.declare import Message
from codewire_py.wire.frames import CHUNK, CONTROL, DATA, Frames, frame


class House:
    """What every conversation is about."""

    def __init__(self, sessions: Sessions, departure: Departure) -> None:
        self.sessions, self.departure, self.tokens = sessions, departure, Tokens()
        self.url = self.fingerprint = ""  # where others reach the listener, while it is open
        self.trouble = ""  # why it is not

    def room(self) -> int:
        """How many conversations there may be at once, of all listeners."""
        return room_for(self.sessions.attended())


class Talk:
    """`peer` is the process at the other end, 0 where that is not known."""

    def __init__(self, stream: trio.abc.Stream, house: House, peer: int = 0, grant: Grant = OWNER) -> None:
        self.stream, self.house, self.peer, self.grant = stream, house, peer, grant
        self.departure = house.departure
        self.frames = Frames()
        self.unread: deque[tuple[int, bytes]] = deque()
        self.writing = trio.Lock()
        self.has_greeted = False
        self.scope = trio.CancelScope()

    @property
    def sessions(self) -> Sessions:
        """Those that exist for this peer, at this moment."""
        return Limited(self.house.sessions, self.grant) if self.grant.sessions else self.house.sessions

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
        return decode_request(payload)

    async def say(self, message: Message) -> None:
        with trio.fail_after(limits.REPLY_SECONDS):
            await self.send(encode(message))

    async def say_slowly(self, message: Message) -> None:
        """One of many: as slowly as the peer likes."""
        await self.send(encode(message))

    async def send_data(self, data: bytes) -> None:
        """As slowly as the peer likes: it is merely behind."""
        for start in range(0, len(data), CHUNK):
            await self.send(frame(DATA, data[start : start + CHUNK]))

    async def send(self, data: bytes) -> None:
        """A lock that is free costs no turn of the loop: the echo of a key waits for that."""
        try:
            self.writing.acquire_nowait()
        except trio.WouldBlock:
            await self.writing.acquire()
        try:
            await self.stream.send_all(data)
        finally:
            self.writing.release()

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
