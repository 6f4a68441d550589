"""read keyboard input: where a sequence ends, which key it is, whether the terminal says it by itself"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

ESC: Final = b"\x1b"

_STRINGS: Final = b"]P_^X"  # the second byte of answers that last until their terminator
_CSI_MAX: Final = 256

_SHIFT, _ALT, _CTRL = 1, 2, 4
_LOCKS: Final = 64 | 128  # caps lock, num lock
PRESS, REPEAT, RELEASE = 1, 2, 3
_LEFT_SHIFT: Final = 57441  # the first of the modifiers among kitty's code points
_MODIFIERS_OF_WINDOWS = (16, 17, 18, 20, 91, 92, 144, 145)


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
        return _LEFT_SHIFT <= self.code <= 57454 or 57358 <= self.code <= 57360

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


# ── where a sequence ends ──────────────────────────────────────────────────────────────────────────────


def sequence_end(buffer: bytes, at: int) -> int:
    """Where the sequence ends that the escape at `at` begins, -1 if more must come to know."""
    second = buffer[at + 1 : at + 2]
    if not second:
        return -1
    if second == b"[":
        return _csi_end(buffer, at + 2)
    if second == b"O":
        return _shifted_end(buffer, at + 2)
    if second in (b"]", b"P", b"_", b"^", b"X"):
        return _string_end(buffer, at + 2)
    return at + 2 if 0x20 <= second[0] < 0x7F else at + 1  # Alt and a character, or Escape itself


def _csi_end(buffer: bytes, start: int) -> int:
    if buffer[start : start + 1] == b"M":  # a mouse's report of old: three more bytes
        more = buffer[start + 1 : start + 4]
        if any(byte < 0x20 for byte in more):
            return start + 1
        return start + 4 if len(more) == 3 else -1
    at = start
    while at < len(buffer) and 0x20 <= buffer[at] < 0x40 and at - start < _CSI_MAX:
        at += 1
    if at == len(buffer):
        return -1
    return at + 1 if 0x40 <= buffer[at] < 0x7F else at


def _shifted_end(buffer: bytes, start: int) -> int:
    if start == len(buffer):
        return -1
    return start + 1 if 0x20 < buffer[start] < 0x7F else start


def _string_end(buffer: bytes, start: int) -> int:
    """Past the terminator of an answer; before any other control, for then it was Alt and a letter."""
    for at in range(start, len(buffer)):
        if buffer[at] == 0x1B:
            after = buffer[at + 1 : at + 2]
            return -1 if not after else at + 2 if after == b"\\" else at
        if buffer[at] < 0x20:
            return at + 1 if buffer[at] == 0x07 else at
    return -1


def is_string(sequence: bytes) -> bool:
    return len(sequence) > 1 and sequence[0] == 0x1B and sequence[1] in _STRINGS


# ── what a sequence means ──────────────────────────────────────────────────────────────────────────────


def is_report(token: bytes) -> bool:
    """Whether the terminal says something of its own accord or in answer; Alt and a letter looks the same."""
    if token[:1] != ESC or len(token) < 2:
        return False
    if token[1:2] == b"O":
        return len(token) == 2
    return token[1:2] != b"[" or _is_report_csi(token[2:-1], token[-1:])


def _is_report_csi(body: bytes, final: bytes) -> bool:
    if body[:1] in (b"<", b"=", b">", b"?", b"M") or any(byte < 0x30 for byte in body):
        return True
    match final:
        case b"I" | b"O":  # focus
            return not body
        case b"M":  # mouse
            return bool(body)
        case b"R":  # where the cursor is; without a column it is a key
            return b";" in body
    return final in (b"c", b"n", b"t", b"x", b"y")


def read_key(token: bytes) -> Key | None:
    if len(token) == 1:
        return Key([token[0]], 0, PRESS)
    if token[:2] != b"\x1b[" or len(token) < 4:
        return None
    final = token[-1:]
    fields = [[_number(part) for part in field.split(b":")] for field in token[2:-1].split(b";")]
    if final == b"_" and len(fields) == 6:
        return _read_windows_key([field[0] for field in fields])
    modifiers, what = (*(fields[1] if len(fields) > 1 else ()), 0, 0)[:2]
    if final == b"u":
        codes = fields[0]
    elif final == b"~" and fields[0][0] == 27 and len(fields) == 3:
        codes = fields[2]
    elif what == RELEASE:
        codes = [-1]
    else:
        return None
    return Key(codes, max(modifiers, 1) - 1, what or PRESS)


def _read_windows_key(fields: list[int]) -> Key:
    """Virtual key, scan code, character, is it down, state of the control keys, repeat count."""
    virtual, _, character, is_down, state, _ = fields
    if not character:
        character = _LEFT_SHIFT if virtual in _MODIFIERS_OF_WINDOWS else -1
    is_alt = state & 0b11 and not state & 0b1100  # with Ctrl it is AltGr, which is part of the character
    return Key([character], _ALT if is_alt else 0, PRESS if is_down else RELEASE)


def _number(text: bytes) -> int:
    return int(text[:9]) if text.isdigit() else 0


def _control(code: int) -> int:
    """The byte that Ctrl makes of a character, -1 if none."""
    if code == 0x20:
        return 0
    return code & 0x1F if 0x40 <= code < 0x60 or _is_letter(code) else -1


def _is_letter(code: int) -> bool:
    return ord("a") <= _lower(code) <= ord("z")


def _lower(code: int) -> int:
    return code + 32 if ord("A") <= code <= ord("Z") else code


def _upper(code: int) -> int:
    return code - 32 if ord("a") <= code <= ord("z") else code
