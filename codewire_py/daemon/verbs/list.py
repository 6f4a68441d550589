"""tell which sessions there are"""

from __future__ import annotations

import time

from codewire_py.daemon import limits
from codewire_py.daemon.describing import describe_several
from codewire_py.daemon.session import Session
from codewire_py.daemon.talk import Talk
from codewire_py.errors import UsageError
from codewire_py.wire import messages

STATUSES = ("all", "running", "ended", "lost")


async def handle(request: messages.List, talk: Talk) -> messages.Listed:
    if request.status not in STATUSES:
        raise UsageError(f"no status {request.status!r}", f"one of: {', '.join(STATUSES)}")
    there = talk.sessions.tagged(request.tags) if request.tags else talk.sessions.by_id.values()
    chosen = [session for session in there if is_asked_for(session, request)]
    return messages.Listed(sessions=await describe_several(sorted(chosen, key=lambda s: s.number)))


def is_asked_for(session: Session, request: messages.List) -> bool:
    if session.is_running():
        return request.status in ("all", "running")
    kind = "lost" if session.status() == "lost" else "ended"
    return request.status in ("all", kind) and (request.old or not is_old(session))


def is_old(session: Session) -> bool:
    ended = session.end.at if session.end and session.end.at else session.log_stat()[1]
    return time.time() - ended > limits.ENDED_SHOWN_SECONDS
