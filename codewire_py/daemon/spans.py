"""between which offsets of a log two moments lie"""

from __future__ import annotations

import time

from codewire_py.home.log import Log
from codewire_py.home.times import Times

CONTINUATION = bytes(range(0x80, 0xC0))  # of a character in UTF-8


def is_over(until: float) -> bool:
    return 0 <= until <= time.time()


def span(log: Log, directory: str, since: float, until: float) -> tuple[int, int]:
    """All of it, where a time is -1; what has yet to come has no end."""
    first, end = 0, log.length()
    times = Times(directory) if since >= 0 or until >= 0 else None
    if times is None:
        return first, end
    try:
        if since >= 0:
            first = past_character(log, times.offset_at(since))
        if is_over(until):
            end = past_character(log, times.end_at(until))
    finally:
        times.close()
    return first, end


def past_character(log: Log, offset: int) -> int:
    """A character that was cut there belongs to what was before."""
    ahead = log.read(offset, 3)
    return offset + len(ahead) - len(ahead.lstrip(CONTINUATION))
