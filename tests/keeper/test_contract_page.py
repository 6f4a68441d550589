"""docs/keeper.md says what the keeper does: its words, orders, fields and limits"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from codewire_py.home import door
from codewire_py.home.records import End
from codewire_py.keeper import hatchery, keeper
from keeper.hatching import KEEPERS, OLD, Hatchery

PAGE = (Path(__file__).parents[2] / "docs/keeper.md").read_text()
MEBIBYTE = 1 << 20


def rows(heading: str) -> dict[str, str]:
    """The first column of a table, by its heading, to the second."""
    table = re.search(rf"^\| {re.escape(heading)} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    assert table, heading
    cells = [line.strip("|").split("|") for line in table[1].splitlines()]
    return {first.strip(): second.strip() for first, second, *_ in cells}


def test_the_words_are_the_codes() -> None:
    """On the page, in the keeper, and in what visits it."""
    names = {"bell": "BELL", "terminal": "TERMINAL", "full": "FULL", "done": "DONE", "nobody": "NOBODY"}
    listed = rows("Word")
    assert listed.pop("greeting").strip("`") == repr(keeper.VERSION)[2:-1]
    assert set(listed) == set(names)
    for word, byte in listed.items():
        assert getattr(keeper, names[word]) == getattr(door, names[word]) == byte.strip("`").encode()


def test_the_limits_are_the_codes() -> None:
    """A limit that is changed is changed on the page."""
    seconds, size = keeper.LAST_WORDS
    lost, within = hatchery.PATIENCE
    assert rows("What") == {
        "visitors at one door": f"{keeper.VISITORS}",
        "conversations with one hatchery": f"{hatchery.VISITORS}",
        "an order": f"{hatchery.ORDER_LIMIT // MEBIBYTE} MiB",
        "last words": f"{seconds:g} s, {size // MEBIBYTE} MiB",
        "looks for room on a full disk": f"every {keeper.FULL_RETRY:g} s",
        "an unneeded hatchery stays": f"{hatchery.LINGER:g} s",
        "keepers lost before a session is given up": f"more than {lost} in {within:g} s",
    }


def test_the_version_is_served() -> None:
    """Daemon and client go to the doors of every keeper there may be, today's and the old ones that are kept."""
    assert door.OLDEST <= keeper.VERSION[0] <= door.NEWEST
    versions = {int(name.removeprefix("v").partition(".")[0]) for name in KEEPERS if name != "today"}
    assert versions == set(range(door.OLDEST, keeper.VERSION[0] + 1))
    assert all((OLD / name / "__main__.py").exists() for name in KEEPERS if name != "today")


def test_every_field_of_a_record_is_described(hatchery: Hatchery) -> None:
    """What a keeper writes and what is read of it."""
    described = {name.strip("`") for name in rows("Field")}
    for script in ("exit 3", "kill -9 $$"):
        assert set(hatchery.sh(script).end()) <= described
    assert {slot for slot in End.__slots__ if slot != "at"} <= described


@pytest.mark.parametrize(
    "what",
    ["`TIOCGPTPEER`", "`SIOCOUTQ`", "pidfd", "`/proc`", "child subreaper", "`SO_PEERCRED`", "hole punching"],
)
def test_what_is_not_verified_on_macos_is_named(what: str) -> None:
    """So that nobody takes it for granted."""
    section = PAGE.partition("## macOS")[2]
    assert "NOT YET VERIFIED" in section
    assert re.search(rf"^\| {re.escape(what)} \|", section, re.MULTILINE)
