"""how large a session is to be, from how large the terminals of its viewers are"""

from __future__ import annotations

from collections.abc import Iterable

from codewire_py.errors import UsageError
from codewire_py.home.marks import LONGEST_SIDE, SIZINGS, is_size

Size = tuple[int, int]  # rows, columns


def decide(sizing: str, viewers: Iterable[Size], now: Size) -> Size:
    """`viewers`: whoever typed or attached last is last. One without a terminal has no say."""
    sizes = [size for size in viewers if is_size(size)]
    if sizing == "fixed" or not sizes:
        return now
    if sizing == "latest":
        return sizes[-1]
    rows, cols = zip(*sizes, strict=True)
    return (min(rows), min(cols)) if sizing == "smallest" else (max(rows), max(cols))


def check(sizing: str, size: Size) -> None:
    """Refuse what `decide` does not understand, and sizes that no terminal has."""
    if sizing not in SIZINGS:
        raise UsageError(
            f"{sizing!r} is neither a size nor a way to choose one",
            "say 40x120 (rows x columns), fixed, latest, smallest or largest",
        )
    if sizing == "fixed" and not is_size(size):
        rows, cols = size
        raise UsageError(
            f"{rows}x{cols} cannot be the size of a terminal",
            f"it can be 1x1 to {LONGEST_SIDE}x{LONGEST_SIDE}",
        )
