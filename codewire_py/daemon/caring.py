"""keep the screens of sessions that nobody looks at from falling far behind, with little of one core"""

from __future__ import annotations

import logging
import time

import trio

from codewire_py.daemon.attending import Attending
from codewire_py.daemon.limits import CHECKPOINT_EVERY_BYTES, UNSEEN_FLOOD_BYTES

journal = logging.getLogger("codewire")
STEP_BYTES = 32 << 10
REST = 5  # times as long as it has worked


class Care:
    """One for all sessions, in turns."""

    def __init__(self) -> None:
        self.waiting: dict[Attending, None] = {}
        self.wanted = trio.Event()

    def want(self, attending: Attending) -> None:
        self.waiting[attending] = None
        self.wanted.set()

    async def run(self) -> None:
        while True:
            await self.wanted.wait()
            self.wanted = trio.Event()
            while self.waiting:
                for attending in list(self.waiting):
                    await self.try_to_tend(attending)

    async def try_to_tend(self, attending: Attending) -> None:
        """It may have been removed meanwhile."""
        try:
            await self.tend(attending)
        except Exception as error:  # noqa: BLE001  one session's output must never be another's trouble
            journal.warning("%s: its screen is not kept up: %r", attending.directory, error)
            self.waiting.pop(attending, None)

    async def tend(self, attending: Attending) -> None:
        """As far as one checkpoint is from the next, so that what was done here is done for good."""
        depiction = attending.begin_depiction()
        until = min(depiction.length(), depiction.tried_at + CHECKPOINT_EVERY_BYTES)
        if depiction.length() - depiction.offset > UNSEEN_FLOOD_BYTES:
            until = depiction.length()
        while depiction.offset < until:
            began = time.thread_time()
            is_flood = until - depiction.offset > UNSEEN_FLOOD_BYTES
            upto = until if is_flood else min(until, depiction.offset + STEP_BYTES)
            await depiction.reach(upto, flood=UNSEEN_FLOOD_BYTES)
            await trio.sleep(REST * (time.thread_time() - began))
        if depiction.offset - depiction.tried_at >= CHECKPOINT_EVERY_BYTES:
            await depiction.save()
        if depiction.offset >= depiction.length() - STEP_BYTES:
            self.waiting.pop(attending, None)
