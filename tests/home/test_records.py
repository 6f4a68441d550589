"""what is written down about a session's birth and end, and the words for its status"""

from __future__ import annotations

import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codewire_py.home.records import Birth, End, read_birth, read_end, status_of, write_whole

BIRTH: dict[str, Any] = {
    "id": 3, "command": ["a", "b c"], "directory": "/d", "created_at": 1.5, "request": "r", "name": "n", "tags": ["t"],
    "rows": 24, "cols": 80, "hatchery": "h", "env_names": ["A"], "env": {"PATH": "/bin"},
}  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def test_a_birth_comes_back(tmp_path: Path) -> None:
    """Every field, and any bytes in a command or a path."""
    odd = os.fsdecode(b"\xff\xfe \xe2\x9c\x93 \x1b[31m\n")
    Birth({**BIRTH, "command": ["sh", odd], "directory": odd}).write(str(tmp_path))
    found = read_birth(str(tmp_path))
    assert {field: getattr(found, field) for field in Birth.FIELDS} == {
        **BIRTH,
        "command": ["sh", odd],
        "directory": odd,
    }
    assert found.prompt == f"sh {odd}"


def test_an_older_birth_has_what_it_has() -> None:
    """A field that did not exist then is empty now."""
    birth = Birth({"id": 1, "command": ["x"], "created_at": 1})
    assert (birth.name, birth.tags, birth.rows, birth.hatchery) == ("", [], 0, "")


WRONG: list[tuple[str, object]] = [
    ("id", "3"), ("id", None), ("command", "a b"), ("command", [1]), ("command", [None]), ("command", [["a"]]),
    ("directory", 1), ("created_at", "today"), ("created_at", 1e300), ("created_at", -1e300),
    ("created_at", float("nan")), ("created_at", float("inf")), ("name", ["n"]), ("tags", "t"), ("tags", [["t"]]),
    ("tags", [{}]), ("rows", 2.5), ("rows", 1 << 70), ("cols", "80"), ("hatchery", 5), ("env", []),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), WRONG)
def test_a_birth_that_cannot_be_is_refused(field: str, value: object) -> None:
    """A value that would trip those who list it later is a ValueError now, when the file can be set aside."""
    with pytest.raises(ValueError, match=field):
        Birth({**BIRTH, field: value})


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b"\xff\x00", b"[" * 100_000, b'{"id": "x"}'])
def test_a_corrupt_birth_is_a_value_error(tmp_path: Path, raw: bytes) -> None:
    """Whatever is in the file, its reader knows what to expect."""
    (tmp_path / "session.json").write_bytes(raw)
    with pytest.raises(ValueError, match=r".*"):
        read_birth(str(tmp_path))


def test_an_end_is_read(tmp_path: Path) -> None:
    """Its code or its signal, when, how long the log was, and who was left."""
    assert read_end(str(tmp_path)) is None
    left = [{"pid": 1, "start": 2, "command": "x"}]
    (tmp_path / "exit.json").write_text(
        json.dumps({"code": 3, "ended_at": 7.5, "length": 9, "survivors": left})
    )
    end = read_end(str(tmp_path))
    assert end
    assert (end.code, end.signal, end.at, end.length, end.survivors) == (3, None, 7.5, 9, left)


@pytest.mark.parametrize(
    ("found", "status", "code"),
    [
        ({"code": 0}, "completed (0)", 0),
        ({"code": 3}, "completed (3)", 3),
        ({"code": 125}, "completed (125)", 125),
        ({"signal": 9}, "completed (137)", 137),
        ({"signal": 15}, "completed (143)", 143),
        ({"code": None}, "lost", 125),
        ({}, "lost", 125),
    ],
)
def test_the_words_for_a_status(found: dict[str, Any], status: str, code: int) -> None:
    """128 + the signal; 125 and lost only where nobody can know; killed once somebody killed it."""
    end = End(found)
    assert status_of(end, False, False) == status
    assert end.exit_code() == code
    assert status_of(end, True, False) == ("killed" if status != "lost" else "lost")


def test_running_and_lost() -> None:
    """Without an end it runs, also while a kill is under way, unless it is known to be lost."""
    assert status_of(None, False, False) == "running"
    assert status_of(None, True, False) == "running"
    assert status_of(None, False, True) == "lost"


ODD_ENDS = [
    b"", b"{", b"[1]", b"null", b"\xff\xff", b"[" * 100_000, b'{"code": "zero"}', b'{"code": [1]}', b'{"code": true}',
    b'{"signal": "x"}', b'{"signal": [9]}', b'{"signal": 1e400}', b'{"code": 0.5}', b'{"ended_at": "now"}',
    b'{"ended_at": NaN}', b'{"ended_at": 1e300}', b'{"length": []}', b'{"length": Infinity}',
    b'{"survivors": 5}', b'{"survivors": [5]}', b'{"survivors": [{}]}', b'{"code": ' + b"9" * 400 + b"}",
    b'{"survivors": [{"pid": "1", "start": 1, "command": "x"}]}',
]  # fmt: skip


@pytest.mark.parametrize("raw", ODD_ENDS)
def test_a_corrupt_end_is_a_value_error(tmp_path: Path, raw: bytes) -> None:
    """Whatever is in the file, its reader knows what to expect."""
    (tmp_path / "exit.json").write_bytes(raw)
    with pytest.raises(ValueError, match=r".*"):
        read_end(str(tmp_path))


@given(st.dictionaries(st.sampled_from(["code", "signal", "ended_at", "length", "survivors"]), JSON))
@settings(max_examples=200, deadline=None)
def test_no_end_does_harm(found: dict[str, Any]) -> None:
    """Whatever stands in exit.json is refused, or status and exit status can be told and sent."""
    try:
        end = End(found)
    except ValueError:
        return
    assert isinstance(status_of(end, False, False), str)
    assert type(end.exit_code()) is int
    assert msgpack.packb([end.exit_code(), end.at, end.length, end.survivors])
    assert datetime.fromtimestamp(end.at, UTC)


def test_a_file_appears_whole(tmp_path: Path) -> None:
    """A reader beside a writer sees one whole text or another, never a part."""
    path, texts = str(tmp_path / "file"), [char * 200_000 for char in "ab"]
    write_whole(path, texts[0])
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            for text in texts:
                write_whole(path, text)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        seen = {Path(path).read_text() for _ in range(200)}
    finally:
        stop.set()
        writer.join()
    assert seen <= set(texts)
    assert os.listdir(tmp_path) == ["file"]
