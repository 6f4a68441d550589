"""the shapes of terminal sequences: where one begins, where it ends, how long it may be

An escape character begins a sequence wherever it stands, also inside another one, which it cuts short, as
CAN and SUB do. Bytes from 0x80 up are text, never 8-bit controls: they cut short a sequence, but may be part
of a string.
"""

from __future__ import annotations

import re  # noqa: TID253 - callers that must start fast import this floor when they need it

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

ESC: Final = b"\x1b"

# Controls that a terminal obeys, or ignores, in the middle of a sequence: all but CAN, SUB and ESC.
CONTROLS: Final = bytes([*range(0x18), 0x19, *range(0x1C, 0x20), 0x7F])
CONTROL: Final = rb"\x00-\x17\x19\x1c-\x1f\x7f"

INTRO: Final = rb"\x1b[" + CONTROL + rb"]{0,99}+"
PARAMETER: Final = rb"[" + CONTROL + rb"\x20-\x3f]"  # and intermediates: what stands before the final byte

# The first bytes after ESC of a string; `k` is a title, as programs inside screen and tmux tell it.
STRINGS: Final = frozenset((b"]", b"P", b"X", b"^", b"_", b"k"))

SEQUENCE_MAX: Final = 256
STRING_MAX: Final = 64 * 1024

# How what begins with `[`, `]` or another string's letter ends: the match is what belongs to it.
_AFTER_CSI = re.compile(rb"[\x18\x1a\x40-\x7e]|(?=[\x1b\x80-\xff])")
_AFTER_OSC = re.compile(rb"[\x07\x18\x1a]|\x1b\\|(?=\x1b[^\\])")
_AFTER_ESCAPE = re.compile(rb"[\x18\x1a\x30-\x7e]|(?=[\x1b\x80-\xff])")
_AFTER_STRING = re.compile(rb"[\x18\x1a]|\x1b\\|(?=\x1b[^\\])")


def ending(lead: bytes) -> re.Pattern[bytes]:
    """What to search for to find the end of a sequence whose first byte after ESC is `lead`."""
    match lead:
        case b"[":
            return _AFTER_CSI
        case b"]":
            return _AFTER_OSC
        case b"P" | b"X" | b"^" | b"_" | b"k":
            return _AFTER_STRING
    return _AFTER_ESCAPE
