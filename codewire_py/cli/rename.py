"""cw rename: give a session another name"""

from __future__ import annotations

from codewire_py.cli import context, show
from codewire_py.cli.table import JSON, OPTIONAL, Argument, Command
from codewire_py.client.connection import ask
from codewire_py.wire.messages import Rename, Renamed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codewire_py.cli.table import Given


def run(given: Given) -> int:
    done = ask(context.where(), Rename(session=given["session"], name=given["name"] or ""), Renamed)
    if given["json"]:
        show.say_json({"id": done.id, "name": done.name})
    else:
        show.say(
            f"Session {done.id} is named {done.name}." if done.name else f"Session {done.id} has no name."
        )
    return 0


COMMAND = Command(
    run,
    "Give a session another name; without one, take its name away.",
    Argument("session", metavar="SESSION", is_session=True),
    Argument("name", OPTIONAL),
    JSON,
    examples="cw rename 3 api",
)
