"""the text in a stream, without its sequences"""

from __future__ import annotations

import codecs
import re  # noqa: TID253 - callers that must start fast import this floor when they need it

from codewire_py.stream.scan import SEQUENCE, Pieces

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Final

_UNPRINTABLE: Final = bytes({*range(0x20), 0x7F} - set(b"\t\n\r"))
_UPPER_CONTROL = re.compile(rb"\xc2[\x80-\x9f]")  # which some terminals take for the beginning of a sequence
_LINE_END = re.compile(rb"\r+\n?")  # several returns and a line feed are one end: ttys add returns
_utf8_decoder = codecs.getincrementaldecoder("utf-8")

# A line's end in a raw log. Between return and line feed a program may erase what was on the line.
_ERASE = rb"(?:\x1b\[[0-9;]{0,8}[A-Za-z]){0,8}"
_RAW_LINE_END = re.compile(rb"\n|\r(?:" + _ERASE + rb"\r)*+(?:" + _ERASE + rb"\n)?")
_RAW_LINE_END_MAX = 128
_BLOCK: Final = 64 * 1024
_GLANCE: Final = 4096


class Plain:
    """Takes the sequences out of a stream, chunk by chunk; what comes out is UTF-8, in lines."""

    __slots__ = ("_decoder", "_has_returned", "_pieces")

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        self._pieces = Pieces()
        self._decoder = _utf8_decoder("replace")
        self._has_returned = False

    def feed(self, data: bytes) -> bytes:
        piece = self._pieces.whole(data)
        text = SEQUENCE.sub(b"", piece) if b"\x1b" in piece else piece
        return self._in_lines(self._decoder.decode(text.translate(None, _UNPRINTABLE)).encode())

    def flush(self) -> bytes:
        """The stream has ended: what a half character leaves. An unfinished sequence is no text."""
        rest = self._in_lines(self._decoder.decode(b"", final=True).encode())
        self._start()
        return rest

    def _in_lines(self, text: bytes) -> bytes:
        if b"\xc2" in text:
            text = _UPPER_CONTROL.sub(b"", text)
        if not text:
            return text
        if self._has_returned:
            text = b"\r" + text
        self._has_returned = text.endswith(b"\r")  # what follows says whether it is the first half of an end
        if self._has_returned:
            text = text.rstrip(b"\r")
        return _LINE_END.sub(b"\n", text) if b"\r" in text else text


def last_lines(read: Callable[[int, int], bytes], start: int, end: int, count: int) -> Iterator[int]:
    """The offset at which the last `count` lines of a raw log begin; `read(offset, length)` reads from it.

    It comes last: before it, after each block that was searched, how far back that went, so that others may have
    their turn. A line ends with a line feed, or with a return that no line feed follows. The end of the last line
    begins no other.
    """
    if count <= 0:
        yield end
        return
    found = 0
    at, after, last = end, b"", end  # the end of the last line is not counted
    while at > start:
        below = max(start, at - _BLOCK)
        block = read(below, at - below)
        for offset in reversed(_line_starts(block, after)):
            if below + offset >= last:  # also seen from the block after this one
                continue
            last = below + offset
            if found or _has_text(read(last, min(end - last, _GLANCE))):
                found += 1
            if found == count:
                yield last
                return
        at, after = below, (block + after)[:_RAW_LINE_END_MAX]
        yield at
    yield start


def _has_text(data: bytes) -> bool:
    """Whether this is a last line: what switches colours off behind the last end is none."""
    return SEQUENCE.sub(b"", data).translate(None, _UNPRINTABLE).rstrip(b"\r") != b""


def _line_starts(block: bytes, after: bytes) -> list[int]:
    """Where lines begin that end in `block`; what comes `after` it may complete the last end."""
    return [match.end() for match in _RAW_LINE_END.finditer(block + after) if match.start() < len(block)]
