"""what is on its way to a viewer: as much as its link takes in a moment, whatever the link, and never more for long"""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from codewire_py.daemon.limits import FAR_BEHIND_BYTES
from codewire_py.daemon.pacing import FIRST, LEAST, LEAST_BEHIND, MOST, QUEUED, Pace

KB, MB = 1000, 1_000_000


class Path:
    """A link: so many bytes a second, so many seconds there and back; what comes in waits in a queue without end."""

    def __init__(self, pace: Pace, rate: float, delay: float) -> None:
        self.pace, self.rate, self.delay = pace, rate, delay
        self.free_at = 0.0
        self.waits: list[float] = []  # how long what was sent last waited in the queue
        self.seen = 0

    async def carry(self, size: int, nursery: trio.Nursery) -> None:
        now = trio.current_time()
        self.waits.append(max(0.0, self.free_at - now))
        self.free_at = max(self.free_at, now) + size / self.rate
        nursery.start_soon(self.arrive, size, self.free_at + self.delay)

    async def arrive(self, size: int, at: float) -> None:
        await trio.sleep_until(at)
        self.seen += size
        self.pace.note_seen(self.seen)


async def flood(rate: float, delay: float, seconds: float) -> tuple[Pace, Path]:
    """There is always more to send."""
    pace = Pace(is_paced=True)
    path = Path(pace, rate, delay)
    async with trio.open_nursery() as nursery:
        with trio.move_on_after(seconds):
            while True:
                size = await pace.wait_for_room()
                pace.note_sent(size)
                await path.carry(size, nursery)
        nursery.cancel_scope.cancel()
    return pace, path


@pytest.mark.parametrize("delay", [0.001, 0.05, 0.3])
@pytest.mark.parametrize("rate", [20 * KB, 256 * KB, 5 * MB, 50 * MB])
async def test_a_link_is_filled_and_nothing_waits_long(
    rate: float, delay: float, autojump_clock: MockClock
) -> None:
    """What is sent then waits about a tenth of a second on the way, and the link is used all the same."""
    seconds = 60.0
    _, path = await flood(rate, delay, seconds)
    late = path.waits[len(path.waits) * 3 // 4 :]
    assert sum(late) / len(late) < max(3 * QUEUED, 2 * LEAST / rate)
    possible = min(rate, MOST / (delay + MOST / rate))
    assert path.seen > possible * seconds * 0.5


async def test_the_speed_of_a_link_is_known(autojump_clock: MockClock) -> None:
    """Within a quarter; a viewer may then be as far behind as the link takes in a second, within limits."""
    for rate, behind in ((256 * KB, 256 * KB), (20 * KB, LEAST_BEHIND), (50 * MB, FAR_BEHIND_BYTES)):
        pace, _ = await flood(rate, 0.02, 10.0)
        assert 0.75 * rate < pace.rate < 1.25 * rate
        assert 0.75 * behind < pace.far_behind() <= 1.25 * behind


async def test_a_program_that_prints_little_says_nothing_about_the_link(autojump_clock: MockClock) -> None:
    """It is not taken for a slow link: a burst that follows is not skipped."""
    pace = Pace(is_paced=True)
    path = Path(pace, 50 * MB, 0.001)
    async with trio.open_nursery() as nursery:
        for _ in range(500):
            pace.note_sent(40)
            await path.carry(40, nursery)
            await trio.sleep(0.02)
    assert pace.far_behind() == FAR_BEHIND_BYTES
    assert pace.room() == pace.window >= FIRST


async def test_who_says_nothing_is_sent_no_more(autojump_clock: MockClock) -> None:
    """A window's worth, and then it is waited for; what it says late, or wrongly, does no harm."""
    pace = Pace(is_paced=True)
    with trio.move_on_after(1000) as waiting:
        while True:
            pace.note_sent(await pace.wait_for_room())
    assert waiting.cancelled_caught
    for nothing in (-1, 0):
        pace.note_seen(nothing)
        assert pace.room() == 0
    pace.note_seen(1 << 62)
    assert pace.seen == pace.sent
    assert await pace.wait_for_room() >= LEAST


async def test_a_viewer_that_is_not_paced_is_not_held(autojump_clock: MockClock) -> None:
    """An older one says nothing of what it has seen, and gets all there is."""
    pace = Pace(is_paced=False)
    for _ in range(100):
        pace.note_sent(await pace.wait_for_room())
    assert pace.far_behind() == FAR_BEHIND_BYTES
