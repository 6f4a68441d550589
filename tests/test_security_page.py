"""docs/security.md says what the code says: its limits, its scopes, and that its tests are there"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from codewire_py.daemon import limits
from codewire_py.daemon.grants import NEEDED, SCOPES
from codewire_py.wire import frames
from sources import names_used

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs/security.md").read_text()
LIMIT = re.compile(r"^\| `([A-Z_]+)` \| ([\d,.]+) \| .+ \| `(tests/\S+\.py)` \|$", re.MULTILINE)
STRANGERS = "WEB_|HEAD|BODY_|FAILURE|P[IO]NG_|TOKEN|PAIR"  # limits of who comes from elsewhere
OUR_OWN = {"TOKEN_USED_SECONDS", "TOKEN_CARE_SECONDS"}  # how often we do something: nobody exceeds that
ELSEWISE = {"TOKEN_NAME": '"a" * 33', "TOKEN_SESSIONS": "* 65"}
SAID = {"send": "type", "resize": "how large a session is", "token": "tokens"}


def told() -> dict[str, tuple[str, str]]:
    """(value, test that exceeds it) of each limit on the page."""
    return {name: (value, test) for name, value, test in LIMIT.findall(PAGE)}


def value_of(name: str) -> float:
    return float(getattr(limits, name, None) or getattr(frames, name))


def test_the_limits_are_those_of_the_code() -> None:
    """Each with the value that it has now."""
    assert {name: float(value.replace(",", "")) for name, (value, _) in told().items()} == {
        name: value_of(name) for name in told()
    }


def test_the_time_of_a_code_is_told_as_it_is() -> None:
    """Also where it is told in words."""
    assert limits.PAIR_SECONDS == 5 * 60
    for page in (PAGE, (ROOT / "README.md").read_text()):
        assert "good once, for five minutes" in " ".join(page.split())


def test_no_limit_of_strangers_is_left_out() -> None:
    """Who comes from elsewhere meets no limit that the page is silent about."""
    known = [name for name in vars(limits) if re.match(STRANGERS, name)]
    assert known
    assert sorted(set(known) - OUR_OWN - set(told())) == []


@pytest.mark.parametrize("name", sorted(told()))
def test_the_test_that_is_named_works_with_the_limit(name: str) -> None:
    """By its name or its value, not only in a comment or an import. (Whether it exceeds it, only a reader can tell.)"""
    text = (ROOT / told()[name][1]).read_text()
    assert name in names_used(text) or (name in ELSEWISE and ELSEWISE[name] in text)


def test_every_test_that_is_named_is_there() -> None:
    """Whoever doubts a row can run it."""
    named = set(re.findall(r"`(tests/[^`]+)`", PAGE))
    assert len(named) > 20
    assert sorted(name for name in named if not (ROOT / name).is_file()) == []


def test_every_scope_and_what_it_may() -> None:
    """One row each, in their order, and each verb in the row of the scope that it needs."""
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", PAGE, re.MULTILINE))
    assert [name for name in rows if name in SCOPES] == list(SCOPES)
    missing = [
        verb for verb, scope in NEEDED.items() if verb != "attach" and SAID.get(verb, verb) not in rows[scope]
    ]
    assert missing == []
    assert "attach read-only" in rows["observe"]
