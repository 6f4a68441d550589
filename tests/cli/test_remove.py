"""cw remove: forget ended sessions, with their logs"""

from __future__ import annotations

import json

import pytest

from homes import Home


def ended(home: Home, *options: str) -> int:
    id = home.launch("echo", "over", options=options)
    home.cw("wait", str(id))
    return id


def test_it_is_gone(home: Home) -> None:
    """From the list, from the disk, from sessions.json; others stay."""
    id, other = ended(home), ended(home)
    done = home.cw("remove", str(id))
    assert done.stdout.startswith(f"Session {id} removed: echo over\n1 session(s), ")
    assert not home.directory(id).exists()
    assert f"session {id} not found" in home.cw("status", str(id), status=1).stderr
    assert home.status(other)["id"] == other
    index = home.path / "sessions.json"
    home.until(index.exists, "the index")
    home.until(lambda: id not in [s["id"] for s in json.loads(index.read_text())], "the index to follow")


def test_a_running_one_is_not_forgotten(home: Home) -> None:
    """It says so; and nothing of what was asked for is removed."""
    id, running = ended(home), home.launch("sleep", "60")
    done = home.cw("remove", str(id), str(running), status=1)
    assert done.stderr == f"Error: session {running} is running\n\nend it first with: cw kill\n"
    assert home.directory(id).exists()


def test_several_by_id_name_and_tag(home: Home) -> None:
    """Each once. `cw rm` is the same."""
    one, two, three = ended(home), ended(home, "--name", "old-one"), ended(home, "--tag", "rubbish")
    done = home.cw("rm", str(one), "old-one", "--tag", "rubbish", str(two))
    assert [line.split()[1] for line in done.stdout.splitlines()[:-1]] == [
        str(id) for id in (one, two, three)
    ]
    assert "3 session(s), " in done.stdout


def test_json(home: Home) -> None:
    """Which, and how much room that made."""
    id = home.python("print('x' * 100000)")
    home.cw("wait", str(id))
    told = json.loads(home.cw("remove", str(id), "--json").stdout)
    assert told["removed"] == [id]
    assert told["bytes"] >= 100_000


def test_a_name_goes_with_its_session(home: Home) -> None:
    """Nobody has it then."""
    ended(home, "--name", "forgotten")
    home.cw("remove", "forgotten")
    assert "no session named" in home.cw("status", "forgotten", status=1).stderr


@pytest.mark.parametrize(
    ("words", "status", "text"),
    [
        (["9999"], 1, "Error: session 9999 not found"),
        ([""], 1, "no session named"),
        (["--tag", "nobody"], 1, "no session is tagged"),
        ([], 2, "say which sessions to remove"),
        (["../.."], 1, "no session named"),
        (["1/../2"], 1, "no session named"),
    ],
)
def test_bad_words(home: Home, words: list[str], status: int, text: str) -> None:
    """Nothing is removed by a word that names nothing."""
    id = ended(home)
    assert text in home.cw("remove", *words, status=status).stderr
    assert home.directory(id).exists()
