"""what we write is what `tomllib` reads"""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from codewire_py.client.toml import dump

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
SIMPLE = st.one_of(
    st.booleans(), st.integers(-(1 << 63), (1 << 63) - 1), st.floats(allow_nan=False), TEXTS, st.dates(),
    st.times(), st.datetimes(), st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-3, minutes=-30))])),
)  # fmt: skip
VALUES: st.SearchStrategy[Any] = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=8,
)


@given(st.dictionaries(TEXTS, VALUES, max_size=4))
def test_every_document_comes_back(document: dict[str, Any]) -> None:
    """Whatever is in it: odd keys, tables in lists, dates, control characters."""
    assert tomllib.loads(dump(document)) == document


def test_it_reads_well() -> None:
    """Headers and one line for each key, as a person would have written it."""
    document = {"servers": {"gpu": {"url": "ws://x", "token": 'a"b\\c\n\x7f'}, "a b": {}}, "default": "gpu"}
    assert dump(document) == (
        'default = "gpu"\n\n[servers.gpu]\nurl = "ws://x"\ntoken = "a\\"b\\\\c\\n\\u007f"\n\n[servers."a b"]\n'
    )


def test_dates() -> None:
    """The kinds that TOML has."""
    document = {"d": date(2026, 1, 2), "t": time(1, 2, 3), "dt": datetime(2026, 1, 2, 3, 4, tzinfo=UTC)}
    assert tomllib.loads(dump(document)) == document
