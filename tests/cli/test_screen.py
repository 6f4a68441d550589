"""cw screen: what the screen shows, of running and ended sessions, now and then"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

import pytest

from codewire_py.wire.messages import Launched, Screen, Shown
from homes import Home
from own_terminals import Desk
from past import pretend
from peers import Peer, launching, refusal


def showing(home: Home, data: bytes, *rest: str) -> int:
    """A session with 6 rows and 20 columns that has printed these bytes and ended, or does what `rest` says."""
    code = f"import os, tty; tty.setraw(1); os.write(1, bytes.fromhex('{data.hex()}')); " + "; ".join(rest)
    request = launching(sys.executable, "-c", code, rows=6, cols=20, request=os.urandom(8).hex())
    with Peer(home) as peer:
        id = peer.ask(request).hear(Launched).id
    home.until(lambda: len(home.log(id)) >= len(data), "it to print")
    if not rest:
        home.end(id)
    return id


def screen(home: Home, id: int, *words: str) -> str:
    return home.cw("screen", str(id), *words).stdout


def as_json(home: Home, id: int, *words: str) -> dict[str, Any]:
    return dict(json.loads(screen(home, id, "--json", *words)))


def lines(count: int) -> bytes:
    return b"".join(b"line %d\r\n" % n for n in range(count))


@pytest.mark.parametrize("rest", [[], ["input()"]])
def test_what_can_be_seen(home: Home, rest: list[str]) -> None:
    """The same of a session that runs and of one that has ended, redraws done, without blank rows at the end."""
    id = showing(
        home, b"gone\x1b[H\x1b[2Jfirst\x1b[3;3H\x1b[31mthird\x1b[m\r\nprogress 1%\rprogress 9%", *rest
    )
    assert screen(home, id) == "first\n\n  third\nprogress 9%\n"


def test_nothing_to_be_seen(home: Home) -> None:
    """A blank screen is no text at all."""
    id = showing(home, b"gone\x1b[H\x1b[2J")
    assert screen(home, id) == screen(home, id, "--ansi") == ""


def test_json_says_all_there_is(home: Home) -> None:
    """Exactly these fields: size, lines, cursor, title, modes, alternate, offset."""
    data = b"\x1b]2;the title\x07\x1b[?1049h\x1b[?2004;1003;1;25l\x1b[?2004;1003h\x1b[2 q\x1b=\x1b[>5u\x1b[H\x1b[2;5Hhere"
    id = showing(home, data, "input()")
    said = as_json(home, id)
    assert said.pop("modes") == {
        "application_cursor": False, "autowrap": True, "bracketed_paste": True, "cursor_shape": "block",
        "cursor_visible": False, "focus": False, "insert": False, "keyboard": 5, "keypad": True, "mouse": "any-event",
        "origin": False, "synchronized": False,
    }  # fmt: skip
    assert said == {
        "size": [6, 20], "lines": ["", "    here", "", "", "", ""], "cursor": [1, 8], "title": "the title",
        "alternate": True, "offset": len(data),
    }  # fmt: skip


def test_modes_of_a_quiet_program(home: Home) -> None:
    """Nothing that it has not switched on."""
    modes = as_json(home, showing(home, b"x"))["modes"]
    assert modes.pop("cursor_shape") == "default"
    assert modes.pop("mouse") is None
    assert modes.pop("keyboard") == 0
    assert {name for name, is_on in modes.items() if is_on} == {"autowrap", "cursor_visible"}


def test_the_scrollback_comes_first(home: Home) -> None:
    """As many lines as asked for, or all there are; in JSON only when asked for."""
    id = showing(home, lines(20) + b"end")
    assert screen(home, id, "--scrollback", "2").split("\n")[:4] == [
        "line 13",
        "line 14",
        "line 15",
        "line 16",
    ]
    assert screen(home, id, "--scrollback", "9999") == "".join(f"line {n}\n" for n in range(20)) + "end\n"
    assert as_json(home, id, "--scrollback", "3")["scrollback"] == ["line 12", "line 13", "line 14"]
    assert "scrollback" not in as_json(home, id)


def test_colours_when_asked_for(home: Home) -> None:
    """--ansi is what a terminal draws; each line ends as it began, in the default style."""
    id = showing(home, b"\x1b[31mred\r\nstill red\x1b[m\r\n" + lines(5))
    rows = screen(home, id, "--ansi", "--scrollback", "9").split("\n")
    assert rows[0] == "\x1b[0;31mred\x1b[m"
    assert rows[1] == "\x1b[0;31mstill red\x1b[m"
    assert rows[2] == "line 0"


def test_sequences_never_reach_a_terminal(home: Home, desk: Desk) -> None:
    """Unless they are asked for."""
    id = showing(home, b"\x1b[31mred\x1b[m\x1b[6n\x1b]52;c;eA==\x07 \xc2\x9b5n")
    terminal = desk.cw("screen", str(id))
    assert terminal.end() == 0
    assert b"\x1b" not in terminal.shown
    assert b"red" in terminal.shown


# ── a past moment ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("rest", [[], ["input()"]])
def test_at_an_offset(home: Home, rest: list[str]) -> None:
    """The screen that those bytes had drawn, to the byte."""
    data = b"one\r\ntwo\r\n\x1b[H\x1b[2Jthree"
    id = showing(home, data, *rest)
    assert screen(home, id, "--at", "0") == ""
    assert screen(home, id, "--at", "6") == "one\nt\n"
    assert screen(home, id, "--at", str(data.index(b"\x1b[2J"))) == "one\ntwo\n"
    assert screen(home, id, "--at", str(len(data))) == screen(home, id) == "three\n"
    assert as_json(home, id, "--at", "6")["offset"] == 6


def test_at_a_time(home: Home) -> None:
    """What had been printed by then."""
    id = showing(home, b"three\r\ntwo\r\none")
    pretend(home.directory(id), {0: 3, 7: 2, 12: 1})
    assert screen(home, id, "--at", "150m") == "three\n"
    assert screen(home, id, "--at", "90m") == "three\ntwo\n"
    assert screen(home, id, "--at", "10m") == "three\ntwo\none\n"
    assert screen(home, id, "--at", "5h") == ""
    assert screen(home, id, "--at", f"@{time.time() - 9000:.0f}") == "three\n"


def test_sizes_are_heeded(home: Home) -> None:
    """At a past offset the screen has the size that it had there."""
    id = showing(home, b"x" * 30, "input()")
    home.cw("resize", str(id), "4x10")
    assert as_json(home, id)["size"] == [4, 10]
    assert screen(home, id) == "x" * 10 + "\n" + "x" * 10 + "\n" + "x" * 10 + "\n"
    assert as_json(home, id, "--at", "29")["size"] == [6, 20]
    assert screen(home, id, "--at", "29") == "x" * 20 + "\n" + "x" * 9 + "\n"


def test_long_ago_in_a_long_log(home: Home) -> None:
    """Exact, also where much was printed before and after: a heading stays that was drawn megabytes before."""
    code = (
        "print(end='\\x1b[Hheading\\x1b[2;30r\\x1b[2H'); [print('line', n, 'x' * 60) for n in range(60_000)]"
    )
    id = home.python(code)
    home.end(id)
    offset = home.log(id).index(b"line 30001 ")
    (home.directory(id) / "checkpoint").unlink(missing_ok=True)
    rows = screen(home, id, "--at", str(offset)).split("\n")
    assert rows[0] == "heading"
    assert rows[-2].startswith("line 30000 ")
    assert screen(home, id).split("\n")[-2].startswith("line 59999 ")


# ── refusals ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("words", "status", "wanted"),
    [
        (["--at", "99999"], 1, "has printed only 1 bytes"),
        (["--at", "9" * 40], 1, "has printed only 1 bytes\n\nseconds since 1970 begin with an @"),
        (
            ["--at", "someday"],
            2,
            "'someday' is no moment\n\nfor example an offset, 10m (ago), 14:05, or @seconds",
        ),
        (["--ansi", "--json"], 2, "choose one of them"),
    ],
)
def test_what_makes_no_sense(home: Home, words: list[str], status: int, wanted: str) -> None:
    """One sentence, and nothing on standard output."""
    done = home.cw("screen", str(showing(home, b"x")), *words, status=status)
    assert wanted in done.stderr
    assert done.stdout == ""


def test_no_such_session(home: Home) -> None:
    """Is said by the name it was asked for."""
    assert "session 99999 not found" in home.cw("screen", "99999", status=1).stderr


def test_released_output_is_gone(home: Home) -> None:
    """It is said up to where; what is kept can be shown."""
    home.path.joinpath("config.toml").write_text("[log]\nmax_bytes = 1048576\n")
    home.cw("restart")
    id = home.python("[print('line', n, 'x' * 60) for n in range(60_000)]; input()")
    released = home.until(lambda: home.status(id).get("released_bytes"), "old output to be released")
    refused = home.cw("screen", str(id), "--at", "4096", status=1).stderr
    assert f"what session {id} showed there is gone: all before offset " in refused
    assert released >= 4096
    home.until(lambda: "line 59999" in screen(home, id), "the last line")


def test_the_protocol(home: Home) -> None:
    """A client that is not ours gets the same; an odd request is refused."""
    id = showing(home, b"text")
    with Peer(home) as peer:
        shown = peer.ask(Screen(session=str(id), scrollback=-5, offset=-7, ansi=True)).hear(Shown)
        assert shown.screen["lines"] == ["text", "", "", "", "", ""]
        assert shown.text.startswith(b"text\n")
    assert refusal(home, Screen(session=str(id), offset=5)).code == "error"
