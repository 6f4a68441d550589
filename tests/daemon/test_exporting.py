"""an asciicast recording: every byte as text, everything at its time, in slices"""

from __future__ import annotations

import itertools
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codewire_py.daemon.exporting import record
from codewire_py.home.records import Birth, End
from codewire_py.home.times import RECORD

BORN = 1_700_000_000.0


def born(**fields: Any) -> Birth:
    env = {"PATH": "/secret/bin", "HOME": "/secret", "TERM": "xterm-kitty", "SHELL": "/bin/zsh"}
    given = {
        "id": 1, "command": ["sh", "-c", "echo 'hi'"], "directory": "/", "created_at": BORN, "rows": 24, "cols": 80,
        "env": env, **fields,
    }  # fmt: skip
    return Birth(given)


class Made:
    """A session's directory, made by hand."""

    def __init__(self, path: Path, log: bytes, *times: tuple[int, float]) -> None:
        self.path, self.log = path, log
        path.mkdir(exist_ok=True)
        (path / "output.log").write_bytes(log)
        (path / "times").write_bytes(b"".join(RECORD.pack(at, BORN + after) for at, after in times))

    def mark(self, at: int, after: float, kind: str, **facts: object) -> None:
        with (self.path / "marks.jsonl").open("a") as file:
            file.write(json.dumps({"at": at, "time": BORN + after, "kind": kind, **facts}) + "\n")

    def text(
        self, version: int = 3, start: int = 0, end: End | None = None, birth: Birth | None = None
    ) -> bytes:
        birth = birth or born()
        birth.write(str(self.path))
        return b"".join(record(str(self.path), birth, (start, len(self.log)), end, version))

    def lines(self, *words: Any, **named: Any) -> list[Any]:
        text = self.text(*words, **named)
        assert text.endswith(b"\n")
        return [json.loads(line) for line in text[:-1].split(b"\n")]


def test_version_three(tmp_path: Path) -> None:
    """The header, then each event so many seconds after the one before; the exit status last."""
    made = Made(tmp_path, b"one two three", (0, 1.5), (4, 2.0), (8, 10.25))
    header, *events = made.lines(end=End({"code": 3, "ended_at": BORN + 11, "length": 13}))
    assert header == {
        "version": 3, "term": {"cols": 80, "rows": 24, "type": "xterm-kitty"}, "timestamp": int(BORN),
        "command": """sh -c 'echo '"'"'hi'"'"''""", "title": "sh -c echo 'hi'", "env": {"SHELL": "/bin/zsh"},
    }  # fmt: skip
    assert events == [[1.5, "o", "one "], [0.5, "o", "two "], [8.25, "o", "three"], [0.75, "x", "3"]]


def test_version_two(tmp_path: Path) -> None:
    """The same with width and height, each event so many seconds after the beginning; the end is a marker."""
    made = Made(tmp_path, b"one two three", (0, 1.5), (4, 2.0), (8, 10.25))
    header, *events = made.lines(2, end=End({"signal": 9, "ended_at": BORN + 11, "length": 13}))
    assert header["version"] == 2
    assert (header["width"], header["height"]) == (80, 24)
    assert header["env"] == {"SHELL": "/bin/zsh", "TERM": "xterm-kitty"}
    assert events == [
        [1.5, "o", "one "],
        [2.0, "o", "two "],
        [10.25, "o", "three"],
        [11.0, "m", "ended: 137"],
    ]


def test_only_two_variables_are_told(tmp_path: Path) -> None:
    """Paths and whatever else is known of the environment stay at home."""
    for version in (2, 3):
        assert b"secret" not in Made(tmp_path, b"x").text(version)


def test_sizes_and_marks_are_where_they_were(tmp_path: Path) -> None:
    """Between the bytes they came between, at their own times."""
    made = Made(tmp_path, b"before after", (0, 1), (7, 10))
    made.mark(0, 0.5, "launched", pid=1, keeper=2)
    made.mark(7, 3, "attached", viewers=1)
    made.mark(7, 4, "size", rows=30, cols=100)
    made.mark(7, 5, "name", name="api")
    made.mark(7, 6, "detached", viewers=0)
    made.mark(12, 11, "signalled", signal=2)
    made.mark(12, 12, "killed", signal=15)
    made.mark(12, 13, "from the future", x=1)
    assert made.lines(end=End({"signal": 15, "ended_at": BORN + 14}))[1:] == [
        [1, "o", "before "], [2, "m", "attached"], [1, "r", "100x30"], [1, "m", "name: api"], [1, "m", "detached"],
        [4, "o", "after"], [1, "m", "signal 2"], [1, "m", "killed"], [2, "x", "143"],
    ]  # fmt: skip


def test_a_character_is_never_cut(tmp_path: Path) -> None:
    """The rest of it comes with the event after."""
    made = Made(tmp_path, "aé漢😀z".encode(), *[(at, at) for at in range(11)])
    assert [event[2] for event in made.lines()[1:]] == ["a", "é", "漢", "😀", "z"]


def test_what_is_no_text_becomes_text(tmp_path: Path) -> None:
    """Each bad byte is one U+FFFD; a character that never came to its end is one, too."""
    made = Made(tmp_path, b"a\xff\xfeb\xe2\x9c", (0, 1), (3, 2), (6, 3))
    assert "".join(event[2] for event in made.lines()[1:]) == "a\ufffd\ufffdb\ufffd"


def test_no_control_character_is_in_the_file(tmp_path: Path) -> None:
    """Looking at it does nothing to a terminal, and every event is a line wherever lines are cut."""
    log = bytes(range(32)) + b"\x7f" + "\x80\x9b\x85\u2028\u2029ok".encode()
    text = Made(tmp_path, log).text().decode()
    assert len(text.splitlines()) == 2
    assert all(char.isprintable() or char == "\n" for char in text)
    assert json.loads(text.splitlines()[1])[2] == log.decode()


def test_nothing_known_of_the_end(tmp_path: Path) -> None:
    """A running session just stops; of a lost one nobody knows the status."""
    made = Made(tmp_path, b"x", (0, 1))
    assert made.lines()[1:] == [[1, "o", "x"]]
    assert made.lines(end=End({"ended_at": BORN + 2}))[2:] == [[1, "m", "ended: unknown"]]


def test_what_comes_after_the_asking_is_left_out(tmp_path: Path) -> None:
    """A mark beyond the end of what is exported is not part of it."""
    made = Made(tmp_path, b"abc", (0, 1), (3, 5))
    made.mark(4, 9, "killed")
    assert made.lines()[1:] == [[1, "o", "abc"]]


def test_a_released_beginning(tmp_path: Path) -> None:
    """It begins with what is kept, in the size and under the name it had there, at the time it had come to."""
    made = Made(tmp_path, b"gone" + b"kept", (0, 1), (4, 50), (6, 51))
    made.mark(2, 10, "size", rows=10, cols=20)
    made.mark(2, 10, "name", name="api")
    made.mark(6, 60, "size", rows=11, cols=22)
    header, *events = made.lines(start=4)
    assert (header["term"]["rows"], header["term"]["cols"], header["title"]) == (10, 20, "api")
    assert header["timestamp"] == int(BORN) + 50
    assert events == [[0, "o", "ke"], [10, "r", "22x11"], [0, "o", "pt"]]


def test_rounding_does_not_add_up(tmp_path: Path) -> None:
    """A thousand intervals of a third of a millisecond are a third of a second."""
    made = Made(tmp_path, b"x" * 1000, *[(at, at / 3000) for at in range(1000)])
    assert sum(event[0] for event in made.lines()[1:]) == pytest.approx(0.333)


def test_a_long_log_comes_in_slices(tmp_path: Path) -> None:
    """However it is made up, no slice is long to make, and the first does not wait for the last."""
    for log in (bytes(4 << 20), b"x" * (4 << 20)):
        made = Made(tmp_path, log, *[(at, at) for at in range(20_000)])
        made.text()
        slices = record(str(tmp_path), born(), (0, len(log)), None, 3)
        assert next(slices).startswith(b'{"version"')
        os.truncate(tmp_path / "output.log", 3 << 20)
        sizes = [len(text) for text in slices]
        assert max(sizes) < 1 << 20
        assert len(sizes) > 100
        assert sum(sizes) < 7 * (3 << 20)


@settings(max_examples=150, deadline=None)
@given(
    log=st.binary(max_size=60),
    times=st.lists(st.tuples(st.integers(0, 70), st.floats(-10, 100)), max_size=8),
    marks=st.lists(
        st.tuples(
            st.integers(-5, 70), st.floats(-10, 100), st.sampled_from(("size", "name", "killed", "attached")),
            st.sampled_from((1, 80, -1, None, "x", 1 << 70)),
        ),
        max_size=6,
    ),
    start=st.integers(0, 60),
    version=st.sampled_from((2, 3)),
)  # fmt: skip
def test_every_byte_whatever_else_is_there(
    log: bytes, times: list[tuple[int, float]], marks: list[Any], start: int, version: int
) -> None:
    """Times and marks in any order and of any content lose no output, and time never goes back."""
    with tempfile.TemporaryDirectory() as folder:
        made = Made(Path(folder), log, *times)
        for at, after, kind, value in marks:
            made.mark(at, after, kind, rows=value, cols=value, name=value)
        start = min(start, len(log))
        _, *events = made.lines(version, start)
    assert "".join(event[2] for event in events if event[1] == "o") == log[start:].decode("utf-8", "replace")
    counted = [event[0] for event in events]
    assert all(number >= 0 for number in counted)
    if version == 2:
        assert all(first <= second for first, second in itertools.pairwise(counted))
