"""come back to a daemon elsewhere, as often as it takes: the link broke, a laptop slept, the daemon was replaced"""

from __future__ import annotations

import os
import time

from codewire_py.client.dialing import Dialing
from codewire_py.client.presence import Presence
from codewire_py.errors import (
    CodewireError,
    ConnectionLost,
    Forbidden,
    NoSuchSession,
    Unauthorized,
    Untrusted,
)
from codewire_py.wire.messages import Attached, Ended, Leaving, Painted, Reading, Seen, Took

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from codewire_py.client.connection import Connection
    from codewire_py.client.distant import DistantLog, FarHands
    from codewire_py.client.servers import Server
    from codewire_py.wire.declare import Message

FINAL = (Forbidden, NoSuchSession, Unauthorized, Untrusted)  # trying again will not help
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 10.0
QUIET_SECONDS = 1.0  # that the link may be away before we speak of it
LOOK_SECONDS = 5.0  # whether the link is silent
TOLD_SECONDS = 5.0  # that a notice stays
SEEN_EVERY = 2048  # bytes


class FarPresence(Presence):
    """It brings the log, too, and takes what is typed."""

    def __init__(self, server: Server, connection: Connection, request: Callable[[], Message]) -> None:
        super().__init__(connection, request)
        self.server = server
        self.dialing: Dialing | None = None
        self.tries = 0
        self.log: DistantLog | None = None
        self.hands: FarHands | None = None
        self.end: dict[str, Any] | None = None  # of the session, once it is known
        self.is_parting = False  # the daemon has said that it goes, so it has taken no more than it said
        self.told_until = 0.0
        self.seen = self.told_seen = 0

    # -- waiting

    def fileno(self) -> int:
        return self.dialing.fileno() if self.dialing else super().fileno()

    def wants_to_write(self) -> bool:
        return self.connection is not None and bool(getattr(self.connection.peer, "unwritten", b""))

    def pause(self) -> float | None:
        """Even a link that works is looked at now and then: one that is silent is dead."""
        until = [self.told_until] if self.told_until else []
        if not self.is_settled:
            until.append(self.lost_at + QUIET_SECONDS)
        now = time.monotonic()
        first = min([now + LOOK_SECONDS, *(moment for moment in until if moment > now)])
        if self.connection is None and self.dialing is None and not self.is_over:
            first = min(first, self.next_try)  # which may have passed while something was shown
        return max(0.0, first - now)

    def may_leave(self) -> bool:
        is_away = not self.is_settled and not self.is_over
        return is_away and time.monotonic() - self.lost_at >= QUIET_SECONDS

    def notice(self, is_rendered: bool) -> str:
        if self.may_leave():
            return f"[cw] the connection to {self.server.name} is lost; trying again (Ctrl+C leaves)"
        if time.monotonic() < self.told_until:
            return f"[cw] the daemon died: {self.forgotten} typed bytes may not have arrived"
        return ""

    # -- what the daemon says

    def hear(self) -> None:
        self.write_on()
        super().hear()

    def take_data(self, data: bytes) -> None:
        if self.log:
            self.log.receive(data)

    def heed(self, message: Message) -> None:
        if isinstance(message, Leaving):
            self.is_parting |= self.is_settled  # else it never said what it took by the link before
        elif isinstance(message, Took) and self.hands:
            self.hands.took(message.seq, message.part)
        elif isinstance(message, Ended):
            self.end = message.session
        elif isinstance(message, Painted) and self.log:
            self.log.restart(message.offset)
            self.note_seen(len(message.paint))
        elif isinstance(message, Reading) and self.log:
            self.log.go_on(message.offset)
        super().heed(message)

    def heed_attached(self, message: Attached) -> None:
        self.seen = self.told_seen = -self.log.size if self.log else 0  # what is shown of the link before
        if self.log:
            self.log.go_on(message.offset)
        if self.hands:
            self.tell(Seen(size=max(0, self.seen)))
            lost = self.hands.come_back(message.seq, self.is_parting)
            self.forgotten += lost
            if lost:
                self.told_until = time.monotonic() + TOLD_SECONDS
        if self.connection is None:  # by what we said the link broke again
            return
        super().heed_attached(message)
        if self.hands:  # nothing new before what was under way
            self.hands.push()

    def heed_refusal(self, error: CodewireError) -> None:
        """Most of what may be wrong just now will be right again."""
        if isinstance(error, FINAL):
            super().heed_refusal(error)
        raise ConnectionLost(error.message)

    def has_painted_all(self) -> bool:
        return self.is_over

    def note_seen(self, size: int) -> None:
        """The daemon sends no more than is seen: it hears of every few bytes, or it would wait for ever."""
        self.seen += size
        if self.seen > 0 and self.seen - self.told_seen >= SEEN_EVERY and self.hands:
            self.told_seen = self.seen
            self.tell(Seen(size=self.seen))

    # -- lost and found

    def settle(self) -> None:
        super().settle()
        self.tries = 0
        self.is_parting = False

    def retry_pause(self) -> float:
        """At once at first; then later and later, and not all of many at the same time."""
        pause: float = min(LONGEST_PAUSE, FIRST_PAUSE * (1 << self.tries))
        self.tries = min(self.tries + 1, 16)
        return pause * (0.5 + os.urandom(1)[0] / 256)

    def lose(self) -> None:
        """The moment it was lost stays the first one, however many tries fail."""
        lost_at = self.lost_at if not self.is_settled else time.monotonic()
        super().lose()
        self.lost_at = lost_at

    def come_back(self) -> None:
        now = time.monotonic()
        if 0 < self.told_until <= now:
            self.told_until = 0.0
        if self.connection is not None:
            if getattr(self.connection.peer, "is_silent", bool)():
                self.lose()
        elif self.dialing is None and now >= self.next_try and not self.is_over:
            self.dialing = Dialing(self.server)
        elif self.dialing is not None and self.dialing.is_over():
            self.take_connection(self.dialing)

    def take_connection(self, dialing: Dialing) -> None:
        self.dialing = None
        try:
            connection = dialing.take()
        except FINAL as error:
            self.refusal, self.is_over = error, True
        except CodewireError:
            self.next_try = time.monotonic() + self.retry_pause()
        else:
            connection.peer.setblocking(False)
            self.meet(connection)

    def write_on(self) -> None:
        """What could not be written at once."""
        try:
            if self.connection and self.wants_to_write():
                self.connection.peer.sendall(b"")
        except (OSError, ConnectionLost):
            self.lose()

    def says_running(self, directory: str) -> bool:
        return True

    def close(self) -> None:
        super().close()
        if self.dialing:
            self.dialing.give_up()
            self.dialing = None
