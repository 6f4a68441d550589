"""nobody can feed a session's output to itself, however many sessions lie in between"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewire_py.daemon.following import Following
from codewire_py.errors import InsideItself

SESSIONS = st.integers(1, 6)


def test_from_outside_everything_may_be_followed() -> None:
    """However often."""
    following = Following()
    assert [following.follow(0, 1) for _ in range(3)] == [(0, 1)] * 3


def test_a_session_is_not_followed_from_inside_itself() -> None:
    """Directly."""
    with pytest.raises(InsideItself, match=r"^session 1 cannot be followed from inside itself$"):
        Following().follow(1, 1)


def test_nor_through_others() -> None:
    """1 shows 2, 2 shows 3: 3 may not show 1."""
    following = Following()
    following.follow(1, 2)
    following.follow(2, 3)
    following.follow(1, 3)
    with pytest.raises(InsideItself, match="from inside a session that it follows"):
        following.follow(3, 1)
    assert following.pairs == [(1, 2), (2, 3), (1, 3)]


def test_who_stops_following_is_forgotten_once() -> None:
    """Two viewers inside one session: when one leaves, the other still counts."""
    following = Following()
    pair = following.follow(1, 2)
    following.follow(1, 2)
    following.unfollow(pair)
    with pytest.raises(InsideItself):
        following.follow(2, 1)
    following.unfollow(pair)
    assert following.follow(2, 1) == (2, 1)


@given(st.lists(st.tuples(SESSIONS, SESSIONS), max_size=25))
def test_there_is_never_a_ring(wishes: list[tuple[int, int]]) -> None:
    """Whatever is asked for in whatever order: what was allowed can be sorted so that output flows one way."""
    following = Following()
    for inside, target in wishes:
        try:
            following.follow(inside, target)
        except InsideItself:
            continue
    left = list(following.pairs)
    while left:
        ends = {inside for inside, _ in left} - {target for _, target in left}
        assert ends, f"{left} is a ring"
        left = [pair for pair in left if pair[0] not in ends]
