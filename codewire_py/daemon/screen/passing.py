"""plain lines pass a screen by: those that nothing can change any more need not be drawn"""

from __future__ import annotations

from codewire_py.daemon.limits import LARGEST_SIDE
from codewire_py.daemon.screen.lines import END, plain_texts, whole_lines
from codewire_py.daemon.screen.settling import Settling

WORTH = 4  # screens: three are drawn anyway
STOPS = set(range(0, LARGEST_SIDE, 8))


def pass_by(settling: Settling, data: bytes) -> int:
    """How much of `data` is done with: whole plain lines, if they are many enough to be worth it; else 0."""
    screen = settling.screen
    raw = whole_lines(data) if is_open(settling) else []
    if len(raw) < WORTH * screen.height:
        return 0
    end = data.rfind(END)
    texts = plain_texts(data[:end], screen.cols)
    if len(texts) != len(raw):
        return 0
    skip(settling, raw, texts)
    return end + len(END)


def is_open(settling: Settling) -> bool:
    """Whether a line that is printed now goes up, row by row, as it is."""
    screen = settling.screen
    return screen.is_free() and screen.tabs == STOPS


def skip(settling: Settling, raw: list[bytes], texts: list[str]) -> None:
    """Lines that fill the screen reach its end, as many more push all out that was there, and are there then.

    Those at the end are drawn again, for what comes next.
    """
    height = settling.screen.height
    first, last = height + 1, len(raw) - height
    offsets = []
    at = settling.offset
    for line in raw:
        at += len(line) + len(END)
        offsets.append(at)
    settling.feed(lines_of(raw[: 2 * height]))
    told = [text.rstrip(" ") for text in texts[first : last + 1]]
    settling.settled += zip(offsets[first : last + 1], told, strict=True)
    settling.offset = offsets[last - 1]
    settling.is_mute = True  # what leaves now was told
    settling.feed(lines_of(raw[last:]))
    settling.is_mute = False
    for row, offset in zip(settling.screen.main, offsets[last + 1 :], strict=False):
        settling.known[row] = row.chars.copy(), offset


def lines_of(raw: list[bytes]) -> bytes:
    return b"".join(line + END for line in raw)
