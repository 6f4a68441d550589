"""read a session's log, and follow it"""

from __future__ import annotations

import trio

from codewire_py.daemon.describing import describe
from codewire_py.daemon.inside import place_of
from codewire_py.daemon.reading import Reader
from codewire_py.daemon.session import Session
from codewire_py.daemon.talk import Talk
from codewire_py.home.log import Log
from codewire_py.stream.plain import last_lines
from codewire_py.wire import messages


async def handle(request: messages.Logs, talk: Talk) -> None:
    session = talk.sessions.find(request.session)
    follows = request.follow and session.is_running()
    pair = talk.sessions.following.follow(place_of(request.inside, talk), session.number) if follows else None
    try:
        start = reading(request, session)
        await talk.say(start)
        if request.local and not follows:
            return
        async with trio.open_nursery() as nursery:
            nursery.start_soon(talk.notice_leaving, nursery.cancel_scope)
            nursery.start_soon(talk.announce_leaving, nursery.cancel_scope)
            if request.local:
                await trio.sleep_forever()
            await read_out(session, start.offset, follows, talk)
            nursery.cancel_scope.cancel()
    finally:
        if pair:
            talk.sessions.following.unfollow(pair)


def reading(request: messages.Logs, session: Session) -> messages.Reading:
    """Where it begins: at the offset asked for, at the last lines, or with what is kept."""
    log = Log(session.directory)
    try:
        length, released = log.length(), log.released()
        offset = min(max(request.offset, released), length)
        if request.offset < 0 and request.tail >= 0:
            offset = last_lines(log.read, released, length, request.tail)
    finally:
        log.close()
    return messages.Reading(
        id=session.number, name=session.facts.name, directory=session.path,
        offset=offset, length=length, released=released,
    )  # fmt: skip


async def read_out(session: Session, offset: int, follows: bool, talk: Talk) -> None:
    with Reader(session, offset) as reader:
        while data := (await reader.read_on() if follows else reader.read()):
            await talk.send_data(data)
    await talk.say(messages.Ended(session=describe(session)))
