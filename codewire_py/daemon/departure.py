"""that the daemon is to leave, and why"""

from __future__ import annotations

import trio


class Departure:
    """`why` is stop or restart; `python` is what to become."""

    def __init__(self) -> None:
        self.why = ""
        self.python = ""
        self.begun = trio.Event()
        self.busy = 0  # requests under way that must not be cut off
        self.calm = trio.Event()

    def leave(self, why: str, python: str = "") -> None:
        if not self.why:
            self.why, self.python = why, python
        self.begun.set()
        self.settle()

    async def close(self, accepting: trio.CancelScope) -> None:
        await self.begun.wait()
        accepting.cancel()

    def settle(self) -> None:
        if not self.busy and self.why:
            self.calm.set()

    def __enter__(self) -> None:
        self.busy += 1

    def __exit__(self, *exception: object) -> None:
        self.busy -= 1
        self.settle()
