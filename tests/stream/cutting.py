"""cut a stream the way reads may cut it"""

from __future__ import annotations

from itertools import pairwise


def cut_up(data: bytes, cuts: list[int]) -> list[bytes]:
    """The pieces of `data` between the given places, which wrap around."""
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def bytewise(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]
