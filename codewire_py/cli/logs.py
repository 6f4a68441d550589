"""cw logs: what a session has printed"""

from __future__ import annotations

import os
import time

from codewire_py.cli import context, show
from codewire_py.cli.moments import HINT, moment_or_none
from codewire_py.cli.table import Argument, Command, Option
from codewire_py.client.connection import RETRY_SECONDS, Again
from codewire_py.client.fetch import fetch
from codewire_py.client.follow import Follower, begin_reading
from codewire_py.errors import ConnectionLost, NoDaemon, ProtocolError, Unreachable, UsageError
from codewire_py.wire.messages import Logs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codewire_py.cli.table import Given
    from codewire_py.wire.messages import Found, Reading


def run(given: Given) -> int:
    now = time.time()
    since, until = moment_or_none(given["since"], now), moment_or_none(given["until"], now)
    if 0 <= until < since:
        raise UsageError("--until is before --since", HINT)
    inside, born = context.inside()
    request = Logs(
        session=given["session"], rendered=given["rendered"] or given["json"], lines=given["json"],
        follow=given["follow"], inside=inside, born=born,
        tail=-1 if given["tail"] is None else max(0, given["tail"]), since=since, until=until,
    )  # fmt: skip
    if request.rendered:
        if given["raw"]:
            word = "--json" if given["json"] else "--rendered"
            raise UsageError(f"{word} is text, --raw the exact bytes", "choose one of them")
        write_rendered(request)
        return 0
    where = context.where()
    reading = begin_reading(where, request)
    begun = reading[2]
    tell_released(begun, request)
    follower = Follower(reading, lambda data: show.write(1, data), looks(given["raw"]))
    if not given["follow"] and follower.until < 0:
        follower.until = begun.length  # a program may print faster than we read
    follower.read_all()
    if (given["follow"] and begun.until < 0) or not isinstance(where, str):
        if not follower.follow_until(None if until < 0 else time.monotonic() + until - now):
            follower.write_rest()
    else:
        follower.write_rest()
    follower.close()
    return 0


def write_rendered(request: Logs) -> None:
    """If the daemon is replaced meanwhile, the next one begins again: what was written is passed over."""
    lines, again = Lines(), Again(float("inf") if request.follow else RETRY_SECONDS)
    while True:
        try:
            fetch(
                context.where(), request, refuse if request.lines else lines.write,
                lambda begun: lines.begin(begun, request), lambda found: lines.write(as_json(found)),
                again.may_start,
            )  # fmt: skip
            return
        except (ConnectionLost, NoDaemon, Unreachable) as error:
            if request.tail >= 0 and lines.begins:
                raise
            again.pause(error, lines.begins)


class Lines:
    """How many were written, each whole, and how many of those come once more."""

    def __init__(self) -> None:
        self.written = self.passing = self.begins = 0
        self.begun = b""  # of a line whose end is still to come

    def begin(self, begun: Reading, request: Logs) -> None:
        if not self.begins:
            tell_released(begun, request)
        self.begins += 1
        self.passing, self.begun = self.written, b""

    def write(self, text: bytes) -> None:
        end = text.rfind(b"\n") + 1
        if not end:
            self.begun += text
            return
        whole, self.begun, at = self.begun + text[:end], text[end:], 0
        while self.passing and at < len(whole):
            at, self.passing = whole.find(b"\n", at) + 1, self.passing - 1
        self.written += whole.count(b"\n", at)
        show.write(1, whole[at:])


def as_json(found: Found) -> bytes:
    """One object on each line."""
    told = [show.as_line(show.found_line(found, line)) + "\n" for line in found.lines]
    return "".join(told).encode()


def refuse(_: bytes) -> None:
    raise ProtocolError("log bytes came where lines were due")


def tell_released(begun: Reading, request: Logs) -> None:
    if begun.released and begun.offset <= begun.released and request.tail < 0:
        show.note(
            f"[cw] the oldest {show.size(begun.released)} of this log have been released (log.max_bytes)"
        )


def looks(is_raw: bool) -> str:
    """Exact bytes; harmless bytes on a terminal; plain text elsewhere."""
    if is_raw:
        return "raw"
    return "quiet" if os.isatty(1) else "plain"


COMMAND = Command(
    run,
    "Print what a session has printed, also after it has ended.",
    Argument("session", metavar="SESSION", is_session=True),
    Option("--follow -f", "Go on until the session ends."),
    Option("--tail -t", "Only the last N lines.", int, metavar="N"),
    Option(
        "--since", "Only what was printed since: 10m (ago), 14:05, 2026-11-21T14:05.", str, metavar="TIME"
    ),
    Option("--until", "Only what was printed before.", str, metavar="TIME"),
    Option("--rendered", "Lines as they ended up, as a person would have read them: redraws collapsed."),
    Option("--json", "The lines of --rendered as one JSON object each, with its time and offset."),
    Option("--raw", "The exact bytes, also where plain text is the default."),
    examples="cw logs 1 --tail 20\ncw logs api -f\ncw logs 1 --since 10m\ncw logs 1 --rendered | less\n"
    "cw logs 1 -f --json | jq -r .time\ncw logs 1 --raw > recording",
)
