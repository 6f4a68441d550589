"""times: appended as output comes, searched in place, tolerant of whatever a crash or a clock did"""

from __future__ import annotations

import errno
import json
import os
import struct
import timeit
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codewire_py.home.times import GAP, Times, TimesWriter

BORN = 1_000_000.0
RECORD = struct.Struct("<Qd")


def session(path: Path, length: int = 10_000, grown: float = BORN + 1000) -> str:
    """A directory of a session whose log has so many bytes, the last one printed at `grown`."""
    path.mkdir(exist_ok=True)
    born: dict[str, Any] = {"id": 1, "command": ["x"], "directory": "/", "created_at": BORN}
    (path / "session.json").write_text(json.dumps(born))
    log = path / "output.log"
    log.write_bytes(b"")
    os.truncate(log, length)
    os.utime(log, (grown, grown))
    return str(path)


def write(directory: str, *records: tuple[int, float]) -> None:
    writer = TimesWriter(directory)
    for offset, after in records:
        writer.note(offset, BORN + after)
    writer.close()


def mark(directory: str, at: object, after: float, kind: str = "attached") -> None:
    with (Path(directory) / "marks.jsonl").open("a") as file:
        file.write(json.dumps({"at": at, "time": BORN + after, "kind": kind}) + "\n")


def size(directory: str) -> int:
    return (Path(directory) / "times").stat().st_size


# ── writing ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_record_is_sixteen_bytes(tmp_path: Path) -> None:
    """Little-endian offset and time, nothing else, readable by its owner alone."""
    directory = session(tmp_path)
    write(directory, (0, 1.5), (700, 2.5))
    data = (tmp_path / "times").read_bytes()
    assert data == RECORD.pack(0, BORN + 1.5) + RECORD.pack(700, BORN + 2.5)
    assert (tmp_path / "times").stat().st_mode & 0o777 == 0o600


def test_at_most_one_within_fifty_milliseconds(tmp_path: Path) -> None:
    """A flood costs twenty records a second; what is forced is always written, in the place of what was before."""
    directory = session(tmp_path)
    writer = TimesWriter(directory)
    for millisecond in range(1001):
        writer.note(millisecond, BORN + millisecond / 1000)
    assert 18 <= size(directory) // 16 <= 21
    before, (offset, time) = size(directory), writer.last
    writer.note(offset + 1, time + GAP / 10, force=True)
    writer.note(offset + 1, time + GAP / 5, force=True)
    assert size(directory) == before + 16
    assert TimesWriter(directory).last == writer.last == (offset + 1, time + GAP / 5)
    writer.close()


def test_who_asks_and_asks_does_not_fill_the_disk(tmp_path: Path) -> None:
    """A record for each question would: the last one counts, and times stay as exact as they are."""
    directory = session(tmp_path)
    writer = TimesWriter(directory)
    for n in range(5000):
        writer.note(n + 1, BORN + 1 + n / 5000, force=True)
    assert writer.last == (5000, BORN + 1 + 4999 / 5000)
    writer.close()
    assert size(directory) <= (2 / GAP + 2) * RECORD.size
    assert TimesWriter(directory).last == writer.last
    times = Times(directory)
    for n in range(5000):
        assert 0 <= BORN + 1 + n / 5000 - (times.time_at(n + 1) or 0) <= GAP
    times.close()


def test_nothing_new_is_not_written(tmp_path: Path) -> None:
    """The same offset again, or an older one, however late it is."""
    directory = session(tmp_path)
    write(directory, (5, 0), (5, 10), (4, 20), (6, 30))
    assert size(directory) == 32


def test_a_later_daemon_goes_on(tmp_path: Path) -> None:
    """It knows the last record, and appends after it."""
    directory = session(tmp_path)
    assert TimesWriter(directory).last == (-1, 0.0)
    write(directory, (5, 1), (9, 2))
    assert TimesWriter(directory).last == (9, BORN + 2)
    write(directory, (9, 3), (12, 4))
    assert list(Times(directory).between(1, 100)) == [(5, BORN + 1), (9, BORN + 2), (12, BORN + 4)]


@pytest.mark.parametrize(
    "rubbish",
    [b"torn", RECORD.pack(1 << 60, BORN), RECORD.pack(9000, float("nan")), RECORD.pack(9000, -1.0) + b"torn"],
)
def test_what_cannot_be_true_is_cut_off(tmp_path: Path, rubbish: bytes) -> None:
    """A torn record, or one beyond the log's end, does not keep the next ones from being found."""
    directory = session(tmp_path)
    write(directory, (5, 1))
    with (tmp_path / "times").open("ab") as file:
        file.write(rubbish)
    assert TimesWriter(directory).last == (5, BORN + 1)
    write(directory, (9, 2))
    assert size(directory) == 32
    assert TimesWriter(directory).last == (9, BORN + 2)


def test_a_full_disk_costs_only_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a record is taken back; once there is room the next ones are written."""
    directory = session(tmp_path)
    write(directory, (1, 1))
    real = os.pwrite
    writer = TimesWriter(directory)
    with monkeypatch.context() as full:
        full.setattr(os, "pwrite", lambda file, data, at: real(file, data[:7], at))
        writer.note(2, BORN + 2)
        assert size(directory) == 16
        full.setattr(os, "pwrite", refuse)
        writer.note(3, BORN + 3)
    writer.note(4, BORN + 4)
    assert size(directory) == 32
    writer.close()
    assert list(Times(directory).between(1, 100)) == [(1, BORN + 1), (4, BORN + 4)]


def refuse(file: int, data: bytes, at: int) -> int:
    raise OSError(errno.ENOSPC, "no room")


def test_looking_on_costs_next_to_nothing(tmp_path: Path) -> None:
    """Called for every piece of a flood, it takes no more than 2 µs (the best of several tries)."""
    writer = TimesWriter(session(tmp_path))
    writer.note(1, BORN)
    assert min(timeit.repeat(lambda: writer.note(2, BORN + 0.01), number=2000, repeat=5)) / 2000 < 2e-6
    writer.close()


# ── reading ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("offset", "after"),
    [(0, 1), (99, 1), (100, 10), (499, 10), (500, 60), (9999, 60), (1 << 62, 60)],
)
def test_when_an_offset_was_printed(tmp_path: Path, offset: int, after: float) -> None:
    """By the record at or before it."""
    directory = session(tmp_path)
    write(directory, (0, 1), (100, 10), (500, 60))
    assert Times(directory).time_at(offset) == BORN + after


@pytest.mark.parametrize(
    ("after", "since", "until"),
    [
        (0, 0, 0), (10, 100, 100), (10.001, 500, 500), (60, 500, 500), (61, 500, 1000), (100.5, 1000, 1000),
        (-1e5, 0, 0), (1e9, 1000, 1000),
    ],
)  # fmt: skip
def test_what_was_printed_since_and_until(tmp_path: Path, after: float, since: int, until: int) -> None:
    """The first offset of that time or later; none of it if nothing came since."""
    directory = session(tmp_path, 1000, BORN + 100)
    write(directory, (0, 1), (100, 10), (500, 60))
    times = Times(directory)
    assert (times.offset_at(BORN + after), times.end_at(BORN + after)) == (since, until)


def test_an_older_session_knows_its_marks(tmp_path: Path) -> None:
    """Without records nobody knows exactly: `since` shows rather too much, `until` too."""
    directory = session(tmp_path, 1000, BORN + 100)
    mark(directory, 400, 40)
    mark(directory, 600, 60)
    times = Times(directory)
    assert [times.time_at(offset) for offset in (0, 399, 400, 999)] == [BORN, BORN, BORN + 40, BORN + 60]
    assert (times.offset_at(BORN + 50), times.end_at(BORN + 50)) == (400, 600)
    assert (times.offset_at(BORN + 70), times.end_at(BORN + 70)) == (600, 1000)
    assert times.offset_at(BORN + 101) == 1000


def test_what_came_while_no_daemon_was_there_is_not_left_out(tmp_path: Path) -> None:
    """The log grew after the last record: who asks since then sees it."""
    directory = session(tmp_path, 1000, BORN + 500)
    write(directory, (0, 1), (100, 10))
    assert Times(directory).offset_at(BORN + 400) == 100
    assert Times(directory).offset_at(BORN + 501) == 1000


def test_a_reader_sees_what_is_added(tmp_path: Path) -> None:
    """Records and marks that come while it is open."""
    directory = session(tmp_path)
    write(directory, (0, 1))
    times = Times(directory)
    assert times.time_at(50) == BORN + 1
    write(directory, (20, 2))
    assert times.time_at(50) == BORN + 2
    mark(directory, 40, 3)
    assert times.time_at(50) == BORN + 3
    mark(directory, 45, 4)
    assert times.time_at(50) == BORN + 4
    assert list(times.between(10, 100)) == [(20, BORN + 2), (40, BORN + 3), (45, BORN + 4)]
    times.close()


def test_a_clock_that_was_set_back(tmp_path: Path) -> None:
    """Offsets still find their own times; walking on, time never goes back."""
    directory = session(tmp_path)
    write(directory, (0, 100), (10, 200), (20, 50), (30, 60), (40, 300))
    times = Times(directory)
    assert [times.time_at(offset) for offset in (15, 25, 35)] == [BORN + 200, BORN + 50, BORN + 60]
    assert [time - BORN for _, time in times.between(0, 100)] == [0, 100, 200, 200, 200, 300]
    assert times.offset_at(BORN + 250) == 40


def test_a_record_beyond_the_end(tmp_path: Path) -> None:
    """Of a log that was cut: what is found is within what there is."""
    directory = session(tmp_path, 50, BORN + 100)
    (tmp_path / "times").write_bytes(RECORD.pack(0, BORN + 1) + RECORD.pack(70, BORN + 2))
    times = Times(directory)
    assert (times.offset_at(BORN + 1.5), times.end_at(BORN + 1.5)) == (50, 50)
    times.close()


def test_a_day_is_searched_in_place(tmp_path: Path) -> None:
    """Of 1.7 million records it reads a handful."""
    directory = session(tmp_path, 1 << 40, BORN + 200_000)
    count = 86_400 * 20
    with (tmp_path / "times").open("wb") as file:
        for start in range(0, count, 86_400):
            file.write(b"".join(RECORD.pack(n * 64, BORN + n / 20) for n in range(start, start + 86_400)))
    times = Times(directory)
    reads: list[int] = []
    real = times.pread
    counting = type(
        "Counted", (Times,), {"pread": lambda self, size, at: reads.append(size) or real(size, at)}
    )
    counted = counting(directory)
    assert counted.time_at(64 * 1_000_000 + 5) == BORN + 50_000
    assert counted.offset_at(BORN + 50_000) == 64 * 1_000_000
    assert next(counted.between(64 * 1_000_000, 1 << 40)) == (64 * 1_000_000, BORN + 50_000)
    assert len(reads) < 80
    assert sum(reads) < 128 << 10
    times.close()
    counted.close()


def test_nothing_is_known_of_nothing(tmp_path: Path) -> None:
    """Neither birth, log, marks nor times: no guess."""
    times = Times(str(tmp_path))
    assert times.time_at(0) is None
    assert (times.offset_at(BORN), times.end_at(BORN), list(times.between(0, 10))) == (0, 0, [])


@settings(max_examples=150, deadline=None)
@given(
    data=st.binary(max_size=200),
    marks=st.lists(st.tuples(st.one_of(st.integers(), st.none(), st.text()), st.floats()), max_size=5),
    asked=st.floats(allow_nan=False),
)
def test_any_bytes_are_borne(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, marks: list[tuple[Any, float]], asked: float
) -> None:
    """Whatever the files hold, the answers are offsets of the log and never go back."""
    directory = session(tmp_path_factory.mktemp("s"), 1000)
    (Path(directory) / "times").write_bytes(data)
    for at, time in marks:
        mark(directory, at, time)
    times = Times(directory)
    assert 0 <= times.offset_at(asked) <= 1000
    assert 0 <= times.end_at(asked) <= 1000
    times.time_at(500)
    walked = list(times.between(0, 1000))
    assert walked == sorted(walked)
    assert all(0 <= offset < 1000 for offset, _ in walked)
    times.close()
    writer = TimesWriter(directory)
    writer.note(1000, BORN + 1e6, force=True)
    writer.close()
    assert size(directory) % 16 == 0
