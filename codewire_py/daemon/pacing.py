"""how much may be on its way to a viewer: what its link takes in a moment, so that nothing new waits behind much old"""

from __future__ import annotations

from collections import deque

import trio

from codewire_py.daemon.limits import FAR_BEHIND_BYTES

LEAST, FIRST, MOST = 8 << 10, 64 << 10, 4 << 20  # bytes on their way
QUEUED = 0.1  # seconds that bytes may wait on the way, beside what the way itself takes
RATE_SECONDS = 0.2  # over which the link's speed is measured at least
BEHIND_SECONDS = 1.0  # that a viewer may be behind: what its link takes in that time
LEAST_BEHIND = 128 << 10
LINE_BYTES = 60  # that a line of scrollback takes, more or less


class Pace:
    """Told what is sent and what the viewer says that it has seen. One that says nothing is not paced."""

    def __init__(self, is_paced: bool) -> None:
        self.is_paced = is_paced
        self.sent = self.seen = 0
        self.window = FIRST if is_paced else MOST
        self.flights: deque[tuple[int, float]] = deque()  # all that was sent up to there left at that time
        self.quickest = float("inf")  # way there and back that was ever seen
        self.adapted_at = 0.0
        self.rate = 0.0  # bytes a second; 0: not known yet
        self.measured_at, self.measured_seen = 0.0, 0
        self.eased = trio.Event()

    # -- what may be sent

    def room(self) -> int:
        return self.window - (self.sent - self.seen) if self.is_paced else MOST

    async def wait_for_room(self) -> int:
        """How much may be sent now, in one piece: several are under way at a time, so that it is known how it goes."""
        piece = max(LEAST // 2, self.window // 4)
        while self.room() < piece:
            self.eased = trio.Event()
            await self.eased.wait()
            piece = max(LEAST // 2, self.window // 4)
        return piece

    def far_behind(self) -> int:
        """Bytes beyond which the picture as it is now comes sooner than what was before it."""
        if not self.rate:
            return FAR_BEHIND_BYTES
        return min(FAR_BEHIND_BYTES, max(LEAST_BEHIND, int(self.rate * BEHIND_SECONDS)))

    def lines(self) -> int:
        """Of scrollback that are worth sending along with a picture."""
        return int(self.rate * QUEUED / LINE_BYTES) if self.rate else MOST

    # -- what happens

    def note_sent(self, size: int) -> None:
        if self.is_paced:
            self.sent += size
            self.flights.append((self.sent, trio.current_time()))

    def note_seen(self, total: int) -> None:
        """Whoever says more than it was sent has seen all; it harms nobody else."""
        total = min(total, self.sent)
        if total <= self.seen:
            return
        now = trio.current_time()
        was_full = self.sent - self.seen > self.window // 2
        self.seen = total
        left = 0.0
        while self.flights and self.flights[0][0] <= total:
            left = self.flights.popleft()[1]
        if left > self.adapted_at:  # once in each round: what left before does not know of the last change
            self.adapt(now, now - left, was_full)
        self.measure(now, was_full)
        self.eased.set()

    def adapt(self, now: float, took: float, was_full: bool) -> None:
        """Twice as much while nothing waits on the way; less in the proportion in which it waits too long."""
        self.quickest = min(self.quickest, took)
        queued = took - self.quickest
        if queued > QUEUED:
            self.adapted_at = now
            self.window = max(LEAST, int(self.window * max(0.25, QUEUED / queued)))
        elif was_full and queued < QUEUED / 2:
            self.adapted_at = now
            self.window = min(MOST, self.window * 2)

    def measure(self, now: float, was_full: bool) -> None:
        """Only while the link has enough to do."""
        if not was_full or not self.measured_at:
            self.measured_at, self.measured_seen = now, self.seen
        elif now - self.measured_at >= RATE_SECONDS:
            self.rate = (self.seen - self.measured_seen) / (now - self.measured_at)
            self.measured_at, self.measured_seen = now, self.seen
