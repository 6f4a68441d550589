"""cw daemon: what it leaves for scripts, and what corrupt files cost"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from homes import Home, new_home

NOTHING_KNOWN = b'{"id": "x"}'  # a map, which as an end says that nobody knows
RUBBISH = [b"", b"{", b"\xff\xfe\x00", b"[]", b"null", NOTHING_KNOWN, b"[" * 100_000]


@pytest.fixture
def home() -> Iterator[Home]:
    with new_home() as fresh:
        yield fresh


def index(home: Home) -> list[dict[str, object]]:
    return list(json.loads((home.path / "sessions.json").read_text()))


def test_sessions_json_follows_what_changes(home: Home) -> None:
    """There within a second, the list's own fields; unchanged while nothing changes; changed by a kill."""
    id = home.launch("sleep", "60", options=("--name", "indexed"))
    path = home.path / "sessions.json"
    home.until(path.exists, "the index", 2)
    [found] = index(home)
    assert (found["id"], found["name"], found["status"], found["prompt"]) == (
        id,
        "indexed",
        "running",
        "sleep 60",
    )
    assert found["pid"] == home.status(id)["pid"]
    home.cw("stop")
    home.cw("start")
    home.cw("list")
    before = path.stat().st_mtime_ns
    home.cw("kill", str(id))
    home.until(
        lambda: path.stat().st_mtime_ns != before and index(home)[0]["status"] == "killed", "it to follow", 2
    )


@pytest.mark.parametrize("name", ["sessions.json", "last_id"])
@pytest.mark.parametrize("raw", RUBBISH[1:3])
def test_a_corrupt_file_is_set_aside(home: Home, name: str, raw: bytes) -> None:
    """Its name stands in the journal; exactly one copy is kept; sessions are listed and launched as ever."""
    id = home.launch("true")
    home.end(id)
    home.cw("stop")
    (home.path / name).write_bytes(raw)
    assert home.launch("true") > id
    [aside] = [path.name for path in home.path.iterdir() if "corrupt" in path.name]
    assert aside.startswith(f"{name}.corrupt.")
    assert (home.path / aside).read_bytes() == raw
    assert f"{name} is corrupt, set aside as {aside}" in home.journal()
    assert [session["id"] for session in home.list()] == [id, id + 1]


def test_a_corrupt_birth_costs_what_is_in_it(home: Home) -> None:
    """The command is not known any more; the program runs on, its log and its end are there; the next is unharmed."""
    corrupt = {home.launch("sh", "-c", "echo hello; read x; exit 3"): raw for raw in RUBBISH}
    other = home.launch("sleep", "60")
    for id in corrupt:
        home.until_printed(id, b"hello")
    home.cw("stop")
    for id, raw in corrupt.items():
        (home.directory(id) / "session.json").write_bytes(raw)
    listed = {session["id"]: (session["prompt"], session["status"]) for session in home.list()}
    assert listed == {**dict.fromkeys(corrupt, ("?", "running")), other: ("sleep 60", "running")}
    for id in corrupt:
        assert home.cw("logs", str(id)).stdout == "hello\n"
        home.cw("send", str(id), "")
        assert home.cw("wait", str(id), status=3)
        assert len([name for name in os.listdir(home.directory(id)) if "session.json.corrupt." in name]) == 1
    assert home.journal().count("session.json") >= len(corrupt)


def test_a_corrupt_end_is_no_end(home: Home) -> None:
    """Honestly lost, its log still there; set aside and named in the journal."""
    corrupt = {
        home.launch("echo", "hello"): raw
        for raw in [*RUBBISH, b'{"code": "zero"}', b'{"code": 0, "survivors": [5]}']
    }
    for id in corrupt:
        home.cw("wait", str(id))
    home.cw("stop")
    for id, raw in corrupt.items():
        (home.directory(id) / "exit.json").write_bytes(raw)
    assert {session["id"]: session["status"] for session in home.list()} == dict.fromkeys(corrupt, "lost")
    for id, raw in corrupt.items():
        assert home.cw("logs", str(id)).stdout == "hello\n"
        assert home.cw("wait", str(id), status=125)
        assert raw == NOTHING_KNOWN or f"session {id}: exit.json is corrupt, set aside as" in home.journal()


def test_corrupt_marks_cost_themselves(home: Home) -> None:
    """What stands in the other lines holds; the session runs on."""
    odd = [b'{"kind": "size", "rows": 1e999, "cols": 5}\n', b'{"kind": "name", "name": {}}\n']
    corrupt = {home.launch("sh", "-c", "read x; exit 3", options=("--name", "before")): b""}
    home.cw("rename", "before", "after-0")
    for number, raw in enumerate([*RUBBISH, *odd], 1):
        corrupt[home.launch("sh", "-c", "read x; exit 3", options=("--name", "before"))] = raw
        home.cw("rename", "before", f"after-{number}")
    home.cw("stop")
    for id, raw in corrupt.items():
        with (home.directory(id) / "marks.jsonl").open("ab") as file:
            file.write(raw + b"\n" + raw)
    told = {session["id"]: (session["name"], session["rows"], session["status"]) for session in home.list()}
    assert told == {id: (f"after-{number}", 40, "running") for number, id in enumerate(corrupt)}
    for id in corrupt:
        home.cw("rename", str(id), f"at-last-{id}")
    home.cw("restart")
    for id in corrupt:
        assert home.status(f"at-last-{id}")["id"] == id
        home.cw("send", str(id), "")
        assert home.cw("wait", str(id), status=3)


def test_marks_that_are_gone(home: Home) -> None:
    """A session without its marks keeps its log, its program and its end."""
    ids = [
        home.launch("sh", "-c", "echo hello; read x; exit 3"),
        home.launch("sh", "-c", "echo hello; exit 4"),
    ]
    home.until_printed(ids[0], b"hello")
    home.cw("wait", str(ids[1]), status=4)
    home.cw("stop")
    for id in ids:
        (home.directory(id) / "marks.jsonl").unlink()
    assert home.cw("logs", str(ids[0])).stdout == "hello\n"
    assert home.status(ids[1])["status"] == "completed (4)"
    home.cw("send", str(ids[0]), "")
    assert home.cw("wait", str(ids[0]), status=3)


def test_a_lost_session_without_marks_keeps_its_log(home: Home) -> None:
    """It ran, for it printed: nothing of it is removed."""
    id = home.launch("echo", "precious")
    home.cw("wait", str(id))
    home.cw("stop")
    for name in ("marks.jsonl", "exit.json"):
        (home.directory(id) / name).unlink()
    assert home.status(id)["status"] == "lost"
    assert home.cw("logs", str(id)).stdout == "precious\n"


def test_strange_things_among_the_sessions(home: Home) -> None:
    """Files and folders that are no sessions are left alone and cost nothing."""
    id = home.launch("sleep", "60")
    home.cw("stop")
    sessions = home.path / "sessions"
    for name in ("²", "007", "-1", "x", "9" * 40, ".hidden", "1.bak"):
        (sessions / name).mkdir()
    (sessions / "12").write_text("a file")
    (sessions / "13").symlink_to("/no/where")
    (sessions / "14").mkdir()
    assert id in [session["id"] for session in home.list()]
    assert home.launch("true") > 14
    assert (sessions / "12").read_text() == "a file"
    assert "session 0" not in home.journal()
    assert "session 7" not in home.journal()


def test_a_journal_that_is_a_directory(home: Home) -> None:
    """Or anything else that cannot be written: a sentence, not silence."""
    home.path.mkdir(mode=0o700)
    (home.path / "daemon.log").mkdir()
    done = home.cw("list", status=1)
    assert done.stderr.startswith("Error: ")
    assert "daemon.log" in done.stderr


@pytest.mark.skipif(not hasattr(os, "SCHED_BATCH"), reason="only Linux has it")
def test_it_steps_back_and_its_programs_do_not(home: Home) -> None:
    """Whoever shows a key to a person goes before the daemon; also after a restart, also programs launched then."""
    for _ in range(2):
        id = home.python("import os; print('policy', os.sched_getscheduler(0), os.nice(0))")
        home.until_printed(id, b"\n")
        assert home.log(id) == f"policy {os.SCHED_OTHER} {os.nice(0)}\r\n".encode()
        assert os.sched_getscheduler(home.daemon()) == os.SCHED_BATCH
        home.cw("restart")


@pytest.mark.parametrize("way", [["daemon"], ["start", "--foreground"]])
def test_its_journal_is_on_stderr_after_a_restart_too(home: Home, way: list[str], tmp_path: Path) -> None:
    """For a service manager it goes on as the same process, and is heard as before."""
    told = tmp_path / "stderr"
    with told.open("wb") as file:
        daemon = home.begin(*way, stderr=file)
    for count in (1, 2, 3):
        home.until(lambda count=count: told.read_text().count(" serves ") == count, "it to serve")
        home.cw("restart")
    assert home.daemon() == daemon.pid
    home.until(lambda: home.journal() == told.read_text(), "both to say the same")


def test_in_the_background_it_says_things_once(home: Home) -> None:
    """Its standard error is the journal: after a restart, too, each line is there one time."""
    home.cw("start")
    home.cw("restart")
    lines = home.journal().splitlines()
    assert len(lines) == len(set(lines))
    assert sum(" serves " in line for line in lines) == 2


def test_it_listens_where_it_is_told_to(home: Home) -> None:
    """Help says how; an unknown word costs no daemon."""
    said = home.cw("daemon", "--help").stdout
    assert "--listen" in said
    assert "--insecure-no-tls" in said
    done = home.cw("daemon", "--lisen", "127.0.0.1:0", status=2)
    assert "Usage: cw daemon [--listen ADDRESS] [--insecure-no-tls]" in done.stderr
    assert not (home.path / "server.sock").exists()
