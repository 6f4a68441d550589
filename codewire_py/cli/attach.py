"""cw attach: look at a session and type into it"""

from __future__ import annotations

import os

from codewire_py.cli import context, show
from codewire_py.cli.table import OPTIONAL, Argument, Command, Option
from codewire_py.client.attach import DETACHED, ENDED, INTERRUPTED, LOST, REFUSED, Attachment
from codewire_py.client.connection import converse
from codewire_py.client.keys import Chord
from codewire_py.client.showing import Showing
from codewire_py.client.signals import SIGWINCH
from codewire_py.client.terminal import OwnTerminal
from codewire_py.errors import NoSuchSession
from codewire_py.home.records import LOST_STATUS
from codewire_py.values import parse_detach_keys
from codewire_py.wire.messages import Attach, Attached

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from codewire_py.cli.table import Given
    from codewire_py.client.connection import Connection
    from codewire_py.client.distant import DistantLog, FarHands
    from codewire_py.client.hands import Hands
    from codewire_py.client.presence import Presence
    from codewire_py.client.servers import Server
    from codewire_py.client.source import LocalLog


def run(given: Given) -> int:
    word = given["session"] or ""
    if given["session"] == "":  # an unset variable in a script, not the wish to have one chosen
        raise NoSuchSession('no session named ""')
    wishes = Wishes(given["read_only"], given["status_line"], given["detach_keys"])
    if given["no_history"]:
        wishes.scrollback = 0
    return attach(word, bool(word), wishes)


class Wishes:
    """How somebody wants to look at a session."""

    def __init__(
        self, is_reader: bool = False, has_status_line: bool = False, detach_keys: str | None = None
    ) -> None:
        config = context.config()
        self.is_reader, self.rows_below = is_reader, int(has_status_line)
        self.keys = parse_detach_keys(detach_keys) if detach_keys else config.attach_detach_keys
        self.scrollback = config.attach_scrollback


def attach(word: str, is_chosen: bool, wishes: Wishes, offset: int = -1) -> int:
    """`offset`: where in its log to begin; a session launched just now may have ended, and is shown all the same."""
    terminal, where = OwnTerminal(), context.where()
    request = Request(wishes, terminal, isinstance(where, str))
    connection, begun = converse(where, request.make(word, offset), Attached)
    how = "" if is_chosen else "(auto-selected) "
    show.note(f"[cw] attached to session {begun.id} {how}({wishes.keys.text} to detach)")
    presence, log, hands = place_of(where, connection, begun, request)
    presence.is_foremost = begun.foremost
    presence.hear()  # what came together with the reply
    showing = Showing(terminal, log, presence, wishes.scrollback)
    showing.is_beside = begun.beside
    if wishes.rows_below:
        showing.below = status_line(terminal, begun, wishes.keys.text)
    attachment = Attachment(showing, Chord(wishes.keys.prefix, wishes.keys.key), hands, wishes.rows_below)
    if terminal.size() != request.size:  # it was resized before its signals were heard
        attachment.heed_signal(SIGWINCH)
    outcome = attachment.run(begun.paint, begun.rendered)
    presence.close()
    if presence.forgotten:
        show.note(f"\r\n[cw] {presence.forgotten} typed bytes may not have arrived: the daemon died")
    if outcome == REFUSED and presence.refusal:
        raise presence.refusal
    return leave(outcome, begun, log)


class Request:
    """What a viewer asks for: at first, and each time it comes back."""

    def __init__(self, wishes: Wishes, terminal: OwnTerminal, is_near: bool) -> None:
        self.wishes, self.terminal, self.is_near = wishes, terminal, is_near
        self.viewer = "" if is_near else os.urandom(8).hex()
        self.size = (0, 0)  # as it was told last

    def make(self, session: str, offset: int, seq: int = 0) -> Attach:
        self.size = rows, cols = self.terminal.size()
        near, wishes = self.is_near, self.wishes
        inside, born = context.inside()
        return Attach(
            session=session, local=near, read_only=wishes.is_reader, rows=max(1, rows - wishes.rows_below),
            cols=cols, offset=offset, scrollback=wishes.scrollback, rendered=wishes.rows_below > 0,
            agent=os.environ.get("SSH_AUTH_SOCK", "") if near else "",
            display=os.environ.get("DISPLAY", "") if near else "",
            inside=inside, born=born, viewer=self.viewer, seq=seq, paced=not near,
        )  # fmt: skip


def place_of(
    where: str | Server, connection: Connection, begun: Attached, request: Request
) -> tuple[Presence, LocalLog | DistantLog, Hands | FarHands | None]:
    """By the short way on this machine; else all of it comes and goes by the conversation."""
    is_reader, word = request.wishes.is_reader, str(begun.id)
    if isinstance(where, str):
        from codewire_py.client.hands import Hands
        from codewire_py.client.near import NearPresence
        from codewire_py.client.source import LocalLog

        log = LocalLog(begun.directory, begun.offset, wants_terminal=not is_reader)
        near = NearPresence(where, connection, lambda: request.make(word, log.place()))
        return near, log, None if is_reader else Hands(log, near)
    from codewire_py.client.distant import DistantLog, FarHands
    from codewire_py.client.far import FarPresence

    far = FarPresence(where, connection, lambda: request.make(word, distant.place(), hands.taken))
    distant, hands = DistantLog(far, begun.id, begun.offset), FarHands(far)
    return far, distant, None if is_reader else hands


def status_line(terminal: OwnTerminal, begun: Attached, keys: str) -> Callable[[str, str], bytes]:
    """Draws it: session, name, activity, and how to leave."""
    from codewire_py.client.statusline import status_row, status_text

    def draw(name: str, activity: str) -> bytes:
        left, right = status_text(begun.id, name or begun.name, activity, keys)
        return status_row(*terminal.size(), left, right, show.has_colours(1))

    return draw


def leave(outcome: str, begun: Attached, log: LocalLog | DistantLog) -> int:
    if outcome == DETACHED:
        show.note(f"\r\n[cw] detached from session {begun.id}")
        return 0
    if outcome == INTERRUPTED:
        show.note(f"\r\n[cw] left session {begun.id}, whose link was lost")
        return 128 + 2
    if outcome == ENDED:
        status, code = log.how_it_ended()
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
    Option("--no-history", "Only the screen, without earlier lines."),
    Option("--status-line", "Keep a row at the bottom that tells what the session is doing."),
    Option("--detach-keys", "The keys that detach (ctrl-b d).", str, metavar="KEYS"),
    examples="cw attach api\ncw attach            # omit to auto-select: the one launched last that nobody watches\n"
    "cw attach 1 --detach-keys 'ctrl-a d'",
)
