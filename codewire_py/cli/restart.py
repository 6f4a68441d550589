"""cw restart: replace the running daemon with the installed version"""

from __future__ import annotations

import sys

from codewire_py.cli import context, show
from codewire_py.cli.table import JSON, Command
from codewire_py.client.connection import ask, reach
from codewire_py.client.starting import start_daemon
from codewire_py.errors import NoDaemon
from codewire_py.version import VERSION
from codewire_py.wire.messages import List, Listed, Restart, Restarting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codewire_py.cli.table import Given


def run(given: Given) -> int:
    home = context.home()
    try:
        pid = ask(home, Restart(python=sys.executable), Restarting, may_start=False).pid
    except NoDaemon:
        pid = start_daemon(home)
    running = len(ask(home, List(status="running"), Listed).sessions)
    reach(home).close()
    if given["json"]:
        show.say_json({"pid": pid, "version": VERSION, "running": running})
    else:
        show.note(f"[cw] daemon restarted (PID {pid}, version {VERSION}); {running} session(s) kept running")
    return 0


COMMAND = Command(
    run,
    "Replace the running daemon with the installed version. Sessions and those attached stay.",
    JSON,
)
