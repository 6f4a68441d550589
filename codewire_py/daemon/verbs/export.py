"""read a session as an asciicast recording"""

from __future__ import annotations

from collections.abc import Generator

import trio

from codewire_py.daemon.describing import describe
from codewire_py.daemon.exporting import record
from codewire_py.daemon.session import Session
from codewire_py.daemon.talk import Talk
from codewire_py.errors import UsageError
from codewire_py.home.log import Log
from codewire_py.wire import messages


async def handle(request: messages.Export, talk: Talk) -> None:
    session = talk.sessions.find(request.session)
    if request.version not in (2, 3):
        raise UsageError(f"asciicast version {request.version} is not spoken here", "there are 2 and 3")
    end = None if session.is_running() else session.end  # first: after it, the log has all there will be
    start = reading(session)
    await talk.say(start)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(talk.notice_leaving, nursery.cancel_scope)
        nursery.start_soon(talk.announce_leaving, nursery.cancel_scope)
        recording = record(
            session.directory, session.birth, (start.offset, start.length), end, request.version
        )
        await write_out(recording, talk)
        await talk.say(messages.Ended(session=describe(session)))
        nursery.cancel_scope.cancel()


def reading(session: Session) -> messages.Reading:
    """All that is kept now."""
    log = Log(session.directory)
    length, released = log.length(), log.released()
    log.close()
    return messages.Reading(
        id=session.number, name=session.facts.name, directory=session.path,
        offset=min(released, length), length=length, released=released, until=length,
    )  # fmt: skip


async def write_out(recording: Generator[bytes, None, None], talk: Talk) -> None:
    try:
        for text in recording:
            if text:
                await talk.send_data(text)
            await trio.lowlevel.checkpoint()
    finally:
        recording.close()
