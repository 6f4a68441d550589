"""asking a server that goes away and comes back"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from codewire_py.client import connection, patience
from codewire_py.client.connection import Connection
from codewire_py.client.servers import Server
from codewire_py.errors import (
    CodewireError,
    ConnectionLost,
    OutcomeUnknown,
    TimedOut,
    Unauthorized,
    Unreachable,
)
from codewire_py.wire.declare import Message
from codewire_py.wire.messages import Kill, Killed, List, Listed, Wait, Waited

BOX = Server("box", "ws://box:1/ws")
ANSWER = Waited(sessions=[])


class Peer:
    def close(self) -> None:
        pass


class Fate:
    """What each try meets: an error, or a reply. `slept`: the pauses between."""

    def __init__(self, *tries: CodewireError | Message) -> None:
        self.tries, self.slept = list(tries), list[float]()

    def converse_once(self, *_: object) -> tuple[Connection, Any]:
        met = self.tries.pop(0)
        if isinstance(met, CodewireError):
            raise met
        return Connection(Peer()), met  # type: ignore[arg-type]


Meet = Callable[..., Fate]


@pytest.fixture
def meet(monkeypatch: pytest.MonkeyPatch) -> Meet:
    def begin(*tries: CodewireError | Message) -> Fate:
        fate = Fate(*tries)
        for module in (connection, patience):
            monkeypatch.setattr(module, "converse_once", fate.converse_once)
        monkeypatch.setattr(time, "sleep", fate.slept.append)
        return fate

    return begin


def wait(until: float | None = None) -> Waited:
    return patience.Patient(BOX, until).ask(lambda: Wait(sessions=["1"]), Waited)


def test_a_wait_outlives_link_and_daemon(meet: Meet) -> None:
    """However often it is away, and the longer it is, the seldomer it is asked; at most every ten seconds or so."""
    fate = meet(
        ConnectionLost("gone"), *[Unreachable("no")] * 9, ConnectionLost("gone"), Unreachable("no"), ANSWER
    )
    assert wait() is ANSWER
    assert fate.slept[1:9] == sorted(fate.slept[1:9])
    assert max(fate.slept) <= 1.25 * patience.LONGEST_PAUSE
    assert fate.slept[10] < fate.slept[5], "it begins anew once it was there"


def test_a_server_that_was_never_there_is_told_at_once(meet: Meet) -> None:
    """Whoever mistyped an address does not wait for it."""
    fate = meet(Unreachable("cannot reach box"), ANSWER)
    with pytest.raises(Unreachable, match="cannot reach box"):
        wait()
    assert fate.slept == []


def test_a_token_that_was_revoked_meanwhile_ends_it(meet: Meet) -> None:
    """Trying again will not help."""
    meet(ConnectionLost("gone"), Unauthorized("revoked"), ANSWER)
    with pytest.raises(Unauthorized):
        wait()


def test_the_time_is_over_while_it_is_away(meet: Meet) -> None:
    """The exit status is that of a timeout, and the sentence says what was in the way."""
    meet(Unreachable("cannot reach box (ws://box:1/ws): refused"))
    with pytest.raises(TimedOut, match=r"wait timed out; cannot reach box \(ws://box:1/ws\): refused"):
        wait(until=time.monotonic() - 1)


def test_a_question_is_asked_again(meet: Meet) -> None:
    """Of what is safe to repeat: a server that is replaced just now is not there for a moment."""
    answer = Listed(sessions=[])
    fate = meet(ConnectionLost("gone"), Unreachable("no"), answer)
    assert connection.converse(BOX, List(), Listed)[1] is answer
    assert len(fate.slept) == 2
    meet(Unreachable("no"), answer)
    with pytest.raises(Unreachable):
        connection.converse(BOX, List(), Listed)


def test_it_is_begun_again_as_long_as_more_comes(meet: Meet, monkeypatch: pytest.MonkeyPatch) -> None:
    """For so long each time that there is more than before; then whoever asks hears what went wrong."""
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    meet()
    again = connection.Again()
    for came, passed in ((0, 19), (7, 19), (9, 19), (9, 0)):
        again.pause(ConnectionLost("gone"), came)
        again.pause(Unreachable("no"), 0)
        now += passed
    now += 2
    with pytest.raises(ConnectionLost, match="gone"):
        again.pause(ConnectionLost("gone"), 9)
    with pytest.raises(Unreachable, match="no"):
        connection.Again().pause(Unreachable("no"))


def test_what_must_happen_once_is_not_asked_again(meet: Meet) -> None:
    """Nobody knows what came of it."""
    fate = meet(ConnectionLost("gone"), Killed(sessions=[]))
    with pytest.raises(OutcomeUnknown):
        connection.converse(BOX, Kill(sessions=["1"]), Killed)
    assert len(fate.tries) == 1
