"""cw stop: the daemon leaves; what runs goes on, unless it is to end as well"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from homes import Home, new_home
from load import daemons


@pytest.fixture(autouse=True)
def running(home: Home) -> None:
    """Each test begins with a daemon and without sessions that run."""
    home.cw("start")
    home.cw("kill", "--all")


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def until_gone(home: Home) -> None:
    """Its pid file goes before the process does."""
    home.until(lambda: daemons(home) == [], "the daemon to be gone")


def test_sessions_keep_running(home: Home) -> None:
    """It says which daemon has stopped, how many sessions keep running, and how to end those too."""
    ids = [home.python("print('begun'); print(input())") for _ in range(2)]
    for id in ids:
        home.until_printed(id, b"begun")
    pids = [home.status(id)["pid"] for id in ids]
    daemon = home.daemon()
    done = home.cw("stop")
    assert done.stdout == ""
    assert done.stderr == (
        f"Daemon stopped (PID {daemon})\n2 session(s) keep running; to end them too: cw stop --kill\n"
    )
    until_gone(home)
    assert all(map(is_alive, pids))
    for id in ids:
        home.cw("send", str(id), "still here")
        assert home.end(id)["code"] == 0
        assert home.log(id).endswith(b"still here\r\nstill here\r\n")


def test_what_is_left_of_it(home: Home) -> None:
    """Its socket and its pid file go; sessions.json stays and is up to date."""
    id = home.launch("sleep", "60", options=("--name", "left"))
    home.cw("stop")
    assert not (home.path / "server.sock").exists()
    assert not (home.path / "daemon.pid").exists()
    index = json.loads((home.path / "sessions.json").read_text())
    assert [(one["name"], one["status"]) for one in index if one["id"] == id] == [("left", "running")]


def test_without_sessions_it_says_only_that_it_stopped(home: Home) -> None:
    """Nothing keeps running, so nothing more is said."""
    daemon = home.daemon()
    assert home.cw("stop").stderr == f"Daemon stopped (PID {daemon})\n"


def test_there_is_none(home: Home) -> None:
    """Nothing to stop is no error; and none is started to be stopped."""
    home.cw("stop")
    begun = home.journal().count(" serves ")
    done = home.cw("stop")
    assert (done.stdout, done.stderr) == ("", "Daemon is not running (no PID file found)\n")
    until_gone(home)
    assert home.journal().count(" serves ") == begun


def test_a_stale_pid_file(home: Home) -> None:
    """Left by a crash: removed, and whoever has that number now is not touched."""
    os.kill(home.daemon(), signal.SIGKILL)
    until_gone(home)
    with subprocess.Popen(["sleep", "60"]) as other:
        (home.path / "daemon.pid").write_text(str(other.pid))
        assert home.cw("stop").stderr == "Daemon is not running (stale PID file)\n"
        assert other.poll() is None
        other.kill()
    assert not (home.path / "daemon.pid").exists()


def test_a_home_that_is_not_there() -> None:
    """Is not made in order to stop its daemon."""
    with new_home() as home:
        for words in (["stop"], ["stop", "--kill"]):
            assert "Daemon is not running" in home.cw(*words).stderr
        assert not home.path.exists()


def test_kill_ends_them_too(home: Home) -> None:
    """Every session, also one that ignores SIGTERM; by the time it says so, all have ended."""
    home.env["CODEWIRE_KILL_GRACE"] = "0.2"
    try:
        home.cw("restart")
        home.cw("stop")
        stubborn = home.launch("sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 1; done")
        plain = home.launch("sleep", "60")
        home.until_printed(stubborn, b"deaf")
        pids = [home.status(id)["pid"] for id in (stubborn, plain)]
        daemon = home.daemon()
        assert home.cw("stop", "--kill").stderr == f"Daemon stopped (PID {daemon})\nKilled 2 session(s).\n"
    finally:
        del home.env["CODEWIRE_KILL_GRACE"]
    assert not any(map(is_alive, pids))
    assert (home.directory(stubborn) / "exit.json").exists()
    assert [home.status(id)["status"] for id in (stubborn, plain)] == ["killed", "killed"]


def test_kill_ends_them_also_without_a_daemon(home: Home) -> None:
    """Sessions outlive daemons, and only a daemon can end them: one is started for that, and leaves again."""
    id = home.launch("sleep", "60")
    pid = home.status(id)["pid"]
    os.kill(home.daemon(), signal.SIGKILL)
    done = home.cw("stop", "--kill")
    assert "Killed 1 session(s).\n" in done.stderr
    assert not is_alive(pid)
    until_gone(home)


def test_json(home: Home) -> None:
    """The daemon's pid, how many run on, how many were ended."""
    home.launch("sleep", "60")
    daemon = home.daemon()
    assert json.loads(home.cw("stop", "--json").stdout) == {"pid": daemon, "running": 1, "killed": 0}
    home.cw("start")
    daemon = home.daemon()
    assert json.loads(home.cw("stop", "--json", "--kill").stdout) == {
        "pid": daemon,
        "running": 0,
        "killed": 1,
    }


def test_json_without_a_daemon(home: Home) -> None:
    """The same fields: there is none, and nothing was ended."""
    home.cw("stop")
    assert json.loads(home.cw("stop", "--json").stdout) == {"pid": None, "running": 0, "killed": 0}


def test_it_does_not_stop_a_session(home: Home) -> None:
    """Who says so is told what ends one; and nothing is stopped."""
    id, daemon = home.launch("sleep", "60"), home.daemon()
    done = home.cw("stop", str(id), status=2)
    assert done.stderr == f"Error: stop stops the daemon, not a session\n\nto end a session: cw kill {id}\n"
    assert daemons(home) == [daemon]
    assert home.status(id)["status"] == "running"


def is_asking(client: subprocess.Popen[bytes]) -> bool:
    """It sleeps with a connection open: its request is sent, the reply is due."""
    folder = Path(f"/proc/{client.pid}")
    with suppress(OSError):
        state = (folder / "stat").read_bytes().rpartition(b")")[2].split()[0]
        return state == b"S" and any(
            os.readlink(fd).startswith("socket:") for fd in (folder / "fd").iterdir()
        )
    return False


def test_who_waits_is_not_in_the_way(home: Home) -> None:
    """A daemon that is waited for leaves at once; the waiter and the viewer go on with the next one."""
    id = home.python("print('begun'); input()")
    home.until_printed(id, b"begun")
    waiter = home.begin("wait", str(id), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    watcher = home.begin("watch", str(id), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert watcher.stdout
    assert watcher.stdout.readline() == b"begun\n"
    home.until(lambda: is_asking(waiter), "the waiter to ask")
    home.cw("stop")
    until_gone(home)
    home.cw("send", str(id), "go on")
    assert waiter.communicate(timeout=30)[0] == f"Session {id} completed (0)\n".encode()
    assert watcher.communicate(timeout=30)[1].endswith(b"[cw] session completed (0)\n")
    assert (waiter.returncode, watcher.returncode) == (0, 0)


def test_only_a_new_command_starts_the_next_one(home: Home) -> None:
    """Who waited already when the daemon was stopped waits for another, and starts none."""
    id = home.launch("sleep", "60")
    waiter = home.begin("wait", str(id), "--timeout", "1.5", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    home.until(lambda: is_asking(waiter), "the waiter to ask")
    home.cw("list")
    begun = home.journal().count(" serves ")
    home.cw("stop")
    assert b"Error: wait timed out; no daemon is running\n" in waiter.communicate(timeout=30)[1]
    assert waiter.returncode == 124
    assert home.journal().count(" serves ") == begun
