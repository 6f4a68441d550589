"""deadlines: every wait has one, and none outlives the budget"""

from __future__ import annotations

import math
import time


class Late(Exception):
    """What was waited for did not come in time."""


class Budget:
    """When the whole run has to be over."""

    end = math.inf

    @classmethod
    def begin(cls, seconds: float) -> None:
        cls.end = time.monotonic() + seconds

    @classmethod
    def left(cls) -> float:
        return cls.end - time.monotonic()


class Deadline:
    """The end of one wait, the budget's end at the latest."""

    def __init__(self, seconds: float, what: str) -> None:
        self.what = what
        self.end = min(time.monotonic() + seconds, Budget.end)

    @classmethod
    def past_budget(cls, seconds: float, what: str) -> Deadline:
        """For cleaning up, which has to be done even when the budget has ended."""
        deadline = cls(seconds, what)
        deadline.end = time.monotonic() + seconds
        return deadline

    def left(self) -> float:
        left = self.end - time.monotonic()
        if left > 0:
            return left
        raise Late(f"the budget ended ({self.what})" if Budget.left() <= 0 else f"too late: {self.what}")


def pause(seconds: float) -> None:
    """Let things settle, within the budget."""
    time.sleep(max(0.0, min(seconds, Budget.left())))
