"""remember what a stream has switched on, to switch it off again"""

from __future__ import annotations

import re  # noqa: TID253 - callers that must start fast import this floor when they need it

from codewire_py.stream.scan import Pieces

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_ALTERNATES = frozenset((47, 1047, 1049))
_AUTOWRAP, _CURSOR = 7, 25  # private modes that are on at first
_ORIGIN, _SIDES, _SYNCHRONIZED = 6, 69, 2026
_PRIVATE = frozenset((
    1, 5, _ORIGIN, _AUTOWRAP, 9, _CURSOR, 45, 66, 67, _SIDES, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007,
    1015, 1016, 2004, _SYNCHRONIZED, 2027, 2031, 2048, 5522, 7727, 9001,
))  # fmt: skip
_ANSI = frozenset((2, 4, 20))  # keyboard lock, insert, line feed as new line
_SOFTLY_RESET = (1, _ORIGIN, _AUTOWRAP, _CURSOR, 66, 67, _SIDES)
_STACK_MAX: Final = 99
_COLOURS_MAX: Final = 1024
_COLOUR_MAX: Final = 64

# What outlasts what is drawn next. Colours and moves are most of a stream: they must fail here at once.
_EVENT = re.compile(
    rb"\x1b(?:\[(?:(?P<private>[?<>=][0-9;:]*+[hlumn])|(?P<plain>[0-9;:]*+(?:[hlrst]|\x20q|!p)))"
    rb"|(?P<escape>[c=>no]|[()*+][\x20-\x2f]?[\x30-\x7e])"
    rb"|\](?P<osc>(?:[48]|9;4|104|1[01]?[0-9])(?:;[^\x07\x18\x1a\x1b]*+)?)(?:\x07|\x1b\\))"
)
_LAST_STYLE = re.compile(rb"(?s).*\x1b\[([0-9;:]*+)m")
_SHIFT_OUT, _SHIFT_IN = b"\x0e", b"\x0f"


class Keyboard:
    """The flags of kitty's keyboard protocol that are in force on one screen, and those pushed below them."""

    __slots__ = ("flags",)

    def __init__(self) -> None:
        self.flags = [0]

    def push(self, flags: int) -> None:
        if len(self.flags) <= _STACK_MAX:
            self.flags.append(flags)

    def pop(self, count: int) -> None:
        self.flags = self.flags[: -max(count, 1)] or [0]

    def set(self, flags: int, how: int) -> None:
        now = self.flags[-1]
        self.flags[-1] = now | flags if how == 2 else now & ~flags if how == 3 else flags

    def undo(self) -> bytes:
        pops = b"\x1b[<%du" % (len(self.flags) - 1) if len(self.flags) > 1 else b""
        return pops + (b"\x1b[=0u" if self.flags[0] else b"")

    def enter(self) -> bytes:
        first = b"\x1b[=%du" % self.flags[0] if self.flags[0] else b""
        return first + b"".join(b"\x1b[>%du" % flags for flags in self.flags[1:])


class Modes:
    """Follows a stream, chunk by chunk, and knows what a terminal that was sent it still has switched on."""

    __slots__ = (
        "_alternate", "_ansi", "_charsets", "_colours", "_is_linked", "_is_progressing", "_is_shifted",
        "_is_styled", "_keyboards", "_keypad", "_keys", "_pieces", "_private", "_region", "_shape", "_sides",
        "_titles",
    )  # fmt: skip

    def __init__(self) -> None:
        self._pieces = Pieces()
        self._reset()

    def _reset(self) -> None:
        self._alternate = 0
        self._keyboards = (Keyboard(), Keyboard())  # of the main and of the alternate screen
        self._private: dict[int, None] = {}  # those that are not as they are at first
        self._ansi: dict[int, None] = {}
        self._keys: dict[int, bytes] = {}  # xterm's key modifier options, modifyOtherKeys the best known
        self._keypad = False
        self._shape = b""
        self._region = b""
        self._sides = b""
        self._charsets: dict[bytes, bytes] = {}
        self._colours: dict[bytes, bytes] = {}
        self._titles: list[int] = []
        self._is_shifted = self._is_styled = self._is_linked = self._is_progressing = False

    def _reset_softly(self) -> None:
        for mode in _SOFTLY_RESET:
            self._private.pop(mode, None)
        self._ansi = {}
        self._keypad = False
        self._region = self._sides = b""
        self._charsets = {}
        self._is_shifted = self._is_styled = False

    # ── following ──────────────────────────────────────────────────────────────────────────────────────

    def feed(self, data: bytes) -> None:
        piece = self._pieces.whole(data)
        reset_at = -1
        if b"\x1b" in piece:
            for match in _EVENT.finditer(piece):
                if self._take(match):
                    reset_at = match.start()
            style = _LAST_STYLE.match(piece)
            if style is not None and style.start(1) > reset_at:
                self._is_styled = style[1].strip(b"0") != b""
        if _SHIFT_OUT in piece or _SHIFT_IN in piece:
            out, back = piece.rfind(_SHIFT_OUT), piece.rfind(_SHIFT_IN)
            if max(out, back) > reset_at:
                self._is_shifted = out > back

    def _take(self, match: re.Match[bytes]) -> bool:
        """Note what one sequence changes; whether it was a reset."""
        match match.lastgroup:
            case "private":
                self._take_private(match["private"])
            case "plain":
                return self._take_plain(match["plain"])
            case "escape":
                return self._take_escape(match["escape"])
            case _:
                self._take_osc(match["osc"])
        return False

    def _take_private(self, body: bytes) -> None:
        numbers = _numbers(body[1:-1])
        match body[:1] + body[-1:]:
            case b"?h" | b"?l":
                self._switch(numbers, body.endswith(b"h"))
            case b">u":
                self._keyboard.push(numbers[0])
            case b"<u":
                self._keyboard.pop(numbers[0])
            case b"=u":
                self._keyboard.set(numbers[0], numbers[1] if len(numbers) > 1 else 1)
            case b">m" | b">n":
                self._modify_keys(body, numbers)

    @property
    def _keyboard(self) -> Keyboard:
        return self._keyboards[self._alternate > 0]

    def _switch(self, numbers: list[int], is_on: bool) -> None:
        for number in numbers:
            if number in _ALTERNATES:
                self._alternate = number if is_on else 0
            elif number in _PRIVATE:
                _note(self._private, number, is_on != (number in (_AUTOWRAP, _CURSOR)))

    def _modify_keys(self, body: bytes, numbers: list[int]) -> None:
        if body == b">m":
            self._keys = {}
        elif body.endswith(b"m") and len(numbers) == 1:
            self._keys.pop(numbers[0], None)
        elif numbers[0] <= 7:
            self._keys[numbers[0]] = body

    def _take_plain(self, body: bytes) -> bool:
        numbers = _numbers(body.rstrip(b"hlrst q!p"))
        match body[-1:]:
            case b"h" | b"l":
                for number in _ANSI.intersection(numbers):
                    _note(self._ansi, number, body.endswith(b"h"))
            case b"r":
                self._region = body[:-1].strip(b";")
            case b"s":
                self._sides = body[:-1].strip(b";") if _SIDES in self._private else b""
            case b"q":
                self._shape = body[:-2].lstrip(b"0")
            case b"t":
                self._stack_title(numbers)
            case b"p":
                self._reset_softly()
                return True
        return False

    def _stack_title(self, numbers: list[int]) -> None:
        if numbers[0] == 22 and len(self._titles) < _STACK_MAX:
            self._titles.append(numbers[1] if len(numbers) > 1 else 0)
        elif numbers[0] == 23 and self._titles:
            self._titles.pop()

    def _take_escape(self, body: bytes) -> bool:
        match body[:1]:
            case b"c":
                self._reset()
                return True
            case b"=" | b">":
                self._keypad = body == b"="
            case b"n" | b"o":
                self._is_shifted = True
            case slot:
                self._charsets[slot] = body[1:]
                if body[1:] == b"B":
                    del self._charsets[slot]
        return False

    def _take_osc(self, body: bytes) -> None:
        code, _, rest = body.partition(b";")
        match code:
            case b"8":
                self._is_linked = bool(rest.partition(b";")[2])
            case b"9":
                self._is_progressing = rest[2:3] not in (b"", b"0")
            case b"4" | b"104":
                self._colour_palette(code, rest.split(b";"))
            case _:
                self._colour(int(code), rest.split(b";"))

    def _colour_palette(self, code: bytes, fields: list[bytes]) -> None:
        if code == b"4":
            for index, colour in zip(fields[::2], fields[1::2], strict=False):
                if index.isdigit():
                    self._set_colour(b"4;" + index, colour)
        elif fields == [b""]:
            self._colours = {key: self._colours[key] for key in self._colours if not key.startswith(b"4;")}
        else:
            for index in fields:
                self._colours.pop(b"4;" + index, None)

    def _colour(self, code: int, fields: list[bytes]) -> None:
        if code >= 100:  # 110 resets what 10 sets
            self._colours.pop(b"%d" % (code - 100), None)
            return
        for offset, colour in enumerate(fields):  # each further colour is for the next code
            if code + offset <= 19:
                self._set_colour(b"%d" % (code + offset), colour)

    def _set_colour(self, key: bytes, colour: bytes) -> None:
        is_colour = 0 < len(colour) <= _COLOUR_MAX and not colour.startswith(b"?")
        if is_colour and (key in self._colours or len(self._colours) < _COLOURS_MAX):
            self._colours[key] = colour

    # ── undoing and redoing ────────────────────────────────────────────────────────────────────────────

    def undo(self) -> bytes:
        """The bytes that bring a terminal back that was sent the stream; none if nothing is on."""
        parts = [b"\x18\x1b\\"] if self._pieces.inside else []
        if _SYNCHRONIZED in self._private:
            parts.append(b"\x1b[?2026l")
        parts += self._undo_screen()
        parts += [_switching(mode, mode in (_AUTOWRAP, _CURSOR)) for mode in self._drawn_modes()]
        parts += [b"\x1b[%dl" % mode for mode in self._ansi]
        parts += [b"\x1b[>%dm" % resource for resource in self._keys]
        parts += [b"\x1b>"] if self._keypad else []
        parts += [_SHIFT_IN] if self._is_shifted or _SHIFT_OUT in self._pieces.held else []
        parts += [b"\x1b" + slot + b"B" for slot in self._charsets]
        parts += [b"\x1b[0 q"] if self._shape else []
        parts += [b"\x1b[0m"] if self._is_styled else []
        parts += [b"\x1b]8;;\x1b\\"] if self._is_linked else []
        parts += [b"\x1b]9;4;0\x1b\\"] if self._is_progressing else []
        parts += self._undo_colours()
        parts += [b"\x1b[23;%dt" % kind for kind in reversed(self._titles)]
        return b"".join(parts)

    def _undo_screen(self) -> list[bytes]:
        """Leave the alternate screen and all limits, in an order that leaves the cursor where it is."""
        main, alternate = self._keyboards
        parts = []
        if self._alternate:
            parts += [alternate.undo(), b"\x1b[?6l" if _ORIGIN in self._private else b""]
            parts.append(_switching(self._alternate, False))
        parts.append(main.undo())
        if self._region or self._sides or _SIDES in self._private:
            sides = b"\x1b[?69l" if _SIDES in self._private else b""
            parts.append(b"\x1b7" + sides + b"\x1b[r\x1b8")
        if _ORIGIN in self._private and self._alternate != 1049:
            parts.append(b"\x1b[?6l\x1b[999;1H")  # to leave this mode moves the cursor to the top
        return parts

    def _drawn_modes(self) -> list[int]:
        return [mode for mode in self._private if mode not in (_ORIGIN, _SIDES, _SYNCHRONIZED)]

    def _undo_colours(self) -> list[bytes]:
        plain = [b"\x1b]1%b\x1b\\" % key for key in self._colours if not key.startswith(b"4;")]
        return plain + ([b"\x1b]104\x1b\\"] if len(plain) < len(self._colours) else [])

    def enter(self) -> bytes:
        """The bytes that switch the same on in a fresh terminal; what is drawn, and how, is a repaint's."""
        main, alternate = self._keyboards
        parts = [b"\x1b[22;%dt" % kind for kind in self._titles]
        parts.append(main.enter())
        if self._alternate:
            parts += [_switching(self._alternate, True), alternate.enter()]
        if self._region or self._sides:
            parts.append(b"\x1b7" + self._limits() + b"\x1b8")
        elif _SIDES in self._private:
            parts.append(b"\x1b[?69h")
        modes = [*self._drawn_modes(), *([_ORIGIN] if _ORIGIN in self._private else [])]
        parts += [_switching(mode, mode not in (_AUTOWRAP, _CURSOR)) for mode in modes]
        parts += [b"\x1b[%dh" % mode for mode in self._ansi]
        parts += [b"\x1b[" + body for body in self._keys.values()]
        parts += [b"\x1b="] if self._keypad else []
        parts += [b"\x1b[" + self._shape + b" q"] if self._shape else []
        parts += [b"\x1b]%b;%b\x1b\\" % colour for colour in self._colours.items()]
        parts += [b"\x1b" + slot + final for slot, final in self._charsets.items()]
        parts += [_SHIFT_OUT] if self._is_shifted else []
        return b"".join(parts)

    def _limits(self) -> bytes:
        sides = b"\x1b[?69h" if _SIDES in self._private else b""
        sides += b"\x1b[%bs" % self._sides if self._sides else b""
        return sides + (b"\x1b[%br" % self._region if self._region else b"")


def _note(modes: dict[int, None], mode: int, is_noted: bool) -> None:
    if is_noted:
        modes[mode] = None
    else:
        modes.pop(mode, None)


def _switching(mode: int, is_on: bool) -> bytes:
    return b"\x1b[?%d%c" % (mode, b"h" if is_on else b"l")


def _numbers(parameters: bytes) -> list[int]:
    """The parameters as numbers, a missing one as 0; what comes after a colon is left out."""
    return [int(field.partition(b":")[0].lstrip(b"0")[:6] or b"0") for field in parameters.split(b";")]
