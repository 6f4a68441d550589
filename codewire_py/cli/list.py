"""cw list: which sessions there are"""

from __future__ import annotations

from codewire_py.cli import context, show
from codewire_py.cli.table import TAG, Command, Option
from codewire_py.client.connection import ask
from codewire_py.wire.messages import List, Listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codewire_py.cli.table import Given


def run(given: Given) -> int:
    request = List(status=given["status"], tags=given["tag"], old=given["all"])
    found = ask(context.where(), request, Listed).sessions
    if given["json"]:
        show.say_json(found)
    else:
        show.say(show.table(found))
    return 0


COMMAND = Command(
    run,
    "List sessions: id, name, status, age, who is attached, command.",
    Option("--status", "Only these.", str, "all", choices="running ended lost all"),
    TAG,
    Option("--all", "Also those that ended more than a day ago."),
    Option(
        "--json", "Print JSON instead of text; of a long command the beginning (cw status has all of it)."
    ),
    aliases="ps ls",
    examples="cw list --status running\ncw list --tag review --json",
)
