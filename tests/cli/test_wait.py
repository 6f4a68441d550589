"""cw wait: until sessions have ended, and then as their program did"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time

import pytest

from homes import Home
from seeing import are_idle


@pytest.mark.parametrize(
    ("program", "status", "text"),
    [
        ("exit 0", 0, "completed (0)"),
        ("exit 7", 7, "completed (7)"),
        ("kill -9 $$", 137, "completed (137)"),
        ("kill -TERM $$", 143, "completed (143)"),
    ],
)
def test_it_exits_as_the_program_did(home: Home, program: str, status: int, text: str) -> None:
    """128 + the signal; also for one that ended before, and again."""
    id = home.launch("sh", "-c", f"read x; {program}")
    client = home.begin("wait", str(id), stdout=subprocess.PIPE)
    home.cw("send", str(id), "")
    assert client.wait(20) == status
    assert client.stdout
    assert client.stdout.read().decode() == f"Session {id} {text}\n"
    assert home.cw("wait", str(id), status=status).stdout == f"Session {id} {text}\n"


def test_a_killed_one(home: Home) -> None:
    """Says killed, and exits as it ended."""
    id = home.launch("sleep", "60", options=("--name", "waited-for"))
    home.cw("kill", str(id))
    assert home.cw("wait", "waited-for", status=143).stdout == "Session waited-for killed\n"


def test_when_the_time_is_over(home: Home) -> None:
    """Exit status 124, and the session runs on."""
    id = home.launch("sleep", "60")
    done = home.cw("wait", str(id), "--timeout", "0.1", status=124)
    assert done.stderr.startswith("Error: wait timed out\n")
    assert done.stdout == ""
    assert home.cw("wait", str(id), "--timeout", "0", status=124)
    assert home.status(id)["status"] == "running"


def test_several(home: Home) -> None:
    """All of them; the first status that is not zero, in the order asked for."""
    zero, three, five = (home.launch("sh", "-c", f"exit {status}") for status in (0, 3, 5))
    done = home.cw("wait", str(zero), str(five), str(three), status=5)
    assert (
        done.stdout
        == f"Session {zero} completed (0)\nSession {five} completed (5)\nSession {three} completed (3)\n"
    )
    assert home.cw("wait", str(zero), str(zero)).stdout.count("\n") == 1


def test_any(home: Home) -> None:
    """The first that ends decides; the others are not waited for."""
    slow, quick = home.launch("sleep", "60"), home.launch("sh", "-c", "read x; exit 4")
    client = home.begin("wait", "--any", str(slow), str(quick), stdout=subprocess.PIPE)
    home.cw("send", str(quick), "")
    assert client.wait(20) == 4
    assert client.stdout
    assert client.stdout.read().decode() == f"Session {quick} completed (4)\n"
    assert home.cw("wait", "--any", str(slow), str(quick), status=4)


def test_by_tag(home: Home) -> None:
    """Every session that has it."""
    ids = [home.launch("sh", "-c", f"exit {status}", options=("-t", "batch")) for status in (0, 6)]
    done = home.cw("wait", "--tag", "batch", status=6)
    assert done.stdout == "".join(
        f"Session {id} completed ({status})\n" for id, status in zip(ids, (0, 6), strict=True)
    )


def test_json(home: Home) -> None:
    """As the list says it; also when the time was over, those that did end."""
    ended, running = home.launch("sh", "-c", "exit 2"), home.launch("sleep", "60")
    home.end(ended)
    [told] = json.loads(home.cw("wait", str(ended), "--json", status=2).stdout)
    assert (told["id"], told["exit_code"], told["status"]) == (ended, 2, "completed (2)")
    both = home.cw("wait", str(ended), str(running), "--json", "--timeout", "0.1", status=124)
    assert [session["id"] for session in json.loads(both.stdout)] == [ended]


def test_over_a_crash_and_a_restart_of_the_daemon(home: Home) -> None:
    """Who waits comes back by itself and hears the right status."""
    id = home.launch("sh", "-c", "read x; exit 8")
    client = home.begin("wait", str(id))
    home.until(lambda: len(os.listdir(f"/proc/{client.pid}/fd")) > 3, "it to connect")
    os.kill(home.daemon(), signal.SIGKILL)
    home.cw("list")
    home.cw("restart")
    home.cw("send", str(id), "")
    assert client.wait(20) == 8


def test_a_stopped_daemon(home: Home) -> None:
    """Only a new command starts one: who waits goes on waiting, and learns it from the next daemon."""
    id = home.launch("sh", "-c", "read x; exit 9")
    client = home.begin("wait", str(id))
    home.until(lambda: len(os.listdir(f"/proc/{client.pid}/fd")) > 3, "it to connect")
    home.cw("stop")
    started = time.monotonic()
    assert home.cw("wait", str(id), "--timeout", "0.3", status=124)
    assert time.monotonic() - started < 10
    home.cw("send", str(id), "")
    assert client.wait(20) == 9


def test_whom_it_waits_for_is_decided_once(home: Home) -> None:
    """By name or by tag: others may have them by the time that it asks again."""
    id = home.launch("sh", "-c", "read x; exit 5", options=("--name", "meant", "--tag", "meant"))
    waiting = [home.begin("wait", *words, "--any") for words in (("meant",), ("--tag", "meant"))]
    for client in waiting:
        home.until(
            lambda pid=client.pid: len(os.listdir(f"/proc/{pid}/fd")) > 3 and are_idle(pid), "it to wait"
        )
    home.cw("rename", str(id), "other")
    home.end(home.launch("sh", "-c", "exit 6", options=("--name", "meant", "--tag", "meant")))
    home.cw("restart")
    home.cw("send", str(id), "")
    assert [client.wait(20) for client in waiting] == [5, 5]


def test_a_lost_one_exits_125(home: Home) -> None:
    """An exit status never lies: nobody can know it."""
    id = home.launch("sleep", "60")
    home.cw("kill", str(id))
    home.cw("stop")
    (home.directory(id) / "exit.json").unlink()
    assert home.cw("wait", str(id), status=125).stdout == f"Session {id} lost\n"


@pytest.mark.parametrize(
    ("words", "status", "text"),
    [
        (["9999"], 1, "Error: session 9999 not found"),
        (["nobody"], 1, "no session named"),
        ([""], 1, "no session named"),
        ([], 2, "say which sessions to wait for"),
        (["--tag", "nobody"], 1, "no session is tagged 'nobody'"),
        (["1", "--timeout", "nan"], 2, "nan is not between"),
        (["1", "--timeout", "-1"], 2, "-1 is not between"),
        (["1", "--timeout", "1e300"], 2, "1e300 is not between"),
    ],
)
def test_bad_words(home: Home, words: list[str], status: int, text: str) -> None:
    """An unknown id is an error, not a wait for ever."""
    home.launch("sleep", "60")
    done = home.cw("wait", *words, status=status)
    assert text in done.stderr
