"""cw stop: the daemon leaves, the sessions stay"""

from __future__ import annotations

import os
import time

from codewire_py.cli import context, show
from codewire_py.cli.table import JSON, OPTIONAL, Argument, Command, Option
from codewire_py.client.connection import ask, reach
from codewire_py.errors import ConnectionLost, NoDaemon, Unreachable, UsageError
from codewire_py.home.paths import PID, SESSIONS
from codewire_py.wire.messages import Stop, Stopping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codewire_py.cli.table import Given
    from codewire_py.client.servers import Server

LEAVE_SECONDS = 15.0


def run(given: Given) -> int:
    if given["session"]:
        raise UsageError(
            "stop stops the daemon, not a session", f"to end a session: cw kill {given['session']}"
        )
    where = context.where()
    if not isinstance(where, str):
        gone = ask(where, Stop(kill=given["kill"]), Stopping)
        await_end_elsewhere(where)
        return tell(gone, given["json"])
    home = where
    # Sessions outlive daemons, and only a daemon can end them.
    may_start = given["kill"] and os.path.isdir(f"{home}/{SESSIONS}")
    try:
        gone = ask(home, Stop(kill=given["kill"]), Stopping, may_start)
    except NoDaemon:
        show.note(f"Daemon is not running ({why_not(home)})")
        if given["json"]:
            show.say_json({"pid": None, "running": 0, "killed": 0})
        return 0
    await_end(home, gone.pid)
    return tell(gone, given["json"])


def tell(gone: Stopping, as_json: bool) -> int:
    if as_json:
        show.say_json({"pid": gone.pid, "running": gone.running, "killed": gone.killed})
        return 0
    show.note(f"Daemon stopped (PID {gone.pid})")
    if gone.killed:
        show.note(f"Killed {gone.killed} session(s).")
    if gone.running:
        show.note(f"{gone.running} session(s) keep running; to end them too: cw stop --kill")
    return 0


def why_not(home: str) -> str:
    try:
        os.unlink(f"{home}/{PID}")
    except OSError:
        return "no PID file found"
    return "stale PID file"


def await_end(home: str, pid: int) -> None:
    """Its file goes last."""
    until = time.monotonic() + LEAVE_SECONDS
    while pid_told(home) == pid and time.monotonic() < until:
        time.sleep(0.005)


def await_end_elsewhere(server: Server) -> None:
    """Until nobody answers. By ssh nobody can ask: that would start another one."""
    until = time.monotonic() + LEAVE_SECONDS
    while not server.url.startswith("ssh://") and time.monotonic() < until:
        try:
            reach(server, seconds=2.0).close()
        except (Unreachable, ConnectionLost):
            return
        time.sleep(0.05)


def pid_told(home: str) -> int:
    try:
        with open(f"{home}/{PID}", encoding="ascii") as file:
            return int(file.read())
    except (OSError, ValueError):
        return 0


COMMAND = Command(
    run,
    "Stop the daemon. Sessions keep running, and the next command finds them again.",
    Argument("session", OPTIONAL, ""),
    Option("--kill", "End all sessions, too."),
    JSON,
)
