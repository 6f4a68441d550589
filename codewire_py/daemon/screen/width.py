"""how many columns a character takes, and which one joins the character before it"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

ZWJ = "\u200d"
WIDENING = "\ufe0f"  # variation selector 16: show the character before it as an emoji
MOST_JOINED = 32  # characters in one cell

# Characters that take one column and join no other: nearly everything there is.
_NARROW = (
    "[ -~\u00a0-\u02ff\u0370-\u0377\u037a-\u037f\u0391-\u03a1\u03a3-\u0482\u048a-\u052f\u0531-\u0556"
    "\u1e00-\u1f15\u2010-\u2027\u2030-\u205e\u2070\u2071\u2074-\u208e\u20a0-\u20c0\u2100-\u2319\u231c-\u2328"
    "\u232b-\u23e8\u23ed-\u23ef\u23f1\u23f2\u23f4-\u2426\u2440-\u244a\u2460-\u25fc\u25ff-\u2613\u2616-\u2647"
    "\u2654-\u267e\u2680-\u2689\u2701-\u2704\u2706-\u2709\u270c-\u2727\u2729-\u274b\u2756\u2758-\u2794\u2798-\u27af\u27b1-\u27be"
    "\u27c0-\u2b1a\u2b1d-\u2b4f\u2b51-\u2b54\ue000-\uf8ff\ufffd]"
)
NARROW = re.compile(_NARROW + "*")
RUNS = re.compile(f"({_NARROW}+)|.", re.DOTALL)


@lru_cache(maxsize=8192)
def width(char: str) -> int:
    """0: it joins the character before it. 1 or 2 columns."""
    code = ord(char)
    if code < 0x300:
        return 1
    if unicodedata.category(char) in ("Mn", "Me", "Cf", "Zl", "Zp") or 0x1160 <= code <= 0x11FF:
        return 0
    if 0x1F3FB <= code <= 0x1F3FF:
        return 2  # a skin tone, which joins an emoji: see `joins`
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def joins(cell: str, char: str) -> bool:
    """Whether `char`, which has a width of its own, goes with what is in the cell before all the same."""
    if cell.endswith(ZWJ):
        return is_pictorial(cell[0]) and is_pictorial(char)
    code = ord(char)
    if 0x1F3FB <= code <= 0x1F3FF:
        return cell != " " and ord(cell[-1]) > 0x2600
    return 0x1F1E6 <= code <= 0x1F1FF and len(cell) == 1 and 0x1F1E6 <= ord(cell) <= 0x1F1FF


def waits(cell: str) -> bool:
    """Whether a joiner behind it means anything: that the next character joins it."""
    return is_pictorial(cell[0]) and not cell.endswith(ZWJ)


def widens(cell: str) -> bool:
    """Whether a character that takes one column takes two when it is shown as an emoji."""
    return is_pictorial(cell[0]) or cell[0] in "\u00a9\u00ae#*0123456789"


def is_pictorial(char: str) -> bool:
    return "\u203c" <= char <= "\u3299" or char >= "\U0001f000"
