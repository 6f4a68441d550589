"""a log: offsets that stay valid, also after the oldest bytes are released"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from codewire_py.home.log import NEAR_THE_END, Log, punch
from codewire_py.home.marks import append_mark

MIB = 1 << 20


def numbered(count: int) -> bytes:
    return b"".join(b"%07d\n" % number for number in range(count))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """2 MiB of lines of 8 bytes."""
    (tmp_path / "output.log").write_bytes(numbered(2 * MIB // 8))
    return tmp_path


def release(directory: Path, upto: int) -> None:
    append_mark(str(directory), "released", 0, to=upto)
    assert punch(str(directory), 0, upto)


def test_reading_at_an_offset(log: Path) -> None:
    """Any offset, any size, past the end nothing."""
    reader = Log(str(log))
    assert reader.length() == 2 * MIB
    assert reader.read(8, 8) == b"0000001\n"
    assert reader.read_kept(16, 8) == (16, b"0000002\n")
    assert reader.read(2 * MIB, 8) == b""
    assert reader.read_kept(5 * MIB, 8) == (5 * MIB, b"")
    reader.close()


def test_a_log_grows_under_its_reader(log: Path) -> None:
    """What is appended is there with the next read."""
    reader = Log(str(log))
    with (log / "output.log").open("ab") as file:
        file.write(b"more")
    assert reader.read_kept(2 * MIB, 100) == (2 * MIB, b"more")
    reader.close()


def test_released_bytes_are_gone_and_offsets_stay(log: Path) -> None:
    """Their blocks are given back, the length and every later offset stay, a reader is told where it may begin."""
    reader = Log(str(log))
    before = (log / "output.log").stat()
    release(log, MIB)
    after = (log / "output.log").stat()
    assert after.st_size == before.st_size
    assert before.st_blocks - after.st_blocks == MIB // 512
    assert reader.released() == MIB
    assert reader.read_kept(0, 8) == (MIB, b"%07d\n" % (MIB // 8))
    assert reader.read_kept(MIB + 8, 8) == (MIB + 8, b"%07d\n" % (MIB // 8 + 1))
    reader.close()


def test_bytes_released_while_they_were_read_are_not_given_out(log: Path) -> None:
    """The mark comes before the hole, and a reader looks at the marks after the read: never zeros as output."""
    reader = Log(str(log))
    for upto in range(4096, MIB, 4096 * 8):
        offset = upto - 2048
        release(log, upto)
        start, data = reader.read_kept(offset, 4096)
        assert start == upto
        assert b"\0" not in data
    reader.close()


def test_nobody_looks_at_marks_for_what_is_young(log: Path) -> None:
    """Following the end of a log costs no look at the marks: nothing this young is ever released."""
    reader = Log(str(log))
    (log / "marks.jsonl").mkdir()  # whoever looks, trips
    start = 2 * MIB - NEAR_THE_END
    assert reader.read_kept(start, 8) == (start, b"%07d\n" % (start // 8))
    with pytest.raises(OSError, match="directory"):
        reader.read_kept(start - 1, 8)
    reader.close()


def test_a_file_system_that_cannot_release_says_so(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """False, and nothing is changed."""
    before = (log / "output.log").read_bytes()
    descriptors = os.listdir("/proc/self/fd")
    monkeypatch.setattr("codewire_py.home.log.KEEP_SIZE_AND_PUNCH", 0xFFFF)
    assert not punch(str(log), 0, MIB)
    assert (log / "output.log").read_bytes() == before
    assert os.listdir("/proc/self/fd") == descriptors


def test_a_corrupt_mark_releases_no_more_than_there_is(log: Path) -> None:
    """Whoever begins where the released bytes end begins within the log."""
    append_mark(str(log), "released", 0, to=1 << 62)
    reader = Log(str(log))
    assert reader.released() == 2 * MIB
    assert reader.read_kept(0, 8) == (2 * MIB, b"")
    reader.close()
