"""whole plain lines in a piece of a stream: how many there are, and what they say"""

from __future__ import annotations

import re

from codewire_py.daemon.screen.width import NARROW

PLAIN = bytes([*range(0x20, 0x7F), *range(0x80, 0x100)]) + b"\t\r\n"
LOOKS = re.compile(rb"\x1b\[[0-9;:]*m")  # which does not change what a line says
END = b"\r\n"
SAMPLE = 2048  # of what is no plain text, most is known by its beginning


def whole_lines(data: bytes) -> list[bytes]:
    """As they are, without their ends; none if the piece does not begin like plain text."""
    end = data.rfind(END)
    return data[:end].split(END) if end >= 0 and is_plain(LOOKS.sub(b"", data[:SAMPLE])) else []


def is_plain(data: bytes) -> bool:
    return not data.translate(None, PLAIN)


def plain_texts(data: bytes, cols: int) -> list[str]:
    """What lines say, the last one without its end; none if one of them is not plain, or longer than a row."""
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
