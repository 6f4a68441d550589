"""cw search: find lines that sessions have shown"""

from __future__ import annotations

import re
import time

from codewire_py.cli import context, show
from codewire_py.cli.moments import HINT, moment_or_none
from codewire_py.cli.table import MANY, TAG, Argument, Command, Option
from codewire_py.client.connection import Again, converse_once
from codewire_py.errors import CodewireError, ConnectionLost, NoDaemon, ProtocolError, Unreachable, UsageError
from codewire_py.wire.declare import Message
from codewire_py.wire.messages import Found, Search, Searched

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from codewire_py.cli.table import Given

    Hit = tuple[Any, list[tuple[int, int]]]  # a line, and where it matches

FOUND, NOTHING, WRONG = 0, 1, 2  # as grep exits
MATCH, WHO, WHEN = "1;31", "35", "32"  # as grep colours them
MOST_MATCHES = 1000  # in one line
SAFE_ESCAPES = "bBdDsSwWAZ"  # that say nothing about the characters behind them


def run(given: Given) -> int:
    if given["count"] and given["sessions_only"]:
        raise UsageError("--count and --sessions-only are two ways to sum it up", "choose one of them")
    pattern = compiled(given["pattern"], given["literal"], given["ignore_case"])
    try:
        return report(given, Finder(given, pattern))
    except CodewireError as error:
        error.exit_status = WRONG
        raise


class Finder:
    """The daemon sends lines that may match. Whether they do is decided here: a pattern may take for ever."""

    def __init__(self, given: Given, pattern: re.Pattern[str]) -> None:
        now = time.time()
        since, until = moment_or_none(given["since"], now), moment_or_none(given["until"], now)
        if 0 <= until < since:
            raise UsageError("--until is before --since", HINT)
        self.pattern = pattern
        self.most = given["max"] if given["max"] is not None and given["max"] >= 0 else -1
        self.told: dict[int, int] = {}  # how many of each session
        self.stopped = False
        text = given["pattern"] if given["literal"] else longest_text(given["pattern"])
        is_sure = text.isascii() or not given["ignore_case"]  # \u017f is an s, too
        self.request = Search(
            text=text if is_sure else "", ignore_case=given["ignore_case"],
            sessions=given["session"] or [], tags=given["tag"],
            since=since, until=until,
        )  # fmt: skip

    def found(self) -> Iterator[tuple[Found, list[Hit]]]:
        """If the daemon goes away meanwhile, the next one begins again: what was told is passed over."""
        again = Again()
        while True:
            try:
                yield from self.found_once(again.may_start)
                return
            except (ConnectionLost, NoDaemon, Unreachable) as error:
                again.pause(error, sum(self.told.values()))

    def found_once(self, may_start: bool) -> Iterator[tuple[Found, list[Hit]]]:
        """As they come, no more than were asked for."""
        connection, message = converse_once(context.where(), self.request, Message, may_start)
        passing = self.told.copy()
        try:
            while not isinstance(message, Searched):
                if not isinstance(message, Found):
                    raise ProtocolError(f"{type(message).type!r} came where found lines were due")
                hits = self.hits(message, passing)
                if hits:
                    yield message, hits
                if self.stopped:
                    return
                message = connection.hear()
        finally:
            connection.close()

    def hits(self, message: Found, passing: dict[int, int]) -> list[Hit]:
        found = [(line, spans) for line in message.lines if (spans := self.spans(str(line["line"])))]
        passed = min(passing.get(message.id, 0), len(found))
        passing[message.id] = passing.get(message.id, 0) - passed
        hits, left = found[passed:], self.most - sum(self.told.values())
        if self.most >= 0 and left < len(hits):
            hits, self.stopped = hits[:left], True
        self.told[message.id] = self.told.get(message.id, 0) + len(hits)
        return hits

    def spans(self, line: str) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        for match in self.pattern.finditer(line):
            found.append(match.span())
            if len(found) == MOST_MATCHES:
                break
        return found


def report(given: Given, finder: Finder) -> int:
    counts: dict[int, int] = {}
    sessions: dict[int, dict[str, Any]] = {}
    for found, hits in finder.found():
        sessions[found.id] = {"id": found.id, "name": found.name}
        if given["sessions_only"] and found.id not in counts:
            tell_session(sessions[found.id], given["json"])
        if not given["sessions_only"] and not given["count"]:
            tell(found, hits, given["json"])
        counts[found.id] = counts.get(found.id, 0) + len(hits)
    if given["count"]:
        for id, count in counts.items():
            tell_session(sessions[id], given["json"], count)
    if finder.stopped:
        show.note(f"[cw] there is more: the first {finder.most} lines are shown (--max)")
    return FOUND if counts else NOTHING


def tell_session(session: dict[str, Any], as_json: bool, count: int | None = None) -> None:
    if as_json:
        show.say(show.as_line(session if count is None else {**session, "count": count}))
        return
    show.say(show.called(session) if count is None else f"{show.called(session)}: {count}")


def tell(found: Found, hits: list[Hit], as_json: bool) -> None:
    lines = [
        as_object(found, line, spans) if as_json else as_text(found, line, spans) for line, spans in hits
    ]
    show.say("\n".join(lines))


def as_object(found: Found, line: dict[str, Any], spans: list[tuple[int, int]]) -> str:
    return show.as_line({**show.found_line(found, line), "matches": spans})


def as_text(found: Found, line: dict[str, Any], spans: list[tuple[int, int]]) -> str:
    """Who, when, where, and the line with what matched in colour."""
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(line["time"]))
    who = show.paint(show.called({"id": found.id, "name": found.name}), WHO)
    return f"{who}  {show.paint(at, WHEN)}  @{line['offset']}  {highlighted(line['line'], spans)}"


def highlighted(line: str, spans: list[tuple[int, int]]) -> str:
    parts, at = [], 0
    for start, end in spans:
        parts.append(show.clean(line[at:start]))
        if end > start:
            parts.append(show.paint(show.clean(line[start:end]), MATCH))
        at = end
    return "".join(parts) + show.clean(line[at:])


# -- patterns


def compiled(pattern: str, is_literal: bool, ignore_case: bool) -> re.Pattern[str]:
    try:
        return re.compile(re.escape(pattern) if is_literal else pattern, re.IGNORECASE if ignore_case else 0)
    except (re.error, OverflowError, RecursionError) as error:
        at = getattr(error, "pos", None)
        where = f" at character {at + 1}" if at is not None else ""
        what = getattr(error, "msg", "it is too large")
        raise UsageError(
            f"{pattern!r} is no regular expression: {what}{where}", "to look for the text itself: --literal"
        ) from error


def longest_text(pattern: str) -> str:
    """The longest text that every match must contain, as far as that is plain to see; else none."""
    runs, run, at = [""], "", 0
    while at < len(pattern):
        char, step = pattern[at], 2 if pattern[at] == "\\" else 1
        escaped = pattern[at + 1 : at + 2] if step == 2 else ""
        if char in "|()[]{}" or (escaped.isalnum() and escaped not in SAFE_ESCAPES):
            return ""
        text = (
            escaped if step == 2 and not escaped.isalnum() else "" if step == 2 or char in ".^$?*+" else char
        )
        after = pattern[at + step : at + step + 1]
        if after in ("?", "*", "{") or not text:
            runs.append(run)
            run = ""
        else:
            run += text
            if after == "+":
                runs.append(run)
                run = ""
        at += step
    return max([*runs, run], key=len)


COMMAND = Command(
    run,
    "Find lines that sessions have shown, as they ended up; of all sessions, the newest first. "
    "Exits as grep does: 0 if any was found, 1 if none was, 2 after an error.",
    Argument("pattern", metavar="PATTERN"),
    Argument("session", MANY, metavar="SESSION", is_session=True),
    Option("--literal -F", "PATTERN is text, not a regular expression."),
    Option("--ignore-case -i", "Upper and lower case are the same."),
    TAG,
    Option(
        "--since", "Only what was printed since: 10m (ago), 14:05, 2026-11-21T14:05.", str, metavar="TIME"
    ),
    Option("--until", "Only what was printed before.", str, metavar="TIME"),
    Option("--max -m", "Stop after N lines.", int, metavar="N"),
    Option("--count -c", "Only how many lines each session has."),
    Option("--sessions-only -l", "Only which sessions have any."),
    Option("--json", "Print one JSON object for each line; with -c or -l, for each session."),
    examples="cw search 'error|failed'\ncw search -F 'panic: ' api --since 1h\ncw search -il deprecated\n"
    "cw screen 3 --at 48211      what was around a line found @48211",
)
