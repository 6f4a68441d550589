"""cw resize: how large a session is, and by whose terminals"""

from __future__ import annotations

import json
from typing import Any

import pytest

from codewire_py.wire.messages import Attach, Attached
from homes import Home
from own_terminals import Desk, OwnTerminal
from peers import Peer


def shown(home: Home, session: int | str, *words: str) -> dict[str, Any]:
    return dict(json.loads(home.cw("resize", str(session), *words, "--json").stdout))


def test_a_size_of_its_own(home: Home) -> None:
    """Rows, then columns; it says so, and so does status."""
    id = home.launch("sleep", "60", options=("--name", "wide"))
    assert home.cw("resize", str(id), "40x132").stdout == f"Session {id} is 40x132 (fixed).\n"
    assert "Size:         40x132 (fixed)\n" in home.cw("status", "wide").stdout
    status = home.status(id)
    assert (status["rows"], status["cols"], status["sizing"]) == (40, 132, "fixed")


def test_without_a_size_it_is_only_printed(home: Home) -> None:
    """Also that of an ended session; nothing changes."""
    id = home.launch("sh", "-c", "read line")
    before = home.cw("resize", str(id)).stdout
    assert before == f"Session {id} is {home.status(id)['rows']}x{home.status(id)['cols']} (latest).\n"
    home.cw("send", str(id), "over")
    home.end(id)
    assert home.cw("resize", str(id)).stdout == before
    assert "sizing" not in [mark["kind"] for mark in home.marks(id)]


@pytest.mark.parametrize("sizing", ["latest", "smallest", "largest"])
def test_by_its_viewers(home: Home, sizing: str) -> None:
    """At once, by those who are there; then `fixed` holds what it is."""
    id = home.launch("sleep", "60")
    home.cw("resize", str(id), "10x10")
    with Peer(home) as viewer:
        viewer.ask(Attach(session=str(id), rows=21, cols=71)).hear(Attached)
        expected = {"id": id, "name": "", "sizing": sizing, "rows": 21, "cols": 71}
        assert shown(home, id, sizing) == shown(home, id) == expected
        assert shown(home, id, "fixed") == {**expected, "sizing": "fixed"}


def test_every_key_counts(home: Home, desk: Desk) -> None:
    """However quickly people take turns: the first key after somebody else's makes the session as large as theirs."""
    id = home.launch("sleep", "60")
    small = desk.attach(str(id), rows=20, cols=60)
    large = desk.attach(str(id), rows=30, cols=90)

    def is_sized(rows: int, cols: int) -> bool:
        for terminal in (small, large):
            terminal.take()
        found = home.status(id)
        return (found["rows"], found["cols"]) == (rows, cols)

    def press(terminal: OwnTerminal, rows: int, cols: int) -> None:
        terminal.type(b"x")
        home.until(lambda: is_sized(rows, cols), f"{rows}x{cols}")

    home.until(lambda: is_sized(30, 90), "the size of whoever attached last")
    for _ in range(4):
        press(small, 20, 60)
        press(large, 30, 90)


@pytest.mark.parametrize(
    "word",
    [
        "40",
        "40x",
        "x120",
        "40x120x2",
        "4 0x1",
        "-4x10",
        "tall",
        "",
        "0x0",
        "é",
        "\udcff",
        "٤x٤",
        "9" * 12 + "x1",
    ],
)
def test_odd_words(home: Home, word: str) -> None:
    """Refused with what may be said instead; the size stays."""
    id = home.launch("sleep", "60")
    done = home.cw("resize", str(id), "--", word, status=2)
    assert "is neither a size nor a way to choose one" in done.stderr
    assert "say 40x120 (rows x columns), fixed, latest, smallest or largest" in done.stderr
    assert shown(home, id)["sizing"] == "latest"
    home.cw("kill", str(id))


@pytest.mark.parametrize("word", ["0x80", "24x0", "10000x80", "24x999999999"])
def test_odd_sizes(home: Home, word: str) -> None:
    """Refused with the limits; the size stays."""
    id = home.launch("sleep", "60")
    done = home.cw("resize", str(id), word, status=2)
    assert done.stderr == f"Error: {word} cannot be the size of a terminal\n\nit can be 1x1 to 9999x9999\n"
    assert shown(home, id)["sizing"] == "latest"
    home.cw("kill", str(id))


def test_an_ended_session_cannot_be_resized(home: Home) -> None:
    """It says that it does not run."""
    id = home.launch("true")
    home.end(id)
    for word in ("40x120", "smallest", "fixed"):
        assert home.cw("resize", str(id), word, status=1).stderr.startswith(
            f"Error: session {id} is not running\n"
        )


@pytest.mark.parametrize(("words", "status"), [(["9999", "1x1"], 1), ([], 2), (["1", "1x1", "x"], 2)])
def test_bad_words(home: Home, words: list[str], status: int) -> None:
    """Told in a sentence."""
    assert home.cw("resize", *words, status=status).stderr
