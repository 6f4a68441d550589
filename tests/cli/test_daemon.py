"""cw daemon: what it leaves for scripts, and what corrupt files cost"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest
from homes import Home, new_home

RUBBISH = [b"", b"{", b"\xff\xfe\x00", b"[]", b"null", b'{"id": "x"}', b"[" * 100_000]


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
    assert (found["id"], found["name"], found["status"], found["prompt"]) == (id, "indexed", "running", "sleep 60")
    assert found["pid"] == home.status(id)["pid"]
    home.cw("stop")
    home.cw("start")
    home.cw("list")
    before = path.stat().st_mtime_ns
    home.cw("kill", str(id))
    home.until(lambda: path.stat().st_mtime_ns != before and index(home)[0]["status"] == "killed", "it to follow", 2)


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


@pytest.mark.parametrize("raw", RUBBISH)
def test_a_corrupt_birth_costs_what_is_in_it(home: Home, raw: bytes) -> None:
    """The command is not known any more; the program runs on, its log and its end are there; the next is unharmed."""
    id, other = home.launch("sh", "-c", "echo hello; read x; exit 3"), home.launch("sleep", "60")
    home.until_printed(id, b"hello")
    home.cw("stop")
    (home.directory(id) / "session.json").write_bytes(raw)
    listed = {session["id"]: session for session in home.list()}
    assert (listed[id]["prompt"], listed[id]["status"], listed[other]["prompt"]) == ("?", "running", "sleep 60")
    assert home.cw("logs", str(id)).stdout == "hello\n"
    home.cw("send", str(id), "")
    assert home.cw("wait", str(id), status=3)
    aside = [name for name in os.listdir(home.directory(id)) if name.startswith("session.json.corrupt.")]
    assert len(aside) == 1
    assert "session.json" in home.journal()


@pytest.mark.parametrize("raw", RUBBISH)
def test_a_corrupt_end_is_no_end(home: Home, raw: bytes) -> None:
    """Honestly lost, its log still there; set aside and named in the journal."""
    id = home.launch("echo", "hello")
    home.cw("wait", str(id))
    home.cw("stop")
    (home.directory(id) / "exit.json").write_bytes(raw)
    assert home.status(id)["status"] in ("lost", "completed (0)") if raw in (b'{"id": "x"}',) else home.status(id)["status"] == "lost"
    assert home.cw("logs", str(id)).stdout == "hello\n"
    assert home.cw("wait", str(id), status=125)
    if raw != b'{"id": "x"}':
        assert "exit.json is corrupt, set aside as" in home.journal()
    home.cw("list")


@pytest.mark.parametrize("raw", [*RUBBISH, b'{"kind": "size", "rows": 1e999, "cols": 5}\n', b'{"kind": "name", "name": {}}\n'])
def test_corrupt_marks_cost_themselves(home: Home, raw: bytes) -> None:
    """What stands in the other lines holds; the session runs on."""
    id = home.launch("sh", "-c", "echo hello; read x; exit 3", options=("--name", "before"))
    home.until_printed(id, b"hello")
    home.cw("rename", "before", "after")
    home.cw("stop")
    with (home.directory(id) / "marks.jsonl").open("ab") as file:
        file.write(raw + b"\n" + raw)
    assert (home.status("after")["id"], home.status("after")["rows"]) == (id, 40)
    home.cw("rename", "after", "at-last")
    home.cw("restart")
    assert home.status("at-last")["status"] == "running"
    home.cw("send", "at-last", "")
    assert home.cw("wait", "at-last", status=3)


def test_marks_that_are_gone(home: Home) -> None:
    """A session without its marks keeps its log, its program and its end."""
    ids = [home.launch("sh", "-c", "echo hello; read x; exit 3"), home.launch("sh", "-c", "echo hello; exit 4")]
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


def test_a_journal_that_is_a_directory(home: Home) -> None:
    """Or anything else that cannot be written: a sentence, not silence."""
    home.path.mkdir(mode=0o700)
    (home.path / "daemon.log").mkdir()
    done = home.cw("list", status=1)
    assert done.stderr.startswith("Error: ")
    assert "daemon.log" in done.stderr
