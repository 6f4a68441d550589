"""look at a session and type into it"""

from __future__ import annotations

from contextlib import suppress

import trio

from codewire_py.daemon.grants import OWNER
from codewire_py.daemon.inside import place_of
from codewire_py.daemon.lending import lend
from codewire_py.daemon.session import Session
from codewire_py.daemon.talk import Talk
from codewire_py.daemon.visiting import Visit
from codewire_py.errors import NoSuchSession, NotReading, NotRunning
from codewire_py.wire import messages


async def handle(request: messages.Attach, talk: Talk) -> None:
    place = place_of(request, talk)
    session = talk.sessions.find(request.session) if request.session else pick(talk, place)
    if request.offset < 0 or session.is_lost:
        session.must_run()  # who knows where it was gets the rest, and the end
    pair = talk.sessions.following.follow(place, session.number)
    visit = Visit(request, session, talk)
    session.come(visit.viewer)
    # From before it hears that it is attached: whoever heard that is to hear the farewell, too.
    talk.departure.guests += 1
    try:
        lend_to(session, request, talk)
        await visit.fit()
        offset, paint = await visit.begin()
        async with visit.typist.turn:  # what it typed in a conversation that broke is on its way still
            pass
        await talk.say(attached(session, visit, place, offset, paint))
        await visit.run()
    finally:
        talk.departure.part()
        session.leave(visit.viewer)
        talk.sessions.following.unfollow(pair)
        await fit_others(session, talk)


def lend_to(session: Session, request: messages.Attach, talk: Talk) -> None:
    """By one on this machine who comes to type; who comes back after we were away brings nothing new."""
    if request.offset < 0 and not request.read_only and talk.peer and talk.grant is OWNER:
        lend(session.directory, request.agent, request.display)


async def fit_others(session: Session, talk: Talk) -> None:
    """Those who stay. When the daemon leaves, they all come back, and nothing has changed for them."""
    if not session.viewers or talk.departure.begun.is_set():
        return
    with trio.CancelScope(shield=True), suppress(NotRunning, NotReading):
        await session.fit()


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


def attached(session: Session, visit: Visit, place: int, offset: int, paint: bytes) -> messages.Attached:
    visit.told_foremost = visit.is_foremost()
    return messages.Attached(
        id=session.number, name=session.facts.name, directory=session.path, offset=offset, paint=paint,
        rows=session.facts.rows, cols=session.facts.cols, foremost=visit.told_foremost,
        rendered=visit.view is not None, beside=visit.is_beside, inside=place,
        seq=visit.typist.seq if visit.is_known else -1,
    )  # fmt: skip
