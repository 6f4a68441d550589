"""forget every session that ended some time ago"""

from __future__ import annotations

import time

from codewire_py.daemon.describing import describe_several
from codewire_py.daemon.session import Session
from codewire_py.daemon.talk import Talk
from codewire_py.daemon.verbs.remove import forget
from codewire_py.wire import messages


async def handle(request: messages.Prune, talk: Talk) -> messages.Removed:
    before = time.time() - request.older
    chosen = [s for s in talk.sessions.by_id.values() if not s.is_running() and ended_at(s) <= before]
    if request.dry_run:
        return messages.Removed(
            sessions=await describe_several(chosen), size=sum(s.log_stat()[0] for s in chosen)
        )
    return await forget(talk.sessions, chosen)


def ended_at(session: Session) -> float:
    return session.end.at if session.end and session.end.at else session.log_stat()[1]
