"""look at a session in our own terminal and type into it, until it ends or we leave"""

from __future__ import annotations

import os
import select
import time

from codewire_py.client import signals
from codewire_py.client.hands import Hands
from codewire_py.client.signals import Signals
from codewire_py.wire.messages import Detach, Resize, Typed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codewire_py.client.keys import Chord
    from codewire_py.client.presence import Presence
    from codewire_py.client.source import LocalLog
    from codewire_py.client.terminal import OwnTerminal
    from codewire_py.stream.modes import Modes
    from codewire_py.stream.quiet import Quiet

BLOCK = 65536
ROUNDS = 4  # of the log in one turn, so that a flood cannot keep a key waiting
FLOOD = 4096  # bytes in one read: nobody types or reads that fast
REST = 2  # milliseconds in which a flood gathers; a turn for each few kilobytes would cost more than it shows
CHORD_PAUSE = 0.05  # a sequence that stays unfinished so long was a key of its own
REPAINT_BYTES = 65536
DETACHED, ENDED, LOST, VANISHED = "detached", "ended", "lost", "vanished"


class Attachment:
    """One loop over: our keys, our terminal, the keeper's bell, the daemon, signals."""

    def __init__(
        self, terminal: OwnTerminal, log: LocalLog, presence: Presence, chord: Chord, is_reader: bool
    ) -> None:
        self.terminal, self.log, self.presence, self.chord = terminal, log, presence, chord
        self.hands = None if is_reader else Hands(log.directory)
        self.modes: Modes | None = None
        self.quiet: Quiet | None = None
        self.unwritten = memoryview(b"")
        self.is_dry = False
        self.is_resting = False
        self.held_at = 0.0  # when keys came last
        self.waited_for: tuple[int, ...] = ()
        self.poll = select.poll()
        self.outcome = ""
        self.signals = Signals(
            (
                signals.SIGWINCH,
                signals.SIGTERM,
                signals.SIGHUP,
                signals.SIGINT,
                signals.SIGTSTP,
                signals.SIGCONT,
            )
        )

    def run(self, paint: bytes) -> str:
        self.terminal.enter_raw()
        try:
            self.begin(paint)
            while not self.outcome:
                self.turn()
        except OSError:
            self.outcome = VANISHED
        finally:
            self.presence.tell(Detach())
            self.terminal.leave_raw(self.modes.undo() if self.modes else b"")
            self.log.close()
        return self.outcome

    def begin(self, paint: bytes) -> None:
        """Show something first; what is slow to load comes after."""
        self.unwritten = memoryview(paint)
        self.pump()
        from codewire_py.stream.modes import Modes

        self.modes = Modes()
        self.modes.feed(paint)

    # -- one turn

    def turn(self) -> None:
        """Whoever is ready is heard; what nobody asks for costs nothing: a turn is what a key waits for."""
        ready = [descriptor for descriptor, _ in self.waiting().poll(self.patience())]
        if self.is_resting:
            self.is_resting = self.is_dry = False
        if self.log.door is None or self.log.fileno() in ready:
            self.log.hear()
            self.is_dry = False
        if 0 in ready:
            self.take_keys()
        elif self.chord.waiting and time.monotonic() - self.held_at >= CHORD_PAUSE:
            self.type(self.chord.flush())
        if self.hands and self.hands.waiting:
            self.hands.push(self.log.terminal())
        if self.unwritten or not self.is_dry:
            self.pump()
        if self.signals.fileno() in ready:
            for number in self.signals.take():
                self.heed_signal(number)
        if self.presence.connection is None or self.presence.fileno() in ready:
            self.presence.hear()
            self.presence.come_back()
        if self.log.door is None:
            self.see_end()

    def waiting(self) -> select.poll:
        """What there is to wait for; made anew only when that changes."""
        hands = self.hands
        now = (
            -1 if hands and hands.is_full() else 0,
            -1 if self.is_resting else self.log.fileno(),
            self.presence.fileno(),
            self.terminal.output if self.unwritten else -1,
            self.log.terminal() if hands and hands.has_lock else -1,
        )
        if now != self.waited_for:
            self.waited_for = now
            self.poll = select.poll()
            self.poll.register(self.signals.fileno(), select.POLLIN)
            for index, descriptor in enumerate(now):
                if descriptor >= 0:
                    self.poll.register(descriptor, select.POLLIN if index < 3 else select.POLLOUT)
        return self.poll

    def patience(self) -> float | None:
        """Milliseconds; 0 when there is more to show at once, None when nothing can happen by itself."""
        if not self.unwritten and not self.is_dry:
            return 0
        if self.is_resting:
            return REST
        if (
            self.log.door
            and self.presence.connection
            and not self.chord.waiting
            and not (self.hands and self.hands.waiting)
        ):
            return None
        pauses = [self.log.pause(), self.presence.pause(), CHORD_PAUSE if self.chord.waiting else None]
        if self.hands:
            pauses.append(self.hands.pause())
        known = [pause for pause in pauses if pause is not None]
        return min(known) * 1000 + 1 if known else None

    # -- the session to our terminal

    def pump(self) -> None:
        """Move log bytes to our terminal until there are no more, or it takes no more.

        After a read that was not filled we are dry: whatever comes later rings the bell.
        """
        for _ in range(ROUNDS):
            if not self.unwritten:
                data = self.log.read(BLOCK)
                self.is_dry = len(data) < BLOCK
                self.is_resting = self.is_dry and len(data) >= FLOOD
                shown = self.filter(data)
                rest = shown[self.terminal.write(shown) :]
                if self.modes:  # after they are shown: a key does not wait for book-keeping
                    self.modes.feed(shown)
                self.unwritten = memoryview(rest)
            while self.unwritten:
                size = self.terminal.write(self.unwritten)
                if not size:
                    return
                self.unwritten = self.unwritten[size:]
            if self.is_dry:
                return

    def filter(self, data: bytes) -> bytes:
        """A query is for the foremost viewer alone: two answers would be one too many."""
        if not self.presence.is_foremost:
            return self.make_quiet().feed(data)
        if self.quiet:
            held = self.quiet.hand_over()
            if held is None:
                return self.quiet.feed(data)
            data, self.quiet = held + data, None
        return data

    def make_quiet(self) -> Quiet:
        if self.quiet is None:
            from codewire_py.stream.quiet import Quiet

            self.quiet = Quiet(clipboard=True)
        return self.quiet

    def see_end(self) -> None:
        if self.log.is_ended:
            self.finish()
        elif self.log.is_forsaken():
            self.settle_doubt()

    def finish(self) -> None:
        """The record is written after the last byte, so what the log has now is all there will be."""
        self.is_dry = False
        self.pump()
        if self.is_dry and not self.unwritten:
            self.outcome = ENDED

    def settle_doubt(self) -> None:
        if self.presence.says_running(self.log.directory):
            self.log.forgive()
        else:
            self.outcome = LOST

    # -- our keys to the session

    def take_keys(self) -> None:
        try:
            data = os.read(0, BLOCK)
        except BlockingIOError:
            return
        if not data:
            self.outcome = VANISHED
            return
        self.held_at = time.monotonic()
        typed, is_leaving = self.chord.feed(data)
        self.type(typed)
        if is_leaving:
            self.outcome = DETACHED

    def type(self, data: bytes) -> None:
        if not data or not self.hands:
            return
        self.hands.type(data, self.log.terminal())
        if self.hands.should_tell():
            self.presence.tell(Typed())

    # -- signals

    def heed_signal(self, number: int) -> None:
        if number == signals.SIGWINCH:
            rows, cols = self.terminal.size()
            self.presence.tell(Resize(rows=rows, cols=cols))
        elif number == signals.SIGHUP:
            self.outcome = VANISHED
        elif number in (signals.SIGTERM, signals.SIGINT):
            self.outcome = f"signal {number}"
        elif number == signals.SIGTSTP:
            self.terminal.leave_raw(self.modes.undo() if self.modes else b"")
            signals.stop_here()
        elif number == signals.SIGCONT:
            self.come_forward()

    def come_forward(self) -> None:
        """Continued after a stop: the terminal was somebody else's meanwhile."""
        self.terminal.enter_raw()
        from codewire_py.stream.quiet import Quiet
        from codewire_py.stream.scan import clean_start

        recent = self.log.recent(REPAINT_BYTES)
        start = clean_start(recent) if len(recent) < self.log.offset else 0
        shown = Quiet().feed(recent[start:])
        self.unwritten = memoryview((self.modes.enter() if self.modes else b"") + b"\x1b[2J\x1b[H" + shown)
