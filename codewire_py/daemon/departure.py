"""that the daemon is to leave, and why"""

from __future__ import annotations

import trio


class Departure:
    """`why` is stop or restart; `python` is what to become."""

    def __init__(self) -> None:
        self.why = ""
        self.python = ""
        self.begun = trio.Event()
        self.doors = 0  # that may still let somebody in
        self.shut = trio.Event()
        self.busy = 0  # requests under way that must not be cut off
        self.calm = trio.Event()
        self.guests = 0  # viewers who are to hear how far what they typed has come
        self.parted = trio.Event()

    def leave(self, why: str, python: str = "") -> None:
        if not self.why:
            self.why, self.python = why, python
        self.begun.set()
        self.settle()

    async def leave_and_shut(self, why: str, python: str = "") -> None:
        """Whoever comes when this is over is not ours to answer."""
        self.leave(why, python)
        if self.doors:
            await self.shut.wait()

    async def close(self, accepting: trio.CancelScope) -> None:
        self.doors += 1
        try:
            await self.begun.wait()
            accepting.cancel()
        finally:
            self.doors -= 1
            if self.begun.is_set() and not self.doors:
                self.shut.set()

    def part(self) -> None:
        """One guest has heard it, or has left."""
        self.guests -= 1
        if self.why and not self.guests:
            self.parted.set()

    async def farewell(self) -> None:
        if self.guests:
            await self.parted.wait()

    def settle(self) -> None:
        if not self.busy and self.why:
            self.calm.set()

    def __enter__(self) -> None:
        self.busy += 1

    def __exit__(self, *exception: object) -> None:
        self.busy -= 1
        self.settle()
