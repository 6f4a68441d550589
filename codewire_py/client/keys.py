"""find the detach chord in what is typed

A chord is a prefix and a key. Terminals have several forms for each: a byte, kitty's, xterm's, Windows'.
Between them arrive the terminal's own reports, and pastes, which are no typing. What turns out not to be the
chord is forwarded as it came.
"""

from __future__ import annotations

from codewire_py.client.keystrokes import (
    ESC,
    RELEASE,
    REPEAT,
    is_report,
    is_string,
    read_key,
    sequence_end,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from codewire_py.client.keystrokes import Key

_PASTE_BEGIN: Final = b"\x1b[200~"
_PASTE_END: Final = b"\x1b[201~"


class Chord:
    """Takes the detach chord out of what is typed, read by read.

    While `waiting`, an unfinished sequence is held: after 50 ms of silence, `flush` says it was keys.
    """

    __slots__ = (
        "_armed", "_has_sent_prefix", "_held", "_is_pasting", "_key", "_prefix", "_sent", "waiting",
    )  # fmt: skip

    def __init__(self, prefix: int = 0x02, key: int = 0x64) -> None:
        self._prefix, self._key = prefix, key
        self._armed: bytes | None = None  # the prefix as it came, while its key is awaited
        self._has_sent_prefix = False  # the prefix was typed twice, and may be held down still
        self._is_pasting = False
        self._held = b""  # an unfinished sequence
        self._sent = 0  # how much of it has been forwarded already
        self.waiting = False

    def feed(self, data: bytes) -> tuple[bytes, bool]:
        """What to forward, and whether the chord was typed: the rest is dropped then."""
        if not (self._held or self._armed or self._is_pasting or ESC in data or self._prefix in data):
            return data, False  # nearly always
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
        self.waiting = len(self._held) > self._sent or is_string(self._held)
        return bytes(forward), is_detached

    def flush(self) -> bytes:
        """Nothing followed: what is held is no sequence. What to forward of it."""
        self.waiting = False
        if self._is_pasting:
            return b""
        rest = self._held[self._sent :]
        is_alt = len(self._held) == 2  # Alt and `[` or `O`: cancels no more than with any other character
        if len(self._held) > 2 and self._held[1:2] == b"[":  # too long to be typed: the rest is late
            self._sent = len(self._held)
        else:
            self._held, self._sent = b"", 0
        return self._disarm() + rest if rest and not is_alt else rest

    def _end(self, buffer: bytes, at: int) -> int:
        """Where what begins at `at` ends, -1 if more must come to know."""
        if self._is_pasting:
            end = buffer.find(_PASTE_END, at)
            return end + len(_PASTE_END) if end >= 0 else -1
        if buffer[at : at + 1] == ESC:
            return sequence_end(buffer, at)
        if self._armed is not None or buffer[at] == self._prefix:
            return at + 1
        ends = buffer.find(ESC, at), buffer.find(self._prefix, at)
        return min((end for end in ends if end >= 0), default=len(buffer))

    def _keep(self, tail: bytes, sent: int) -> bytes:
        """Hold an unfinished sequence as long as it may be part of a chord. What to forward of it now."""
        if self._is_pasting:
            self._held = _paste_end_begun(tail)
            self._sent = len(self._held)
        elif is_string(tail):  # no key: nothing but its end matters
            self._held = tail[:2] + (ESC if tail.endswith(ESC) else b"")
            self._sent = 2
            tail = tail.removesuffix(ESC)
        elif sent == 0 and (self._armed is not None or _may_be_key(tail)):
            self._held = tail
            return b""
        else:
            self._held, self._sent = tail, len(tail)
        return tail[sent:]

    def _take(self, token: bytes, new: bytes) -> tuple[bool, bytes]:
        """Whether `token` completes the chord, and what to forward: `new` is what has not been, of it."""
        if self._is_pasting:
            self._is_pasting = False
            return False, new
        key = read_key(token)
        if self._armed is not None:
            return self._take_armed(token, new, key)
        self._is_pasting = token == _PASTE_BEGIN
        if key is not None and key.what == RELEASE:
            self._has_sent_prefix &= not key.is_on_same_key(self._prefix)
        elif key is not None and len(new) == len(token) and self._is_prefix(key):
            self._armed = token
            return False, b""
        return False, new

    def _is_prefix(self, key: Key) -> bool:
        return key.types(self._prefix) and not (key.what == REPEAT and self._has_sent_prefix)

    def _take_armed(self, token: bytes, new: bytes, key: Key | None) -> tuple[bool, bytes]:
        if is_report(token) or (key is not None and key.is_modifier()):
            return False, new
        if key is None:
            self._is_pasting = token == _PASTE_BEGIN
        elif key.what == RELEASE:
            return False, self._take_release(token, key)
        elif key.types(self._key):
            self._disarm()
            return True, b""
        elif key.types(self._prefix):
            return False, self._take_prefix_again(token, key)
        return False, self._disarm() + new

    def _take_release(self, token: bytes, key: Key) -> bytes:
        if self._armed is not None and key.is_on_same_key(self._prefix):
            self._armed += token  # goes where its press goes
            return b""
        return token

    def _take_prefix_again(self, token: bytes, key: Key) -> bytes:
        if key.what == REPEAT:
            return b""
        self._disarm()
        self._has_sent_prefix = True
        return token

    def _disarm(self) -> bytes:
        armed, self._armed = self._armed, None
        return armed or b""


def forms_of(prefix: int) -> tuple[bytes, bytes, bytes]:
    """How terminals send the prefix: as a byte, kitty's way, xterm's way."""
    if prefix >= 0x20:
        character, modifiers = prefix, 1
    else:
        character, modifiers = prefix + 0x60 if 1 <= prefix <= 26 else prefix + 0x40 if prefix else 0x20, 5
    return b"%c" % prefix, b"\x1b[%d;%du" % (character, modifiers), b"\x1b[27;%d;%d~" % (modifiers, character)


def _may_be_key(sequence: bytes) -> bool:
    """Whether it may become one of the forms of a key that has a character."""
    return sequence[1:2] in (b"", b"[") and (len(sequence) < 3 or sequence[2:3].isdigit())


def _paste_end_begun(text: bytes) -> bytes:
    """The longest end of `text` that a paste's end begins with."""
    for length in range(min(len(_PASTE_END) - 1, len(text)), 0, -1):
        if _PASTE_END.startswith(text[-length:]):
            return text[-length:]
    return b""
