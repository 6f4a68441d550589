"""cw start: start the daemon, if it does not run"""

from __future__ import annotations

from codewire_py.cli import context, show
from codewire_py.cli.opening import tell_listener
from codewire_py.cli.table import Command, Option
from codewire_py.client.starting import is_listening, start_daemon

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codewire_py.cli.table import Given


def run(_given: Given) -> int:
    context.stay_here("start")
    home = context.home()
    if is_listening(home) or not start_daemon(home, on_purpose=True):
        show.note("[cw] daemon is running")
    tell_listener(home)
    return 0


COMMAND = Command(
    run,
    "Start the daemon in the background. Every other command does so by itself.",
    Option("--foreground -f", "Be the daemon, here: the same as cw daemon."),
)
