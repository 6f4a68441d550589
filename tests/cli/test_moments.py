"""moments as people say them"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewire_py.cli.moments import moment, moment_or_none
from codewire_py.errors import UsageError

NOW = 1_795_269_960.5  # 2026-11-21 14:06:00.5 UTC


@pytest.fixture(autouse=True)
def somewhere() -> Iterator[None]:
    """Five and a half hours ahead of UTC: it is 19:36 here."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "XST-5:30"
    time.tzset()
    yield
    os.environ.pop("TZ")
    if before is not None:
        os.environ["TZ"] = before
    time.tzset()


def here(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("word", "seconds"),
    [
        ("10m", 600), ("90s", 90), ("2h", 7200), ("7d", 604_800), ("1w", 604_800), ("1h30m", 5400), ("1.5h", 5400),
        ("10m ago", 600), ("10M", 600), (" 10m ", 600), ("0s", 0), ("now", 0), ("1d12h30m5s", 131_405),
    ],
)  # fmt: skip
def test_ages(word: str, seconds: float) -> None:
    """So long ago."""
    assert moment(word, NOW) == NOW - seconds


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("14:05", "2026-11-21T14:05"), ("19:36", "2026-11-21T19:36"), ("19:37", "2026-11-20T19:37"),
        ("9:05", "2026-11-21T09:05"), ("9:05:30", "2026-11-21T09:05:30"), ("00:00", "2026-11-21T00:00"),
        ("23:59:59.5", "2026-11-20T23:59:59.500"),
        ("2026-11-21T14:05", "2026-11-21T14:05"), ("2026-11-21 14:05", "2026-11-21T14:05"),
        ("2026-11-21t14:05:06", "2026-11-21T14:05:06"), ("2026-11-21", "2026-11-21T00:00"),
        ("2026-11-21T14:05Z", "2026-11-21T19:35"), ("2026-11-21T14:05+05:30", "2026-11-21T14:05"),
        ("2027-01-01", "2027-01-01T00:00"), ("20261121", "2026-11-21T00:00"),
        ("today", "2026-11-21T00:00"), ("yesterday", "2026-11-20T00:00"),
    ],
)  # fmt: skip
def test_clocks_and_dates(word: str, wanted: str) -> None:
    """By the clock here; a clock time is the last one there was."""
    assert moment(word, NOW) == here(wanted)


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("1795269000", 1_795_269_000.0),
        ("1795269000.25", 1_795_269_000.25),
        ("@1795269000", 1_795_269_000.0),
        ("@0", 0.0),
    ],
)
def test_seconds_since_1970(word: str, wanted: float) -> None:
    """As `date +%s` prints them."""
    assert moment(word, NOW) == wanted


@pytest.mark.parametrize(
    "word",
    [
        "", " ", "90", "m", "10x", "10m5", "-5m", "+5m", "5 m m", "1..5h", "24:00", "14:60", "14:5:5:5", ":", "14:05Z",
        "tomorrow", "2026-13-01", "2026", "0001-01-01", "@", "@-5", "99999999999999", "1e9", "٣m", "nan", "inf", "ago",
        "10000w", "²h", "\x1b[31m", "9" * 400,
    ],
)  # fmt: skip
def test_what_is_none(word: str) -> None:
    """Is told with examples."""
    with pytest.raises(UsageError, match="is no moment") as told:
        moment(word, NOW)
    assert "10m" in told.value.hint


def test_none_given() -> None:
    """Is said as -1, which is no moment."""
    assert moment_or_none(None, NOW) == -1.0
    assert moment_or_none("10m", NOW) == NOW - 600


@given(st.text(max_size=12) | st.from_regex(r"[\d:.@smhdw TZ+-]{1,16}", fullmatch=True))
def test_any_word(word: str) -> None:
    """Is a moment or is refused, nothing else."""
    try:
        assert 0 <= moment(word, NOW) < 1e11
    except UsageError:
        return
