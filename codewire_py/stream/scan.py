"""split a terminal stream into text, sequences and queries, incrementally"""

from __future__ import annotations

import re  # noqa: TID253 - callers that must start fast import this floor when they need it

from codewire_py.stream import grammar
from codewire_py.stream.grammar import CONTROL, ESC, INTRO, PARAMETER, SEQUENCE_MAX, STRING_MAX, ending
from codewire_py.stream.quiet import Quiet, is_query

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

__all__ = [
    "APC", "BROKEN", "CSI", "DCS", "ESCAPE", "OSC", "PM", "SOS", "TEXT", "TITLE",
    "Pieces", "Quiet", "Scanner", "clean_start", "is_query", "unfinished", "whole_characters",
]  # fmt: skip

TEXT: Final = "text"
CSI: Final = "csi"
OSC: Final = "osc"
DCS: Final = "dcs"
APC: Final = "apc"
PM: Final = "pm"
SOS: Final = "sos"
TITLE: Final = "title"  # as screen and tmux take it from the programs inside
ESCAPE: Final = "escape"  # ESC and a character or two
BROKEN: Final = "broken"  # a sequence that was cut short

_STRINGS: Final = {b"P": DCS, b"_": APC, b"^": PM, b"X": SOS, b"k": TITLE}

_OSC_BODY = rb"[^\x07\x18\x1a\x1b]*+"
_STRING_BODY = rb"[^\x18\x1a\x1b]*+"
_ESCAPE_BODY = rb"(?![\[\]PX^_k])[" + CONTROL + rb"\x20-\x2f]*+"

# Any sequence: complete, or cut short by CAN, SUB, ESC, a byte of text or the end of what is searched.
SEQUENCE = re.compile(
    INTRO
    + (
        rb"(?:\[PARAMETER*+(?P<csi>[\x40-\x7e])"
        rb"|\]OSC_BODY(?P<osc>\x07|\x1b\\)"
        rb"|(?P<string>[PX^_k])STRING_BODY\x1b\\"
        rb"|ESCAPE_BODY(?P<escape>[\x30-\x7e])"
        rb"|(?:\[PARAMETER*+|\]OSC_BODY|[PX^_k]STRING_BODY|ESCAPE_BODY)"
        rb"(?:[\x18\x1a]|(?=[\x1b\x80-\xff])|\Z))"
    )
    .replace(b"PARAMETER", PARAMETER)
    .replace(b"OSC_BODY", _OSC_BODY)
    .replace(b"STRING_BODY", _STRING_BODY)
    .replace(b"ESCAPE_BODY", _ESCAPE_BODY)
)

# A sequence that more bytes may complete, to be matched against everything from the last escape on.
_OPEN_STRING = re.compile(INTRO + rb"(?:\]" + _OSC_BODY + rb"|[PX^_k]" + _STRING_BODY + rb")")
_OPEN_OTHER = INTRO + rb"(?:\[" + PARAMETER + rb"*+|" + _ESCAPE_BODY + rb")"
_OPEN = re.compile(_OPEN_STRING.pattern + rb"|" + _OPEN_OTHER)
_INTRO = re.compile(INTRO)

# Beginnings of sequences that no terminal acts on, whatever follows: by the first byte after ESC.
_INERT: Final = {b"[": b"\x1b[>", b"]": b"\x1b]9999;", b"P": b"\x1bX", b"(": b"\x1b%"}

_UNFINISHED_PARAMETERS = re.compile(rb"[0-9;:<=>?]+[\x40-\x7e]")
_FIRST_PART = 4096


def unfinished(data: bytes) -> int:
    """Where the sequence begins that `data` ends in the middle of; the length of `data` if it does not."""
    last = data.rfind(ESC)
    if last < 0:
        return len(data)
    if last == len(data) - 1:  # perhaps the first half of a string's end
        before = data.rfind(ESC, 0, last)
        return before if before >= 0 and _OPEN_STRING.fullmatch(data, before, last) else last
    return last if _OPEN.fullmatch(data, last) else len(data)


def _is_string(sequence: bytes) -> bool:
    intro = _INTRO.match(sequence)
    return intro is not None and sequence[intro.end() : intro.end() + 1] in grammar.STRINGS


def _is_long(sequence: bytes) -> bool:
    if len(sequence) <= SEQUENCE_MAX:
        return False
    return len(sequence) > STRING_MAX or not _is_string(sequence)


class Pieces:
    """Hands a stream on in pieces that end between two sequences."""

    __slots__ = ("_skip", "held")

    def __init__(self) -> None:
        self.held = b""  # the beginning of an unfinished sequence
        self._skip: re.Pattern[bytes] | None = None

    def copy(self) -> Pieces:
        other = Pieces()
        other.held, other._skip = self.held, self._skip
        return other

    @property
    def inside(self) -> bool:
        """Whether the stream so far ends in the middle of a sequence."""
        return bool(self.held) or self._skip is not None

    @property
    def is_leaving_out(self) -> bool:
        """Whether it is within a sequence that is too long to be one."""
        return self._skip is not None

    def pending(self) -> bytes:
        """What puts another terminal into the middle of the same sequence; of an over-long one, of its kind."""
        if self._skip is None:
            return self.held
        lead = next(lead for lead in _INERT if ending(lead) is self._skip)
        return _INERT[lead] + self.held

    def whole(self, data: bytes) -> bytes:
        """What is complete now. What is not is held for the next call; what never ends is left out."""
        buffer = self.held + data if self.held else data
        if self._skip is not None:
            end = self._skip.search(buffer)
            if end is None:
                self.held = ESC if buffer.endswith(ESC) else b""
                return b""
            self._skip = None
            buffer = buffer[end.end() :]
        cut = unfinished(buffer)
        self._hold(buffer[cut:])
        return buffer[:cut]

    def _hold(self, tail: bytes) -> None:
        self.held = tail
        if len(tail) > SEQUENCE_MAX and _is_long(tail.removesuffix(ESC)):
            intro = _INTRO.match(tail)
            assert intro is not None
            self._skip = ending(tail[intro.end() : intro.end() + 1])
            self.held = ESC if tail.endswith(ESC) else b""


class Scanner(Pieces):
    """Splits a stream, chunk by chunk, into `(kind, bytes)`; what is too long for a sequence is left out."""

    __slots__ = ()

    def feed(self, data: bytes) -> list[tuple[str, bytes]]:
        return list(_split(self.whole(data)))


def _split(piece: bytes) -> Iterator[tuple[str, bytes]]:
    at = 0
    for match in SEQUENCE.finditer(piece):
        if match.start() > at:
            yield TEXT, piece[at : match.start()]
        at = match.end()
        if match.end() - match.start() <= SEQUENCE_MAX or not _is_long(_without_end(match)):
            yield _kind(match), match[0]
    if at < len(piece):
        yield TEXT, piece[at:]


def _kind(match: re.Match[bytes]) -> str:
    if match.lastgroup == "string":
        return _STRINGS[match["string"]]
    return match.lastgroup or BROKEN


def _without_end(match: re.Match[bytes]) -> bytes:
    if match.lastgroup == "string":
        return match[0][:-2]
    if match.lastgroup is None:
        return match[0].rstrip(b"\x18\x1a")
    return match.string[match.start() : match.start(match.lastgroup)]


def whole_characters(data: bytes) -> int:
    """How many leading bytes are whole UTF-8 characters; a byte that can belong to none counts as whole."""
    for length in range(1, min(3, len(data)) + 1):
        byte = data[-length]
        if byte & 0xC0 != 0x80:  # not a continuation: the last character begins here
            return len(data) - length if _is_half(data[-length:]) else len(data)
    return len(data)


def _is_half(tail: bytes) -> bool:
    """Whether more continuation bytes could make one character of this first byte and its continuations."""
    first, second = tail[0], tail[1] if len(tail) > 1 else None
    if first < 0xC2 or first > 0xF4 or len(tail) >= (2 if first < 0xE0 else 3 if first < 0xF0 else 4):
        return False
    if second is None:
        return True
    # These first bytes allow only some second ones: no overlong forms, no surrogates, none beyond U+10FFFF.
    lowest = {0xE0: 0xA0, 0xF0: 0x90}.get(first, 0x80)
    highest = {0xED: 0x9F, 0xF4: 0x8F}.get(first, 0xBF)
    return lowest <= second <= highest


def clean_start(data: bytes) -> int:
    """Where a replay may begin in a log that was cut anywhere: best after a newline near the start.

    What the cut left of a character, a sequence or a string is passed over; a string is known by its end.
    """
    escape = data.find(ESC, 0, _FIRST_PART)
    if escape >= 0 and data[escape + 1 : escape + 2] == b"\\":  # an end without a beginning
        return escape + 2
    newline = data.find(b"\n", 0, _FIRST_PART)
    while newline >= 0 and _is_within_string(data, newline):
        newline = data.find(b"\n", newline + 1, _FIRST_PART)
    if newline >= 0:
        return newline + 1
    return _after_rest(data, escape if escape >= 0 else len(data))


def _is_within_string(data: bytes, index: int) -> bool:
    before = data.rfind(ESC, 0, index)
    return before >= 0 and _OPEN_STRING.fullmatch(data, before, index) is not None


def _after_rest(data: bytes, first_escape: int) -> int:
    """Past what a cut may have left before the first escape: the end of an OSC, of a CSI, of a character."""
    bell = data.find(b"\x07", 0, min(first_escape, SEQUENCE_MAX))
    if bell >= 0:
        return bell + 1
    parameters = _UNFINISHED_PARAMETERS.match(data, 0, first_escape)
    if parameters is not None:
        return parameters.end()
    start = 0
    while start < min(3, len(data)) and data[start] & 0xC0 == 0x80:
        start += 1
    return start
