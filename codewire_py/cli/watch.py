"""cw watch: look on for a while"""

from __future__ import annotations

import time

from codewire_py.cli import context, show
from codewire_py.cli.logs import looks
from codewire_py.cli.table import MANY, TAG, Argument, Command, Option, seconds
from codewire_py.client.connection import ask
from codewire_py.client.follow import Follower, begin_reading, follow_several
from codewire_py.client.patience import patience
from codewire_py.client.prefix import Prefix
from codewire_py.errors import UsageError
from codewire_py.wire.messages import List, Listed, Logs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codewire_py.cli.table import Given


def run(given: Given) -> int:
    words = list(given["sessions"])
    if given["tag"]:
        found = ask(context.where(), List(tags=given["tag"]), Listed).sessions
        words += [str(session["id"]) for session in found]
    if not words:
        raise UsageError("say which session to watch", "cw watch ID, or cw watch --tag TAG")
    until = None if given["timeout"] is None else time.monotonic() + given["timeout"]
    many = len(words) > 1 or bool(given["tag"])
    followers = [open_follower(word, given, many, patience(until)) for word in words]
    has_ended = follow_several(followers, until, lambda follower: tell_end(follower, many))
    for follower in followers:
        if not follower.has_ended:
            follower.finish()
        follower.close()
    if not has_ended:
        show.note("\n[cw] watch timeout")
    return 0


def open_follower(word: str, given: Given, many: bool, patience: float | None) -> Follower:
    tail = 0 if given["no_history"] else -1 if given["tail"] is None else max(0, given["tail"])
    inside, born = context.inside()
    request = Logs(session=word, follow=True, tail=tail, inside=inside, born=born)
    reading = begin_reading(context.where(), request, patience)
    if many:
        begun = reading[2]
        prefix = Prefix(begun.name or str(begun.id))
        return Follower(reading, prefix.write, "plain", prefix.finish)
    return Follower(reading, lambda data: show.write(1, data), looks(given["raw"]))


def tell_end(follower: Follower, many: bool) -> None:
    name = f"{follower.name} " if many else ""
    show.note(f"\n[cw] session {name}{follower.status()}")


COMMAND = Command(
    run,
    "Look on while sessions print, until they end or the time is over.",
    Argument("sessions", MANY, "SESSION", is_session=True),
    TAG,
    Option("--tail", "Begin with the last N lines.", int, metavar="N"),
    Option("--no-history", "Begin with what comes next."),
    Option("--timeout", "Leave after so many seconds (exit status 0).", seconds, metavar="SECONDS"),
    Option("--raw", "The exact bytes, also where plain text is the default."),
    examples="cw watch 1 --timeout 60\ncw watch --tag review --no-history\n"
    "cw logs 1 -f --json      the same for programs, line by line",
)
