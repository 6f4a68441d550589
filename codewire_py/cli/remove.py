"""cw remove: forget ended sessions and their logs"""

from __future__ import annotations

from codewire_py.cli import context, show
from codewire_py.cli.table import JSON, MANY, TAG, Argument, Command
from codewire_py.client.connection import ask
from codewire_py.wire.messages import Remove, Removed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codewire_py.cli.table import Given


def run(given: Given) -> int:
    removed = ask(context.where(), Remove(sessions=given["sessions"], tags=given["tag"]), Removed)
    tell(removed, given["json"])
    return 0


def tell(removed: Removed, as_json: bool, word: str = "removed") -> None:
    if as_json:
        show.say_json({word: [session["id"] for session in removed.sessions], "bytes": removed.size})
        return
    for session in removed.sessions:
        show.say(f"Session {session['id']} {word}: {show.shorten(show.clean(str(session['prompt'])))}")
    show.say(f"{len(removed.sessions)} session(s), {show.size(removed.size)}.")


COMMAND = Command(
    run,
    "Forget ended sessions, with their logs.",
    Argument("sessions", MANY, "SESSION", is_session=True),
    TAG,
    JSON,
    aliases="rm",
    examples="cw remove 3 4",
)
