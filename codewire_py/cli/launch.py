"""cw launch: start a program in a new session"""

from __future__ import annotations

import os

from codewire_py.cli import context, show
from codewire_py.cli.table import JSON, REST, Argument, Command, Option
from codewire_py.client.connection import ask
from codewire_py.client.terminal import own_size
from codewire_py.errors import CannotLaunch, UsageError
from codewire_py.wire.messages import Launch, Launched

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codewire_py.cli.table import Given

DEFAULT_SIZE = 40, 120
TAKEN_ALONG = {"TERM", "COLORTERM", "LANG"}


def run(given: Given) -> int:
    if given["attach"]:
        from codewire_py.cli.attach import Wishes, attach
        from codewire_py.client.terminal import OwnTerminal

        OwnTerminal().close()  # without one, nothing is launched
    where = context.where()
    launched = ask(where, request(given) if isinstance(where, str) else request_elsewhere(given), Launched)
    if given["attach"]:
        return attach(str(launched.id), True, Wishes(), offset=0)
    if given["json"]:
        show.say_json(
            {"id": launched.id, "name": launched.name, "pid": launched.pid, "command": launched.command}
        )
    else:
        show.say(f"Session {launched.id} launched: {show.clean(launched.command)}")
    return 0


def request(given: Given) -> Launch:
    """Everything that the caller has: directory, environment, umask, limits, the size of its terminal.

    But for a token in that environment: it is a server's secret, which no program here was meant to have.
    """
    import resource

    from codewire_py.client.servers import TOKEN_VARIABLE

    env = {name: value for name, value in os.environ.items() if name != TOKEN_VARIABLE}
    rows, cols = own_size(DEFAULT_SIZE)
    umask = os.umask(0o22)
    os.umask(umask)
    return Launch(
        request=os.urandom(16).hex(), command=given["command"], directory=directory(given["dir"]),
        env=env, overrides=dict(map(assignment, given["env"])), name=given["name"] or "",
        tags=given["tag"], umask=umask, rows=rows if given["rows"] is None else given["rows"],
        cols=cols if given["cols"] is None else given["cols"],
        nofile=min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], 1 << 30),
    )  # fmt: skip


def request_elsewhere(given: Given) -> Launch:
    """What this machine's directories, environment and limits are means nothing there: only what terminals are like."""
    rows, cols = own_size(DEFAULT_SIZE)
    env = {name: value for name, value in os.environ.items() if name in TAKEN_ALONG or name.startswith("LC_")}
    return Launch(
        request=os.urandom(16).hex(), command=given["command"], directory=given["dir"] or "", env=env,
        overrides=dict(map(assignment, given["env"])), name=given["name"] or "", tags=given["tag"],
        rows=rows if given["rows"] is None else given["rows"],
        cols=cols if given["cols"] is None else given["cols"], elsewhere=True,
    )  # fmt: skip


def directory(word: str | None) -> str:
    if word and os.path.isabs(word):
        return os.path.normpath(word)
    try:
        here = os.getcwd()
    except FileNotFoundError as error:
        raise CannotLaunch("the current directory does not exist any more", "say where: --dir DIR") from error
    return os.path.normpath(os.path.join(here, word)) if word else here


def assignment(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not name or not equals:
        raise UsageError(f"--env {word!r} is not NAME=VALUE", "for example: --env DEBUG=1")
    return name, value


COMMAND = Command(
    run,
    "Start a program in a new session. It goes on when you leave.",
    Argument("command", REST, "COMMAND…"),
    Option("--name", "A name for it: letters, digits, hyphens.", str, metavar="NAME"),
    Option("--tag -t", "A tag, to speak of several at once (repeatable).", list, metavar="TAG"),
    Option("--dir -d", "Where it runs (here; on a server: the home directory there).", str, metavar="DIR"),
    Option("--env -e", "Set a variable for it (repeatable).", list, metavar="K=V"),
    Option("--rows", "Rows of its terminal (your own terminal's, else 40).", int, metavar="N"),
    Option("--cols", "Columns of its terminal (your own terminal's, else 120).", int, metavar="N"),
    Option("--attach -a", "Attach to it at once."),
    JSON,
    aliases="run",
    examples="cw launch -- claude -p 'fix the auth bug'\ncw launch --name api --tag web -- npm run dev\n"
    "cw launch -a -- bash",
)
