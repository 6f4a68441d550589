"""cw logs --rendered: what a person would have read, from the start, the last of it, and as it goes on"""

from __future__ import annotations

import os
import subprocess
import time

import pytest

from busy import cpu_seconds, is_idle
from codewire_py.cli.logs import Lines
from codewire_py.home.marks import append_mark
from codewire_py.wire.messages import Ended, Logs, Reading
from homes import Home, new_home
from own_terminals import Desk
from past import pretend
from peers import Peer
from seeing import are_idle

PROGRESS = b"begin\r\n" + b"".join(b"\rstep %d" % n for n in range(500)) + b"\r\ndone\r\n"


def printing(home: Home, data: bytes, *rest: str) -> int:
    """A session that has printed these bytes and ended, or does what `rest` says."""
    code = f"import os, tty; tty.setraw(1); os.write(1, bytes.fromhex('{data.hex()}')); " + "; ".join(rest)
    id = home.python(code)
    home.until(lambda: len(home.log(id)) >= len(data), "it to print")
    if not rest:
        home.end(id)
    return id


def rendered(home: Home, id: int, *words: str) -> str:
    done = home.cw("logs", str(id), "--rendered", *words)
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("rest", [[], ["input()"]])
def test_redraws_are_collapsed(home: Home, rest: list[str]) -> None:
    """A progress bar is its last state, also of a session that runs."""
    assert rendered(home, printing(home, PROGRESS, *rest)) == "begin\nstep 499\ndone\n"


def test_no_sequence_reaches_a_terminal(home: Home, desk: Desk) -> None:
    """It is text there, too."""
    id = printing(home, b"\x1b[31mred\x1b[m\x1b[6n \x1b[?1049heditor\x1b[?1049l\r\n")
    terminal = desk.cw("logs", str(id), "--rendered")
    assert terminal.end() == 0
    assert b"\x1b" not in terminal.shown
    assert terminal.shown.split() == [b"red", b"editor"]


def test_sizes_are_heeded(home: Home) -> None:
    """A line that the program's terminal broke is one line, and what is above the cursor depends on the width."""
    upwards = "os.write(1, b'y' * 60 + bytes([13, 27, 91, 65]) + b'Y' + bytes([10, 10, 13]))"
    id = printing(home, b"x" * 300 + b"\r\n", "input()", upwards, "input()")
    home.cw("resize", str(id), "10x50")
    home.cw("send", str(id), "go")
    home.until_printed(id, b"Y\n\n\r")
    assert rendered(home, id) == "x" * 300 + "\nY" + "y" * 59 + "\n"


@pytest.mark.parametrize("tail", [0, 1, 3, 200, 10**12])
def test_the_last_lines(home: Home, tail: int) -> None:
    """As many as asked for, or all there are; lines, not drawings."""
    data = b"".join(b"\r%d%%\rline %d\r\n" % (n, n) for n in range(100))
    wanted = [f"line {n}\n" for n in range(100)]
    id = printing(home, data)
    assert rendered(home, id, "--tail", str(tail)) == "".join(wanted[len(wanted) - min(tail, 100) :])


def test_the_last_lines_of_a_long_log(home: Home) -> None:
    """Also when they begin long before the end, and it is not all drawn for a few."""
    code = "[print('line', n) for n in range(3)]; [print('x' * 79, end=chr(13)) for _ in range(20_000)]; print('end')"
    id = home.python(code)
    home.end(id)
    last = "end" + "x" * 76 + "\n"
    assert rendered(home, id, "--tail", "1") == last
    assert rendered(home, id, "--tail", "3") == "line 1\nline 2\n" + last


def test_between_two_moments(home: Home) -> None:
    """Lines that came to read so between them."""
    id = printing(home, b"three\r\ntwo\r\none\r\n")
    pretend(home.directory(id), {0: 3, 7: 2, 12: 1})
    assert rendered(home, id, "--since", "150m") == "two\none\n"
    assert rendered(home, id, "--until", "90m") == "three\ntwo\n"
    assert rendered(home, id, "--since", "150m", "--until", "90m") == "two\n"
    assert rendered(home, id, "--since", "5h", "--tail", "1") == "one\n"


def test_a_released_beginning_leaves_no_blank_lines(home: Home) -> None:
    """The first line is the first that is kept; a search for blank lines finds those that were printed."""
    id = printing(home, b"a line\r\n" * 5000 + b"kept\r\n\r\nend\r\n")
    append_mark(str(home.directory(id)), "released", len(home.log(id)), to=4096 * 7)
    done = home.cw("logs", str(id), "--rendered")
    assert done.stderr == "[cw] the oldest 28.0 KiB of this log have been released (log.max_bytes)\n"
    assert done.stdout.splitlines() == ["a line"] * (5000 - 512 * 7) + ["kept", "", "end"]
    assert home.cw("search", "-c", "^$", str(id)).stdout == f"{id}: 1\n"


# ── following ─────────────────────────────────────────────────────────────────────────────────────────


def following(home: Home, id: int, *words: str) -> subprocess.Popen[bytes]:
    return home.begin("logs", str(id), "--rendered", "-f", *words, stdout=subprocess.PIPE)


def read_until(client: subprocess.Popen[bytes], text: bytes) -> bytes:
    """What it prints up to there; the test's own deadline bounds the wait."""
    assert client.stdout
    seen = b""
    while not seen.endswith(text):
        data = os.read(client.stdout.fileno(), 4096)
        assert data, seen
        seen += data
    return seen


def test_line_below_line_comes_at_once(home: Home) -> None:
    """Whoever follows a build sees each line when it is done, then the rest, then the end."""
    id = home.python("while (word := input()) != 'stop': print('got', word)\nprint('no end', end='')")
    client = following(home, id)
    for n in range(3):
        home.cw("send", str(id), f"word {n}")
        assert read_until(client, b"got word %d\n" % n).count(b"got") == 1
    home.cw("send", str(id), "stop")
    assert read_until(client, b"no end\n") == b"stop\nno end\n"
    assert client.wait(20) == 0


def test_redraws_are_told_when_they_settle(home: Home) -> None:
    """A program that goes up and draws again is told once, at the end or when its lines leave."""
    data = b"".join(b"\x1b[2J\x1b[Hprogress %d\r\nof 9\r\n" % n for n in range(9))
    id = printing(home, data, "input()", "os.write(1, b'x' + bytes([13, 10]))")
    client = following(home, id)
    home.cw("send", str(id), "go")
    assert client.wait(20) == 0
    assert client.stdout
    assert client.stdout.read().split(b"\n")[:2] == [b"progress 8", b"of 9"]


def test_following_the_last_lines(home: Home) -> None:
    """--tail begins with so many; nothing is told twice."""
    id = printing(home, b"".join(b"line %d\r\n" % n for n in range(100)), "input()", "os.write(1, b'end')")
    client = following(home, id, "--tail", "2")
    assert read_until(client, b"line 99\n") == b"line 98\nline 99\n"
    home.cw("send", str(id), "")
    assert read_until(client, b"end\n") == b"end\n"
    assert client.wait(20) == 0


def test_following_until_a_moment(home: Home) -> None:
    """Then what can be seen, and status 0 while the session runs on."""
    id = printing(home, b"\x1b[Hon the screen", "input()")
    client = following(home, id, "--until", f"@{time.time() + 1}")
    assert client.wait(20) == 0
    assert client.stdout
    assert client.stdout.read() == b"on the screen\n"
    assert home.status(id)["status"] == "running"


def test_a_restart_of_the_daemon_is_survived(home: Home) -> None:
    """The next daemon goes on where the last one stopped; no line is lost, none is told twice."""
    id = home.python("while (word := input()) != 'stop': print('got', word)")
    client = following(home, id)
    seen = b""
    for n in range(4):
        home.cw("send", str(id), f"word {n}")
        seen += read_until(client, b"got word %d\n" % n)
        home.cw("restart")
    home.cw("restart")
    home.cw("send", str(id), "stop")
    assert client.wait(20) == 0
    assert client.stdout
    wanted = b"".join(b"word %d\ngot word %d\n" % (n, n) for n in range(4)) + b"stop\n"
    assert seen + client.stdout.read() == wanted


def test_a_stopped_daemon_stays_stopped(home: Home) -> None:
    """Who follows begins none; with the next one it goes on, however long that takes."""
    id = home.python("while (word := input()) != 'stop': print('got', word)")
    client = following(home, id)
    home.cw("send", str(id), "one")
    seen = read_until(client, b"got one\n")
    home.cw("stop")
    home.until(lambda: are_idle(client.pid), "it to wait")
    assert not (home.path / "daemon.pid").exists()
    home.cw("send", str(id), "two")
    assert seen + read_until(client, b"got two\n") == b"one\ngot one\ntwo\ngot two\n"


def test_a_daemon_that_goes_in_the_middle_of_a_line(capfd: pytest.CaptureFixture[str]) -> None:
    """The next one begins again: no part of a line is written, none twice."""
    lines = Lines()
    start = Reading(id=1, name="", directory="", offset=0, length=0, released=0)
    for pieces in ([b"one\ntwo\nth", b"re"], [b"on", b"e\ntwo\nthree\nfo"], [b"one\ntwo\nthree\nfour\n"]):
        lines.begin(start, Logs(session="1"))
        for piece in pieces:
            lines.write(piece)
    assert capfd.readouterr().out == "one\ntwo\nthree\nfour\n"


# ── large logs ────────────────────────────────────────────────────────────────────────────────────────


def test_a_large_log_streams_from_the_start() -> None:
    """40 MB: the first lines come at once, and a client that leaves stops the work."""
    with new_home() as home:  # whose daemon has nothing else to do
        id = printing(home, b"x")
        line = b"\x1b[A\x1b[32mone\x1b[m\r\n\x1b[K" + b"x" * 40 + b"\r\n"
        (home.directory(id) / "output.log").write_bytes(line * ((40 << 20) // len(line)))
        before = cpu_seconds(home.daemon())
        client = home.begin("logs", str(id), "--rendered", stdout=subprocess.PIPE)
        assert read_until(client, b"\n").startswith(b"one\n")
        client.kill()
        client.wait(10)
        home.until(lambda: is_idle(home.daemon()), "the daemon to stop reading")
        assert cpu_seconds(home.daemon()) - before < 2


def test_raw_is_something_else(home: Home) -> None:
    """Log bytes or lines: not both at once."""
    id = printing(home, b"x")
    assert "choose one of them" in home.cw("logs", str(id), "--raw", "--rendered", status=2).stderr


def test_the_protocol(home: Home) -> None:
    """Where it begins, text as data frames, the end."""
    id = printing(home, PROGRESS)
    with Peer(home) as peer:
        assert peer.ask(Logs(session=str(id), rendered=True)).hear(Reading).length == len(PROGRESS)
        assert peer.hear(Ended).session["id"] == id
        assert peer.data == b"begin\nstep 499\ndone\n"
