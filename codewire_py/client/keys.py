"""find the detach chord in what is typed

A chord is a prefix and a key. Terminals have several forms for each: a byte, kitty's, xterm's modifyOtherKeys,
Windows'. Between them arrive the terminal's own reports and pastes, which are no typing. What turns out not to
be the chord is forwarded as it came.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_ESC: Final = b"\x1b"
_PASTE_BEGIN: Final = b"\x1b[200~"
_PASTE_END: Final = b"\x1b[201~"
_STRINGS: Final = b"]P_^X"  # the second byte of answers that last until their terminator
_CSI_MAX: Final = 256

_SHIFT, _CTRL = 1, 4
_LOCKS: Final = 64 | 128  # caps lock, num lock
_PRESS, _REPEAT, _RELEASE = 1, 2, 3


class Key:
    """A key as a sequence tells it: the code points it may stand for, what is held with it, what happened."""

    __slots__ = ("base", "code", "modifiers", "shifted", "what")

    def __init__(self, codes: list[int], modifiers: int, what: int) -> None:
        self.code, self.shifted, self.base = (*codes, 0, 0, 0)[:3]
        if self.code > 127 and self.base:  # a layout without Latin letters: what is printed on the key beside
            self.code = self.base
        self.modifiers = modifiers & ~_LOCKS
        self.what = what

    def is_modifier(self) -> bool:
        return 57441 <= self.code <= 57454 or 57358 <= self.code <= 57360

    def is_on_same_key(self, byte: int) -> bool:
        """Whether it is the key that types `byte`, whatever is held with it."""
        return byte in (self.code, _control(self.code)) or _upper(self.code) == _upper(byte)

    def types(self, byte: int) -> bool:
        """Whether an ordinary terminal would send `byte` for it."""
        if byte < 0x20:
            return self._types_control(byte)
        if self.modifiers == _SHIFT:
            return (self.shifted or _upper(self.code)) == byte
        return self.modifiers == 0 and self.code == byte

    def _types_control(self, byte: int) -> bool:
        if self.code == byte:
            return self.modifiers in (0, _CTRL)
        if self.modifiers == _CTRL | _SHIFT and not _is_letter(self.shifted):  # such as Ctrl and _
            return _control(self.shifted) == byte
        return self.modifiers == _CTRL and _control(self.code) == byte


class Chord:
    """Takes the detach chord out of what is typed, read by read.

    While `waiting`, an unfinished sequence is held; after 50 ms of silence `flush` says it was keys after all.
    """

    __slots__ = ("_armed", "_has_sent_prefix", "_held", "_is_pasting", "_key", "_prefix", "_sent", "forms", "waiting")

    def __init__(self, prefix: int = 0x02, key: int = 0x64) -> None:
        self._prefix, self._key = prefix, key
        letter = prefix | 0x60 if prefix < 0x20 else prefix
        modifier = 5 if prefix < 0x20 else 1
        self.forms = (b"%c" % prefix, b"\x1b[%d;%du" % (letter, modifier), b"\x1b[27;%d;%d~" % (modifier, letter))
        self._armed: bytes | None = None  # the prefix as it came, while its key is awaited
        self._has_sent_prefix = False  # the prefix was typed twice, and may be held down still
        self._is_pasting = False
        self._held = b""  # an unfinished sequence
        self._sent = 0  # how much of it has been forwarded already
        self.waiting = False

    def feed(self, data: bytes) -> tuple[bytes, bool]:
        """What to forward, and whether the chord was typed: the rest is dropped then."""
        buffer = self._held + data
        sent, self._held, self._sent = self._sent, b"", 0
        forward = bytearray()
        at = 0
        is_detached = False
        while at < len(buffer) and not is_detached:
            end = self._end(buffer, at)
            if end < 0:
                forward += self._keep(buffer[at:], max(sent - at, 0))
                break
            token, new = buffer[at:end], buffer[max(at, sent) : end]
            is_detached, passed = self._take(token, new)
            forward += passed
            at = end
        self.waiting = len(self._held) > self._sent or _is_string(self._held)
        return bytes(forward), is_detached

    def flush(self) -> bytes:
        """Nothing followed: what is held is no sequence. What to forward of it."""
        self.waiting = False
        if self._is_pasting:
            return b""
        rest = self._held[self._sent :]
        if len(self._held) > 2 and self._held[1:2] == b"[":  # too long to be typed: the rest is late
            self._sent = len(self._held)
        else:
            self._held, self._sent = b"", 0
        return self._disarm() + rest if rest else b""

    def _end(self, buffer: bytes, at: int) -> int:
        """Where what begins at `at` ends, -1 if more must come to know."""
        if self._is_pasting:
            end = buffer.find(_PASTE_END, at)
            return end + len(_PASTE_END) if end >= 0 else -1
        if buffer[at : at + 1] == _ESC:
            return _sequence_end(buffer, at)
        if self._armed is not None or buffer[at] == self._prefix:
            return at + 1
        ends = buffer.find(_ESC, at), buffer.find(self._prefix, at)
        return min((end for end in ends if end >= 0), default=len(buffer))

    def _keep(self, tail: bytes, sent: int) -> bytes:
        """Hold an unfinished sequence as long as it may be part of a chord. What to forward of it now."""
        held = tail
        if self._is_pasting:
            held = _paste_end_begun(tail)
            self._sent = len(held)
        elif _is_string(tail):  # no key: only where it ends still matters
            held = tail[:2] + (_ESC if tail.endswith(_ESC) else b"")
            self._sent = 2
            tail = tail.removesuffix(_ESC)
        elif sent == 0 and (self._armed is not None or _may_be_key(tail)):
            return self._hold(tail, 0)
        else:
            self._sent = len(tail)
        self._held = held
        return tail[sent:]
