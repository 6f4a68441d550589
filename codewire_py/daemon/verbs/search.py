"""read what sessions have shown, as lines, for somebody who looks for something in them"""

from __future__ import annotations

import trio

from codewire_py.daemon.recounting import tell_found
from codewire_py.daemon.rendering import Clock, Rendering
from codewire_py.daemon.screen.settling import Line
from codewire_py.daemon.session import Session
from codewire_py.daemon.spans import span
from codewire_py.daemon.talk import Talk
from codewire_py.home.log import Log
from codewire_py.wire import messages


async def handle(request: messages.Search, talk: Talk) -> None:
    chosen = talk.sessions.select(request.sessions, request.tags)
    if not request.sessions and not request.tags:
        chosen = [session for _, session in sorted(talk.sessions.by_id.items(), reverse=True)]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(talk.notice_leaving, nursery.cancel_scope)
        nursery.start_soon(talk.announce_leaving, nursery.cancel_scope)
        for session in chosen:
            await search(session, request, talk)
        await talk.say_slowly(messages.Searched(sessions=len(chosen)))
        nursery.cancel_scope.cancel()


async def search(session: Session, request: messages.Search, talk: Talk) -> None:
    try:
        first, end = bounds(session, request)
        if first >= end:
            return
        rendering = Rendering(session.directory, session.birth, first)
    except OSError:
        return  # forgotten meanwhile, or not to be read: the others are searched all the same
    try:
        clock = Clock(rendering.times)
        while rendering.offset < end:
            await tell_found(session, containing(rendering.advance(end), request), clock, talk)
            await trio.lowlevel.checkpoint()
        await tell_found(session, containing(rendering.finish(), request), clock, talk)
    finally:
        rendering.close()


def bounds(session: Session, request: messages.Search) -> tuple[int, int]:
    log = Log(session.directory)
    try:
        return span(log, session.directory, request.since, request.until)
    finally:
        log.close()


def containing(lines: list[Line], request: messages.Search) -> list[Line]:
    text = request.text
    if not text:
        return lines
    if not request.ignore_case:
        return [line for line in lines if text in line[1]]
    text = text.lower()
    return [line for line in lines if text in line[1].lower() or not line[1].isascii()]
