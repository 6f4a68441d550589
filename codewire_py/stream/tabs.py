"""the columns at which tabs stop, and the bytes that set them"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

EVERY: Final = 8
ALL_USUAL: Final = (
    b"\x1b[?5W"  # also beyond the last column, where a terminal knows this; the others ignore it
)


def usual_stops(first: int, end: int) -> range:
    """Where tabs stop at first, from a column on: a terminal knows of none beyond its last one."""
    return range(-(-first // EVERY) * EVERY, end, EVERY)


def set_stops(stops: Iterable[int]) -> bytes:
    """They become the only ones. The cursor is left in another column."""
    return b"\x1b[3g" + b"".join(b"\x1b[%dG\x1bH" % (col + 1) for col in stops)


def reset_stops(cols: int) -> bytes:
    return set_stops(usual_stops(0, cols)) + ALL_USUAL
