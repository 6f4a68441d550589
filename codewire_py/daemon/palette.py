"""colours as programs write them, and those that a terminal has at first"""

from __future__ import annotations

import re

Colour = tuple[int, int, int]  # each of 16 bits, as terminals tell them

FOREGROUND, BACKGROUND = "e5e5e5", "000000"
_BASIC = (
    "000000", "cd0000", "00cd00", "cdcd00", "0000ee", "cd00cd", "00cdcd", "e5e5e5",
    "7f7f7f", "ff0000", "00ff00", "ffff00", "5c5cff", "ff00ff", "00ffff", "ffffff",
)  # fmt: skip
_LEVELS = (0, 95, 135, 175, 215, 255)  # of the cube that the basic ones are followed by

_BY_PARTS = re.compile(r"rgb:([0-9a-f]{1,4})/([0-9a-f]{1,4})/([0-9a-f]{1,4})", re.IGNORECASE)
_BY_DIGITS = re.compile(r"#((?:[0-9a-f]{3}){1,4})", re.IGNORECASE)


def parse_colour(spec: str) -> Colour | None:
    """None: it is none, or one by a name, which terminals disagree on."""
    parts = _BY_PARTS.fullmatch(spec)
    if parts is not None:
        return _widened(*parts.groups())
    digits = _BY_DIGITS.fullmatch(spec)
    if digits is None:
        return None
    width = len(digits[1]) // 3
    return _widened(*(digits[1][at * width : (at + 1) * width] for at in range(3)))


def _widened(red: str, green: str, blue: str) -> Colour:
    return _wide(red), _wide(green), _wide(blue)


def _wide(digits: str) -> int:
    return int(digits, 16) * 0xFFFF // ((1 << 4 * len(digits)) - 1)


def first_colour(index: int) -> Colour:
    """What xterm shows for one of its 256, unless told otherwise."""
    if index < len(_BASIC):
        return _eight_bits(*bytes.fromhex(_BASIC[index]))
    if index < 232:
        red, rest = divmod(index - 16, 36)
        return _eight_bits(_LEVELS[red], _LEVELS[rest // 6], _LEVELS[rest % 6])
    return _eight_bits(*[8 + 10 * (index - 232)] * 3)


def _eight_bits(red: int, green: int, blue: int) -> Colour:
    return red * 257, green * 257, blue * 257


def is_light(colour: Colour) -> bool:
    red, green, blue = colour
    return 299 * red + 587 * green + 114 * blue > 500 * 0xFFFF
