"""processes are known by pid and start, so that none is taken for another that had its pid"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from codewire_py.daemon.processes import (
    command_of,
    environment_of,
    origin_of,
    signal_same,
    start_of,
    started_in,
    terminal_session_of,
)  # fmt: skip
from homes import until

SLEEP = [sys.executable, "-S", "-c", "import signal; signal.pause()"]


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    env = {"CODEWIRE_SESSION": "7", "HOME": "/h", "ODD": os.fsdecode(b"\xff")}
    with subprocess.Popen(SLEEP, env=env, start_new_session=True) as process:
        until(lambda: b"signal.pause" in Path(f"/proc/{process.pid}/cmdline").read_bytes(), "it to begin")
        yield process
        process.kill()


def test_a_process_is_described(sleeper: subprocess.Popen[bytes]) -> None:
    """Its start, command, environment and terminal session."""
    assert start_of(sleeper.pid) > 0
    assert command_of(sleeper.pid) == " ".join(SLEEP)
    assert environment_of(sleeper.pid)["ODD"] == "\udcff"
    assert terminal_session_of(sleeper.pid) == sleeper.pid


def test_one_that_is_gone_has_nothing(sleeper: subprocess.Popen[bytes]) -> None:
    """Gone or a zombie: no start, no command, and no error."""
    sleeper.kill()
    until(lambda: start_of(sleeper.pid) == 0, "it to be a zombie")
    sleeper.wait()
    assert start_of(sleeper.pid) == 0
    assert command_of(sleeper.pid) == ""
    assert environment_of(sleeper.pid) == {}
    assert terminal_session_of(sleeper.pid) == 0
    assert not signal_same(sleeper.pid, 1, signal.SIGTERM)


def test_only_the_same_process_is_signalled(sleeper: subprocess.Popen[bytes]) -> None:
    """Another start is another process: it is left alone."""
    start = start_of(sleeper.pid)
    assert not signal_same(sleeper.pid, start + 1, signal.SIGKILL)
    assert not signal_same(sleeper.pid, 0, signal.SIGKILL)
    assert sleeper.poll() is None
    assert signal_same(sleeper.pid, start, signal.SIGKILL)
    assert sleeper.wait(10) == -signal.SIGKILL


def test_who_was_started_in_a_session(sleeper: subprocess.Popen[bytes]) -> None:
    """By the session's number in its environment, and the home: another home's session 7 is another."""
    [found] = started_in("/h/.codewire", {7})
    assert (found["pid"], found["start"], found["session"]) == (sleeper.pid, start_of(sleeper.pid), 7)
    assert started_in("/h/.codewire", {8}) == []
    assert started_in("/other", {7}) == []


@pytest.mark.parametrize(
    ("environ", "number"),
    [
        ({"CODEWIRE_SESSION": "7", "CODEWIRE_HOME": "/c"}, 7),
        ({"CODEWIRE_SESSION": "7", "HOME": "/h"}, 0),
        ({"CODEWIRE_SESSION": "7"}, 0),
        ({"CODEWIRE_SESSION": "", "CODEWIRE_HOME": "/c"}, 0),
        ({"CODEWIRE_SESSION": "-7", "CODEWIRE_HOME": "/c"}, 0),
        ({"CODEWIRE_SESSION": "²", "CODEWIRE_HOME": "/c"}, 0),
        ({"CODEWIRE_SESSION": "7" * 5000, "CODEWIRE_HOME": "/c"}, 0),
        ({"CODEWIRE_SESSION": "seven", "CODEWIRE_HOME": "/c"}, 0),
        ({"CODEWIRE_HOME": "/c"}, 0),
    ],
)
def test_where_a_process_comes_from(environ: dict[str, str], number: int) -> None:
    """Any process may have any environment."""
    assert origin_of(environ, "/c") == number
