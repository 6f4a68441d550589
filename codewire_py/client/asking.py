"""ask our own terminal what it looks like, and take its answers out of what is typed

A terminal answers by typing. The shapes of the answers to our questions are dropped as long as we are attached,
however late they come: what the program asks of that kind is answered by the daemon. All else passes untouched.
"""

from __future__ import annotations

import os
import select
import time

from codewire_py.client.replies import (
    ESC,
    HOLD,
    LONGEST,
    PASS,
    SKIP,
    end_of_csi,
    end_of_string,
    is_answer_begun,
    judge,
    read_colour,
)  # fmt: skip
from codewire_py.wire.streaming import Looks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

# Colours of text, background and cursor, size of a cell, kitty's keyboard flags. Whatever it does not know of these
# it is silent about; what it is (DA1) every terminal says, so that comes last.
QUESTIONS: Final = b"\x1b]10;?\x1b\\\x1b]11;?\x1b\\\x1b]12;?\x1b\\\x1b[16t\x1b[?u\x1b[c"

# They would show a question as text, or not answer the last one.
_SIMPLE: Final = frozenset((
    "", "ansi", "cons25", "cygwin", "dumb", "emacs", "eterm", "linux", "network", "pcansi", "sun", "unknown",
    "vt52", "vt100", "vt102", "vt220", "vt320", "wsvt25",
))  # fmt: skip

ANSWERED_WITHIN: Final = 1.0  # seconds; one that has not answered by then does not
HUSH: Final = 0.5
KEY_PAUSE: Final = 0.05  # what stays unfinished so long was keys: Escape, or Alt and a bracket

_PASTE_BEGIN, _PASTE_END = b"\x1b[200~", b"\x1b[201~"
_COLOURS: Final = {b"10": "foreground", b"11": "background", b"12": "cursor"}


def should_ask(term: str) -> bool:
    return term.partition("-")[0] not in _SIMPLE


class Replies:
    """Takes answers out of what is typed, read by read.

    What may still become one is held: for 50 ms if it may be keys as well, else for a second.
    """

    __slots__ = (
        "_asked_at", "_clock", "_held", "_held_at", "_is_answered", "_is_pasting", "_is_told", "_knows", "_looks",
        "_own_keyboard", "_pasted", "_skipping",
    )  # fmt: skip

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._held = b""
        self._held_at = 0.0
        self._is_pasting = False
        self._pasted = b""  # what a paste's end may have begun in
        self._skipping = b""  # `[` or `]`: within an answer too long to be one
        self._asked_at = 0.0
        self._is_answered = self._is_told = True  # nothing was asked
        self._looks, self._knows = Looks(), False
        self._own_keyboard = b""  # kitty's flags that were in force before we came

    # -- our questions

    def ask(self) -> bytes:
        """What to write to the terminal."""
        self._asked_at = self._clock()
        self._is_answered = self._is_told = False
        return QUESTIONS

    def looks(self) -> Looks | None:
        """Once, when everything was answered or will not be: what was learnt."""
        if self._is_told or not (self._is_answered or self._clock() - self._asked_at >= ANSWERED_WITHIN):
            return None
        self._is_told = True
        if self._is_answered and self._looks.keyboard < 0:  # what came before the last answer is all
            self._looks.keyboard = 0
        return self._looks if self._is_answered or self._knows else None

    def given_back(self) -> bytes:
        """What a paint takes away that was there before, as far as we were told."""
        return b"\x1b[=%bu" % self._own_keyboard if self._own_keyboard.strip(b"0") else b""

    def owed(self) -> float:
        """For how long answers may still be on their way, in seconds."""
        left = 0.0 if self._is_answered else self._asked_at + ANSWERED_WITHIN - self._clock()
        return max(0.0, left)

    def is_open(self) -> bool:
        """Whether `flush` or `looks` may have something, now or later."""
        return bool(self._held or self._skipping) or not self._is_told

    def pause(self) -> float | None:
        """In how many seconds, unless keys come; None: never."""
        due = []
        if self._held or self._skipping:
            due.append(self._held_at + self._patience())
        if not self._is_told:
            due.append(self._clock() if self._is_answered else self._asked_at + ANSWERED_WITHIN)
        return max(0.0, min(due) - self._clock()) if due else None

    # -- what is typed

    def feed(self, data: bytes) -> bytes:
        """What of it is no answer to us."""
        if not (self._held or self._skipping or self._is_pasting or ESC in data):
            return data  # nearly always
        if not (self._held or self._skipping):
            self._held_at = self._clock()
        buffer, self._held = self._held + data, b""
        passed = bytearray()
        at = 0
        while at < len(buffer):
            if self._is_pasting:
                end = self._end_of_paste(buffer, at)
                passed += buffer[at:end]
                at = end
            elif self._skipping:
                at = self._skip(buffer, at)
            else:
                at = self._take(buffer, at, passed)
        return bytes(passed)

    def flush(self) -> bytes:
        """Nothing followed: what is given up, if it is time to. The beginning of an answer is no key."""
        if not (self._held or self._skipping) or self._clock() - self._held_at < self._patience():
            return b""
        is_answer = self._skipping or is_answer_begun(self._held)
        rest = b"" if is_answer else self._held
        self._held = self._skipping = b""
        return rest

    def _patience(self) -> float:
        return ANSWERED_WITHIN if self._skipping or len(self._held) > 2 else KEY_PAUSE

    def _hold(self, rest: bytes, is_new: bool) -> None:
        self._held = rest
        if is_new:
            self._held_at = self._clock()

    def _take(self, buffer: bytes, at: int, passed: bytearray) -> int:
        """Go on to behind the next sequence."""
        start = buffer.find(ESC, at)
        if start < 0:
            passed += buffer[at:]
            return len(buffer)
        passed += buffer[at:start]
        verdict, end = judge(buffer, start)
        if verdict == PASS:
            passed += buffer[start:end]
            self._is_pasting = buffer[start:end] == _PASTE_BEGIN
        elif verdict == HOLD:
            self._hold(buffer[start:], is_new=start > 0)
        elif verdict == SKIP:
            self._skipping = buffer[start + 1 : start + 2]
        else:
            self._learn(buffer[start:end])
        return end

    def _end_of_paste(self, buffer: bytes, at: int) -> int:
        text = self._pasted + buffer[at:]
        end = text.find(_PASTE_END)
        if end < 0:
            self._pasted = text[1 - len(_PASTE_END) :]
            return len(buffer)
        at += end + len(_PASTE_END) - len(self._pasted)
        self._is_pasting, self._pasted = False, b""
        return at

    def _skip(self, buffer: bytes, at: int) -> int:
        """Leave out the rest of what is too long, up to its end or to what cannot be part of it."""
        verdict, end = end_of_string(buffer, at) if self._skipping == b"]" else end_of_csi(buffer, at)
        if verdict == HOLD:
            self._held = ESC if buffer.endswith(ESC) else b""
            return len(buffer)
        self._skipping = b""
        return end

    # -- what it says

    def _learn(self, answer: bytes) -> None:
        """One that was cut short or is too long teaches nothing."""
        final = answer[-1:]
        if len(answer) > LONGEST:
            return
        if answer[1:2] == b"]":
            what, _, rest = answer[2:].partition(b";")
            colour = read_colour(rest[:-1] if final == b"\x07" else rest[:-2] if final == b"\\" else b"")
            if colour:
                setattr(self._looks, _COLOURS[what], colour)
                self._knows = True
        elif final == b"t":
            height, width = (int(field[:5] or b"0") for field in answer[2:-1].split(b";")[1:])
            if 0 < height < 10000 and 0 < width < 10000:
                self._looks.cell_height, self._looks.cell_width = height, width
                self._knows = True
        elif final == b"u":
            self._looks.keyboard = 1
            self._own_keyboard = answer[3:-1]
            self._knows = True
        else:
            self._is_answered = True


# -- leaving


def hush(replies: Replies, own_terminal: int = 0) -> None:
    """Before the terminal is somebody else's: what it still has to say would be typed there."""
    until = time.monotonic() + min(HUSH, replies.owed())
    while replies.owed() and (left := until - time.monotonic()) > 0:
        data = _read(own_terminal, left)
        if not data:
            return
        replies.feed(data)


def _read(own_terminal: int, seconds: float) -> bytes:
    """Nothing: it is silent, or gone."""
    try:
        return os.read(own_terminal, 65536) if select.select([own_terminal], [], [], seconds)[0] else b""
    except OSError:
        return b""
