"""look at a session in our own terminal and type into it, until it ends or we leave"""

from __future__ import annotations

import os
import select
import termios
import time

from codewire_py.client import signals
from codewire_py.client.asking import Replies, hush, should_ask
from codewire_py.client.keys import forms_of
from codewire_py.client.signals import Signals
from codewire_py.wire.messages import Detach, Measured

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codewire_py.client.distant import FarHands
    from codewire_py.client.hands import Hands
    from codewire_py.client.keys import Chord
    from codewire_py.client.showing import Showing
    from codewire_py.wire.messages import Looks

BLOCK = 65536
REST = 2  # milliseconds in which a flood gathers; a turn for each few kilobytes would cost more than it shows
CHORD_PAUSE = 0.05  # a sequence that stays unfinished so long was a key of its own
CTRL_C = 3
DETACHED, ENDED, LOST, VANISHED, REFUSED = "detached", "ended", "lost", "vanished", "refused"
INTERRUPTED = "interrupted"  # while the link was away


class Attachment:
    """One loop over: our keys, our terminal, the keeper's bell, the daemon, signals."""

    def __init__(
        self, showing: Showing, chord: Chord, hands: Hands | FarHands | None, rows_below: int = 0
    ) -> None:
        """Without `hands` it only looks. `rows_below`: of our terminal, not for the session."""
        self.showing, self.chord, self.hands, self.rows_below = showing, chord, hands, rows_below
        self.terminal, self.log, self.presence = showing.terminal, showing.log, showing.presence
        self.replies = Replies()
        self.looks: Looks | None = None
        self.held_at = 0.0  # when keys came last
        self.notice = ""  # that lies over the bottom row
        self.waited_for: list[tuple[int, int]] = []
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

    def run(self, paint: bytes, is_rendered: bool) -> str:
        self.terminal.enter_raw()
        try:
            self.begin(paint, is_rendered)
            while not self.outcome:
                self.turn()
        except (OSError, termios.error):
            self.outcome = VANISHED
        finally:
            self.presence.tell(Detach())
            self.give_back()
            self.log.close()
        return self.outcome

    def begin(self, paint: bytes, is_rendered: bool) -> None:
        is_asking = self.hands and should_ask(os.environ.get("TERM", ""))
        # First, for the paint sets what the program has set: colours, for one.
        self.showing.begin((self.replies.ask() if is_asking else b"") + paint, is_rendered)

    # -- one turn

    def turn(self) -> None:
        """Whoever is ready is heard; what nobody asks for costs nothing: a turn is what a key waits for."""
        ready = [descriptor for descriptor, _ in self.waiting().poll(self.patience())]
        showing = self.showing
        if showing.is_resting:
            showing.is_resting = showing.is_dry = False
        if self.log.fileno() in ready or self.log.pause() is not None:
            self.log.hear()
            showing.is_dry = False
        if 0 in ready:
            self.take_keys()
        elif self.chord.waiting or self.replies.is_open():
            self.give_up_keys()
        if self.hands and self.hands.waiting:
            self.hands.push()
        if self.signals.fileno() in ready:
            self.heed_signals()
        if self.presence.connection is None or self.presence.fileno() in ready or not ready:
            self.hear_daemon()
        showing.see_paints()  # before the log, which goes on behind a paint
        if showing.unwritten or not showing.is_dry:
            showing.pump()
        if self.log.door is None:
            self.see_end()

    def waiting(self) -> select.poll:
        """What there is to wait for; made anew only when that changes."""
        hands, showing = self.hands, self.showing
        heard = 0 if showing.is_full() else select.POLLIN
        now = [
            (-1 if hands and hands.is_full() else 0, select.POLLIN),
            (-1 if showing.is_resting else self.log.fileno(), select.POLLIN),
            (self.presence.fileno(), heard | select.POLLOUT if self.presence.wants_to_write() else heard),
            (self.terminal.output if showing.unwritten else -1, select.POLLOUT),
            (hands.terminal() if hands and hands.has_lock else -1, select.POLLOUT),
        ]
        if now != self.waited_for:
            self.waited_for = now
            self.poll = select.poll()
            self.poll.register(self.signals.fileno(), select.POLLIN)
            for descriptor, events in now:
                if descriptor >= 0 and events:
                    self.poll.register(descriptor, events)
        return self.poll

    def patience(self) -> float | None:
        """Milliseconds; 0 when there is more to show at once, None when nothing can happen by itself."""
        if self.showing.has_more():
            return 0
        if self.showing.is_resting:
            return REST
        if (
            self.log.door
            and self.presence.connection
            and not self.chord.waiting
            and not self.replies.is_open()
            and not (self.hands and self.hands.waiting)
        ):
            return None
        pauses = [self.log.pause(), self.presence.pause(), self.replies.pause()]
        pauses.append(CHORD_PAUSE if self.chord.waiting else None)
        if self.hands:
            pauses.append(self.hands.pause())
        known = [pause for pause in pauses if pause is not None]
        return min(known) * 1000 + 1 if known else None

    def hear_daemon(self) -> None:
        known = self.presence.daemons
        self.presence.hear()
        self.presence.come_back()
        self.showing.is_dry &= self.log.fileno() >= 0  # from elsewhere the log comes by the same way
        if self.presence.daemons != known:
            self.meet_daemon()
        notice = self.presence.notice(self.showing.is_rendered)
        if notice != self.notice:
            self.see_notice(notice)

    def see_notice(self, notice: str) -> None:
        """What lies over the screen is taken away by a paint, as soon as there is somebody to paint it."""
        self.notice = notice
        if self.notice:
            self.showing.lay_over(self.notice)
        else:
            self.showing.wants_paint = True

    def meet_daemon(self) -> None:
        """A new one does not know what our terminal looks like, nor that we saw paints where it has none for us."""
        if self.looks:
            self.presence.tell(self.looks)
        if self.showing.is_rendered and not self.presence.paints:
            self.showing.wants_paint = True

    # -- the end

    def see_end(self) -> None:
        if self.log.is_refused():
            self.outcome = REFUSED
        elif self.log.is_ended:
            self.finish()
        elif self.log.is_forsaken():
            self.settle_doubt()

    def finish(self) -> None:
        """The record is written after the last byte, so what the log has now is all there will be."""
        showing = self.showing
        if showing.is_held() and not self.presence.has_painted_all():
            return
        showing.wants_paint = False  # if it was wanted when the end came: then the log has to do
        showing.take_away()
        showing.is_dry = False
        showing.pump()
        if not showing.unwritten and not showing.has_more():
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
        if self.notice and self.presence.may_leave() and any(form in data for form in forms_of(CTRL_C)):
            self.outcome = INTERRUPTED  # as the notice says
            return
        self.take(self.replies.feed(data))

    def take(self, keys: bytes) -> None:
        typed, is_leaving = self.chord.feed(keys)
        self.type(typed)
        if is_leaving:
            self.outcome = DETACHED

    def give_up_keys(self) -> None:
        """Nothing followed: what was held for it may have been keys of their own."""
        self.take(self.replies.flush())
        if self.chord.waiting and time.monotonic() - self.held_at >= CHORD_PAUSE:
            self.type(self.chord.flush())
        looks = self.replies.looks()
        if looks:
            self.looks = looks
            self.presence.tell(looks)

    def type(self, data: bytes) -> None:
        if not data or not self.hands:
            return
        self.hands.type(data)

    # -- signals

    def heed_signals(self) -> None:
        """A terminal that hangs up says so by two; after the first there is nothing left to come forward to."""
        for number in self.signals.take():
            if not self.outcome:
                self.heed_signal(number)

    def heed_signal(self, number: int) -> None:
        if number == signals.SIGWINCH:
            rows, cols = self.terminal.size()
            self.presence.tell(Measured(rows=max(1, rows - self.rows_below), cols=cols))
            self.see_size()
        elif number == signals.SIGHUP:
            self.outcome = VANISHED
        elif number in (signals.SIGTERM, signals.SIGINT):
            self.outcome = f"signal {number}"
        elif number == signals.SIGTSTP:
            self.give_back()
            signals.stop_here()
        elif number == signals.SIGCONT:
            self.come_forward()

    def see_size(self) -> None:
        """What we drew ourselves is not where it belongs any more."""
        if self.rows_below and self.presence.connection:
            self.showing.wants_paint = True
        if self.notice:
            self.showing.lay_over(self.notice)

    def give_back(self) -> None:
        """Our terminal is about to be somebody else's."""
        if self.outcome != VANISHED:
            hush(self.replies)
        self.terminal.leave_raw(self.showing.leave() + self.replies.given_back())

    def come_forward(self) -> None:
        """Continued after a stop: the terminal was somebody else's meanwhile."""
        self.terminal.enter_raw()
        self.showing.come_forward()
