"""promise 11: two hundred sessions at once are launched, listed, watched and killed, at a price that is told"""

from __future__ import annotations

import re
import statistics
import subprocess
import time

import pytest

from homes import Home, cwd, processes
from seeing import MEBIBYTE, are_idle, pss, rss
from viewers import Viewers

COUNT, AT_ONCE = 200, 20
DAEMON_MOST, KEEPER_MOST = 80 * MEBIBYTE, 2 * MEBIBYTE
PROGRAM = (
    'echo "I am $CODEWIRE_SESSION_NAME"; while read line; do echo "$CODEWIRE_SESSION_NAME heard $line"; done'
)


def launch_all(home: Home) -> None:
    """In batches, as many as a busy script would start at once."""
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    for first in range(1, COUNT + 1, AT_ONCE):
        batch = [
            home.begin(
                "launch", "--tag", "many", "--name", f"many-{number}", "--", "sh", "-c", PROGRAM, **pipes
            )
            for number in range(first, first + AT_ONCE)
        ]
        for process in batch:
            _, said = process.communicate(timeout=60)
            assert process.returncode == 0, (said, home.journal())


def keepers(home: Home) -> list[int]:
    """Of all sessions; the hatchery, which has the same words, is in the home directory itself."""
    sessions = f"{home.path}/sessions/"
    return [pid for pid in processes("-m\0codewire_py.keeper") if cwd(pid).startswith(sessions)]


def tell_price(home: Home) -> tuple[int, list[int]]:
    """(daemon's RSS, each keeper's PSS), told on standard output."""
    daemon, hatchery = rss(home.daemon()), pss(home.hatchery())
    each = sorted(map(pss, keepers(home)))
    print(
        f"{COUNT} sessions: daemon {daemon / MEBIBYTE:.1f} MiB (RSS), hatchery {hatchery / MEBIBYTE:.1f} MiB (PSS), "
        f"keepers {statistics.median(each) / MEBIBYTE:.2f} MiB each (median PSS; the largest "
        f"{each[-1] / MEBIBYTE:.2f}, together {sum(each) / MEBIBYTE:.0f})"
    )
    return daemon, each


def heard(output: bytes, word: bytes) -> set[int]:
    """The sessions whose line with this word is in what `watch` shows."""
    pattern = rb"^\[many-(\d+)\] many-\1 heard " + word + rb"\r?$"
    return {int(found[1]) for found in re.finditer(pattern, output, re.MULTILINE)}


@pytest.mark.slow
@pytest.mark.deadline(180)
def test_two_hundred_sessions_at_once(home: Home, viewers: Viewers) -> None:
    """Every one is there, is seen, hears and is heard, costs little, does nothing when nothing is to do, and ends."""
    everyone = set(range(1, COUNT + 1))
    launch_all(home)
    listed = home.list()
    assert {session["id"] for session in listed} == everyone
    assert {session["name"] for session in listed} == {f"many-{number}" for number in everyone}
    assert {session["status"] for session in listed} == {"running"}
    assert len(home.cw("list").stdout.splitlines()) == COUNT + 2

    watching = viewers.in_pipe("watch", "--tag", "many", "--timeout", "100")
    home.until(
        lambda: watching.output.count(b"] I am many-") == COUNT, "every session's first line to be shown"
    )
    for number in everyone:
        home.cw("send", f"many-{number}", "hello")
    home.until(lambda: heard(watching.output, b"hello") == everyone, "every session to be heard")

    daemon, each = tell_price(home)
    assert len(each) == COUNT
    assert daemon < DAEMON_MOST
    assert each[-1] < KEEPER_MOST

    home.until(lambda: are_idle(home.daemon(), home.hatchery(), *keepers(home)), "everybody to rest")
    began = time.monotonic()
    assert home.cw("kill", "--all").stdout == f"Killed {COUNT} session(s).\n"
    assert time.monotonic() - began < 20
    assert watching.end() == 0
    assert watching.errors().count("killed") == COUNT
    assert {session["status"] for session in home.list()} == {"killed"}
    home.until(lambda: not keepers(home), "every keeper to leave")
    assert set(home.ours()) <= {home.daemon(), home.hatchery()}
    assert len(home.list("--status", "ended", "--tag", "many")) == COUNT


@pytest.mark.slow
@pytest.mark.deadline(120)
def test_two_hundred_sessions_are_adopted(home: Home) -> None:
    """By a daemon that comes later; at once, and none is taken for another."""
    launch_all(home)
    programs = {session["id"]: session["pid"] for session in home.list()}
    home.cw("stop")
    began = time.monotonic()
    assert {session["id"]: session["pid"] for session in home.list("--status", "running")} == programs
    assert time.monotonic() - began < 5
    home.cw("stop", "--kill")
    home.until(lambda: not home.ours(), "everything to end")
