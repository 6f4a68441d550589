"""what a viewer types from elsewhere is taken once and in order, over conversations that break and daemons that go"""

from __future__ import annotations

import time
from typing import Any

import pytest

from codewire_py.daemon.limits import REPAINT_SECONDS, TYPED_BYTES, TYPISTS, VIEWER_NAME
from codewire_py.daemon.pacing import FIRST
from codewire_py.wire.messages import (
    Attach,
    Attached,
    Detach,
    Detached,
    Ended,
    Leaving,
    Measured,
    Painted,
    Repaint,
    Seen,
    Took,
    Typed,
)
from homes import Home
from peers import Peer

LISTENS = """
import os, tty
tty.setraw(0)
os.write(1, b"ready")
heard = open("heard", "wb", buffering=0)
while data := os.read(0, 65536):
    heard.write(data)
"""


@pytest.fixture(scope="module")
def home(shared_home: Home) -> Home:
    """A daemon that runs; every test has sessions of its own."""
    shared_home.cw("start")
    return shared_home


class Listener:
    """A session whose program writes down every byte it is typed; it can be made to stop reading."""

    def __init__(self, home: Home) -> None:
        self.home, self.where = home, home.path.parent / f"listener{len(home.list('--all'))}"
        self.where.mkdir()
        self.id = home.python(LISTENS, options=("--dir", str(self.where)))
        home.until_printed(self.id, b"ready")

    def heard(self) -> bytes:
        return (self.where / "heard").read_bytes()

    def until_heard(self, data: bytes) -> None:
        self.home.until(lambda: len(self.heard()) >= len(data), f"{len(data)} bytes to be heard")
        assert self.heard() == data

    def stop_reading(self) -> None:
        self.home.cw("kill", str(self.id), "--signal", "STOP")

    def read_on(self) -> None:
        self.home.cw("kill", str(self.id), "--signal", "CONT")


@pytest.fixture
def listener(home: Home) -> Listener:
    return Listener(home)


def attach(home: Home, session: int, **fields: Any) -> tuple[Peer, Attached]:
    peer = Peer(home)
    return peer, peer.ask(Attach(session=str(session), offset=1, **fields)).hear(Attached)


def leave(peer: Peer) -> None:
    """It has heard that it is attached: that is known of it, for it says something."""
    with peer:
        peer.say(Seen(size=0), Detach())
        peer.hear(Detached)


def test_a_typed_message_is_taken_once(home: Home, listener: Listener) -> None:
    """Whoever comes back under its name hears how far it came; what it sends again is acknowledged, not typed."""
    peer, begun = attach(home, listener.id, viewer="v")
    with peer:
        assert begun.seq == -1
        peer.say(Typed(seq=1, data=b"one "), Typed(seq=2, data=b"two "))
        assert [peer.hear(Took).seq, peer.hear(Took).seq] == [1, 2]
    peer, begun = attach(home, listener.id, viewer="v", seq=1)
    with peer:
        assert begun.seq == 2
        peer.say(*(Typed(seq=seq, data=b"%d " % seq) for seq in (1, 2, 3)))
        assert [peer.hear(Took).seq for _ in range(3)] == [1, 2, 3]
    listener.until_heard(b"one two 3 ")
    peer, begun = attach(home, listener.id, viewer="another", seq=7)
    with peer:
        assert begun.seq == -1
        peer.say(Typed(seq=8, data=b"8")).hear(Took)
    listener.until_heard(b"one two 3 8")


def test_who_comes_back_takes_its_own_place(home: Home, listener: Listener) -> None:
    """What is left of its earlier conversation is over; others are not touched."""
    other, _ = attach(home, listener.id)
    stale, _ = attach(home, listener.id, viewer="v")
    peer, _ = attach(home, listener.id, viewer="v")
    with other, stale, peer:
        home.until(lambda: home.status(listener.id)["attached_count"] == 2, "two to be left")
        while stale.next():
            pass
        peer.say(Typed(seq=1, data=b"x"))
        while not isinstance(peer.hear(object), Took):  # type: ignore[type-var]
            pass
        other.say(Detach())


def test_a_program_that_does_not_read_holds_up_nothing_else(home: Home, listener: Listener) -> None:
    """Sizes and farewells are heard meanwhile. Coming back, the piece that was cut short is typed whole, once."""
    listener.stop_reading()
    big = bytes(range(32, 127)) * 1000
    peer, _ = attach(home, listener.id, viewer="v", rows=30, cols=90)
    with peer:
        peer.say(Typed(seq=1, data=b"a"), Typed(seq=2, data=big), Measured(rows=31, cols=91))
        home.until(lambda: home.status(listener.id)["rows"] == 31, "the size")
        assert peer.hear(Took).seq == 1
        peer.say(Detach())
        peer.hear(Detached)
    peer, begun = attach(home, listener.id, viewer="v", seq=1)
    with peer:
        assert begun.seq == 1
        peer.say(Typed(seq=2, data=big), Typed(seq=3, data=b"z"))
        listener.read_on()
        assert [peer.hear(Took).seq, peer.hear(Took).seq] == [2, 3]
    listener.until_heard(b"a" + big + b"z")


def test_more_than_the_house_holds_is_refused(home: Home, listener: Listener) -> None:
    """A program that does not read, and a viewer that types on: its conversation ends with a sentence."""
    listener.stop_reading()
    piece = b"x" * (TYPED_BYTES // 8)
    peer, _ = attach(home, listener.id, viewer="v")
    with peer:
        peer.say(*(Typed(seq=seq, data=piece) for seq in range(1, 9)))
        assert peer.refused().code == "limit-reached"
    listener.read_on()


def test_no_more_viewers_are_remembered_than_the_house_holds(home: Home, listener: Listener) -> None:
    """Nor is one whose name is longer than a name need be."""
    for name, is_known in (("n" * VIEWER_NAME, True), ("n" * (VIEWER_NAME + 1), False), ("", False)):
        for expected in (-1, 0 if is_known else -1):
            peer, begun = attach(home, listener.id, viewer=name)
            assert begun.seq == expected
            leave(peer)
    for number in range(TYPISTS):
        attach(home, listener.id, viewer=f"other {number}")[0].peer.close()
    peer, begun = attach(home, listener.id, viewer="n" * VIEWER_NAME)
    with peer:
        assert begun.seq == -1


def test_a_daemon_that_is_replaced_says_how_far_it_came(listener: Listener) -> None:
    """To the byte: its farewell comes after the last byte it types, and the next daemon is sent the rest."""
    home = listener.home
    listener.stop_reading()
    big = bytes(range(32, 127)) * 1000
    peer, _ = attach(home, listener.id, viewer="v")
    with peer:
        peer.say(Typed(seq=1, data=b"a"), Typed(seq=2, data=big))
        assert peer.hear(Took).seq == 1
        restart = home.begin("restart")
        took = peer.hear(Took)
        assert took.seq == 1
        assert 0 < took.part < len(big)
        peer.hear(Leaving)
        assert restart.wait(30) == 0
    peer, begun = attach(home, listener.id, viewer="v", seq=1)
    with peer:
        assert begun.seq == -1
        listener.read_on()
        peer.say(Typed(seq=2, data=big[took.part :]))
        assert peer.hear(Took).seq == 2
    listener.until_heard(b"a" + big)


def test_what_is_typed_into_a_session_that_ends_keeps_nobody(home: Home, listener: Listener) -> None:
    """Nobody will read it, and nobody waits for that."""
    listener.stop_reading()
    peer, _ = attach(home, listener.id, viewer="v")
    with peer:
        peer.say(Typed(seq=1, data=b"x" * 100_000))
        home.cw("kill", str(listener.id), "--signal", "KILL")
        while not isinstance(message := peer.hear(object), Ended):  # type: ignore[type-var]
            assert isinstance(message, Took)


# -- and what it is sent


def test_a_paced_viewer_is_sent_what_it_sees(home: Home) -> None:
    """A window's worth, and then as much again as it says that it has seen: to the last byte, unbroken."""
    id = home.python("print('x' * 79 + '\\n', end='', flush=True)\nfor n in range(20000): print(n)\ninput()")
    home.until_printed(id, b"19999\r\n")
    log = home.log(id)
    peer, _ = attach(home, id, viewer="v", paced=True)
    with peer:
        peer.until_data(lambda data: len(data) == FIRST, "a window's worth")
        peer.peer.settimeout(0.3)
        with pytest.raises(TimeoutError):
            peer.next()
        peer.peer.settimeout(30)
        while len(peer.data) < len(log) - 1:
            peer.say(Seen(size=len(peer.data)))
            before = len(peer.data)
            peer.until_data(lambda data, before=before: len(data) > before, "more")
        assert peer.data == log[1:]


def test_whole_paints_come_no_more_often_than_the_house_paints(home: Home, listener: Listener) -> None:
    """However often a viewer asks: what one viewer wants is not to keep the daemon busy."""
    peer, _ = attach(home, listener.id, viewer="v", rows=24, cols=80)
    with peer:
        began = time.monotonic()
        for _ in range(5):
            peer.say(Repaint(offset=0), Repaint(offset=0))
            peer.hear(Painted)
        assert time.monotonic() - began >= 4 * REPAINT_SECONDS


def test_what_has_no_number_is_typed_once_as_well(home: Home, listener: Listener) -> None:
    """More than a terminal takes at once, by a program that does not number what it types."""
    data = b"".join(b"%05d is a line\r" % number for number in range(2000))
    peer, _ = attach(home, listener.id)
    with peer:
        peer.say(Typed(data=data))
        listener.until_heard(data)


def test_who_never_heard_that_it_is_attached_is_not_known(home: Home, listener: Listener) -> None:
    """It comes again, and believes what it knew of the daemon before: what that one took, nobody knows."""
    for _ in range(2):
        peer, attached = attach(home, listener.id, viewer="me", seq=5)
        with peer:
            assert attached.seq == -1
    leave(attach(home, listener.id, viewer="me", seq=5)[0])
    peer, attached = attach(home, listener.id, viewer="me", seq=5)
    with peer:
        assert attached.seq == 5
