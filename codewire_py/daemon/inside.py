"""which session a peer runs in, so that it does not follow itself"""

from __future__ import annotations

from codewire_py.daemon.grants import OWNER
from codewire_py.daemon.processes import terminal_session_of
from codewire_py.daemon.talk import Talk
from codewire_py.wire.messages import Attach, Logs


def place_of(request: Attach | Logs, talk: Talk) -> int:
    """What its environment says, or whose terminal it is in; 0: in none of ours.

    Whoever comes from elsewhere may run in another home's session of that number, launched at another moment.
    """
    said = talk.house.sessions.by_id.get(request.inside)
    is_here = talk.grant is OWNER
    is_ours = (
        said and said.is_running() and (said.birth.created_at == request.born if request.born else is_here)
    )
    if said and is_ours:
        return said.number
    leader = terminal_session_of(talk.peer) if talk.peer and is_here else 0
    found = [session.number for session in talk.sessions.running() if leader and session.facts.pid == leader]
    return found[0] if found else 0
