"""which commands there are, and the way from a word to the one that is meant"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codewire_py.cli.table import Command

GROUPS = {
    "Sessions": (
        "launch", "list", "status", "attach", "watch", "screen", "logs", "search", "export", "send", "wait", "kill",
    ),
    "Housekeeping": ("rename", "resize", "remove", "prune"),
    "Elsewhere": ("server", "token", "stdio"),
    "The daemon": ("start", "stop", "restart", "daemon"),
    "This tool": ("config", "completion"),
}  # fmt: skip
ALIASES = {"ps": "list", "ls": "list", "run": "launch", "rm": "remove"}
NAMES = [name for group in GROUPS.values() for name in group]


def load(word: str) -> Command | None:
    """Only the one that is asked for is imported."""
    name = ALIASES.get(word, word)
    if name not in NAMES:
        return None
    module = f"codewire_py.cli.{name}"
    __import__(module)
    command: Command = sys.modules[module].COMMAND
    return command
