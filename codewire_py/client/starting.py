"""start the daemon, once, however many commands find that it is missing"""

from __future__ import annotations

import fcntl
import os
import sys
import time

from codewire_py.errors import DaemonFailed
from codewire_py.home.paths import JOURNAL, SOCKET, connect, make_home

STARTING = "starting.lock"
START_SECONDS = 15.0
KILLED = 9
OURS = ("CODEWIRE_SESSION", "CODEWIRE_SESSION_NAME")  # the daemon belongs to no session, whoever starts it
THEIRS = "CODEWIRE_TOKEN"  # of a server, unless the daemon is started on purpose: it is not to let that server in here


def start_daemon(home: str, on_purpose: bool = False) -> int:
    """Return its pid when it listens; 0 when somebody else started it meanwhile."""
    make_home(home)
    deadline = time.monotonic() + START_SECONDS
    turn = os.open(f"{home}/{STARTING}", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        while time.monotonic() < deadline:
            if is_listening(home):
                return 0
            pid = spawn(home, on_purpose) if take_turn(turn) and not is_listening(home) else 0
            if pid and await_daemon(home, pid, deadline):
                return pid
            time.sleep(0.01)
    finally:
        os.close(turn)
    raise DaemonFailed(f"daemon failed to start (socket not available after {START_SECONDS:.0f}s)")


def take_turn(turn: int) -> bool:
    try:
        fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_listening(home: str) -> bool:
    try:
        connect(f"{home}/{SOCKET}", 5.0).close()
    except BlockingIOError:
        return True  # there is a queue
    except OSError:
        return False
    return True


def spawn(home: str, on_purpose: bool = False) -> int:
    """In a session of its own, so that no terminal's end can reach it."""
    left_out = OURS if on_purpose else (*OURS, THEIRS)
    env = {name: value for name, value in os.environ.items() if name not in left_out}
    env["CODEWIRE_HOME"] = home
    journal = os.open(f"{home}/{JOURNAL}", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDWR, 0),
        (os.POSIX_SPAWN_DUP2, journal, 1),
        (os.POSIX_SPAWN_DUP2, journal, 2),
    ]
    command = [sys.executable, "-m", "codewire_py", "daemon", "--background"]
    try:
        return os.posix_spawn(sys.executable, command, env, file_actions=actions, setsid=True)
    finally:
        os.close(journal)


def await_daemon(home: str, pid: int, deadline: float) -> bool:
    """False: it was killed before it listened, which is no reason not to begin another."""
    while time.monotonic() < deadline:
        if is_listening(home):
            os.write(2, f"[cw] daemon started (pid {pid})\n".encode())
            return True
        status = end_of(pid)
        if status is not None and os.WIFSIGNALED(status):
            return False
        if status is not None:
            raise DaemonFailed(f"daemon failed to start: {last_words(home)}")
        time.sleep(0.01)
    raise DaemonFailed(f"daemon failed to start (socket not available after {START_SECONDS:.0f}s)")


def end_of(pid: int) -> int | None:
    """How a daemon that we spawned ended, as `wait` tells it; None while it lives."""
    try:
        ended, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:  # we were begun with SIGCHLD ignored, so nobody can know
        return KILLED
    return status if ended else None


def last_words(home: str) -> str:
    with open(f"{home}/{JOURNAL}", "rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - 2000))
        lines = file.read().decode("utf-8", "replace").strip().split("\n")
    return lines[-1]
