"""cw attach: look at a session and type into it"""

from __future__ import annotations

import os

from codewire_py.cli import context, show
from codewire_py.cli.table import OPTIONAL, Argument, Command, Option
from codewire_py.client.attach import DETACHED, ENDED, LOST, Attachment
from codewire_py.client.connection import converse
from codewire_py.client.keys import Chord
from codewire_py.client.presence import Presence
from codewire_py.client.source import LocalLog, how_it_ended
from codewire_py.client.terminal import OwnTerminal
from codewire_py.config import parse_detach_keys
from codewire_py.errors import NoSuchSession
from codewire_py.home.records import LOST_STATUS
from codewire_py.wire.messages import Attach, Attached

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codewire_py.cli.table import Given


def run(given: Given) -> int:
    word = given["session"] or ""
    if given["session"] == "":  # an unset variable in a script, not the wish to have one chosen
        raise NoSuchSession('no session named ""')
    history = 0 if given["no_history"] else None
    return attach(word, bool(word), given["read_only"], given["detach_keys"], history)


def attach(
    word: str,
    is_chosen: bool,
    is_reader: bool = False,
    detach_keys: str | None = None,
    history: int | None = None,
    offset: int = -1,
) -> int:
    """`offset`: where in its log to begin; a session launched just now may have ended, and is shown all the same."""
    config = context.config()
    keys = parse_detach_keys(detach_keys) if detach_keys else config.attach_detach_keys
    shown = config.attach_history if history is None else history
    terminal = OwnTerminal()

    def request(session: str = word, offset: int = offset) -> Attach:
        rows, cols = terminal.size()
        return Attach(
            session=session, local=True, read_only=is_reader, rows=rows, cols=cols, offset=offset,
            history=shown, inside=context.inside(),
        )  # fmt: skip

    connection, begun = converse(context.home(), request(), Attached)
    log = LocalLog(begun.directory, begun.offset, wants_terminal=not is_reader)
    presence = Presence(context.home(), connection, lambda: request(str(begun.id), log.offset))
    presence.is_foremost = begun.foremost
    how = "" if is_chosen else "(auto-selected) "
    show.note(f"[cw] attached to session {begun.id} {how}({keys.text} to detach)")
    attachment = Attachment(terminal, log, presence, Chord(keys.prefix, keys.key), is_reader)
    outcome = attachment.run(begun.paint)
    presence.close()
    return leave(outcome, begun)


def leave(outcome: str, begun: Attached) -> int:
    if outcome == DETACHED:
        show.note(f"\r\n[cw] detached from session {begun.id}")
        return 0
    if outcome == ENDED:
        status, code = how_it_ended(begun.directory)
        show.note(f"\r\n[cw] session ended: session {status}")
        return code
    if outcome == LOST:
        show.note(
            f"\r\n[cw] session ended: session lost (its keeper is gone; what it printed is in {begun.directory})"
        )
        return LOST_STATUS
    if outcome.startswith("signal "):
        return 128 + int(outcome.removeprefix("signal "))
    return 0 if os.getppid() == 1 else 129


COMMAND = Command(
    run,
    "Look at a session and type into it; Ctrl+B d leaves it running.",
    Argument("session", OPTIONAL, "SESSION", is_session=True),
    Option("--read-only -r", "Only look."),
    Option("--no-history", "Begin with what comes next."),
    Option("--detach-keys", "The keys that detach (ctrl-b d).", str, metavar="KEYS"),
    examples="cw attach api\ncw attach            # omit to auto-select: the one launched last that nobody watches\n"
    "cw attach 1 --detach-keys 'ctrl-a d'",
)
