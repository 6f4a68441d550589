"""read a session's log, and follow it"""

from __future__ import annotations

import time

import trio

from codewire_py.daemon.describing import describe
from codewire_py.daemon.inside import place_of
from codewire_py.daemon.reading import Reader
from codewire_py.daemon.recounting import recount
from codewire_py.daemon.session import Session
from codewire_py.daemon.spans import is_over, span
from codewire_py.daemon.talk import Talk
from codewire_py.home.log import Log
from codewire_py.stream.plain import last_lines
from codewire_py.wire import messages


async def handle(request: messages.Logs, talk: Talk) -> None:
    session = talk.sessions.find(request.session)
    follows = request.follow and session.is_running() and not is_over(request.until)
    pair = talk.sessions.following.follow(place_of(request, talk), session.number) if follows else None
    try:
        start = await reading(request, session)
        await talk.say(start)
        if request.local and not follows:
            return
        async with trio.open_nursery() as nursery:
            nursery.start_soon(talk.notice_leaving, nursery.cancel_scope)
            nursery.start_soon(talk.announce_leaving, nursery.cancel_scope)
            if request.local:
                await trio.sleep_forever()
            until = request.until if follows else None
            if request.rendered:
                await recount(session, start, request, until, talk)
            else:
                await read_out(session, start, until, talk)
            await talk.say(messages.Ended(session=describe(session)))
            nursery.cancel_scope.cancel()
    finally:
        if pair:
            talk.sessions.following.unfollow(pair)


async def reading(request: messages.Logs, session: Session) -> messages.Reading:
    """Where it begins and stops: by offset, by the last lines, by times, or with what is kept."""
    log = Log(session.directory)
    try:
        length, released = log.length(), log.released()
        first, end = span(log, session.directory, request.since, request.until)
        begin = max(first, released)
        offset = min(max(request.offset, begin), end)
        if request.offset < 0 and request.tail >= 0 and not request.rendered:
            for found in last_lines(log.read, min(begin, end), end, request.tail):
                offset = found
                await trio.lowlevel.checkpoint()
    finally:
        log.close()
    return messages.Reading(
        id=session.number, name=session.facts.name, directory=session.path, offset=offset, length=length,
        released=released, until=end if is_over(request.until) else -1,
    )  # fmt: skip


async def read_out(session: Session, start: messages.Reading, until: float | None, talk: Talk) -> None:
    """What is there, and what comes `until` then (-1: until the end; None: nothing)."""
    end = start.until if start.until >= 0 else start.length
    with Reader(session, start.offset) as reader:
        while data := (reader.read(end) if until is None else await read_on(reader, until)):
            await talk.send_data(data)


async def read_on(reader: Reader, until: float) -> bytes:
    """Nothing, too, once that time has come; only the waiting is cut short, never what is being sent."""
    if until < 0:
        return await reader.read_on()
    data = b""
    with trio.move_on_after(max(0.0, until - time.time())) as waiting:
        data = b"" if is_over(until) else await reader.read_on()
    return b"" if waiting.cancelled_caught else data
