"""recognise what our own terminal answers among what is typed, and read it"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

LONGEST: Final = 256  # bytes of an answer

ESC: Final = b"\x1b"
LEADS: Final = (b"10;", b"11;", b"12;")  # of answers about colours
_HEX: Final = frozenset(b"0123456789abcdefABCDEF")
_NUMBERS: Final = frozenset(b"0123456789;")
PASS, HOLD, DROP, SKIP = range(
    4
)  # no answer, perhaps one, one, and the beginning of what is too long for one


# -- where an answer ends


def judge(buffer: bytes, at: int) -> tuple[int, int]:
    """What the sequence is that the escape at `at` begins, and where it ends."""
    second = buffer[at + 1 : at + 2]
    if not second:
        return HOLD, len(buffer)
    if second == b"[":
        return _judge_csi(buffer, at)
    if second == b"]":
        return _judge_osc(buffer, at)
    return PASS, at + (1 if second == ESC else 2)


def _judge_csi(buffer: bytes, at: int) -> tuple[int, int]:
    start = at + 2
    verdict, end = end_of_csi(buffer, start)
    if verdict == HOLD:
        body = buffer[start:end]
        if not _may_become_answer(body):
            return PASS, end
        return (HOLD if len(body) <= LONGEST else SKIP), end
    body, final = buffer[start : end - 1], buffer[end - 1 : end]
    is_too_long = len(body) > LONGEST and _may_become_answer(body)
    return (DROP if verdict == DROP and (is_too_long or _is_answer(body, final)) else PASS), end


def end_of_csi(buffer: bytes, start: int) -> tuple[int, int]:
    """DROP: behind its last character; PASS: before what cannot be part of it; HOLD: it goes on."""
    at = start
    while at < len(buffer) and 0x20 <= buffer[at] < 0x40:
        at += 1
    if at == len(buffer):
        return HOLD, at
    return (DROP, at + 1) if 0x40 <= buffer[at] < 0x7F else (PASS, at)


def _is_answer(body: bytes, final: bytes) -> bool:
    if final in (b"c", b"u"):
        return body[:1] == b"?" and _NUMBERS.issuperset(body[1:])
    return final == b"t" and body[:2] == b"6;" and body.count(b";") == 2 and _NUMBERS.issuperset(body)


def _may_become_answer(body: bytes) -> bool:
    """Or the beginning of a paste, within which nothing is an answer."""
    if body[:1] == b"?":
        return _NUMBERS.issuperset(body[1:])
    is_cell = body[:2] in (b"6", b"6;") and body.count(b";") <= 2 and _NUMBERS.issuperset(body)
    return is_cell or b"200".startswith(body)


def _judge_osc(buffer: bytes, at: int) -> tuple[int, int]:
    head = buffer[at + 2 : at + 5]
    if not any(lead.startswith(head) for lead in LEADS):
        return PASS, at + 2
    if len(head) < 3:
        return HOLD, len(buffer)
    verdict, end = end_of_string(buffer, at + 5)
    if verdict == HOLD and end - at > LONGEST:
        return SKIP, end - buffer.endswith(ESC)  # perhaps the first half of its end
    return (DROP if verdict == PASS else verdict), end


def end_of_string(buffer: bytes, start: int) -> tuple[int, int]:
    """DROP: behind its end; PASS: before a control that cannot be part of it; HOLD: it goes on."""
    for at in range(start, len(buffer)):
        if buffer[at] == 0x1B:
            after = buffer[at + 1 : at + 2]
            return (HOLD, len(buffer)) if not after else (DROP, at + 2) if after == b"\\" else (PASS, at)
        if buffer[at] < 0x20:
            return (DROP, at + 1) if buffer[at] == 0x07 else (PASS, at)
    return HOLD, len(buffer)


def is_answer_begun(held: bytes) -> bool:
    """Nobody types this: the rest is missing."""
    return held[:2] == b"\x1b]" and held[2:5] in LEADS


# -- what an answer means


def read_colour(text: bytes) -> str:
    """`rrggbb`; empty if it is none."""
    if text[:1] == b"#":
        size, rest = divmod(len(text) - 1, 3)
        parts = [] if rest else [text[1 + size * i : 1 + size * (i + 1)] for i in range(3)]
    else:
        scheme, _, values = text.partition(b":")
        parts = values.split(b"/")[:3] if scheme in (b"rgb", b"rgba") else []
    if len(parts) != 3 or not all(0 < len(part) <= 4 and _HEX.issuperset(part) for part in parts):
        return ""
    return "".join(f"{int(part, 16) * 255 // (16 ** len(part) - 1):02x}" for part in parts)
