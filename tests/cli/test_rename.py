"""cw rename: give a session another name, or none"""

from __future__ import annotations

import json

import pytest

from homes import Home


def test_it_has_the_name_from_now_on(home: Home) -> None:
    """The old one is free; it outlives the daemon."""
    id = home.launch("sleep", "60", options=("--name", "before"))
    assert home.cw("rename", "before", "after").stdout == f"Session {id} is named after.\n"
    assert home.status("after")["id"] == id
    assert "no session named" in home.cw("status", "before", status=1).stderr
    other = home.launch("sleep", "60", options=("--name", "before"))
    assert home.status("before")["id"] == other
    home.cw("restart")
    assert (home.status("after")["id"], home.status("before")["id"]) == (id, other)


def test_without_a_name_it_has_none(home: Home) -> None:
    """Only its id."""
    id = home.launch("sleep", "60", options=("--name", "nameless"))
    assert home.cw("rename", str(id)).stdout == f"Session {id} has no name.\n"
    assert home.status(str(id))["name"] == ""


def test_a_name_that_is_taken(home: Home) -> None:
    """By a running session: refused, nothing changes; by itself: fine."""
    one, two = (home.launch("sleep", "60", options=("--name", name)) for name in ("taken", "taker"))
    done = home.cw("rename", "taker", "taken", status=1)
    assert done.stderr.startswith("Error: a running session is named 'taken' already\n")
    assert home.cw("rename", "taken", "taken").stdout == f"Session {one} is named taken.\n"
    assert home.status(two)["name"] == "taker"


def test_an_ended_session_can_be_renamed(home: Home) -> None:
    """To find it again."""
    id = home.launch("true")
    home.end(id)
    home.cw("rename", str(id), "well-done")
    assert home.status("well-done")["id"] == id


def test_json(home: Home) -> None:
    """Id and name."""
    id = home.launch("sleep", "60")
    assert json.loads(home.cw("rename", str(id), "jason", "--json").stdout) == {"id": id, "name": "jason"}


@pytest.mark.parametrize("name", ["no good", "a" * 33, "42", "é", "\udcff", "a\nb"])
def test_bad_names(home: Home, name: str) -> None:
    """Refused with the rule, and the name stays."""
    id = home.launch("sleep", "60", options=("--name", "steady"))
    try:
        assert "cannot be a session's name" in home.cw("rename", "steady", name, status=1).stderr
        assert home.status("steady")["id"] == id
    finally:
        home.cw("kill", "steady")


@pytest.mark.parametrize(
    ("words", "status"), [(["9999", "x"], 1), (["", "x"], 1), ([], 2), (["1", "x", "y"], 2)]
)
def test_bad_words(home: Home, words: list[str], status: int) -> None:
    """Told in a sentence."""
    assert home.cw("rename", *words, status=status).stderr
