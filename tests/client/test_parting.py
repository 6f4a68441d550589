"""whether a daemon that has gone said what it took before: then all else is typed again, otherwise nothing is"""

from __future__ import annotations

import pytest

from codewire_py.client.connection import Connection
from codewire_py.client.distant import FarHands
from codewire_py.client.far import QUIET_SECONDS, TOLD_SECONDS, FarPresence
from codewire_py.client.servers import Server
from codewire_py.wire.codec import decode
from codewire_py.wire.frames import Frames
from codewire_py.wire.messages import Attach, Attached, Leaving, Message, Typed


class Peer:
    """Takes what is said, and says nothing."""

    def __init__(self) -> None:
        self.taken = b""

    def sendall(self, data: bytes) -> None:
        self.taken += data

    def recv(self, size: int) -> bytes:
        raise BlockingIOError

    def setblocking(self, flag: bool) -> None: ...

    def settimeout(self, seconds: float | None) -> None: ...

    def fileno(self) -> int:
        return -1

    def close(self) -> None: ...

    def typed(self) -> list[bytes]:
        messages: list[Message] = [decode(payload) for _, payload in Frames().feed(self.taken)]
        return [message.data for message in messages if isinstance(message, Typed)]


def attached(seq: int) -> Attached:
    return Attached(
        id=1, name="", directory="", offset=0, paint=b"", rows=24, cols=80, foremost=True, seq=seq
    )


@pytest.fixture
def presence() -> FarPresence:
    """Something was typed, and nobody has said that it was taken."""
    first = Peer()
    fresh = FarPresence(Server("there", "ws://there/ws"), Connection(first), lambda: Attach(session="1"))
    FarHands(fresh).type(b"abc")
    assert first.typed() == [b"abc"]
    return fresh


def meet(presence: FarPresence) -> Peer:
    presence.lose()
    peer = Peer()
    presence.meet(Connection(peer))
    return peer


def test_it_said_farewell(presence: FarPresence) -> None:
    """What it did not say that it took, it did not take."""
    presence.heed(Leaving(why="restart"))
    other = meet(presence)
    presence.heed(attached(seq=-1))
    assert other.typed() == [b"abc"]
    assert presence.forgotten == 0


def test_it_died(presence: FarPresence) -> None:
    """Nobody knows what it took: that is told, not typed again."""
    other = meet(presence)
    presence.heed(attached(seq=-1))
    assert other.typed() == []
    assert presence.forgotten == 3


def test_it_said_farewell_before_it_knew_us_again(presence: FarPresence) -> None:
    """The link broke, then it left: what it took by the link before it has told nobody."""
    meet(presence)
    presence.heed(Leaving(why="restart"))
    other = meet(presence)
    presence.heed(attached(seq=-1))
    assert other.typed() == []
    assert presence.forgotten == 3


def test_it_knows_us_still(presence: FarPresence) -> None:
    """Only what it has not taken is typed again."""
    other = meet(presence)
    presence.heed(attached(seq=0))
    assert other.typed() == [b"abc"]
    another = meet(presence)
    presence.heed(attached(seq=1))
    assert another.typed() == []
    assert presence.forgotten == 0


def test_what_was_lost_is_told_once(presence: FarPresence, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link that breaks again later is no reason to say once more what a daemon that died has cost."""
    now = [1000.0]
    monkeypatch.setattr("codewire_py.client.far.time.monotonic", lambda: now[0])
    presence.lose()
    meet(presence)
    presence.heed(attached(-1))
    assert "3 typed bytes" in presence.notice(False)
    now[0] += TOLD_SECONDS + 1
    presence.come_back()
    assert not presence.notice(False)
    presence.lose()
    meet(presence)
    presence.heed(attached(0))
    assert not presence.notice(False)
    assert presence.forgotten


def test_what_is_new_comes_after_what_was_under_way(presence: FarPresence) -> None:
    """Of two pieces the daemon took one, and a third was typed while the link was away."""
    assert presence.hands
    presence.hands.type(b"xyz")
    presence.lose()
    presence.hands.type(b"new")
    other = meet(presence)
    presence.heed(attached(seq=1))
    assert other.typed() == [b"xyz", b"new"]


class Breaking(Peer):
    """The link breaks at the first key that is typed again."""

    def sendall(self, data: bytes) -> None:
        super().sendall(data)
        if self.typed():
            raise BrokenPipeError


def test_a_link_that_breaks_again_as_it_comes_back(
    presence: FarPresence, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is away, and is known to be: Ctrl+C leaves, and what is typed meanwhile waits for the next one."""
    presence.lose()
    presence.meet(Connection(Breaking()))
    presence.heed(attached(seq=0))
    assert (presence.connection, presence.is_settled) == (None, False)
    assert presence.hands
    presence.hands.type(b" typed meanwhile")
    now = presence.lost_at + QUIET_SECONDS
    monkeypatch.setattr("codewire_py.client.far.time.monotonic", lambda: now)
    assert presence.may_leave()
    assert "is lost" in presence.notice(False)
    other = meet(presence)
    presence.heed(attached(seq=-1))
    assert presence.forgotten == 3
    assert other.typed() == [b" typed meanwhile"]


def test_the_next_try_does_not_wait_for_what_is_shown_meanwhile(
    presence: FarPresence, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its moment may have passed when the loop comes to wait: then it waits for nothing."""
    now = [1000.0]
    monkeypatch.setattr("codewire_py.client.far.time.monotonic", lambda: now[0])
    presence.settle()
    presence.lose()
    now[0] = presence.next_try + 0.1
    assert presence.pause() == 0.0
    presence.is_over = True
    assert presence.pause()
