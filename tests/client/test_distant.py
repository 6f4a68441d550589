"""a session elsewhere: bytes go on where they stopped, and what is typed arrives once, whatever breaks in between"""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any, cast

import pytest

from codewire_py.client.distant import MOST_UNDER_WAY, MOST_WAITING, PIECE, DistantLog, FarHands
from codewire_py.client.showing import Showing
from codewire_py.daemon.viewers import Typist, Viewers
from codewire_py.home.records import LOST_STATUS
from codewire_py.wire.messages import Message, Typed


class Place:
    """A presence whose daemon is played by the test."""

    def __init__(self) -> None:
        self.log: Any = None
        self.hands: Any = None
        self.end: dict[str, Any] | None = None
        self.refusal: Exception | None = None
        self.is_settled = True
        self.seen = 0
        self.said: list[Typed] = []

    def note_seen(self, size: int) -> None:
        self.seen += size

    def tell(self, message: Message) -> None:
        if isinstance(message, Typed):
            self.said.append(message)


def log_at(offset: int) -> tuple[DistantLog, Place]:
    place = Place()
    return DistantLog(cast("Any", place), 7, offset), place


# -- the log


def test_bytes_are_read_as_they_came() -> None:
    """In pieces of any size, each counted as seen when it is read."""
    log, place = log_at(100)
    for piece in (b"abc", b"defgh", b"i"):
        log.receive(piece)
    assert (log.place(), log.offset, place.seen) == (109, 100, 0)
    assert (log.read(2), log.read(4), log.read(100), log.read(5)) == (b"ab", b"cdef", b"ghi", b"")
    assert (log.place(), log.offset, place.seen) == (109, 109, 9)


def test_after_coming_back_it_goes_on_where_it_was() -> None:
    """Also with bytes that were not shown yet; if the daemon goes on elsewhere, those are not shown any more."""
    log, place = log_at(0)
    log.receive(b"0123456789")
    log.read(4)
    log.go_on(10)
    log.receive(b"ab")
    assert log.read(100) == b"456789ab"
    log.receive(b"lost")
    log.go_on(5000)
    assert (log.offset, log.read(100), place.seen) == (5000, b"", 16)


def test_it_ends_when_all_was_shown() -> None:
    """Not when the daemon says so: there may be bytes left."""
    log, place = log_at(0)
    log.receive(b"x")
    place.end = {"status": "completed (3)", "exit_code": 3}
    assert not log.is_ended
    log.read(1)
    assert log.is_ended
    assert log.how_it_ended() == ("completed (3)", 3)
    place.end = {"status": "lost", "exit_code": None}
    assert log.how_it_ended() == ("lost", LOST_STATUS)


def test_a_refusal_waits_for_the_last_byte() -> None:
    """What came before it is shown first."""
    log, place = log_at(0)
    log.receive(b"x")
    place.refusal = ValueError()
    assert not log.is_refused()
    log.read(1)
    assert log.is_refused()


def test_the_rest_is_shown_when_no_paint_will_come() -> None:
    """The session ended while the link was away, and the screen had been painted: the log has to do, and then it ends."""
    log, place = log_at(10)
    presence: Any = place
    presence.is_over, presence.is_settled, presence.daemons = True, True, 1
    presence.is_foremost, presence.connection = False, None
    presence.has_painted_all, presence.take_paints = lambda: True, list
    shown = bytearray()
    terminal: Any = SimpleNamespace(write=lambda data: shown.extend(data) or len(data))
    showing = Showing(terminal, log, presence, 0)
    showing.is_rendered = showing.wants_paint = True
    log.receive(b"the rest")
    place.end = {"status": "completed (0)", "exit_code": 0}
    showing.see_paints()
    showing.pump()
    showing.pump()
    assert bytes(shown) == b"the rest"
    assert log.is_ended


# -- what is typed


class Daemon:
    """The daemon's side of it, with the real book-keeping, on links and in processes that break at any point."""

    def __init__(self, choose: random.Random) -> None:
        self.choose, self.viewers = choose, Viewers()
        self.terminal = bytearray()
        self.meet(0)

    def meet(self, seq: int) -> int:
        """What it hears when it comes, or comes once more because the first answer was lost; and it says that it has."""
        for _ in range(self.choose.choice((1, 1, 2))):
            self.typist, is_known = self.viewers.meet("me", seq)
        self.typist.is_met = True
        return self.typist.seq if is_known else -1

    def take(self, typed: Typed, whole: bool = True) -> None:
        rest = self.typist.rest(typed.seq, typed.data)
        if whole:
            self.terminal += rest
            self.typist.took(typed.seq)
        elif rest:
            size = self.choose.randrange(len(rest))
            self.terminal += rest[:size]
            self.typist.part += size


def typed_over(seed: int, may_die: bool) -> tuple[bytes, bytes, int]:
    """(what was typed, what the terminal got, how many bytes were told lost) over links and daemons that break."""
    choose = random.Random(seed)
    place, daemon = Place(), Daemon(choose)
    hands = FarHands(cast("Any", place))
    typed, lost, number = b"", 0, 0
    for _ in range(60):
        for _ in range(choose.randrange(4)):
            text = b"%d," % number + b"x" * choose.choice((0, 3, PIECE))
            number += 1
            typed += text
            hands.type(text)
        arrives = choose.randrange(len(place.said) + 1)
        for message in place.said[:arrives]:
            daemon.take(message)
            if choose.random() < 0.7:  # else the word of it is lost on its way
                hands.took(daemon.typist.seq, daemon.typist.part)
        if choose.random() < 0.4:
            if arrives < len(place.said) and choose.random() < 0.5:
                daemon.take(place.said[arrives], whole=False)
            lost += break_link(hands, place, daemon, choose.choice("lfd" if may_die else "lf"))
        else:
            del place.said[:arrives]
    for message in place.said:
        daemon.take(message)
    hands.took(daemon.typist.seq, 0)
    while hands.unsent or hands.under_way:
        before = len(place.said)
        hands.push()
        for message in place.said[before:]:
            daemon.take(message)
        hands.took(daemon.typist.seq, 0)
    return typed, bytes(daemon.terminal), lost


def break_link(hands: FarHands, place: Place, daemon: Daemon, what: str) -> int:
    """And come back: to the same daemon, or to another one, which the first told goodbye or not."""
    farewell = what == "f"
    if farewell:
        hands.took(daemon.typist.seq, daemon.typist.part)
    place.is_settled = False
    place.said.clear()
    asked = hands.taken
    if what in "fd":
        daemon.viewers = Viewers()
    lost = hands.come_back(daemon.meet(asked), farewell)
    place.is_settled = True
    hands.push()
    return lost


@pytest.mark.parametrize("seed", range(60))
def test_what_is_typed_arrives_once_and_in_order(seed: int) -> None:
    """Links break, also in the middle of a piece; daemons are replaced: not a byte is missing or comes twice."""
    typed, arrived, lost = typed_over(seed, may_die=False)
    assert (arrived == typed, lost) == (True, 0)


@pytest.mark.parametrize("seed", range(60))
def test_of_a_daemon_that_died_nothing_is_sent_again(seed: int) -> None:
    """What may be missing was told, and nothing comes twice."""
    typed, arrived, lost = typed_over(seed, may_die=True)
    assert len(typed) - lost <= len(arrived) <= len(typed)
    left = iter(typed)
    assert all(byte in left for byte in arrived)  # in order, none twice


def test_no_more_is_under_way_than_a_link_should_hold() -> None:
    """A paste of any size waits here, and beyond a limit our own terminal is not read."""
    place = Place()
    hands = FarHands(cast("Any", place))
    hands.type(b"x" * (MOST_WAITING + 2 * MOST_UNDER_WAY))
    assert sum(len(typed.data) for typed in place.said) == MOST_UNDER_WAY
    assert hands.is_full()
    while hands.unsent:
        hands.took(place.said[-1].seq, 0)
    assert not hands.is_full()
    assert [typed.seq for typed in place.said] == list(range(1, len(place.said) + 1))


def test_a_typist_is_known_again_by_name_only() -> None:
    """One without a name is new each time; of many, the ones that came last are remembered."""
    viewers = Viewers()
    first, was_known = viewers.meet("a", 5)
    assert (first.seq, was_known) == (5, False)
    first.is_met = True
    assert viewers.meet("a", 0) == (first, True)
    assert viewers.meet("", 0) != viewers.meet("", 0)
    for number in range(1000):
        viewers.meet(f"other {number}", 0)
    assert viewers.meet("a", 0)[1] is False
    assert isinstance(first, Typist)
