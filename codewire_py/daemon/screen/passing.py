"""plain lines pass a screen by: those that nothing can change any more need not be drawn"""

from __future__ import annotations

import re

from codewire_py.daemon.screen.canvas import LARGEST_SIDE
from codewire_py.daemon.screen.settling import Settling
from codewire_py.daemon.screen.width import NARROW

PLAIN = bytes([*range(0x20, 0x7F), *range(0x80, 0x100)]) + b"\t\r\n"
LOOKS = re.compile(rb"\x1b\[[0-9;:]*m")  # which does not change what a line says
END = b"\r\n"
WORTH = 4  # screens: three are drawn anyway
SAMPLE = 2048  # of what is no plain text, most is known by its beginning
STOPS = set(range(0, LARGEST_SIDE, 8))


def pass_by(settling: Settling, data: bytes) -> int:
    """How much of `data` is done with: whole plain lines, if they are many enough to be worth it; else 0."""
    end = data.rfind(END) + len(END)
    screen = settling.screen
    if end < len(END) or not is_open(settling) or not is_plain(LOOKS.sub(b"", data[:SAMPLE])):
        return 0
    raw = data[: end - len(END)].split(END)
    if len(raw) < WORTH * screen.height:
        return 0
    texts = plain_lines(data[: end - len(END)], screen.cols)
    if len(texts) != len(raw):
        return 0
    skip(settling, raw, texts)
    return end


def is_open(settling: Settling) -> bool:
    """Whether a line that is printed now goes up, row by row, as it is."""
    screen = settling.screen
    is_whole = not screen.pieces.inside and not screen.decoder.getstate()[0]
    is_free = screen.top == 0 and screen.bottom == screen.height - 1 and not screen.is_alternate
    return is_whole and is_free and not screen.insert and not screen.graphics and screen.tabs == STOPS


def is_plain(data: bytes) -> bool:
    return not data.translate(None, PLAIN)


def plain_lines(data: bytes, cols: int) -> list[str]:
    """Their texts; none if one of them is not plain, or longer than a row."""
    data = LOOKS.sub(b"", data) if b"\x1b" in data else data
    ends = data.count(END)
    if not is_plain(data) or data.count(b"\r") != ends or data.count(b"\n") != ends:
        return []
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return []
    lines = text.split("\r\n")
    if not data.isascii() and not NARROW.fullmatch(text.replace("\r\n", "").replace("\t", "")):
        return []
    if "\t" in text:
        lines = [line.expandtabs(8) for line in lines]
    return lines if max(map(len, lines)) <= cols else []


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
