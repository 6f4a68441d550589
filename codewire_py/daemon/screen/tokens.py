"""cut a decoded stream into what a screen acts on"""

from __future__ import annotations

import re

from codewire_py.stream.scan import SEQUENCE

# Whole sequences of any kind, also odd ones: the same grammar that splits bytes, for characters.
_ODD = (
    SEQUENCE.pattern.decode("latin-1").replace("\x80-\xff", "\x80-\U0010ffff").replace("\\xff", "\U0010ffff")
)

TEXT, LOOKS, NEWLINE, CONTROL_SEQUENCE, CONTROL, ODD = range(1, 7)

TOKENS = re.compile(
    r"([^\x00-\x1f\x7f-\x9f]+)"
    r"|\x1b\[([0-9;:]*)m"
    r"|(\r\n|\n)"
    r"|\x1b\[([ -?]*[@-~])"
    r"|([\x00-\x1a\x1c-\x1f\x7f-\x9f])"
    r"|(" + re.sub(r"\?P<\w+>", "?:", _ODD) + ")"
)

_PARTS = re.compile(r"([<-?]?)([0-9;:]*)([ -/]*)([@-~])")
LARGEST = 16383  # no parameter means more than this
MOST_PARAMETERS = 32


def parse(body: str) -> tuple[str, list[int]]:
    """What a control sequence is called (`H`, `?h`, `!p`) and its parameters, 0 where none is said; ("", []): odd."""
    match = _PARTS.fullmatch(body)
    if match is None:
        return "", []
    prefix, numbers, between, final = match.groups()
    fields = numbers.split(";")[:MOST_PARAMETERS]
    return prefix + between + final, [number(field.partition(":")[0]) for field in fields]


def number(digits: str) -> int:
    digits = digits.lstrip("0")
    return min(int(digits or "0"), LARGEST) if len(digits) <= 6 else LARGEST
