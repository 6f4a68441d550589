"""cw list: the table that users know, with NAME, and the same as JSON"""

from __future__ import annotations

import json
import os
import re
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from codewire_py.cli import show
from homes import Home, new_home
from own_terminals import Desk

HEAD = ["ID", "NAME", "STATUS", "CREATED", "ATTACHED", "PROMPT"]


def rows(home: Home, *words: str) -> list[dict[str, str]]:
    """The table, cut where the head's words begin."""
    head, line, *lines = home.cw("list", *words).stdout.splitlines()
    assert head.split() == HEAD
    assert re.fullmatch("-{70,}", line)
    starts = [head.index(word) for word in HEAD]
    assert all(row[start - 1] == " " for row in lines for start in starts[1:])
    ends = [*starts[1:], None]
    return [{w: row[a:b].strip() for w, a, b in zip(HEAD, starts, ends, strict=True)} for row in lines]


def row(home: Home, id: int, *words: str) -> dict[str, str]:
    return next(found for found in rows(home, *words) if found["ID"] == str(id))


def test_an_empty_home_has_none() -> None:
    """In words, and as JSON."""
    with new_home() as home:
        assert home.cw("list").stdout == "No sessions.\n"
        assert home.cw("list", "--json").stdout == "[]\n"


def test_the_table(home: Home, desk: Desk) -> None:
    """Every column under its head, however long the name; sorted by id."""
    first = home.launch("sleep", "60", options=("--name", "n" * 32))
    second = home.launch("sh", "-c", "exit 255")
    third = home.launch("sh", "-c", "kill -9 $$")
    fourth = home.launch("sleep", "61")
    home.cw("wait", str(second), str(third), status=255)
    home.cw("kill", str(fourth))
    desk.attach(str(first))
    wanted = {
        first: ("n" * 32, "running", "yes", "sleep 60"),
        second: ("", "completed (255)", "no", "sh -c exit 255"),
        third: ("", "completed (137)", "no", "sh -c kill -9 $$"),
        fourth: ("", "killed", "no", "sleep 61"),
    }
    found = {
        int(row["ID"]): (row["NAME"], row["STATUS"], row["ATTACHED"], row["PROMPT"]) for row in rows(home)
    }
    assert {id: found[id] for id in wanted} == wanted
    assert list(found) == sorted(found)
    assert re.fullmatch(r"\d+s ago", row(home, first)["CREATED"])


def test_the_widths_of_the_columns(home: Home) -> None:
    """Left-justified: ID 5, CREATED 20, ATTACHED 8, one space between; the rest is the prompt."""
    id = home.launch("sleep", "60")
    line = next(line for line in home.cw("list").stdout.splitlines() if line.startswith(f"{id} "))
    assert re.fullmatch(rf"{id:<5} .{{4,32}} running +\d+[smhd] ago {{13,14}} no {{6}} sleep 60", line)


def test_ps_and_ls_are_list(home: Home) -> None:
    """The same, as people type it."""
    home.launch("sleep", "60", options=("--tag", "alias"))
    tables = [re.sub(r"\d+s ago +", "", home.cw(word, "-t", "alias").stdout) for word in ("list", "ps", "ls")]
    assert tables[0] == tables[1] == tables[2]


def test_a_long_command_is_shortened(home: Home) -> None:
    """To fifty characters, never in the middle of one; JSON has it whole."""
    id = home.launch("sleep", "60", "é" * 100, options=())
    assert row(home, id)["PROMPT"] == "sleep 60 " + "é" * 38 + "..."
    [whole] = [s for s in home.list() if s["id"] == id]
    assert whole["prompt"] == "sleep 60 " + "é" * 100


def test_control_characters_are_shown_not_obeyed(home: Home) -> None:
    """A command can hold any bytes; the table stays a table."""
    id = home.launch("sh", "-c", "sleep 60", os.fsdecode(b"\x1b[2J\n\t\xff\x9b\x07"))
    assert row(home, id)["PROMPT"] == r"sh -c sleep 60 \x1b[2J\n\t\xff\x9b\x07"


def test_json_has_the_fields_that_scripts_read(home: Home) -> None:
    """Pretty-printed with two spaces; times in RFC 3339; what says nothing is left out."""
    id = home.launch("sh", "-c", "echo hello; exit 3", options=("--name", "fields", "--tag", "one"))
    home.cw("wait", str(id), status=3)
    text = home.cw("list", "--json", "--tag", "one").stdout
    assert text.startswith('[\n  {\n    "id": ')
    [found] = json.loads(text)
    wanted = {"id": id, "name": "fields", "tags": ["one"], "prompt": "sh -c echo hello; exit 3",
              "status": "completed (3)",
              "attached": False, "attached_count": 0, "exit_code": 3, "output_size_bytes": 7, "rows": 40, "cols": 120,
              "working_dir": os.getcwd(), "command": ["sh", "-c", "echo hello; exit 3"]}  # fmt: skip
    assert {field: found[field] for field in wanted} == wanted
    for field in ("created_at", "completed_at", "last_output_at"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", found[field])
        assert abs(datetime.fromisoformat(found[field]).timestamp() - datetime.now(UTC).timestamp()) < 60
    assert found["duration_ms"] > 0
    assert found["pid"] > 0
    assert not {"paused", "released_bytes", "idle_seconds"} & set(found)


def test_status_chooses(home: Home) -> None:
    """running, ended, lost or all; another word is a wrong use."""
    running, ended = home.launch("sleep", "60", options=("-t", "s")), home.launch("true", options=("-t", "s"))
    home.end(ended)
    home.cw("wait", str(ended))

    def ids(*words: str) -> list[int]:
        return [session["id"] for session in home.list("-t", "s", *words)]

    assert ids() == ids("--status", "all") == [running, ended]
    assert ids("--status", "running") == [running]
    assert ids("--status=ended") == [ended]
    assert ids("--status", "lost") == []
    done = home.cw("list", "--status", "sleeping", status=2)
    assert "'sleeping' is not one of" in done.stderr


def test_tags_choose(home: Home) -> None:
    """Those that have any of the tags; a tag nobody has is an error."""
    one, two, both = (home.launch("sleep", "60", options=tags) for tags in
                      (("-t", "red"), ("-t", "blue"), ("-t", "red", "-t", "blue")))  # fmt: skip
    assert [s["id"] for s in home.list("-t", "red")] == [one, both]
    assert [s["id"] for s in home.list("--tag", "red", "--tag", "blue")] == [one, two, both]
    assert "no session is tagged 'green'" in home.cw("list", "-t", "green", status=1).stderr


def test_what_ended_long_ago_is_shown_when_asked_for(home: Home) -> None:
    """More than a day: only with --all; nothing is forgotten by that."""
    old, young = home.launch("true", options=("-t", "age")), home.launch("true", options=("-t", "age"))
    for id in (old, young):
        home.cw("wait", str(id))
    home.cw("stop")
    record = home.directory(old) / "exit.json"
    end = json.loads(record.read_text())
    record.write_text(json.dumps({**end, "ended_at": end["ended_at"] - 90_000}))
    birth = home.directory(old) / "session.json"
    born = json.loads(birth.read_text())
    birth.write_text(json.dumps({**born, "created_at": born["created_at"] - 180_000}))
    assert [s["id"] for s in home.list("-t", "age")] == [young]
    assert [s["id"] for s in home.list("-t", "age", "--all")] == [old, young]
    assert row(home, old, "--all")["CREATED"] == "2d ago"


def test_colours_are_for_terminals(home: Home, desk: Desk) -> None:
    """None in a pipe, none with NO_COLOR; the words are the same."""
    home.launch("sleep", "60")
    assert "\x1b" not in home.cw("list").stdout
    terminal = desk.cw("list")
    assert terminal.end() == 0
    assert b"\x1b" not in terminal.shown
    del home.env["NO_COLOR"]
    try:
        assert "\x1b" not in home.cw("list").stdout
        terminal = desk.cw("list")
        assert terminal.end() == 0
        assert b"\x1b[32mrunning" in terminal.shown
    finally:
        home.env["NO_COLOR"] = "1"


@pytest.mark.parametrize("words", [["extra"], ["--json", "--bogus"], ["--tag"]])
def test_words_that_make_no_sense(home: Home, words: list[str]) -> None:
    """Exit status 2, nothing on standard output."""
    done = home.cw("list", *words, status=2)
    assert done.stdout == ""
    assert re.match("Usage: cw list|Error: Option", done.stderr)


def test_list_in_any_locale(home: Home) -> None:
    """Whatever LANG says, bytes come out as they went in."""
    id = home.launch("sleep", "60", "✓")
    for lang in ("C", "POSIX", "C.UTF-8"):
        env = {**home.env, "LC_ALL": lang, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
        done = home.cw("list", env=env)
        assert f"{id} " in done.stdout
        assert (
            "✓" in done.stdout.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            or r"\x" in done.stdout
        )


def test_the_readme_shows_what_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its table of one session is the table."""
    monkeypatch.setenv("NO_COLOR", "1")
    text = (Path(__file__).parents[2] / "README.md").read_text()
    session = {
        "id": 1, "name": "auth", "status": "running", "attached": False, "prompt": "claude -p fix the auth bug",
        "created_at": datetime.fromtimestamp(time.time() - 5, UTC).isoformat(),
    }  # fmt: skip
    assert f"$ cw list\n{show.table([session])}\n" in text
