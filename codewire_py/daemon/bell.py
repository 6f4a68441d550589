"""a bell for however many listen: rung each time, heard by whoever waits just then"""

from __future__ import annotations

import trio


class Bell:
    def __init__(self) -> None:
        self.rung = trio.Event()

    def ring(self) -> None:
        self.rung.set()
        self.rung = trio.Event()

    async def wait(self) -> None:
        await self.rung.wait()
