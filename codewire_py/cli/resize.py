"""cw resize: how large a session is, and by whose terminals"""

from __future__ import annotations

from codewire_py.cli import context, show
from codewire_py.cli.table import JSON, OPTIONAL, Argument, Command
from codewire_py.client.connection import ask
from codewire_py.wire.messages import Described, Resize, Resized, Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codewire_py.cli.table import Given

FIELDS = ("id", "name", "sizing", "rows", "cols")
MOST_DIGITS = 9


def run(given: Given) -> int:
    word = given["size"]
    found = look(given["session"]) if word is None else resize(given["session"], word)
    if given["json"]:
        show.say_json(found)
    else:
        show.say(f"Session {found['id']} is {found['rows']}x{found['cols']} ({found['sizing']}).")
    return 0


def look(session: str) -> dict[str, object]:
    described = ask(context.where(), Status(session=session), Described).session
    return {field: described.get(field, "latest") for field in FIELDS}


def resize(session: str, word: str) -> dict[str, object]:
    """A word that is no size is the daemon's to understand; for it, 0x0 is the size that the session has."""
    rows, x, cols = word.partition("x")
    if x and is_number(rows) and is_number(cols) and (int(rows) or int(cols)):
        request = Resize(session=session, rows=int(rows), cols=int(cols))
    else:
        request = Resize(session=session, sizing=word)
    done = ask(context.where(), request, Resized)
    return {field: getattr(done, field) for field in FIELDS}


def is_number(word: str) -> bool:
    return word.isascii() and word.isdecimal() and len(word) <= MOST_DIGITS


COMMAND = Command(
    run,
    "Say how large a session is to be: a size of its own, or that of its viewers' terminals.",
    Argument("session", metavar="SESSION", is_session=True),
    Argument("size", OPTIONAL),
    JSON,
    examples="cw resize 1 40x120    # rows x columns, whoever looks at it\n"
    "cw resize 1 latest    # as the terminal of whoever typed or attached last, which is the rule\n"
    "cw resize 1 smallest  # so that every viewer sees all of it (or: largest)\n"
    "cw resize 1 fixed     # as it is now\ncw resize 1           # only print it",
)
