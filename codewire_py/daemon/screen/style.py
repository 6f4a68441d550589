"""how a character looks: colours, underline, link; and how the SGR sequence changes it"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

FLAGS = {1: 1, 2: 2, 3: 4, 5: 8, 6: 8, 7: 16, 8: 32, 9: 64, 53: 128}  # SGR code: bit
SHOWN = {1: "1", 2: "2", 4: "3", 8: "5", 16: "7", 32: "8", 64: "9", 128: "53"}  # bit: SGR code
UNFLAGS = {22: 3, 23: 4, 25: 8, 27: 16, 28: 32, 29: 64, 55: 128}
FOREGROUND: Final = 0  # places in a key
BACKGROUND: Final = 1
UNDERLINE_COLOUR: Final = 2
UNDERLINE: Final = 3
LINK: Final = 4
BITS: Final = 5
COLOURS = {38: FOREGROUND, 48: BACKGROUND, 58: UNDERLINE_COLOUR}
_BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_COLOUR = f"[345]8;(?:5;{_BYTE}|2;{_BYTE};{_BYTE};{_BYTE})"
COLOUR = re.compile(_COLOUR)
ONLY_COLOURS = re.compile(f"{_COLOUR}(?:;{_COLOUR})*+")
PLACES = {"3": FOREGROUND, "4": BACKGROUND, "5": UNDERLINE_COLOUR}  # by how a colour begins
MOST_KNOWN = 4096  # styles remembered, and ways from one to another, before all of them are forgotten
LONGEST_REMEMBERED = 256  # parameters
LONGEST_LINK = 2083
LARGEST = 99999  # no number in an SGR sequence means more than this
Key = tuple[str, str, str, str, str, int]
PLAIN: Key = ("", "", "", "", "", 0)


class Style:
    """Compared by identity: equal ones are the same, as far as they are remembered."""

    __slots__ = ("_sgr", "blank", "key", "next")

    def __init__(self, key: Key, blank: Style | None = None) -> None:
        self.key = key
        self.blank = blank or self  # what erasing with it leaves: its background
        self.next: dict[str, Style] = {}  # by the parameters of an SGR sequence
        self._sgr = ""

    @property
    def sgr_text(self) -> str:
        """The sequence that makes it so, whatever was before."""
        if not self._sgr:
            self._sgr = f"\x1b[{';'.join(['0', *parts(self.key)])}m"
        return self._sgr

    @property
    def sgr_bytes(self) -> bytes:
        return self.sgr_text.encode()

    @property
    def link_text(self) -> str:
        return f"\x1b]8;{self.key[LINK] or ';'}\x1b\\"


def parts(key: Key) -> Iterator[str]:
    foreground, background, underline_colour, underline, _, bits = key
    yield from (code for bit, code in SHOWN.items() if bits & bit)
    yield from (part for part in (underline, foreground, background, underline_colour) if part)


class Styles:
    """Those of one screen."""

    def __init__(self) -> None:
        self.plain = Style(PLAIN)
        self.known = {PLAIN: self.plain}
        self.ways = 0

    def of(self, key: Key) -> Style:
        style = self.known.get(key)
        if style is None:
            empty: Key = ("", key[BACKGROUND], "", "", "", 0)
            blank = None if key == empty else self.of(empty) if key[BACKGROUND] else self.plain
            style = self.known[key] = Style(key, blank)
        return style

    def change(self, style: Style, parameters: str) -> Style:
        """What `style` becomes by SGR with these parameters; remembered on it while it is known itself."""
        self.count()
        changed = self.of(changed_by(style.key, parameters))
        if len(parameters) <= LONGEST_REMEMBERED and self.known.get(style.key) is style:
            style.next[parameters] = changed
        return changed

    def linked(self, style: Style, link: str) -> Style:
        self.count()
        foreground, background, underline_colour, underline, _, bits = style.key
        return self.of((foreground, background, underline_colour, underline, link, bits))

    def count(self) -> None:
        self.ways += 1
        if self.ways > MOST_KNOWN:
            self.forget()

    def forget(self) -> None:
        """Those in use live on in their rows; the way from one to the next is found anew."""
        for style in self.known.values():
            style.next.clear()
        self.known = {PLAIN: self.plain}
        self.ways = 0


def changed_by(key: Key, parameters: str) -> Key:
    looks: list[str] = list(key[:BITS])
    bits = key[BITS]
    if ONLY_COLOURS.fullmatch(parameters):  # as nearly all are that are not remembered
        for colour in COLOUR.findall(parameters):
            looks[PLACES[colour[0]]] = colour
        return key_of(looks, bits)
    fields = iter(parameters.split(";")[:64])
    for field in fields:
        code = number(field.partition(":")[0] if ":" in field else field)
        if code == 0:
            looks[:LINK] = [""] * LINK
            bits = 0
        elif code in FLAGS:
            bits |= FLAGS[code]
        elif code in UNFLAGS:
            bits &= ~UNFLAGS[code]
        elif code in COLOURS:
            colour = colour_of(field, fields)
            if colour:
                looks[COLOURS[code]] = f"{code}{colour}"
        else:
            set_look(looks, code, field)
    return key_of(looks, bits)


def key_of(looks: list[str], bits: int) -> Key:
    foreground, background, underline_colour, underline, link = looks
    return foreground, background, underline_colour, underline, link, bits


def set_look(looks: list[str], code: int, field: str) -> None:
    if 30 <= code <= 37 or 90 <= code <= 97:
        looks[FOREGROUND] = str(code)
    elif 40 <= code <= 47 or 100 <= code <= 107:
        looks[BACKGROUND] = str(code)
    elif code == 39:
        looks[FOREGROUND] = ""
    elif code == 49:
        looks[BACKGROUND] = ""
    elif code == 59:
        looks[UNDERLINE_COLOUR] = ""
    elif code == 4:
        kind = number(field.partition(":")[2] or "1")
        looks[UNDERLINE] = {0: "", 1: "4"}.get(kind, f"4:{kind}" if kind <= 5 else "4")
    elif code == 21:
        looks[UNDERLINE] = "4:2"
    elif code == 24:
        looks[UNDERLINE] = ""


def colour_of(field: str, rest: Iterator[str]) -> str:
    """`;5;9` or `;2;1;2;3`: from `38:5:9`, `38:2::1:2:3`, `38:2:1:2:3`, or from the fields that follow."""
    if ":" in field:
        said = field.split(":")[1:]
        kind = number(said[0])
        values = said[1:2] if kind == 5 else said[2:5] if len(said) >= 5 else said[1:4]
    else:
        kind = number(next(rest, ""))
        values = [next(rest, "") for _ in range({5: 1, 2: 3}.get(kind, 0))]
    numbers = [number(value) for value in values]
    if len(numbers) != {5: 1, 2: 3}.get(kind) or max(numbers) > 255:
        return ""
    return "".join(f";{value}" for value in (kind, *numbers))


def number(text: str) -> int:
    text = text.lstrip("0")
    return int(text or "0") if len(text) <= 5 else LARGEST
