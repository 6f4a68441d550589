"""tricky sequences: our screen shows what tmux and xterm.js show, or what the table says of them"""

from __future__ import annotations

from collections import Counter
from itertools import zip_longest

import pytest

from screen import oracles, shown
from screen.cases import Case
from screen.shown import Picture, differences
from screen.table import CASES

MEASURED = (
    "3.3a",
)  # versions of tmux that the table was written with: others may differ in more, or in less
Oracles = dict[str, tuple[Picture, Picture]]


@pytest.fixture(scope="module")
def pictures() -> Oracles:
    """What xterm.js and tmux show, by the case's name."""
    plays = [case.play for case in CASES]
    both = zip(oracles.xterm(plays), oracles.tmux(plays), strict=True)
    return dict(zip((case.name for case in CASES), both, strict=True))


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_tricky_sequence_shows_what_it_should(case: Case, pictures: Oracles) -> None:
    """Text, cursor, history, colours and flags are those of both oracles; where they disagree, of the one followed."""
    xterm, tmux = pictures[case.name]
    ours = oracles.ours(case.play)
    match case.follow:
        case "":
            assert not differences(ours, xterm), f"xterm.js\n{xterm}"
            may_differ = oracles.tmux_version() not in MEASURED
            assert may_differ or not differences(ours, tmux), f"tmux\n{tmux}"
        case "xterm":
            assert not differences(ours, xterm), case.why
        case "tmux":
            assert not differences(ours, tmux), case.why
            assert differences(ours, xterm), "xterm.js agrees: there is nothing to declare"
        case _:
            assert not differing_from_what_is_right(ours, case), case.why
            assert differing_from_what_is_right(xterm, case), "xterm.js does so: follow it"


def differing_from_what_is_right(picture: Picture, case: Case) -> list[str]:
    rows = [one for one, other in zip_longest(picture.rows, case.rows, fillvalue="") if one != other]
    first = [look for char, look in picture.cells[0] if char]
    wanted = [shown.changed(shown.PLAIN, look) for look in case.looks]
    looks = [f"{one} against {other}" for one, other in zip(first, wanted, strict=False) if one != other]
    cursor = [f"the cursor: {picture.cursor}"] if picture.cursor != case.cursor else []
    return rows + looks + cursor


def test_every_disagreement_declared_is_one(pictures: Oracles) -> None:
    """Where the table says that the oracles disagree, they do, in the versions it was written with."""
    if oracles.tmux_version() not in MEASURED:
        return
    followed = [case for case in CASES if case.follow in ("xterm", "tmux")]
    assert [case.name for case in followed if not differences(*pictures[case.name])] == []


def test_the_table_says_what_it_means() -> None:
    """Each entry has a name of its own; whom it follows it says with a reason, and only then."""
    assert [name for name, times in Counter(case.name for case in CASES).items() if times > 1] == []
    assert [case.name for case in CASES if bool(case.why) != bool(case.follow)] == []
    assert {case.follow for case in CASES} == {"", "xterm", "tmux", "neither"}
