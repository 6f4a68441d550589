"""cw prune: forget every session that has ended"""

from __future__ import annotations

from codewire_py.cli import context
from codewire_py.cli.remove import tell
from codewire_py.cli.table import JSON, Command, Option
from codewire_py.client.connection import ask
from codewire_py.errors import UsageError
from codewire_py.wire.messages import Prune, Removed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codewire_py.cli.table import Given

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def run(given: Given) -> int:
    request = Prune(older=seconds(given["older"]), dry_run=given["dry_run"])
    tell(
        ask(context.where(), request, Removed),
        given["json"],
        "would be removed" if given["dry_run"] else "removed",
    )
    return 0


def seconds(word: str) -> float:
    """`90`, `90s`, `5m`, `2h`, `7d`"""
    number, unit = (word[:-1], UNITS[word[-1]]) if word[-1:] in UNITS else (word, 1)
    try:
        found = float(number) * unit
    except ValueError:
        found = -1
    if not 0 <= found < 1e12:
        raise UsageError(f"{word!r} is not a time", "for example: --older 90s, 5m, 2h, 7d")
    return found


COMMAND = Command(
    run,
    "Forget every session that has ended, with its log.",
    Option("--older", "Only those that ended so long ago: 90s, 5m, 2h, 7d (0).", str, "0", metavar="TIME"),
    Option("--dry-run", "Only tell which."),
    JSON,
    examples="cw prune --older 7d",
)
