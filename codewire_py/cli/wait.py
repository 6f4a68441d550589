"""cw wait: wait until sessions have ended"""

from __future__ import annotations

import time

from codewire_py.cli import context, show
from codewire_py.cli.table import JSON, MANY, TAG, Argument, Command, Option, seconds
from codewire_py.client.patience import Patient
from codewire_py.errors import TimedOut, UsageError
from codewire_py.home.records import LOST_STATUS
from codewire_py.wire.messages import Wait, Waited

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from codewire_py.cli.table import Given


def run(given: Given) -> int:
    if not (given["sessions"] or given["tag"]):
        raise UsageError("say which sessions to wait for", "cw wait ID…, or cw wait --tag TAG")
    until = None if given["timeout"] is None else time.monotonic() + given["timeout"]
    done = wait(given["sessions"], given["tag"], given["any"], until)
    if given["json"]:
        show.say_json(done.sessions)
    else:
        for session in done.sessions:
            show.say(f"Session {show.called(session)} {session['status']}")
    if done.timed_out:
        raise TimedOut("wait timed out", "it goes on: cw list")
    return exit_status(done.sessions)


def wait(words: list[str], tags: list[str], any_will_do: bool, until: float | None) -> Waited:
    """Who is meant is asked once, at first: names and tags may be others' when the link or the daemon was away."""
    patient = Patient(context.where(), until)
    first = patient.ask(lambda: Wait(sessions=words, tags=tags, any=any_will_do, timeout=0.0), Waited)
    if not first.timed_out or patient.is_late():
        return first
    if first.ids:  # else that daemon is older than this question
        words, tags = [*map(str, first.ids)], []

    def request() -> Wait:
        left = -1.0 if until is None else max(0.0, until - time.monotonic())
        return Wait(sessions=words, tags=tags, any=any_will_do, timeout=left)

    return patient.ask(request, Waited)


def exit_status(sessions: list[dict[str, Any]]) -> int:
    """The program's own; with several the first that is not zero."""
    codes = [LOST_STATUS if session["status"] == "lost" else session["exit_code"] for session in sessions]
    return next((code for code in codes if code), 0)


COMMAND = Command(
    run,
    "Wait until sessions have ended, and exit as their program did.",
    Argument("sessions", MANY, "SESSION", is_session=True),
    TAG,
    Option("--any", "Until one of them has ended."),
    Option("--timeout", "Give up after so many seconds (exit status 124).", seconds, metavar="SECONDS"),
    JSON,
    examples="cw wait 1 && cw logs 1 --tail 5\ncw wait --tag review --any --timeout 600",
)
