"""cw search: every line that could have been read and matches, and nothing else; as grep exits"""

from __future__ import annotations

import json
import re
import signal
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from busy import cpu_seconds, is_idle
from codewire_py.cli.search import longest_text
from codewire_py.wire.messages import Found, Search, Searched
from homes import Home, new_home
from own_terminals import Desk
from past import pretend
from peers import Peer


def printing(home: Home, data: bytes, *rest: str, options: tuple[str, ...] = ()) -> int:
    """A session that has printed these bytes and ended, or does what `rest` says."""
    code = f"import os, tty; tty.setraw(1); os.write(1, bytes.fromhex('{data.hex()}')); " + "; ".join(rest)
    id = home.python(code, options=options)
    home.until(lambda: len(home.log(id)) >= len(data), "it to print")
    if not rest:
        home.end(id)
    return id


def found(home: Home, *words: str, status: int = 0) -> list[dict[str, Any]]:
    done = home.cw("search", "--json", *words, status=status)
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


def texts(home: Home, *words: str) -> list[str]:
    return [hit["line"] for hit in found(home, *words)]


# ── what is found ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("rest", [[], ["input()"]])
def test_lines_as_they_ended_up(home: Home, rest: list[str]) -> None:
    """Of running and ended sessions: text that sequences, wraps and redraws have torn, not what was drawn over."""
    data = (
        b"an \x1b[1mer\x1b[31mror\x1b[m here\r\n"
        + b"w" * 117
        + b"error\r\n"
        + b"no terror\r\x1b[Know fine\r\n"
        b"\x1b[?1049h\x1b[5;5Herror in an editor\x1b[?1049lupwards\r\n\r\n\x1b[2A\x1b[7Gerror\r\n"
    )
    id = str(printing(home, data, *rest))
    assert texts(home, "error", id) == [
        "an error here", "w" * 117 + "error", "    error in an editor", "upwarderror",
    ]  # fmt: skip


def test_all_there_is_to_a_hit(home: Home) -> None:
    """Session, name, time, offset, line, and where in it; at that offset the screen shows the line."""
    data = b"first\r\n" + b"one two one\r\n" + b"last\r\n"
    before = time.time()
    id = printing(home, data, options=("--name", "all-there-is"))
    [hit] = found(home, "one", "all-there-is")
    assert time.time() >= stamp(hit.pop("time")) >= before - 1
    offset = hit.pop("offset")
    assert hit == {"id": id, "name": "all-there-is", "line": "one two one", "matches": [[0, 3], [8, 11]]}
    assert "one two one\n" in home.cw("screen", str(id), "--at", str(offset)).stdout


def stamp(text: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()


def test_sessions_and_tags(home: Home) -> None:
    """All sessions, the newest first; or those that are named, or tagged."""
    ids = [printing(home, b"salamander\r\n", options=("--tag", f"pond-{n}")) for n in range(3)]
    assert [hit["id"] for hit in found(home, "salamander")] == ids[::-1]
    assert [hit["id"] for hit in found(home, "salamander", str(ids[1]), str(ids[0]))] == [ids[1], ids[0]]
    assert [hit["id"] for hit in found(home, "salamander", "--tag", "pond-2")] == [ids[2]]
    assert "session 99999 not found" in home.cw("search", "x", "99999", status=2).stderr


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["a.c"], ["a.c", "abc"]),
        (["-F", "a.c"], ["a.c"]),
        (["--literal", "(("], ["(("]),
        (["^abc$"], ["abc"]),
        (["-i", "ABC"], ["abc", "xABCx"]),
        (["ABC"], ["xABCx"]),
        (["-i", "-F", "É"], ["café"]),
        (["-i", "k"], ["a \u212a sign"]),
        (["-i", "ſs"], ["glass"]),
        (["-i", "sharp"], ["ſharp"]),
        (["(?i)abc"], ["abc", "xABCx"]),
        ([r"\d+"], ["number 42"]),
        ([r"\bABC|42"], ["number 42"]),
        (["b?c"], ["a.c", "abc", "café"]),
        (["ab+c"], ["abc"]),
        (["[0-3]4|x*ABCx*|gla(s)\\1"], ["xABCx", "glass"]),
        (["a{1}bc"], ["abc"]),
        (["\\x61bc"], ["abc"]),
        (["-F", "--", "-dash"], ["-dash"]),
    ],
)
def test_patterns(home: Home, words: list[str], wanted: list[str]) -> None:
    """Python's regular expressions, or text as it stands; upper and lower case as asked for."""
    data = "a.c\r\nabc\r\n((\r\nxABCx\r\ncafé\r\nſharp\r\na \u212a sign\r\nglass\r\nnumber 42\r\n-dash\r\n"
    id = str(printing(home, data.encode()))
    assert texts(home, *words, id) == wanted


def test_between_two_moments(home: Home) -> None:
    """By the time at which each line was printed."""
    id = printing(home, b"otter one\r\notter two\r\notter three\r\n")
    pretend(home.directory(id), {0: 3, 11: 2, 22: 1})
    hits = found(home, "otter", str(id))
    assert [round((time.time() - stamp(hit["time"])) / 3600) for hit in hits] == [3, 2, 1]
    assert texts(home, "otter", str(id), "--since", "150m") == ["otter two", "otter three"]
    assert texts(home, "otter", str(id), "--until", "90m") == ["otter one", "otter two"]
    assert texts(home, "otter", str(id), "--since", "150m", "--until", "90m") == ["otter two"]
    assert (
        "--until is before --since"
        in home.cw("search", "x", "--since", "1h", "--until", "2h", status=2).stderr
    )


# ── how it is said ────────────────────────────────────────────────────────────────────────────────────


def test_as_a_person_reads_it(home: Home, desk: Desk) -> None:
    """Who, when, where, what; on a terminal the match in colour, and nothing else that a terminal acts on."""
    id = printing(home, "a newt \u202e here\r\n".encode())
    said = home.cw("search", "newt", str(id)).stdout
    assert re.fullmatch(rf"{id}  \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d  @\d+  a newt \\u202e here\n", said)
    terminal = desk.cw("search", "newt", str(id), NO_COLOR="", TERM="xterm")
    assert terminal.end() == 0
    assert b"a \x1b[1;31mnewt\x1b[0m " in terminal.shown


def test_only_how_many_and_only_where(home: Home) -> None:
    """--count and -l, each session once."""
    ids = [printing(home, b"axolotl\r\n" * n) for n in (1, 3)]
    assert home.cw("search", "-c", "axolotl").stdout == f"{ids[1]}: 3\n{ids[0]}: 1\n"
    assert home.cw("search", "-l", "axolotl").stdout == f"{ids[1]}\n{ids[0]}\n"
    assert "choose one of them" in home.cw("search", "-l", "-c", "axolotl", status=2).stderr


def test_only_how_many_and_only_where_as_json(home: Home) -> None:
    """One object for each session, with no more in it than was asked for."""
    ids = [printing(home, b"olm\r\n" * n, options=("--name", f"cave-{n}")) for n in (1, 3)]
    sessions = [{"id": ids[1], "name": "cave-3"}, {"id": ids[0], "name": "cave-1"}]
    assert found(home, "-l", "olm") == sessions
    assert found(home, "-c", "olm") == [{**sessions[0], "count": 3}, {**sessions[1], "count": 1}]
    assert found(home, "-c", "no such olm", status=1) == []


def test_no_more_than_asked_for(home: Home) -> None:
    """--max stops, and says so if there was more."""
    id = printing(home, b"".join(b"newt %d\r\n" % n for n in range(5)))
    done = home.cw("search", "newt", str(id), "--max", "2")
    assert len(done.stdout.splitlines()) == 2
    assert done.stderr == "[cw] there is more: the first 2 lines are shown (--max)\n"
    assert home.cw("search", "newt", str(id), "--max", "5").stderr == ""


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["x", "99999"], 2, "session 99999 not found"),
        (["("], 2, "'(' is no regular expression: missing ), unterminated subpattern at character 1"),
        (["a**"], 2, "'a**' is no regular expression: multiple repeat at character 3"),
        (["x{99999999999}"], 2, "is no regular expression"),
        (["no such line anywhere"], 1, ""),
        (["--max", "0", "."], 1, ""),
    ],
)
def test_as_grep_exits(home: Home, words: list[str], status: int, said: str) -> None:
    """0 found, 1 nothing found, 2 anything wrong; a bad pattern is one sentence."""
    done = home.cw("search", *words, status=status)
    assert done.stdout == ""
    assert said in done.stderr


# ── nobody else pays ──────────────────────────────────────────────────────────────────────────────────


def test_a_pattern_that_takes_for_ever_hurts_only_its_owner(home: Home) -> None:
    """The daemon serves on meanwhile, and Ctrl+C ends the search."""
    id = printing(home, b"a" * 60 + b"!\r\n")
    search = home.begin("search", "(a|a)*$", str(id))
    begun = time.monotonic()
    home.until(lambda: cpu_seconds(search.pid) > 1, "the search to take long")
    home.cw("list", seconds=10)
    assert search.poll() is None
    search.send_signal(signal.SIGINT)
    assert search.wait(20) == 130
    assert time.monotonic() - begun < 50


def test_a_large_log(home: Home) -> None:
    """30 MB: found first and last, and no more than asked for."""
    code = "import sys; [sys.stdout.write(f'line {n} ' + 'x' * 60 + chr(10)) for n in range(400_000)]"
    id = home.python(code)
    home.end(id)
    assert texts(home, "line (0|399999) ", str(id)) == [f"line {n} " + "x" * 60 for n in (0, 399_999)]
    assert len(home.cw("search", "--max", "3", ".", str(id)).stdout.splitlines()) == 3


def test_a_client_that_leaves_stops_the_work() -> None:
    """Also one that nothing was found for: 30 MB of redraws are some seconds' work, and most of that is not done."""
    with new_home() as home:  # whose daemon has nothing else to do
        id = printing(home, b"x")
        redraw = b"\x1b[2A\x1b[32mone\x1b[K\r\ntwo\x1b[m\x1b[K\r\n"
        (home.directory(id) / "output.log").write_bytes(redraw * ((30 << 20) // len(redraw)))
        before = cpu_seconds(home.daemon())
        search = home.begin("search", "nothing of that kind", str(id))
        home.until(lambda: cpu_seconds(home.daemon()) - before > 0.2, "the daemon to begin")
        search.kill()
        search.wait(10)
        home.until(lambda: is_idle(home.daemon()), "the daemon to stop")
        assert cpu_seconds(home.daemon()) - before < 1.5


def test_the_protocol(home: Home) -> None:
    """Lines that contain the text, by session, then how many sessions were read."""
    id = printing(home, b"a toad\r\na frog\r\n")
    with Peer(home) as peer:
        lines = peer.ask(Search(text="toad", sessions=[str(id)])).hear(Found)
        assert (lines.id, [line["line"] for line in lines.lines]) == (id, ["a toad"])
        assert peer.hear(Searched).sessions == 1
        assert peer.is_over()


# ── what every match must contain ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ("error", "error"), ("error.*timeout", "timeout"), ("^panic: .+", "panic: "), ("colou?r", "colo"),
        (r"\bword\b", "word"), (r"a\.txt", "a.txt"), (r"\d+ files", " files"), ("ab*c", "a"), ("go+gle", "gle"),
        ("a|b", ""), ("(abc)", ""), ("[abc]def", ""), ("ab{0}", ""), (r"\x41BC", ""), (r"(a)\1", ""), (r"\N{BULLET}x", ""),
        ("x*", ""), ("", ""), ("\\", ""), ("(?x)a b", ""), (r"ab\*?cd", "ab"), ("a.b", "a"),
    ],
)  # fmt: skip
def test_the_longest_text(pattern: str, wanted: str) -> None:
    """What can be told without understanding the pattern; where that is doubtful, nothing."""
    assert longest_text(pattern) == wanted


@given(st.text("ab.*+?\\d^$|()[]{}1,", max_size=8), st.text("ab.1d", max_size=6))
def test_no_match_is_ever_left_out(pattern: str, line: str) -> None:
    """Whatever matches contains that text."""
    try:
        is_found = re.search(pattern, line) is not None
    except (re.error, OverflowError):
        return
    assert not is_found or longest_text(pattern) in line
