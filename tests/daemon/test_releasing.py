"""old output is given back step by step, and where the system cannot, it is kept and said once"""

from __future__ import annotations

import logging
import time
from pathlib import Path

import pytest

from codewire_py.daemon.session import Session
from codewire_py.home.log import Log
from codewire_py.home.marks import parse
from codewire_py.home.records import Birth

MIB = 1 << 20


class QuietDoor:
    """A keeper that has been told when to ring next."""

    is_paused = False

    def __init__(self) -> None:
        self.steps: list[int] = []

    def be_quiet(self, mebibytes: int) -> None:
        self.steps.append(mebibytes)


def session_with(max_bytes: int) -> Session:
    Path("sessions/1").mkdir(parents=True)
    session = Session(Birth({"id": 1, "command": ["x"], "created_at": time.time()}), max_bytes, lambda: None)
    session.door = QuietDoor()  # type: ignore[assignment]
    return session


def grow(size: int) -> None:
    with Path("sessions/1/output.log").open("ab") as file:
        file.write(b"x" * size)


def used() -> int:
    return Path("sessions/1/output.log").stat().st_blocks * 512


@pytest.fixture(autouse=True)
def in_a_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("max_bytes", [2 * MIB, 3 * MIB + 12345, 16 * MIB])
def test_a_log_never_holds_more_than_its_limit(max_bytes: int) -> None:
    """However it grows, as long as the bell rings once a step; what is kept is at least half the limit."""
    session = session_with(max_bytes)
    for _ in range(40):
        grow(session.release_step() // 2 + 777)
        session.release_old()
        length, released = session.log_stat()[0], session.facts.released
        assert used() <= max_bytes + 8192
        assert released == 0 or length - released >= max_bytes // 2 - 4096
        assert released % 4096 == 0
        assert Log("sessions/1").read(released, 10) == b"x" * 10
    assert session.facts.released > 0


def test_without_a_limit_everything_is_kept() -> None:
    """0 means for ever."""
    session = session_with(0)
    grow(5 * MIB)
    session.release_old()
    assert used() >= 5 * MIB
    assert not Path("sessions/1/marks.jsonl").exists()


def test_where_the_system_cannot(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is released, the marks say so in the end, and the journal says it once."""
    monkeypatch.setattr("codewire_py.daemon.session.punch", lambda *_: False)
    session = session_with(2 * MIB)
    with caplog.at_level(logging.WARNING, "codewire"):
        for _ in range(5):
            grow(2 * MIB)
            session.release_old()
    assert [record.message for record in caplog.records] == [
        "session 1: this file system cannot release old output; it is kept"
    ]
    assert session.facts.released == 0
    marks = [parse(line) for line in Path("sessions/1/marks.jsonl").read_bytes().splitlines()]
    assert marks[-1]["to"] == 0
    assert used() >= 10 * MIB
