"""whether others have their turn while a screen is drawn: how much is fed at once, and how often between two turns"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest
import trio

from codewire_py.daemon.screen.screen import Screen


async def most_at_once(
    monkeypatch: pytest.MonkeyPatch, work: Callable[[], Awaitable[object]]
) -> tuple[int, int]:
    """(bytes in one piece, pieces between two turns of somebody else) at most, while `work` is done."""
    fed: list[int] = []
    turns: list[int] = []
    feed = Screen.feed
    monkeypatch.setattr(Screen, "feed", lambda self, data: (fed.append(len(data)), feed(self, data))[1])

    async def take_turns() -> None:
        while True:
            turns.append(len(fed))
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(take_turns)
        await work()
        nursery.cancel_scope.cancel()
    assert len(fed) > 3  # else nothing is proved
    return max(fed), max(after - before for before, after in pairwise(turns))
