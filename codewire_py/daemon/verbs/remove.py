"""forget ended sessions and their logs"""

from __future__ import annotations

import trio

from codewire_py.daemon.describing import describe_briefly
from codewire_py.daemon.session import Session
from codewire_py.daemon.sessions import Sessions
from codewire_py.daemon.talk import Talk
from codewire_py.errors import StillRunning, UsageError
from codewire_py.wire import messages


async def handle(request: messages.Remove, talk: Talk) -> messages.Removed:
    chosen = talk.sessions.select(request.sessions, request.tags)
    if not chosen:
        raise UsageError("say which sessions to remove", "cw remove ID…, or all that have ended: cw prune")
    for session in chosen:
        if session.is_running():
            raise StillRunning(f"session {session.number} is running")
    return await forget(talk.sessions, chosen)


async def forget(sessions: Sessions, chosen: list[Session]) -> messages.Removed:
    """Others have their turn meanwhile, and may forget some of them: those are theirs to tell."""
    told, size = [], 0
    for session in chosen:
        said, freed = describe_briefly(session, len(chosen)), sessions.forget(session)
        if freed is not None:
            told.append(said)
            size += freed
        await trio.lowlevel.checkpoint()
    return messages.Removed(sessions=told, size=size)
