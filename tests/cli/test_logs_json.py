"""cw logs --json: the lines that --rendered prints, each as one object with its time and offset"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from codewire_py.wire.messages import Ended, Found, Logs, Reading
from homes import Home
from past import pretend
from peers import Peer

Told = list[dict[str, Any]]


def printing(home: Home, data: bytes, *rest: str, options: tuple[str, ...] = ()) -> int:
    """A session that has printed these bytes and ended, or does what `rest` says."""
    code = f"import os, tty; tty.setraw(1); os.write(1, bytes.fromhex('{data.hex()}')); " + "; ".join(rest)
    id = home.python(code, options=options)
    home.until(lambda: len(home.log(id)) >= len(data), "it to print")
    if not rest:
        home.end(id)
    return id


def told(home: Home, id: int, *words: str) -> Told:
    done = home.cw("logs", str(id), "--json", *words)
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


def texts(lines: Told) -> list[str]:
    return [line["line"] for line in lines]


def stamp(line: dict[str, Any]) -> float:
    return datetime.fromisoformat(line["time"]).timestamp()


@pytest.mark.parametrize("rest", [[], ["input()"]])
def test_what_a_search_says(home: Home, rest: list[str]) -> None:
    """As `cw search --json` has them, without the matches; the lines are those of --rendered."""
    name = f"all-of-it-{len(rest)}"
    data = (
        b"one \x1b[31mtwo\x1b[m\r\n\r\n" + b"x" * 300 + b"\r\n" + b"".join(b"\rstep %d" % n for n in range(9))
    )
    id = printing(home, data, *rest, options=("--name", name))
    lines = told(home, id)
    assert texts(lines) == ["one two", "", "x" * 300, "step 8"]
    assert list(lines[0]) == ["id", "name", "time", "offset", "line"]
    found = [json.loads(line) for line in home.cw("search", "--json", "", name).stdout.splitlines()]
    assert [{**line, "matches": [[0, 0]]} for line in lines] == [
        {**hit, "matches": [[0, 0]]} for hit in found
    ]
    assert home.cw("logs", name, "--rendered").stdout.splitlines() == texts(lines)


def test_the_last_lines_and_those_between_two_moments(home: Home) -> None:
    """--tail, --since and --until choose as they do without --json."""
    id = printing(home, b"three\r\ntwo\r\none\r\n")
    pretend(home.directory(id), {0: 3, 7: 2, 12: 1})
    assert [round((time.time() - stamp(line)) / 3600) for line in told(home, id)] == [3, 2, 1]
    assert texts(told(home, id, "--tail", "2")) == ["two", "one"]
    assert [round((time.time() - stamp(line)) / 3600) for line in told(home, id, "--tail", "1")] == [1]
    assert texts(told(home, id, "--since", "150m", "--until", "90m")) == ["two"]


def test_many_long_lines(home: Home) -> None:
    """More than one message may hold, at once: as many as the last lines are."""
    id = home.python("[print('x' * 40_000) for n in range(600)]")
    home.end(id)
    lines = texts(told(home, id, "--tail", "500"))
    assert (len(lines), set(lines)) == (500, {"x" * 40_000})


def test_raw_is_something_else(home: Home) -> None:
    """Log bytes or lines: not both at once."""
    id = printing(home, b"x")
    assert "choose one of them" in home.cw("logs", str(id), "--raw", "--json", status=2).stderr


# ── following ─────────────────────────────────────────────────────────────────────────────────────────


def following(home: Home, id: int, *words: str) -> tuple[subprocess.Popen[bytes], Iterator[dict[str, Any]]]:
    client = home.begin("logs", str(id), "--json", "-f", *words, stdout=subprocess.PIPE)
    assert client.stdout
    return client, map(json.loads, client.stdout)


def test_following(home: Home) -> None:
    """Each line when it is done, with the time at which it came; also of a session that had printed nothing yet."""
    id = home.python("while (word := input()) != 'stop': print('got', word)")
    client, lines = following(home, id)
    for n in range(3):
        begun = time.time()
        home.cw("send", str(id), f"word {n}")
        assert next(lines)["line"] == f"word {n}"
        got = next(lines)
        assert (got["id"], got["line"]) == (id, f"got word {n}")
        assert begun - 0.1 <= stamp(got) <= time.time()
    home.cw("send", str(id), "stop")
    assert texts(list(lines)) == ["stop"]
    assert client.wait(20) == 0


def test_a_burst_has_its_own_time(home: Home) -> None:
    """Lines that leave the screen at once are told at once, and came when they came, not when the last ones did."""
    burst = "os.read(0, 9); os.write(1, b''.join(b'line %d' % n + bytes([13, 10]) for n in range(500)))"
    id = printing(home, b"ready\r\n", burst, "input()")
    home.until(lambda: home.status(id)["idle_seconds"] >= 1, "a pause")
    with Peer(home) as peer:
        peer.ask(Logs(session=str(id), rendered=True, lines=True, follow=True)).hear(Reading)
        assert texts(peer.hear(Found).lines) == ["ready"]
        begun = time.time()
        home.cw("send", str(id), "")
        lines = peer.hear(Found).lines
        assert lines[0]["line"] == "line 0"
        assert min(line["time"] for line in lines) >= begun - 0.1


def test_the_first_that_a_session_ever_prints(home: Home) -> None:
    """Has its own time, also for who followed when no time had been noted yet."""
    id = home.python("import os, tty; tty.setraw(1); os.read(0, 9); os.write(1, b'first'); input()")
    home.until(lambda: time.time() - created(home, id) >= 1, "a pause")
    with Peer(home) as peer:
        peer.ask(Logs(session=str(id), rendered=True, lines=True, follow=True)).hear(Reading)
        begun = time.time()
        home.cw("send", str(id), "")
        home.cw("send", str(id), "")
        [line] = peer.hear(Found).lines
        assert line["line"] == "first"
        assert line["time"] >= begun - 0.1


def created(home: Home, id: int) -> float:
    return datetime.fromisoformat(home.status(id)["created_at"]).timestamp()


def test_a_restart_of_the_daemon_is_survived(home: Home) -> None:
    """The next daemon goes on where the last one stopped; no line is lost, none is told twice."""
    id = home.python("while (word := input()) != 'stop': print('got', word)")
    client, lines = following(home, id)
    seen = []
    for n in range(3):
        home.cw("send", str(id), f"word {n}")
        seen += [next(lines), next(lines)]
        home.cw("restart")
    home.cw("send", str(id), "stop")
    seen += list(lines)
    assert client.wait(20) == 0
    assert texts(seen) == [text for n in range(3) for text in (f"word {n}", f"got word {n}")] + ["stop"]
    assert sorted(seen, key=lambda line: (line["time"], line["offset"])) == seen


def test_the_protocol(home: Home) -> None:
    """Where it begins, lines, the end; no data frames."""
    id = printing(home, b"a toad\r\na frog\r\n")
    with Peer(home) as peer:
        assert peer.ask(Logs(session=str(id), rendered=True, lines=True)).hear(Reading).length == 16
        lines = peer.hear(Found)
        assert (lines.id, texts(lines.lines)) == (id, ["a toad", "a frog"])
        assert peer.hear(Ended).session["id"] == id
        assert peer.data == b""
