"""cw status: everything about one session"""

from __future__ import annotations

from codewire_py.cli import context, show
from codewire_py.cli.table import JSON, Argument, Command
from codewire_py.client.connection import ask
from codewire_py.wire.messages import Described, Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from codewire_py.cli.table import Given


def run(given: Given) -> int:
    session = ask(context.where(), Status(session=given["session"]), Described).session
    if given["json"]:
        show.say_json(session)
    else:
        show.say("\n".join(block(session)))
    return 0


def block(session: dict[str, Any]) -> list[str]:
    facts = {
        "Name": session["name"], "Tags": " ".join(session["tags"]), "Status": show.status(session["status"]),
        "Paused": session.get("paused"), "Command": show.clean(session["prompt"]),
        "Working Dir": show.clean(session["working_dir"]), "Created": session["created_at"],
        "Ended": session.get("completed_at"), "Attached": attached(session), "PID": session.get("pid"),
        "Size": size(session), "Output Size": f"{session['output_size']} bytes",
        "Released": session.get("released_bytes") and f"{session['released_bytes']} bytes, the oldest",
        "Unwritten": session.get("unwritten_bytes") and f"{session['unwritten_bytes']} bytes, the disk was full",
        "Log": show.clean(session["log"]), "Left Behind": left_behind(session),
    }  # fmt: skip
    lines = [f"Session {session['id']}"]
    lines += [f"  {fact + ':':<13} {value}" for fact, value in facts.items() if value not in (None, "")]
    snippet = session.get("last_output_snippet")
    if snippet:
        lines += ["  Last Output:", *(f"    {show.clean(line)}" for line in snippet.split("\n"))]
    return lines


def size(session: dict[str, Any]) -> str:
    sizing = f" ({session['sizing']})" if session.get("sizing") else ""
    return f"{session['rows']}x{session['cols']}{sizing}"


def attached(session: dict[str, Any]) -> str:
    count = session["attached_count"]
    return "no" if not count else "yes" if count == 1 else f"yes ({count} viewers)"


def left_behind(session: dict[str, Any]) -> str:
    """Processes of the terminal session that outlived its program."""
    return ", ".join(f"{left['pid']} {show.clean(left['command'])}" for left in session.get("survivors", ()))


COMMAND = Command(
    run,
    "Show everything about one session, with what it printed last.",
    Argument("session", metavar="SESSION", is_session=True),
    JSON,
    examples="cw status 1\ncw status api --json",
)
