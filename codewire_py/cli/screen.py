"""cw screen: what a session's screen shows, now or at a past moment"""

from __future__ import annotations

import time

from codewire_py.cli import context, show
from codewire_py.cli.moments import moment
from codewire_py.cli.table import JSON, Argument, Command, Option
from codewire_py.client.connection import ask
from codewire_py.errors import UsageError
from codewire_py.wire.messages import Screen, Shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from codewire_py.cli.table import Given

LARGEST = (1 << 63) - 1
HINT = "for example an offset, 10m (ago), 14:05, or @seconds since 1970"


def run(given: Given) -> int:
    if given["ansi"] and given["json"]:
        raise UsageError("--ansi and --json are two ways to print it", "choose one of them")
    offset, at = place(given["at"], time.time())
    request = Screen(
        session=given["session"], offset=offset, time=at, scrollback=max(0, given["scrollback"]),
        ansi=given["ansi"],
    )  # fmt: skip
    shown = ask(context.where(), request, Shown)
    if given["json"]:
        show.say_json(shown.screen)
    else:
        show.write(1, drawn(shown.text) if given["ansi"] else show.harmless(text(shown.screen)))
    return 0


def place(word: str | None, now: float) -> tuple[int, float]:
    """Plain digits are an offset, everything else is a moment; -1: not that."""
    if word is None:
        return -1, -1.0
    if word.isascii() and word.isdigit():
        return min(int(word), LARGEST) if len(word) < 20 else LARGEST, -1.0
    return -1, moment(word, now, HINT)


def text(screen: dict[str, Any]) -> str:
    """Without the blank rows at the end."""
    lines = [*screen.get("scrollback", []), *screen["lines"]]
    while lines and not lines[-1]:
        lines.pop()
    return "".join(f"{line}\n" for line in lines)


def drawn(rows: bytes) -> bytes:
    rows = rows.rstrip(b"\n")
    return rows + b"\n" if rows else b""


COMMAND = Command(
    run,
    "Print what a session's screen shows, as text; also of an ended session, and at a past moment.",
    Argument("session", metavar="SESSION", is_session=True),
    Option("--at", "As it was then: an offset, 10m (ago), 14:05, @seconds since 1970.", str, metavar="WHEN"),
    Option("--scrollback", "Also the last N lines above the screen.", int, 0, metavar="N"),
    Option("--ansi", "With colours, as sequences for a terminal."),
    JSON,
    examples="cw screen 1\ncw screen api --scrollback 100\ncw screen 1 --at 10m\n"
    "cw screen 1 --at 48211      where cw search found something\ncw screen 1 --json | jq -r .title",
)
