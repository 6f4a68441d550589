"""cw watch: look on while sessions print, until they end or the time is over"""

from __future__ import annotations

import os
import signal
import subprocess
from typing import IO

import pytest

from homes import CW, Home

ECHO = "import sys\nprint('ready', flush=True)\nfor line in sys.stdin: print('<' + line.strip() + '>', flush=True)"


def watch(home: Home, *words: str) -> tuple[subprocess.Popen[bytes], IO[bytes]]:
    client = home.begin("watch", *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert client.stdout
    return client, client.stdout


def errors(client: subprocess.Popen[bytes]) -> str:
    assert client.stderr
    return client.stderr.read().decode()


def test_until_it_ends(home: Home) -> None:
    """What was printed, what comes, the last byte; then the notice on standard error and status 0."""
    id = home.python("print('before'); input(); print('after', end=''); raise SystemExit(3)")
    home.until_printed(id, b"before")
    client, output = watch(home, str(id))
    assert output.read(7) == b"before\n"
    home.cw("send", str(id), "")
    assert output.read() == b"\nafter"
    assert client.wait(10) == 0
    assert errors(client) == "\n[cw] session completed (3)\n"


def test_one_that_prints_and_ends_at_once(home: Home) -> None:
    """Nothing is lost, however quick it was."""
    for _ in range(5):
        id = home.launch("sh", "-c", "printf 'all there was'")
        done = home.cw("watch", str(id))
        assert done.stdout == "all there was"
        assert done.stderr == "\n[cw] session completed (0)\n"


def test_until_the_time_is_over(home: Home) -> None:
    """Status 0, the notice on standard error, the session runs on."""
    id = home.python("print('tick', flush=True); input()")
    home.until_printed(id, b"tick")
    done = home.cw("watch", str(id), "--timeout", "0.2")
    assert (done.stdout, done.stderr) == ("tick\n", "\n[cw] watch timeout\n")
    assert home.status(id)["status"] == "running"
    assert home.cw("watch", str(id), "--timeout", "0").stdout == "tick\n"


def test_killed_meanwhile(home: Home) -> None:
    """The notice says so."""
    id = home.python(ECHO)
    client, output = watch(home, str(id))
    assert output.read(6) == b"ready\n"
    home.cw("kill", str(id))
    assert client.wait(10) == 0
    assert errors(client) == "\n[cw] session killed\n"


def test_where_it_begins(home: Home) -> None:
    """With everything, the last lines, or what comes next."""
    id = home.python("for n in range(5): print(n)\ninput(); print('next')")
    home.until_printed(id, b"4\r\n")
    clients = {
        words: watch(home, str(id), *words)
        for words in ((), ("--tail", "2"), ("--tail", "0"), ("--no-history",))
    }
    home.until(lambda: len(home.marks(id)) >= 1 and home.status(id)["status"] == "running", "it to run")
    for words, (_, output) in clients.items():
        wanted = {(): b"0\n1\n2\n3\n4\n", ("--tail", "2"): b"3\n4\n"}.get(words, b"")
        assert output.read(len(wanted)) == wanted
    home.until(lambda: all(has_begun(client) for client, _ in clients.values()), "all to look on")
    home.cw("send", str(id), "")
    for _, output in clients.values():
        assert output.read() == b"\nnext\n"


def has_begun(client: subprocess.Popen[bytes]) -> bool:
    """Whether it holds a log open: then it has been told where to begin."""
    links = []
    for name in os.listdir(f"/proc/{client.pid}/fd"):
        try:
            links.append(os.readlink(f"/proc/{client.pid}/fd/{name}"))
        except OSError:
            continue
    return any(link.endswith("output.log") for link in links)


def test_several_by_tag(home: Home) -> None:
    """Each line with its session's name; no line is mixed or lost, not even a last one without an end."""
    ids = [home.python("input(); print('hello é'); print('no end', end='')", options=("--name", name, "-t", "several"))
           for name in ("one", "two")]  # fmt: skip
    unnamed = home.python("input(); print('hello é'); print('no end', end='')", options=("-t", "several"))
    client, output = watch(home, "--tag", "several")
    home.until(lambda: has_begun(client), "it to look on")
    for id in (*ids, unnamed):
        home.cw("send", str(id), "")
    lines = output.read().decode().splitlines()
    assert client.wait(10) == 0
    for name in ("one", "two", str(unnamed)):
        assert [line for line in lines if line.startswith(f"[{name}] ")] == [
            f"[{name}] ", f"[{name}] hello é", f"[{name}] no end",
        ]  # fmt: skip
    assert len(lines) == 9
    notices = errors(client)
    assert all(f"[cw] session {name} completed (0)" in notices for name in ("one", "two", str(unnamed)))


def test_several_by_id_until_the_time_is_over(home: Home) -> None:
    """A prompt without a line end is seen by then."""
    one, two = (home.python("print('Continue? ', end='', flush=True); input()") for _ in range(2))
    for id in (one, two):
        home.until_printed(id, b"Continue? ")
    done = home.cw("watch", str(one), str(two), "--timeout", "0.2")
    assert sorted(done.stdout.splitlines()) == sorted([f"[{one}] Continue? ", f"[{two}] Continue? "])
    assert done.stderr.endswith("[cw] watch timeout\n")


def test_characters_are_never_split(home: Home) -> None:
    """However large the output is and wherever its reads end."""
    id = home.python("import sys; sys.stdout.write('é✓😀' * 50_000)")
    done = subprocess.run([*CW, "watch", str(id)], env=home.env, capture_output=True, check=True, timeout=30)
    assert done.stdout.decode() == "é✓😀" * 50_000


def test_raw_is_exact(home: Home) -> None:
    """--raw: the bytes of the log."""
    id = home.launch("printf", "\\033[1mbold\\377\\n")
    home.end(id)
    done = subprocess.run(
        [*CW, "watch", "--raw", str(id)], env=home.env, capture_output=True, check=True, timeout=30
    )
    assert done.stdout == home.log(id) == b"\x1b[1mbold\xff\r\n"


def test_an_ended_session(home: Home) -> None:
    """Is shown, and how it ended."""
    id = home.launch("sh", "-c", "echo over; exit 4")
    home.end(id)
    done = home.cw("watch", str(id))
    assert (done.stdout, done.stderr) == ("over\n", "\n[cw] session completed (4)\n")


@pytest.mark.parametrize(
    ("words", "status", "text"),
    [
        (["9999"], 1, "Error: session 9999 not found"),
        (["nobody"], 1, 'no session named "nobody"'),
        ([""], 1, "no session named"),
        (["--tag", "nobody"], 1, "no session is tagged 'nobody'"),
        ([], 2, "say which session to watch"),
        (["1", "--timeout", "soon"], 2, "'soon' is not a number of seconds"),
        (["1", "--timeout", "nan"], 2, "nan is not between"),
        (["1", "--timeout", "inf"], 2, "inf is not between"),
        (["1", "--timeout", "-1"], 2, "-1 is not between"),
        (["1", "--tail", "9" * 30], 1, "too large"),
    ],
)
def test_bad_words(home: Home, words: list[str], status: int, text: str) -> None:
    """An unknown id is an error, and so is a time that is none."""
    home.launch("sleep", "60")
    done = home.cw("watch", *words, status=status)
    assert text in done.stderr
    assert done.stdout == ""


def test_a_stopped_daemon_is_not_needed(home: Home) -> None:
    """Output goes on, the end is seen, and nobody starts a daemon for it."""
    id = home.python(ECHO + "\nprint('bye', end='')")
    client, output = watch(home, str(id))
    assert output.read(6) == b"ready\n"
    home.cw("stop")
    os.kill(next(mark["pid"] for mark in home.marks(id) if mark["kind"] == "launched"), signal.SIGTERM)
    assert output.read() == b""
    assert client.wait(10) == 0
    assert errors(client) == "\n[cw] session completed (143)\n"
    assert not (home.path / "daemon.pid").exists()
    home.cw("start")
