"""look at a session and type into it"""

from __future__ import annotations

from contextlib import suppress

import trio

from codewire_py.daemon.describing import describe
from codewire_py.daemon.inside import place_of
from codewire_py.daemon.reading import Reader
from codewire_py.daemon.session import Session, Viewer
from codewire_py.daemon.talk import Talk
from codewire_py.errors import NoSuchSession, NotRunning, ProtocolError
from codewire_py.home.log import Log
from codewire_py.stream.quiet import Quiet
from codewire_py.stream.scan import clean_start, unfinished
from codewire_py.wire import messages
from codewire_py.wire.declare import Message

LONGEST_PAINT = 8 << 20


async def handle(request: messages.Attach, talk: Talk) -> None:
    place = place_of(request.inside, talk)
    session = talk.sessions.find(request.session) if request.session else pick(talk, place)
    if request.offset < 0 or session.is_lost:
        session.must_run()  # who knows where it was gets the rest, and the end
    pair = talk.sessions.following.follow(place, session.number)
    notices, news = trio.open_memory_channel[bool](64)
    viewer = Viewer(request.read_only, lambda yes: offer(notices, yes))
    session.come(viewer)
    try:
        if request.rows and request.cols and not request.read_only:
            with suppress(NotRunning):  # it may end just now
                await session.resize(request.rows, request.cols)
        start, paint = where_to_begin(request, session)
        await talk.say(attached(session, start, viewer, place, paint))
        await Visit(session, viewer, talk, news).run(request.local, start)
    finally:
        session.leave(viewer)
        talk.sessions.following.unfollow(pair)


def offer(notices: trio.MemorySendChannel[bool], yes: bool) -> None:
    try:
        notices.send_nowait(yes)
    except trio.WouldBlock:
        pass  # so far behind, it will learn it when it comes back


def pick(talk: Talk, place: int) -> Session:
    """The session launched last that nobody is attached to."""
    fed = talk.sessions.following.fed_by
    free = [s for s in talk.sessions.running() if not s.viewers and place not in fed(s.number)]
    if not free:
        raise NoSuchSession(
            "No unattached running sessions available.",
            "Use 'cw list' to see all sessions or 'cw launch' to start a new one",
        )
    return max(free, key=lambda session: session.number)


def where_to_begin(request: messages.Attach, session: Session) -> tuple[int, bytes]:
    """A viewer that comes back goes on where it was; a new one first gets recent output, from the start of a line.

    Queries in old output were answered long ago: the paint holds none.
    """
    log = Log(session.directory)
    try:
        length, released = log.length(), log.released()
        if request.offset >= 0:
            return min(max(request.offset, released), length), b""
        start = max(released, length - max(0, min(request.history, LONGEST_PAINT)))
        old = log.read(start, length - start)
    finally:
        log.close()
    if start:
        old = old[clean_start(old) :]
    whole = unfinished(old)
    return length - len(old) + whole, Quiet().feed(old[:whole])


def attached(session: Session, offset: int, viewer: Viewer, place: int, paint: bytes) -> messages.Attached:
    return messages.Attached(
        id=session.number, name=session.facts.name, directory=session.path, offset=offset, paint=paint,
        rows=session.facts.rows, cols=session.facts.cols, foremost=session.foremost() is viewer, inside=place,
    )  # fmt: skip


class Visit:
    """One viewer's time with a session."""

    def __init__(
        self, session: Session, viewer: Viewer, talk: Talk, news: trio.MemoryReceiveChannel[bool]
    ) -> None:
        self.session, self.viewer, self.talk, self.news = session, viewer, talk, news

    async def run(self, is_local: bool, offset: int) -> None:
        async with trio.open_nursery() as nursery:
            scope = nursery.cancel_scope
            nursery.start_soon(self.hear, scope)
            nursery.start_soon(self.tell_foremost)
            nursery.start_soon(self.talk.announce_leaving, scope)
            if is_local:
                await self.session.ended.wait()
            else:
                await self.read_out(offset)
            await self.talk.say(messages.Ended(session=describe(self.session)))
            scope.cancel()

    async def read_out(self, offset: int) -> None:
        with Reader(self.session, offset) as reader:
            while data := await reader.read_on():
                await self.talk.send_data(data)

    async def tell_foremost(self) -> None:
        async for yes in self.news:
            await self.talk.say(messages.Foremost(yes=yes))

    async def hear(self, scope: trio.CancelScope) -> None:
        while (message := await self.talk.receive()) is not None:
            if isinstance(message, messages.Detach):
                await self.talk.say(messages.Detached())
                break
            await self.obey(message)
        scope.cancel()

    async def obey(self, message: Message) -> None:
        if isinstance(message, messages.Typed):
            if message.data:
                await self.type(message)
        elif isinstance(message, messages.Resize):
            if not self.viewer.read_only and self.session.is_running():
                await self.session.resize(message.rows, message.cols)
        elif not isinstance(message, messages.Unknown):
            raise ProtocolError(f"a viewer cannot say {type(message).type!r}")

    async def type(self, message: messages.Typed) -> None:
        if self.viewer.read_only:
            raise ProtocolError("a read-only viewer cannot type")
        size = await self.session.type_one(message.data, self.talk.sessions.config.send_timeout)
        await self.talk.say(messages.Took(seq=message.seq, size=size))
