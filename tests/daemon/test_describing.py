"""what is told about a session: the fields users know, and those that say nothing left out"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from codewire_py.daemon.describing import describe, describe_whole, last_output, rfc3339
from codewire_py.daemon.session import Session
from codewire_py.daemon.viewers import Viewer
from codewire_py.home.records import Birth, End


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """Number 3, launched 100 s ago; the working directory is the home."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sessions/3").mkdir(parents=True)
    birth = Birth(
        {"id": 3, "command": ["a", "b c"], "directory": "/d", "created_at": time.time() - 100, "tags": ["t", "s"],
         "rows": 24, "cols": 80, "name": "api"}
    )  # fmt: skip
    session = Session(birth, 1 << 20, lambda: None)
    session.note("launched", pid=77, keeper=78)
    return session


def end(session: Session, **found: Any) -> None:
    session.end = End({"ended_at": session.birth.created_at + 2.5, **found})


def test_times_are_rfc_3339() -> None:
    """UTC, to the millisecond."""
    assert rfc3339(1_700_000_000.1234) == "2023-11-14T22:13:20.123Z"
    assert rfc3339(0) == "1970-01-01T00:00:00.000Z"


def test_a_running_session(session: Session) -> None:
    """Its fields, by the names that scripts use; nothing about an end."""
    said = describe(session)
    assert {field: said[field] for field in ("id", "prompt", "working_dir", "status", "attached", "pid")} == {
        "id": 3, "prompt": "a b c", "working_dir": "/d", "status": "running", "attached": False, "pid": 77,
    }  # fmt: skip
    assert (said["name"], said["tags"], said["command"], said["rows"], said["cols"]) == (
        "api",
        ["t", "s"],
        ["a", "b c"],
        24,
        80,
    )
    assert 99_000 < said["duration_ms"] < 200_000
    assert not {"exit_code", "completed_at", "released_bytes", "paused", "last_output_at"} & set(said)


@pytest.mark.parametrize(
    ("found", "status", "code"),
    [
        ({"code": 0}, "completed (0)", 0),
        ({"code": 3}, "completed (3)", 3),
        ({"signal": 9}, "completed (137)", 137),
    ],
)
def test_an_ended_session(session: Session, found: dict[str, int], status: str, code: int) -> None:
    """Its exit code, when it ended and how long it took; nothing about how long it is idle."""
    end(session, **found)
    said = describe(session)
    assert (said["status"], said["exit_code"], said["duration_ms"]) == (status, code, 2500)
    assert said["completed_at"] == rfc3339(session.birth.created_at + 2.5)
    assert "idle_seconds" not in said


def test_killed_stays_killed(session: Session) -> None:
    """Whatever it exited with, the status says killed; the code says the rest."""
    session.note("killed")
    assert describe(session)["status"] == "running"
    end(session, code=0)
    assert (describe(session)["status"], describe(session)["exit_code"]) == ("killed", 0)


def test_a_lost_session_has_no_exit_code(session: Session) -> None:
    """An exit status never lies."""
    session.is_lost = True
    assert describe(session)["status"] == "lost"
    assert "exit_code" not in describe(session)


def test_viewers_are_counted(session: Session) -> None:
    """Attached means at least one."""
    viewers = [Viewer(False, (0, 0), lambda yes: None, lambda: None) for _ in range(2)]
    for viewer in viewers:
        session.come(viewer)
    assert (describe(session)["attached"], describe(session)["attached_count"]) == (True, 2)
    for viewer in viewers:
        session.leave(viewer)
    assert (describe(session)["attached"], describe(session)["attached_count"]) == (False, 0)


def test_output_is_measured(session: Session) -> None:
    """How much, when last, and its last five lines without sequences."""
    Path("sessions/3/output.log").write_bytes(b"\x1b[1m1\x1b[0m\r\n2\r\n\r\n3\r\n4\r\n5\r\n\xff6\r\n")
    said = describe_whole(session)
    assert (said["output_size"], said["output_size_bytes"]) == (29, 29)
    assert said["last_output_snippet"] == "2\n3\n4\n5\n�6"
    assert said["log"] == f"{os.getcwd()}/sessions/3/output.log"
    assert said["idle_seconds"] < 10
    assert said["last_output_at"].startswith("20")


def test_a_huge_log_costs_little(session: Session) -> None:
    """Only its last few kilobytes are looked at, also where they have no line end, or are in a hole."""
    with Path("sessions/3/output.log").open("wb") as file:
        file.truncate(1 << 40)
        file.seek(1 << 40)
        file.write(b"\nlast " + "é".encode() * 3000 + b"\n")
    [line] = last_output("sessions/3", (1 << 40) + 6 + 6001)
    assert line.startswith("last éé")
    started = time.monotonic()
    assert describe_whole(session)["output_size"] == (1 << 40) + 6007
    assert time.monotonic() - started < 20  # to read it all takes minutes


def test_who_is_left_is_told(session: Session) -> None:
    """Of an ended session, the processes that outlived it."""
    left = [{"pid": 5, "start": 6, "command": "x"}]
    assert "survivors" not in describe_whole(session)
    end(session, code=0, survivors=left)
    assert describe_whole(session)["survivors"] == left
