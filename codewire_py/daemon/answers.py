"""what a terminal says when a program asks it something

Nothing that a program wrote is ever repeated: an answer is typed into whatever reads the terminal next, which may
be a shell. Numbers and colours are read, and written anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from codewire_py.daemon.palette import BACKGROUND, FOREGROUND, Colour, first_colour, is_light, parse_colour
from codewire_py.stream.grammar import CONTROLS
from codewire_py.version import VERSION

if TYPE_CHECKING:
    from codewire_py.daemon.screen.screen import Screen
    from codewire_py.stream.modes import Modes
    from codewire_py.wire.messages import Looks

ST = b"\x1b\\"
WHAT_I_AM = b"\x1b[?62;22c"  # a VT220 with colours
CELL = (16, 8)  # pixels
CELL_MOST = 1000
# These a screen does not act on, so no program is to rely on them, whatever the viewers' terminals can do.
_NOT_OURS = frozenset((69, 1001, 2027, 2031, 2048, 5522, 7727, 9001))
_NUMBER_DIGITS = 5
_COLOURS_MOST = 256

_CSI = re.compile(rb"([>=?]?)0*([0-9]*)([;:0-9]*)(\$?[a-zA-Z])")
_OSC = re.compile(rb"0*([0-9]+);([^\x1b]*)")
_FIXED = {
    (b"", b"", b"c"): WHAT_I_AM,
    (b">", b"", b"c"): b"\x1b[>1;10;0c",
    (b"=", b"", b"c"): b"\x1bP!|00000000" + ST,
    (b">", b"", b"q"): b"\x1bP>|codewire(" + VERSION.encode() + b")" + ST,
    (b"", b"5", b"n"): b"\x1b[0n",
    (b"", b"11", b"t"): b"\x1b[1t",
    (b"", b"13", b"t"): b"\x1b[3;0;0t",
    (b"", b"20", b"t"): b"\x1b]L" + ST,  # a title would be the program's own text
    (b"", b"21", b"t"): b"\x1b]l" + ST,
}
_NO_SUCH_SETTING, _NO_SUCH_CAPABILITY = b"\x1bP0$r" + ST, b"\x1bP0+r" + ST


class Told:
    """What answers are made of. `screen` may be None where `needs_screen` says so."""

    def __init__(
        self, rows: int, cols: int, modes: Modes, looks: Looks, screen: Screen | None = None
    ) -> None:
        self.rows, self.cols, self.modes, self.looks, self.screen = rows, cols, modes, looks, screen

    def cell(self) -> tuple[int, int]:
        height, width = self.looks.cell_height, self.looks.cell_width
        return (height, width) if 0 < height <= CELL_MOST and 0 < width <= CELL_MOST else CELL

    def colour(self, code: int) -> Colour:
        """Of text (10), background (11) or cursor (12): the program's, the viewer's, or a terminal's at first."""
        looks = self.looks
        said = {10: looks.foreground, 11: looks.background, 12: looks.cursor or looks.foreground}[code]
        first = BACKGROUND if code == 11 else FOREGROUND
        found = self._set_colour(b"%d" % code) or parse_colour("#" + said) or parse_colour("#" + first)
        assert found is not None
        return found

    def palette_colour(self, index: int) -> Colour:
        return self._set_colour(b"4;%d" % index) or first_colour(index)

    def _set_colour(self, key: bytes) -> Colour | None:
        return parse_colour(self.modes.colours.get(key, b"").decode("ascii", "replace"))


def needs_screen(query: bytes) -> bool:
    """Whether the answer is about what was drawn, which may be dear to find out."""
    said = query.translate(None, CONTROLS)[1:].removesuffix(ST)
    return re.fullmatch(rb"\[\??0*6n|P[0-?]*\$q[mr]", said) is not None


def answer(query: bytes, told: Told) -> bytes:
    """Nothing if nobody answers that."""
    said = query.translate(None, CONTROLS)
    match said[1:2]:
        case b"Z":
            return WHAT_I_AM
        case b"[":
            return _answer_csi(said[2:], told)
        case b"]" if query.endswith((b"\x07", ST)):
            return _answer_colour(said[2:].removesuffix(ST), told, b"\x07" if query.endswith(b"\x07") else ST)
        case b"P" if query.endswith(ST):
            return _answer_setting(said[2:].removesuffix(ST).lstrip(b"0123456789:;<=>?"), told)
    return b""


def _answer_csi(body: bytes, told: Told) -> bytes:
    match = _CSI.fullmatch(body)
    if match is None:
        return b""
    prefix, digits, _, final = match.groups()
    if body.endswith(b"0u"):
        return b""  # our own answer, from a terminal that echoes it
    if final == b"$p":
        return _answer_mode(int(digits or b"0"), prefix, told) if len(digits) <= _NUMBER_DIGITS else b""
    asked = (prefix, digits, final)
    if asked in _FIXED:
        return _FIXED[asked]
    make = _MADE.get(asked)
    return make(told) if make else b""


def _answer_mode(number: int, prefix: bytes, told: Told) -> bytes:
    is_private = prefix == b"?"
    is_on = None if is_private and number in _NOT_OURS else told.modes.is_on(number, is_private)
    return b"\x1b[%b%d;%d$y" % (prefix, number, {None: 0, True: 1, False: 2}[is_on])


def _cursor(told: Told, prefix: bytes = b"") -> bytes:
    screen = told.screen
    if screen is None:
        return b""
    row, col = screen.cursor()
    row -= screen.top if screen.origin else 0
    return b"\x1b[%b%d;%dR" % (prefix, max(row, 0) + 1, col + 1)


def _keyboard(told: Told) -> bytes:
    """A terminal that does not speak kitty's protocol says nothing."""
    return b"" if told.looks.keyboard == 0 else b"\x1b[?%du" % told.modes.keyboard_flags


def _scheme(told: Told) -> bytes:
    return b"\x1b[?997;%dn" % (2 if is_light(told.colour(11)) else 1)


def _pixels(told: Told, kind: int) -> bytes:
    height, width = told.cell()
    return b"\x1b[%d;%d;%dt" % (kind, told.rows * height, told.cols * width)


_MADE: dict[tuple[bytes, bytes, bytes], Callable[[Told], bytes]] = {
    (b"", b"6", b"n"): _cursor,
    (b"?", b"6", b"n"): lambda told: _cursor(told, b"?"),
    (b"?", b"", b"u"): _keyboard,
    (b"?", b"996", b"n"): _scheme,
    (b"", b"14", b"t"): lambda told: _pixels(told, 4),
    (b"", b"15", b"t"): lambda told: _pixels(told, 5),
    (b"", b"16", b"t"): lambda told: b"\x1b[6;%d;%dt" % told.cell(),
    (b"", b"18", b"t"): lambda told: b"\x1b[8;%d;%dt" % (told.rows, told.cols),
    (b"", b"19", b"t"): lambda told: b"\x1b[9;%d;%dt" % (told.rows, told.cols),
}


def _answer_colour(body: bytes, told: Told, end: bytes) -> bytes:
    match = _OSC.fullmatch(body)
    if match is None or len(match[1]) > 2:
        return b""
    code, fields = int(match[1]), match[2].split(b";")
    if code == 4:
        return _answer_palette(fields, told, end)
    asked = [number for number, field in enumerate(fields, code) if field == b"?" and number in (10, 11, 12)]
    return b"".join(_colour_told(b"%d" % number, told.colour(number), end) for number in asked)


def _answer_palette(fields: list[bytes], told: Told, end: bytes) -> bytes:
    pairs = zip(fields[::2], fields[1::2], strict=False)
    asked = [index for index, colour in pairs if colour == b"?" and index.isdigit() and len(index) <= 3]
    numbers = [number for number in map(int, asked[:_COLOURS_MOST]) if number <= 255]
    return b"".join(_colour_told(b"4;%d" % number, told.palette_colour(number), end) for number in numbers)


def _colour_told(key: bytes, colour: Colour, end: bytes) -> bytes:
    return b"\x1b]%b;rgb:%04x/%04x/%04x%b" % (key, *colour, end)


def _answer_setting(asked: bytes, told: Told) -> bytes:
    if asked.startswith(b"+q"):
        return _NO_SUCH_CAPABILITY
    if not asked.startswith(b"$q"):
        return b""
    if asked == b"$q q":
        return b"\x1bP1$r%b q%b" % (_shape(told.modes), ST)
    screen = told.screen
    if screen is not None and asked == b"$qr":
        return b"\x1bP1$r%d;%dr%b" % (screen.top + 1, screen.bottom + 1, ST)
    if screen is not None and asked == b"$qm":
        return b"\x1bP1$r%b%b" % (screen.pen.sgr_bytes.removeprefix(b"\x1b["), ST)
    return _NO_SUCH_SETTING


def _shape(modes: Modes) -> bytes:
    return modes.shape if modes.shape in (b"1", b"2", b"3", b"4", b"5", b"6") else b"0"
