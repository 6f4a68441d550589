"""promise 2: the daemon may be replaced at any moment"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from homes import Home
from load import Load, daemons, seeded
from viewers import Viewer, Viewers

RESTARTS = 10
MEANWHILE = ("restart", "launch -- sleep 1000", "list", "logs 1", "restart", "send 1 hi")
WITH_ANOTHER_PYTHON = """
import sys
sys.executable = sys.argv.pop(1)
from codewire_py.__main__ import main
main()
"""


@pytest.mark.slow
@pytest.mark.deadline(120)
def test_restarted_ten_times_under_load(home: Home, viewers: Viewers) -> None:
    """`cw restart` under the same load: the same. 20 sessions print numbered lines, clients attached: every program
    alive, every log complete and in order, each attached client's output byte-identical to the log, exit statuses
    right, no client restarted by hand.
    """
    moments = seeded()
    load = Load(home, viewers, 20)
    first, second, third, fourth, *_ = load.attached
    lookers = {
        first: viewers.in_terminal("attach", str(first)),
        second: viewers.in_terminal("attach", str(second), "--read-only"),
        third: viewers.in_pipe("logs", str(third), "-f", "--raw"),
        fourth: viewers.in_pipe("watch", str(fourth), "--raw"),
    }
    waiter = viewers.in_pipe("wait", str(fourth), str(first))
    daemon = home.daemon()
    for _ in range(RESTARTS):
        time.sleep(moments.uniform(0, 0.3))
        restart_and_count(home)
    assert home.daemon() == daemon
    load.await_more()
    load.check_alive()
    load.finish()
    load.check_ended()
    for session, viewer in lookers.items():
        load.check_shown(session, viewer)
    load.check_list()
    assert waiter.end() == load.status_of[fourth], waiter.errors()


def restart_and_count(home: Home) -> None:
    """There is never more than one daemon, and afterwards there is one, whose pid is the one written down."""
    begun = home.journal().count(" serves ")
    command = home.begin("restart", stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    while command.poll() is None:
        assert len(daemons(home)) <= 1
        time.sleep(0.002)
    said = command.communicate()[1]
    assert command.returncode == 0, said
    assert b"20 session(s) kept running" in said
    assert daemons(home) == [home.daemon()]
    assert home.journal().count(" serves ") == begun + 1


def test_a_request_under_way_is_answered(home: Home, viewers: Viewers) -> None:
    """Nobody attached notices more than a pause, and nobody else is cut off: what was asked before is answered."""
    session = home.launch("sh", "-c", "trap '' TERM; echo here; while :; do sleep 1; done")
    home.until_printed(session, b"here")
    killing = viewers.in_pipe("kill", str(session), "--grace", "1")
    home.until(lambda: any(mark["kind"] == "killed" for mark in home.marks(session)), "the kill to begin")
    home.cw("restart")
    assert killing.end() == 0, killing.errors()
    assert home.status(session)["status"] == "killed"


def test_commands_meanwhile_just_take_longer(home: Home, viewers: Viewers) -> None:
    """Whatever is asked while the daemon is replaced is answered, and a launch happens once."""
    assert home.launch("sh", "-c", "echo here; exec cat") == 1
    for count in range(2, 7):
        commands = [viewers.in_pipe(*words.split()) for words in MEANWHILE]
        assert [command.end() for command in commands] == [0] * len(commands), told(commands)
        assert len(home.list()) == count
    assert daemons(home) == [home.daemon()]


def told(commands: list[Viewer]) -> list[str]:
    return [command.errors() for command in commands]


@pytest.mark.parametrize(
    "script", ["", "#!/bin/sh\necho it is broken >&2\nexit 3\n", "#!/bin/sh\nkill -9 $$\n"]
)
def test_a_python_that_does_not_start_is_refused(home: Home, tmp_path: Path, script: str) -> None:
    """Before the running daemon gives way it sees the other one start; if that fails it goes on as it is."""
    session = home.launch("sleep", "1000")
    daemon = home.daemon()
    broken = tmp_path / "python"
    if script:
        broken.write_text(script)
        broken.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", WITH_ANOTHER_PYTHON, str(broken), "restart"],
        env=home.env, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "the installed version does not start" in done.stderr
    assert "it is broken" in done.stderr or "broken" not in script
    assert home.status(session)["status"] == "running"
    assert daemons(home) == [daemon] == [home.daemon()]
    assert home.journal().count(" serves ") == 1
