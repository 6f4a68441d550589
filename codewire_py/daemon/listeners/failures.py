"""how often an address may fail, and how often that is worth a line in the journal"""

from __future__ import annotations

from codewire_py.daemon import limits

MINUTE = 60.0


class Failing:
    """One address: how many failures it has left, and what the journal was told of it in this minute."""

    __slots__ = ("at", "left", "lines", "minute", "untold")

    def __init__(self, now: float) -> None:
        self.left, self.at = float(limits.FAILURES), now
        self.minute, self.lines, self.untold = now, 0, 0

    def refill(self, now: float) -> None:
        self.left = min(limits.FAILURES, self.left + (now - self.at) / limits.FAILURE_SECONDS)
        self.at = now
        if now - self.minute >= MINUTE:
            self.minute, self.lines = now, 0


class Failures:
    """Every address that has failed lately; those that failed longest ago are forgotten when there are too many."""

    def __init__(self) -> None:
        self.failing: dict[str, Failing] = {}

    def find(self, address: str, now: float) -> Failing:
        found = self.failing.get(address) or Failing(now)
        found.refill(now)
        return found

    def wait_of(self, address: str, now: float) -> float:
        """Seconds until it may fail again; 0: now."""
        if address not in self.failing:
            return 0.0
        return max(0.0, (1 - self.find(address, now).left) * limits.FAILURE_SECONDS)

    def note(self, address: str, now: float) -> int:
        """One more. How many to tell of now, this one and those untold before it; 0: the journal has heard enough."""
        found = self.find(address, now)
        self.failing.pop(address, None)
        self.failing[address] = found  # the latest is last
        found.left = max(0.0, found.left - 1)
        if len(self.failing) > limits.FAILURE_ADDRESSES:
            del self.failing[next(iter(self.failing))]
        found.untold += 1
        if found.lines >= limits.FAILURE_LINES:
            return 0
        found.lines += 1
        untold, found.untold = found.untold, 0
        return untold
