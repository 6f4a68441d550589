"""cw daemon: be the daemon, in the foreground (`__main__` runs it: the command line never imports it)"""

from __future__ import annotations

from codewire_py.cli import context
from codewire_py.cli.table import Command, Option
from codewire_py.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codewire_py.cli.table import Given


def run(_given: Given) -> int:
    """Only reached when something comes before the word: `codewire_py.__main__` sees it first."""
    context.stay_here("daemon")
    raise UsageError("cw daemon takes no --server", "try: cw daemon")


COMMAND = Command(
    run,
    "Be the daemon, in the foreground, with its journal on standard error (for service managers).",
    Option("--listen", "Take WebSocket connections there: 127.0.0.1:9100, :9100.", str, metavar="ADDRESS"),
    Option("--insecure-no-tls", "Listen beyond this machine unencrypted: a tunnel or a proxy does it."),
    Option("--background", ""),
    Option("--check", ""),
    Option("--inherit", "", str),
)
