"""cw restart: replace the running daemon with the installed version"""

from __future__ import annotations

import sys
import time

from codewire_py.cli import context, show
from codewire_py.cli.opening import tell_listener
from codewire_py.cli.table import JSON, Command
from codewire_py.client.connection import ask, converse, reach
from codewire_py.client.starting import start_daemon
from codewire_py.errors import ConnectionLost, NoDaemon, Unreachable
from codewire_py.version import VERSION
from codewire_py.wire.messages import List, Listed, Restart, Restarting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codewire_py.cli.table import Given
    from codewire_py.client.servers import Server

BACK_SECONDS = 30.0


def run(given: Given) -> int:
    where = context.where()
    pid, version, running = restart_here(where) if isinstance(where, str) else restart_elsewhere(where)
    if given["json"]:
        show.say_json({"pid": pid, "version": version, "running": running})
    else:
        show.note(f"[cw] daemon restarted (PID {pid}, version {version}); {running} session(s) kept running")
    return 0


def restart_here(home: str) -> tuple[int, str, int]:
    try:
        pid = ask(home, Restart(python=sys.executable), Restarting, may_start=False).pid
    except NoDaemon:
        pid = start_daemon(home, on_purpose=True)
    running = len(ask(home, List(status="running"), Listed).sessions)
    reach(home).close()
    tell_listener(home)
    return pid, VERSION, running


def restart_elsewhere(server: Server) -> tuple[int, str, int]:
    """What is installed there is what it becomes; it is back when it answers."""
    pid = ask(server, Restart(), Restarting).pid
    until = time.monotonic() + BACK_SECONDS
    while True:
        try:
            connection, listed = converse(server, List(status="running"), Listed)
        except (Unreachable, ConnectionLost):
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
            continue
        connection.close()
        return pid, connection.hello.software if connection.hello else "", len(listed.sessions)


COMMAND = Command(
    run,
    "Replace the running daemon with the installed version. Sessions and those attached stay.",
    JSON,
)
