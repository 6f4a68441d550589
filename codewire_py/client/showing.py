"""what our own terminal shows of a session: a paint, then the log; or paints alone where it has another size"""

from __future__ import annotations

import time

from codewire_py.wire.messages import Repaint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from codewire_py.client.distant import DistantLog
    from codewire_py.client.presence import Presence
    from codewire_py.client.source import LocalLog
    from codewire_py.client.terminal import OwnTerminal
    from codewire_py.stream.modes import Modes
    from codewire_py.stream.quiet import Quiet
    from codewire_py.wire.messages import Painted

BLOCK = 65536
ROUNDS = 4  # of the log in one turn, so that a flood cannot keep a key waiting
FLOOD = 4096  # bytes in one read: nobody types or reads that fast
FAR_BEHIND = 4 << 20  # bytes; then the picture as it is now is worth more than all that was before it
PAINT_EVERY = 0.5  # seconds at most often, for that
MOST_UNWRITTEN = 1 << 20  # of paints
BEGINNING = b"\x18"  # of a paint over whatever the terminal shows
TO_THE_BOTTOM = b"\x1b[999B"
CLEAR_ROW = b"\r\x1b[K"
ERASE = b"\x1b[m\x1b[H\x1b[J"
TITLE_ASIDE, TITLE_BACK = b"\x1b[22;0t", b"\x1b[23;0t"


class Showing:
    """Log bytes, or paints, on their way to our terminal."""

    def __init__(
        self, terminal: OwnTerminal, log: LocalLog | DistantLog, presence: Presence, scrollback: int
    ) -> None:
        self.terminal, self.log, self.presence, self.scrollback = terminal, log, presence, scrollback
        self.modes: Modes | None = None
        self.quiet: Quiet | None = None
        self.below: Callable[[str, str], bytes] = lambda name, activity: b""  # a status line, after a paint
        self.unwritten = memoryview(b"")
        self.is_dry = False  # all there is was read; more will ring
        self.is_resting = False
        self.is_rendered = False  # paints are shown instead of the log
        self.is_beside = False  # our main screen is still as it was before we came
        self.has_stops = False  # tabs stop where the program wants them
        self.has_notice = False  # a line of ours lies over the bottom row
        self.wants_paint = False  # nothing of the log is shown before it has come
        self.painted_at = 0.0
        self.asked_at = -1  # which of the daemons we have known was asked for it

    def begin(self, paint: bytes, is_rendered: bool) -> None:
        """Show something first; what is slow to load comes after."""
        self.is_rendered, self.has_stops = is_rendered, not is_rendered
        self.unwritten = memoryview(TITLE_ASIDE + paint + (self.below("", "") if is_rendered else b""))
        self.write_on()
        from codewire_py.stream.modes import Modes

        self.modes = Modes()
        self.modes.feed(paint)

    def leave(self) -> bytes:
        """What gives our terminal back as it was; the cursor below all that was shown."""
        undone = self.modes.undo() if self.modes else b""
        if (
            self.is_rendered and self.modes and self.modes.alternate
        ):  # a terminal with one screen keeps nothing of ours
            undone = ERASE + undone
        undone += self.reset_tabs()
        is_back = self.is_rendered or (self.is_beside and self.modes and self.modes.alternate)
        undone += b"" if is_back else TO_THE_BOTTOM
        return undone + (CLEAR_ROW if self.has_notice else b"") + TITLE_BACK

    def reset_tabs(self) -> bytes:
        """No terminal says where they stopped before: where they do at first."""
        from codewire_py.stream.tabs import reset_stops

        cols = self.terminal.size()[1]
        return b"\x1b7" + reset_stops(cols) + b"\x1b8" if self.has_stops and cols else b""

    def come_forward(self) -> None:
        """The terminal was somebody else's meanwhile."""
        self.unwritten = memoryview(bytes(self.unwritten) + TITLE_ASIDE)
        self.wants_paint = True

    def has_more(self) -> bool:
        return not self.unwritten and not self.is_dry and not self.is_held()

    def is_full(self) -> bool:
        return len(self.unwritten) > MOST_UNWRITTEN

    def lay_over(self, text: str) -> None:
        """One line at the bottom, in the middle of whatever was being written; a paint takes it away again."""
        from codewire_py.client.statusline import status_row

        row = status_row(*self.terminal.size(), text, "", has_colours=bool(text))
        self.unwritten = memoryview(bytes(self.unwritten) + BEGINNING + row)
        self.has_notice = bool(text)
        self.write_on()

    def take_away(self) -> None:
        """Where no paint will come any more."""
        if self.has_notice:
            self.lay_over("")

    # -- the log

    def is_held(self) -> bool:
        """Whether the log is not what is shown next."""
        return self.is_rendered or self.wants_paint

    def pump(self) -> None:
        """Move log bytes to our terminal until there are no more, or it takes no more.

        After a read that was not filled we are dry: whatever comes later rings the bell.
        """
        for _ in range(ROUNDS):
            if not self.unwritten and not self.is_held():
                data = self.log.read(BLOCK)
                self.is_dry = len(data) < BLOCK
                self.is_resting = self.is_dry and len(data) >= FLOOD
                shown = self.filter(data)
                rest = shown[self.terminal.write(shown) :]
                if self.modes:  # after they are shown: a key does not wait for book-keeping
                    self.modes.feed(shown)
                self.unwritten = memoryview(rest)
            if not self.write_on() or self.is_dry or self.is_held():
                return

    def write_on(self) -> bool:
        """Whether our terminal has taken everything."""
        while self.unwritten:
            size = self.terminal.write(self.unwritten)
            if not size:
                self.see_lag()
                return False
            self.unwritten = self.unwritten[size:]
        return True

    def filter(self, data: bytes) -> bytes:
        """The daemon answers the queries that it knows; the others are for the foremost viewer alone."""
        if self.quiet is None:
            from codewire_py.stream.quiet import Quiet

            self.quiet = Quiet(clipboard=True)
        self.quiet.unknown = self.presence.is_foremost
        return self.quiet.feed(data)

    # -- paints

    def see_lag(self) -> None:
        """Our terminal is slower than the program. One picture after the other costs more than it shows."""
        is_asking = self.presence.connection and not self.presence.is_over
        if self.is_held() or not is_asking or self.log.behind() <= FAR_BEHIND:
            return
        self.wants_paint = time.monotonic() - self.painted_at > PAINT_EVERY

    def see_paints(self) -> None:
        for painted in self.presence.take_paints():
            self.take_paint(painted)
        if self.wants_paint:
            self.ask_for_paint()

    def ask_for_paint(self) -> None:
        """Once of each daemon. When there is none, and none will come, the log has to do."""
        if self.presence.has_painted_all():
            self.wants_paint = False
            self.is_rendered &= (
                not self.presence.is_over
            )  # then there is the rest of the log, and nothing else
            self.unwritten = memoryview(self.modes.enter() if self.modes else b"")
        elif self.presence.is_settled and self.asked_at != self.presence.daemons:
            self.asked_at = self.presence.daemons
            self.presence.tell(Repaint(offset=self.log.offset, scrollback=self.scrollback))

    def take_paint(self, painted: Painted) -> None:
        """What was still to be written of the log is not worth writing any more."""
        if painted.rendered and self.wants_paint and not painted.paint.startswith(BEGINNING):
            return  # it mends a picture that is not there any more
        before = bytes(self.unwritten) if self.is_rendered and painted.rendered else b""
        self.is_rendered, self.wants_paint, self.asked_at = painted.rendered, False, -1
        self.painted_at = time.monotonic()
        after = self.below(painted.name, painted.activity) if painted.rendered else b""
        self.has_notice &= not painted.paint.startswith(BEGINNING)
        self.has_stops |= not painted.rendered
        self.unwritten = memoryview(before + painted.paint + after)
        if self.modes:
            self.modes.feed(painted.paint)
        if not painted.rendered:
            self.is_beside = False
            self.log.offset = painted.offset
            self.quiet = None
        self.is_dry = False
        self.write_on()
