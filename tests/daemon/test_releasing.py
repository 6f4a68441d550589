"""old output is given back step by step, and where the system cannot, it is kept and said once"""

from __future__ import annotations

import logging
import time
from pathlib import Path

import pytest

from codewire_py.daemon.checkpoint import read_checkpoint
from codewire_py.daemon.session import Session
from codewire_py.home.log import Log
from codewire_py.home.marks import parse
from codewire_py.home.records import Birth

MIB = 1 << 20


def session_with(max_bytes: int) -> Session:
    Path("sessions/1").mkdir(parents=True)
    return Session(Birth({"id": 1, "command": ["x"], "created_at": time.time()}), max_bytes, lambda: None)


def grow(size: int, text: bytes = b"x") -> None:
    with Path("sessions/1/output.log").open("ab") as file:
        file.write(text * size)


def used() -> int:
    return Path("sessions/1/output.log").stat().st_blocks * 512


@pytest.fixture(autouse=True)
def in_a_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("max_bytes", [2 * MIB, 3 * MIB + 12345, 16 * MIB])
async def test_a_log_never_holds_more_than_its_limit(max_bytes: int) -> None:
    """However it grows, as long as the bell rings once a step; what is kept is at least half the limit.

    What the released part drew stands in a checkpoint, at the cut or behind it.
    """
    session = session_with(max_bytes)
    for _ in range(40):
        grow(session.release_step() // 2 + 777)
        await session.release_old()
        length, released = session.log_stat()[0], session.facts.released
        assert used() <= max_bytes + 8192
        assert released == 0 or length - released >= max_bytes // 2 - 4096
        assert released % 4096 == 0
        assert Log("sessions/1").read(released, 10) == b"x" * 10
        checkpoint = read_checkpoint("sessions/1")
        assert released == 0 or (checkpoint and released <= checkpoint.offset <= length)
    assert session.facts.released > 0


async def test_what_was_released_is_still_on_the_screen() -> None:
    """Also for a daemon that has never read it: the line at the top of the screen came with the first bytes."""
    session = session_with(2 * MIB)
    grow(1, b"\x1b]0;the title\x07\x1b[2J\x1b[Hthe first line\x1b[3H")
    for _ in range(4):
        grow(MIB // 10, b"\rx\x1b[1m\x1b[m")
        await session.attending.depict()  # no flood: somebody looks now and then
        await session.release_old()
    assert session.facts.released > MIB
    later = Session(session.birth, 2 * MIB, lambda: None)
    screen = (await later.attending.depict()).screen
    assert (screen.text()[0], screen.text()[2], screen.title) == ("the first line", "x", "the title")


async def test_without_a_checkpoint_nothing_is_released(caplog: pytest.LogCaptureFixture) -> None:
    """The disk is full, say: too much is kept rather than too little, and it is released once there is room."""
    session = session_with(2 * MIB)
    Path("sessions/1/checkpoint.new").mkdir()  # nothing can be written there
    with caplog.at_level(logging.WARNING, "codewire"):
        grow(5 * MIB)
        await session.release_old()
    assert "no checkpoint" in caplog.text
    assert (session.facts.released, used() >= 5 * MIB) == (0, True)
    Path("sessions/1/checkpoint.new").rmdir()
    grow(MIB)  # it is not tried again each time that a byte comes
    await session.release_old()
    assert session.facts.released > 3 * MIB


async def test_without_a_limit_everything_is_kept() -> None:
    """0 means for ever."""
    session = session_with(0)
    grow(5 * MIB)
    await session.release_old()
    assert used() >= 5 * MIB
    assert not Path("sessions/1/marks.jsonl").exists()


async def test_where_the_system_cannot(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is released, the marks say so in the end, and the journal says it once."""
    monkeypatch.setattr("codewire_py.daemon.session.punch", lambda *_: False)
    session = session_with(2 * MIB)
    with caplog.at_level(logging.WARNING, "codewire"):
        for _ in range(5):
            grow(2 * MIB)
            await session.release_old()
    assert [record.message for record in caplog.records] == [
        "session 1: this file system cannot release old output; it is kept"
    ]
    assert session.facts.released == 0
    marks = [parse(line) for line in Path("sessions/1/marks.jsonl").read_bytes().splitlines()]
    assert marks[-1]["to"] == 0
    assert used() >= 10 * MIB
