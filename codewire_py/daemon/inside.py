"""which session a peer runs in, so that it does not follow itself"""

from __future__ import annotations

from codewire_py.daemon.grants import OWNER
from codewire_py.daemon.processes import terminal_session_of
from codewire_py.daemon.talk import Talk


def place_of(said: int, talk: Talk) -> int:
    """What its environment says, or whose terminal it is in; 0: in none of ours, as whoever comes by a token."""
    if talk.grant is not OWNER:
        return 0
    if said in talk.sessions.by_id and talk.sessions.by_id[said].is_running():
        return said
    leader = terminal_session_of(talk.peer) if talk.peer else 0
    found = [session.number for session in talk.sessions.running() if leader and session.facts.pid == leader]
    return found[0] if found else 0
