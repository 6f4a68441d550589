"""the size of a session: decided by whoever typed or attached last, unless it was told otherwise"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewire_py.daemon.sizes import Size, check, decide
from codewire_py.daemon.viewers import Viewer, Viewers
from codewire_py.errors import UsageError
from codewire_py.home.marks import SIZINGS
from codewire_py.wire.messages import (
    Attach,
    Attached,
    Detach,
    Detached,
    Foremost,
    Launched,
    Measured,
    Resize,
    Resized,
    Took,
    Typed,
)
from homes import Home
from peers import Peer, ask, launching, refusal

SIDES = st.integers(1, 9999)
SIZES = st.tuples(SIDES, SIDES)
ODD_SIZES = [(0, 80), (24, 0), (-1, 80), (24, 10_000), (1 << 70, 1)]
NOW = (40, 120)


# -- deciding


@pytest.mark.parametrize(
    ("sizing", "size"),
    [("latest", (30, 70)), ("smallest", (24, 70)), ("largest", (50, 100)), ("fixed", NOW)],
)
def test_each_way_to_choose(sizing: str, size: Size) -> None:
    """Of whoever was last; what all can show; what all fit into; none of theirs."""
    assert decide(sizing, [(24, 100), (50, 80), (30, 70)], NOW) == size


@pytest.mark.parametrize("sizing", SIZINGS)
def test_without_viewers_it_stays(sizing: str) -> None:
    """Nobody there, or nobody who has a terminal: the program sees no change."""
    assert decide(sizing, [], NOW) == NOW
    assert decide(sizing, ODD_SIZES, NOW) == NOW


@given(st.sampled_from(SIZINGS), st.lists(SIZES), st.integers(0, len(ODD_SIZES) - 1), SIZES)
def test_odd_sizes_have_no_say(sizing: str, sizes: list[Size], at: int, now: Size) -> None:
    """One that no terminal can have changes nothing, wherever it stands; what comes out is a size."""
    odd = [*sizes[:at], ODD_SIZES[at], *sizes[at:]]
    assert decide(sizing, odd, now) == decide(sizing, sizes, now)
    assert all(1 <= side <= 9999 for side in decide(sizing, odd, now))


@given(st.lists(SIZES, min_size=1))
def test_what_smallest_and_largest_promise(sizes: list[Size]) -> None:
    """Every terminal shows all of the smallest; the largest leaves no terminal with room to spare."""
    small, large = decide("smallest", sizes, NOW), decide("largest", sizes, NOW)
    for size in sizes:
        assert all(one <= other for one, other in zip(small, size, strict=True))
        assert all(one >= other for one, other in zip(large, size, strict=True))


@pytest.mark.parametrize("size", ODD_SIZES)
def test_a_fixed_size_is_one_that_a_terminal_can_have(size: Size) -> None:
    """Else it is refused; the ways to choose need none."""
    with pytest.raises(UsageError, match="cannot be the size of a terminal"):
        check("fixed", size)
    check("latest", size)


@pytest.mark.parametrize("word", ["", "40x", "x", "Latest", "tallest", "40 x 120", "\x1b[0m"])
def test_other_words_are_refused(word: str) -> None:
    """With what may be said instead."""
    with pytest.raises(UsageError, match="neither a size nor a way") as refused:
        check(word, NOW)
    assert "smallest or largest" in refused.value.hint


# -- who was last


class Told:
    """Viewers that write down what they are told."""

    def __init__(self, *read_only: bool) -> None:
        self.told: list[tuple[int, bool]] = []
        self.viewers = Viewers()
        self.each = [
            Viewer(look, (n, n), self.teller(n), lambda: None) for n, look in enumerate(read_only, 1)
        ]
        for viewer in self.each:
            self.viewers.come(viewer)

    def teller(self, number: int) -> Callable[[bool], None]:
        return lambda yes: self.told.append((number, yes))


def test_who_types_is_last_and_foremost() -> None:
    """Both whom it changes are told, once."""
    those = Told(False, False, False)
    one, _, three = those.each
    assert (those.told, those.viewers.sizes()) == ([(1, False), (2, False)], [(1, 1), (2, 2), (3, 3)])
    those.told.clear()
    those.viewers.has_typed(one)
    those.viewers.has_typed(one)
    assert (those.told, those.viewers.sizes()) == ([(3, False), (1, True)], [(2, 2), (3, 3), (1, 1)])
    assert those.viewers.foremost() is one
    those.viewers.leave(one)
    assert (those.told[2:], those.viewers.foremost()) == ([(3, True)], three)


def test_who_only_looks_has_no_size() -> None:
    """It is there, but nothing is decided by it, and nobody is told that it came or left."""
    those = Told(False, True)
    assert (len(those.viewers), list(those.viewers), those.viewers.sizes()) == (2, those.each, [(1, 1)])
    those.viewers.has_typed(those.each[0])
    those.viewers.leave(those.each[1])
    assert (those.told, len(those.viewers)) == ([], 1)
    assert those.viewers.foremost() is those.each[0]


@pytest.mark.parametrize("size", ODD_SIZES)
def test_what_cannot_be_a_size_is_passed_over(size: Size) -> None:
    """A terminal that says so still has the size that it had before, or none."""
    viewer, sizeless = Viewer(False, (24, 80), bool, int), Viewer(False, size, bool, int)
    viewer.measure(size)
    assert (viewer.rows, viewer.cols, sizeless.rows, sizeless.cols) == (24, 80, 0, 0)


# -- in a session


@pytest.fixture(scope="module")
def home(shared_home: Home) -> Home:
    shared_home.cw("start")
    return shared_home


def attach(home: Home, session: int, rows: int, cols: int, **fields: Any) -> tuple[Peer, Attached]:
    peer = Peer(home)
    return peer, peer.ask(Attach(session=str(session), rows=rows, cols=cols, **fields)).hear(Attached)


def size(home: Home, session: int) -> Size:
    described = home.status(session)
    return described["rows"], described["cols"]


def launch(home: Home, name: str) -> int:
    return int(ask(home, launching("cat", request=name, rows=24, cols=80), Launched).id)


def until_sized(home: Home, session: int, wanted: Size) -> None:
    home.until(lambda: size(home, session) == wanted, f"session {session} to be {wanted}")


def test_it_follows_whoever_typed_or_attached_last(home: Home) -> None:
    """With one byte or by the short way; whoever is left decides when that one leaves; then it stays."""
    id = launch(home, "latest")
    first, begun = attach(home, id, 30, 90)
    second, begun_too = attach(home, id, 20, 70)
    with first, second:
        assert [(begun.rows, begun.cols), (begun_too.rows, begun_too.cols)] == [(30, 90), (20, 70)]
        first.hear(Foremost)
        first.say(Typed(seq=1, data=b"x\n"))
        first.hear(Took)
        assert first.hear(Foremost).yes is True
        assert size(home, id) == (30, 90)
        assert second.hear(Foremost).yes is False
        second.say(Typed())
        assert second.hear(Foremost).yes is True
        until_sized(home, id, (20, 70))
        first.say(Measured(rows=50, cols=150))
        second.say(Detach())
        second.hear(Detached)
        until_sized(home, id, (50, 150))
        first.say(Detach())
        first.hear(Foremost)
    home.until(lambda: home.status(id)["attached_count"] == 0, "both to have left")
    assert size(home, id) == (50, 150)
    sizes = [(mark["rows"], mark["cols"]) for mark in home.marks(id) if mark["kind"] == "size"]
    assert sizes == [(30, 90), (20, 70), (30, 90), (20, 70), (50, 150)]


def test_who_only_looks_never_resizes(home: Home) -> None:
    """Not by attaching, not by its terminal's changes, not by being the only one."""
    id = launch(home, "reader")
    reader, begun = attach(home, id, 10, 20, read_only=True)
    with reader:
        reader.say(Measured(rows=11, cols=21))
        typist, begun_too = attach(home, id, 30, 90)
        with typist:
            typist.say(Detach())
            typist.hear(Detached)
        assert [(begun.rows, begun.cols), (begun_too.rows, begun_too.cols)] == [(24, 80), (30, 90)]
        home.until(lambda: home.status(id)["attached_count"] == 1, "the typist to have left")
    assert size(home, id) == (30, 90)


def test_fixed_is_fixed(home: Home) -> None:
    """Whoever comes, types or changes; also after the daemon has been replaced; until it is told otherwise."""
    id = launch(home, "fixed")
    resized = ask(home, Resize(session=str(id), rows=33, cols=99), Resized)
    assert (resized.sizing, resized.rows, resized.cols) == ("fixed", 33, 99)
    viewer, begun = attach(home, id, 10, 20)
    with viewer:
        assert (begun.rows, begun.cols) == (33, 99)
        viewer.say(Measured(rows=12, cols=22), Typed(seq=1, data=b"x\n"))
        viewer.hear(Took)
        assert size(home, id) == (33, 99)
    home.cw("restart")
    viewer, begun = attach(home, id, 10, 20)
    with viewer:
        assert (begun.rows, begun.cols, home.status(id)["sizing"]) == (33, 99, "fixed")
        resized = ask(home, Resize(session=str(id), sizing="latest"), Resized)
        assert (resized.sizing, resized.rows, resized.cols) == ("latest", 10, 20)
    assert "sizing" not in home.status(id)


@pytest.mark.parametrize(("sizing", "wanted"), [("smallest", (20, 70)), ("largest", (30, 90))])
def test_smallest_and_largest(home: Home, sizing: str, wanted: Size) -> None:
    """Of those attached now; who leaves decides no longer."""
    id = launch(home, sizing)
    ask(home, Resize(session=str(id), sizing=sizing), Resized)
    assert size(home, id) == (24, 80)
    first, _ = attach(home, id, 20, 90)
    second, _ = attach(home, id, 30, 70)
    with first:
        with second:
            assert size(home, id) == wanted
        until_sized(home, id, (20, 90))


def test_the_program_hears_of_it(home: Home) -> None:
    """Its terminal has the size that the mark says, and it gets the signal."""
    program = "trap 'stty size' WINCH; echo ready; while :; do sleep 0.02; done"
    id = ask(home, launching("sh", "-c", program, request="told"), Launched).id
    home.until_printed(id, b"ready")
    ask(home, Resize(session=str(id), rows=44, cols=132), Resized)
    home.until_printed(id, b"44 132")


@pytest.mark.parametrize(("rows", "cols"), [(0, 80), (24, 0), (-1, -1), (10_000, 80), (24, 1 << 40)])
def test_odd_sizes_are_refused(home: Home, rows: int, cols: int) -> None:
    """In a sentence, and nothing has changed."""
    id = launch(home, "odd")
    failed = refusal(home, Resize(session=str(id), rows=rows, cols=cols))
    assert (failed.code, failed.message) == ("usage", f"{rows}x{cols} cannot be the size of a terminal")
    assert size(home, id) == (24, 80)
    assert "sizing" not in home.status(id)
