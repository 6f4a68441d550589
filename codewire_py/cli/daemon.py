"""cw daemon: be the daemon, in the foreground (`__main__` runs it: the command line never imports it)"""

from __future__ import annotations

from codewire_py.cli.table import Command, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codewire_py.cli.table import Given


def run(given: Given) -> int:
    """Never reached: `codewire_py.__main__` sees the word first."""
    raise NotImplementedError


COMMAND = Command(
    run,
    "Be the daemon, in the foreground, with its journal on standard error (for service managers).",
    Option("--background", ""),
    Option("--check", ""),
    Option("--inherit", "", str),
)
