"""what a viewer may receive: a stream without the sequences that make a terminal answer

A terminal answers by typing, so a query that is replayed, or shown to several viewers, types into the
program or at somebody's prompt. Only an escape character begins a sequence, so strings need not be followed:
what is judged is what stands behind each escape, up to the byte that settles whether it is a query.
"""

from __future__ import annotations

import re  # noqa: TID253 - callers that must start fast import this floor when they need it

from codewire_py.stream.grammar import CONTROLS, ESC, STRINGS, ending
from codewire_py.stream.judging import DROP, ENQ, Welcome, foresee, is_query, is_unwelcome, lead_of, tail

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

__all__ = ["Quiet", "is_query"]

_CAN = b"\x18"
_C1_LEAD = b"\xc2"
_C1 = re.compile(rb"\xc2(?=[\x1b\x80-\x9f])[\x80-\x9f]?+")  # CSI and such, as UTF-8; or half of it
_IGNORED, _BROKEN = b"\0", "\ufffd".encode()
_WITH_BODY = STRINGS | {b"["}
_ALL_BUT_CONTROLS: Final = bytes(set(range(256)) - set(CONTROLS) | {0x7F})


class Quiet:
    """Passes on what makes no terminal answer and, unless `clipboard`, does not fill its clipboard."""

    __slots__ = ("_half", "_held", "_open", "_skip", "_welcome")

    def __init__(self, clipboard: bool = False, unknown: bool = False) -> None:
        self._welcome = Welcome(clipboard, unknown)
        self.flush()

    @property
    def unknown(self) -> bool:
        """Whether the queries pass that the daemon does not answer."""
        return self._welcome.unknown

    @unknown.setter
    def unknown(self, passes: bool) -> None:
        self._welcome.unknown = passes

    def flush(self) -> bytes:
        """The stream has ended. What is held might be completed by what is printed next, so it is dropped."""
        self._held = self._half = b""
        self._skip: re.Pattern[bytes] | None = None  # how the sequence ends that is being left out
        self._open: re.Pattern[bytes] | None = None  # how the one ends that has been passed on so far
        return b""

    def hand_over(self) -> bytes | None:
        """What is held, for one who gets everything from here on; None while a sequence is being left out."""
        if self._skip is not None:
            return None
        held, self._held, self._half = self._held + self._half, b"", b""
        return held

    def feed(self, data: bytes) -> bytes:
        if ENQ in data and not self._welcome.unknown:
            data = data.translate(None, ENQ)
        if _C1_LEAD in data or self._half:
            data = self._without_c1(data)
        if self._skip is None and not self._held and ESC not in data:
            self._open = self._open_at(data, len(data))
            return data
        buffer = self._held + data
        if self._skip is not None:
            end = self._skip.search(buffer)
            if end is None:
                self._held = ESC if buffer.endswith(ESC) else b""
                return b""
            self._skip = None
            buffer = buffer[end.end() :]
        return self._settle(buffer)

    def _without_c1(self, data: bytes) -> bytes:
        """Terminals that take characters for controls begin sequences with these, unseen by all that follows.

        In their place stands what every terminal ignores, and a half one that a dropped sequence follows is shown
        as one that is broken, lest what is around them becomes one.
        """
        data = self._half + data
        self._half = _C1_LEAD if data.endswith(_C1_LEAD) else b""
        return _C1.sub(_disarm, data[: len(data) - len(self._half)])

    def _settle(self, buffer: bytes) -> bytes:
        """Judge what is whole, hold or drop what is not."""
        start, outlook = tail(buffer, self._welcome)
        quiet = self._welcome.doubtful().sub(self._judge, buffer[:start])
        if outlook == DROP:
            quiet += self._guard(buffer, start)
            self._skip = ending(lead_of(buffer[start:]))
            self._held = ESC if buffer.endswith(ESC) else b""
            self._open = None
        else:
            self._held = buffer[start:]
            self._open = self._open_at(buffer, start)
        return quiet

    def _judge(self, match: re.Match[bytes]) -> bytes:
        if not is_unwelcome(match, self._welcome):
            return match[0]
        # A terminal obeys the controls in the middle of a short sequence, a line feed say: these stay.
        kept = match[0].translate(None, _ALL_BUT_CONTROLS) if match.lastgroup in ("csi", None) else b""
        return self._guard(match.string, match.start()) + kept

    def _guard(self, buffer: bytes, start: int) -> bytes:
        """What must take the place of something dropped, lest what stands before it runs on behind it."""
        return _CAN if self._open_at(buffer, start) else b""

    def _open_at(self, buffer: bytes, start: int) -> re.Pattern[bytes] | None:
        """How the unfinished sequence ends that is passed on just before `start`, if there is one."""
        before = buffer.rfind(ESC, 0, start)
        if before < 0:
            return None if self._open is None or self._open.search(buffer, 0, start) else self._open
        begun = buffer[before:start]
        if foresee(begun, self._welcome) == DROP:
            return None
        lead = lead_of(begun)
        end = ending(lead)
        body = begun.index(lead, 1) + (lead in _WITH_BODY)
        return None if end.search(begun, body) else end


def _disarm(match: re.Match[bytes]) -> bytes:
    return _IGNORED if len(match[0]) > 1 else _BROKEN
