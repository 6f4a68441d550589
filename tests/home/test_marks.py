"""marks: appended one by one, read as they come, each line worth no more than itself"""

from __future__ import annotations

import os
from pathlib import Path

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codewire_py.home.marks import Facts, Marks, append_mark, parse

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KINDS = ("launched", "size", "sizing", "name", "killed", "released", "kept-again", "from the future")


def read(directory: Path) -> Facts:
    marks = Marks(str(directory), Facts("first", ["a"], 24, 80))
    marks.refresh()
    return marks.facts


def write(directory: Path, raw: bytes) -> None:
    with (directory / "marks.jsonl").open("ab") as file:
        file.write(raw)


def test_the_last_one_of_a_kind_wins(tmp_path: Path) -> None:
    """Names, sizes and what was released are what was said last; the rest is as at birth."""
    append_mark(str(tmp_path), "launched", 0, pid=10, keeper=11)
    append_mark(str(tmp_path), "size", 5, rows=30, cols=90)
    append_mark(str(tmp_path), "size", 9, rows=31, cols=91)
    append_mark(str(tmp_path), "sizing", 9, sizing="fixed", rows=50, cols=132)
    append_mark(str(tmp_path), "sizing", 9, sizing="largest")
    append_mark(str(tmp_path), "name", 9, name="second")
    append_mark(str(tmp_path), "released", 9, to=4096)
    append_mark(str(tmp_path), "kept-again", 9, keeper=12)
    facts = read(tmp_path)
    assert (facts.rows, facts.cols, facts.name, facts.tags) == (31, 91, "second", ["a"])
    assert (facts.pid, facts.keeper, facts.released, facts.is_launched) == (10, 12, 4096, True)
    assert (facts.sizing, facts.fixed) == ("largest", (50, 132))
    assert not facts.is_killed
    append_mark(str(tmp_path), "killed", 10)
    assert read(tmp_path).is_killed


def test_a_mark_says_where_and_when(tmp_path: Path) -> None:
    """Each is a line of JSON: the offset it is pinned to, the time, the kind, and its facts."""
    append_mark(str(tmp_path), "size", 1234, rows=1, cols=2)
    mark = parse((tmp_path / "marks.jsonl").read_bytes())
    assert (mark["at"], mark["kind"], mark["rows"], mark["cols"]) == (1234, "size", 1, 2)
    assert mark["time"] > 1_700_000_000
    assert (tmp_path / "marks.jsonl").stat().st_mode & 0o777 == 0o600


def test_only_what_is_new_is_read(tmp_path: Path) -> None:
    """A reader that stays sees each mark once, and half a line not before it is whole."""
    marks = Marks(str(tmp_path))
    assert marks.refresh() == []
    append_mark(str(tmp_path), "killed", 0)
    assert [mark["kind"] for mark in marks.refresh()] == ["killed"]
    assert marks.refresh() == []
    write(tmp_path, b'{"kind": "name", "na')
    assert marks.refresh() == []
    write(tmp_path, b'me": "late"}\n')
    assert [mark["kind"] for mark in marks.refresh()] == ["name"]
    assert marks.facts.name == "late"


BROKEN = [
    b"", b"\xff\xfe\x00\x01", b"{", b"null", b"[]", b"17", b'"killed"', b"{}", b'{"kind": 1}', b'{"kind": ["killed"]}',
    b'{"kind": "size"}', b'{"kind": "size", "rows": "many", "cols": {}}',
    b'{"kind": "size", "rows": Infinity, "cols": 1}',
    b'{"kind": "released", "to": NaN}', b'{"kind": "launched", "pid": null, "keeper": 1}', b"[" * 100_000,
    b'{"kind": "released", "to": ' + b"9" * 5000 + b"}", b'{"kind": "released", "to": 1' + b"0" * 30 + b"}",
    b'{"kind": "released", "to": -4096}', b'{"kind": "future", "of": "us"}', b'{"kind": "sizing", "sizing": []}',
    b'{"kind": "sizing", "sizing": "golden"}', b'{"kind": "sizing", "sizing": "fixed"}',
    b'{"kind": "sizing", "sizing": "fixed", "rows": 0, "cols": 9}',
    b'{"kind": "sizing", "sizing": "fixed", "rows": 9, "cols": 10000}',
]  # fmt: skip


@pytest.mark.parametrize("line", BROKEN)
def test_a_corrupt_line_costs_only_itself(tmp_path: Path, line: bytes) -> None:
    """What stands before and after it holds; it changes nothing."""
    append_mark(str(tmp_path), "name", 0, name="before")
    append_mark(str(tmp_path), "size", 0, rows=30, cols=90)
    write(tmp_path, line + b"\n")
    append_mark(str(tmp_path), "launched", 0, pid=10, keeper=11)
    facts = read(tmp_path)
    assert (facts.name, facts.rows, facts.cols, facts.pid, facts.keeper) == ("before", 30, 90, 10, 11)
    assert (facts.released, facts.is_killed, facts.sizing, facts.fixed) == (0, False, "latest", (24, 80))


@given(
    st.dictionaries(st.sampled_from(["rows", "cols", "name", "to", "pid", "keeper", "sizing"]), JSON),
    st.sampled_from(KINDS),
)
@settings(max_examples=200, deadline=None)
def test_no_facts_do_harm(facts: dict[str, object], kind: str) -> None:
    """Whatever a mark of a known kind says, folding it raises nothing, and what comes of it can be sent."""
    folded = Facts()
    folded.fold({**facts, "kind": kind})
    assert msgpack.packb([getattr(folded, slot) for slot in Facts.__slots__])


def test_a_torn_line_costs_only_itself(tmp_path: Path) -> None:
    """A daemon was killed in the middle of a mark: the next one begins a line of its own."""
    append_mark(str(tmp_path), "name", 0, name="before")
    write(tmp_path, b'{"kind": "name", "name": "to')
    append_mark(str(tmp_path), "killed", 0)
    facts = read(tmp_path)
    assert facts.name == "before"
    assert facts.is_killed


def test_text_of_any_bytes_is_kept(tmp_path: Path) -> None:
    """A mark about something odd is still one line."""
    odd = os.fsdecode(b"a\xff\n\x1b[0m\xe2\x9c\x93")
    append_mark(str(tmp_path), "name", 0, name=odd)
    assert read(tmp_path).name == odd
    assert (tmp_path / "marks.jsonl").read_bytes().count(b"\n") == 1


def test_no_file_is_no_marks(tmp_path: Path) -> None:
    """A session whose marks are gone is what it was at birth."""
    facts = read(tmp_path)
    assert (facts.name, facts.rows, facts.cols, facts.is_launched) == ("first", 24, 80, False)
