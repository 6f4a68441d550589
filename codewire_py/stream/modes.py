"""remember what a stream has switched on, to switch it off again"""

from __future__ import annotations

import re  # noqa: TID253 - callers that must start fast import this floor when they need it

from codewire_py.stream.colours import Colours
from codewire_py.stream.keyboard import Keyboard
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
_PROGRESS_MAX: Final = 16
_NO_PROGRESS: Final = b"\x1b]9;4;0\x1b\\"
# What a person may have switched on for themselves is left alone, unless a program has spoken of it.
_OWN = frozenset((45, 66, 67, 1007, 2027, 2048, 5522, 7727, 9001))
_BY_THE_PAINT = frozenset((_ORIGIN, _AUTOWRAP, _SIDES, _SYNCHRONIZED))
# In lists that the terminal with the least room for parameters takes whole.
_UNSET: Final = (
    b"\x1b[?1;5;9;1000;1001;1002;1003;1004l\x1b[?1005;1006;1015;1016;2004;2031l\x1b[?25h\x1b[2l\x1b>"
    b"\x1b[>4m\x1b[>m\x1b[0 q\x1b[<99u\x1b[=0u"  # a terminal that takes `>4m` for a style takes `>m` for none
)

# What outlasts what is drawn next. Colours and moves are most of a stream: they must fail here at once.
_EVENT = re.compile(
    rb"\x1b(?!\[[0-9;:]*+[@-gi-km-qu-~])"
    rb"(?:\[(?:(?P<private>[?<>=][0-9;:]*+[hlumn])|(?P<plain>[0-9;:]*+(?:[hlrst]|\x20q|!p)))"
    rb"|(?P<escape>[c=>no]|[()*+][\x20-\x2f]?[\x30-\x7e])"
    rb"|\](?P<osc>(?:[48]|9;4|104|1[01]?[0-9])(?:;[^\x07\x18\x1a\x1b]*+)?)(?:\x07|\x1b\\))"
)
_LAST_STYLE = re.compile(rb"(?s).*\x1b\[([0-9;:]*+)m")
_SHIFT_OUT, _SHIFT_IN, _USUAL = b"\x0e", b"\x0f", b"\x1b(B"


class Modes:
    """Follows a stream, chunk by chunk, and knows what a terminal that was sent it still has switched on."""

    __slots__ = (
        "_ansi", "_is_linked", "_is_styled", "_keypad", "_keys", "_own", "_pieces", "_private",
        "_progress", "_sides", "_titles", "alternate", "charsets", "colouring", "is_shifted", "keyboards",
        "region", "shape",
    )  # fmt: skip

    def __init__(self) -> None:
        self._pieces = Pieces()
        self.colouring = Colours()
        self._own: dict[bytes, None] = {}  # what switches off that a person may have on, if it was spoken of
        self._reset()

    def _reset(self) -> None:
        self.alternate = 0  # the mode that it was entered by
        self.keyboards = (Keyboard(), Keyboard())  # of the main and of the alternate screen
        self._private: dict[int, None] = {}  # those that are not as they are at first
        self._ansi: dict[int, None] = {}
        self._keys: dict[int, bytes] = {}  # xterm's key modifier options, modifyOtherKeys the best known
        self._keypad = False
        self.shape = b""
        self.region = b""
        self._sides = b""
        self.charsets: dict[bytes, bytes] = {}
        self.colouring.clear()
        self._progress = b""
        self._titles: list[int] = []
        self.is_shifted = self._is_styled = self._is_linked = False

    def _reset_softly(self) -> None:
        for mode in _SOFTLY_RESET:
            self._private.pop(mode, None)
        self._ansi = {}
        self._keypad = False
        self.region = self._sides = b""
        self.charsets = {}
        self.is_shifted = self._is_styled = False

    # ── following ──────────────────────────────────────────────────────────────────────────────────────

    def feed(self, data: bytes) -> None:
        piece = self._without_usual(self._pieces.whole(data))
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
                self.is_shifted = out > back

    def _without_usual(self, piece: bytes) -> bytes:
        """Full-screen programs ask at every word for the characters that they have: cancelling does as little."""
        usual = piece.count(_USUAL)
        if not usual or b"(" in self.charsets or piece.count(_USUAL[:-1]) > usual:
            return piece
        return piece.replace(_USUAL, b"\x18")

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
        return self.keyboards[self.alternate > 0]

    def _switch(self, numbers: list[int], is_on: bool) -> None:
        for number in numbers:
            if number in _ALTERNATES:
                self.alternate = number if is_on else 0
            elif number in _PRIVATE:
                if number in _OWN:
                    self._own[_switching(number, False)] = None
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
                self.region = body[:-1].strip(b";")
            case b"s":
                self._sides = body[:-1].strip(b";") if _SIDES in self._private else b""
            case b"q":
                self.shape = body[:-2].lstrip(b"0")
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
                self.is_shifted = True
            case slot:
                self.charsets[slot] = body[1:]
                if body[1:] == b"B":
                    del self.charsets[slot]
        return False

    def _take_osc(self, body: bytes) -> None:
        code, _, rest = body.partition(b";")
        match code:
            case b"8":
                self._is_linked = bool(rest.partition(b";")[2])
            case b"9":
                self._progress = _progress(rest)
                self._own[_NO_PROGRESS] = None
            case _:
                self.colouring.take(code, rest.split(b";"))

    # ── asking ─────────────────────────────────────────────────────────────────────────────────────────

    def is_on(self, number: int, private: bool = True) -> bool | None:
        """None: no mode that is followed here."""
        if not private:
            return number in self._ansi if number in _ANSI else None
        if number in _ALTERNATES:
            return self.alternate > 0
        if number not in _PRIVATE:
            return None
        return (number in self._private) != (number in (_AUTOWRAP, _CURSOR))

    @property
    def is_keypad_on(self) -> bool:
        return self._keypad

    @property
    def keyboard_flags(self) -> int:
        return self._keyboard.flags[-1]

    @property
    def colours(self) -> dict[bytes, bytes]:
        """As the program wrote them, by `10`, or `4;1` for one of the palette."""
        return self.colouring.specs

    def copy(self) -> Modes:
        other = Modes()
        for name in self.__slots__:
            value = getattr(self, name)
            setattr(other, name, value.copy() if hasattr(value, "copy") else value)
        other.keyboards = (self.keyboards[0].copy(), self.keyboards[1].copy())
        return other

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
        parts += [_SHIFT_IN] if self.is_shifted or _SHIFT_OUT in self._pieces.held else []
        parts += [b"\x1b" + slot + b"B" for slot in self.charsets]
        parts += [b"\x1b[0 q"] if self.shape else []
        parts += [b"\x1b[0m"] if self._is_styled else []
        parts += [b"\x1b]8;;\x1b\\"] if self._is_linked else []
        parts += [_NO_PROGRESS] if self._progress else []
        parts.append(self.colouring.undo())
        parts += [b"\x1b[23;%dt" % kind for kind in reversed(self._titles)]
        return b"".join(parts)

    def _undo_screen(self) -> list[bytes]:
        """Leave the alternate screen and all limits, in an order that leaves the cursor where it is."""
        main, alternate = self.keyboards
        parts = []
        if self.alternate:
            parts += [alternate.undo(), b"\x1b[?6l" if _ORIGIN in self._private else b""]
            if self.alternate == 1049:  # a terminal without a second screen goes on below what is drawn
                parts.append(b"\x1b[999;1H")
            parts.append(_switching(self.alternate, False))
        parts.append(main.undo())
        if self.region or self._sides or _SIDES in self._private:
            sides = b"\x1b[?69l" if _SIDES in self._private else b""
            parts.append(b"\x1b7" + sides + b"\x1b[r\x1b8")
        if _ORIGIN in self._private and self.alternate != 1049:
            parts.append(b"\x1b[?6l\x1b[999;1H")  # to leave this mode moves the cursor to the top
        return parts

    def _drawn_modes(self) -> list[int]:
        return [mode for mode in self._private if mode not in (_ORIGIN, _SIDES, _SYNCHRONIZED)]

    def enter(self) -> bytes:
        """The bytes that switch the same on in a fresh terminal; what is drawn, and how, is a repaint's."""
        main, alternate = self.keyboards
        parts = [b"\x1b[22;%dt" % kind for kind in self._titles]
        parts.append(main.enter())
        if self.alternate:
            parts += [_switching(self.alternate, True), alternate.enter()]
        if self.region or self._sides:
            parts.append(b"\x1b7" + self._limits() + b"\x1b8")
        elif _SIDES in self._private:
            parts.append(b"\x1b[?69h")
        modes = [*self._drawn_modes(), *([_ORIGIN] if _ORIGIN in self._private else [])]
        parts += [_switching(mode, mode not in (_AUTOWRAP, _CURSOR)) for mode in modes]
        parts += [b"\x1b[%dh" % mode for mode in self._ansi]
        parts += self._settings()
        parts += [b"\x1b" + slot + final for slot, final in self.charsets.items()]
        parts += [_SHIFT_OUT] if self.is_shifted else []
        return b"".join(parts)

    def _settings(self) -> list[bytes]:
        parts = [b"\x1b[" + body for body in self._keys.values()]
        parts += [b"\x1b="] if self._keypad else []
        parts += [b"\x1b[" + self.shape + b" q"] if self.shape else []
        parts.append(self.colouring.enter())
        return parts

    def settings(self) -> bytes:
        """What switches on, in a terminal that was reset, all that is not drawn: the rest is a paint's."""
        modes = [mode for mode in self._private if mode not in _BY_THE_PAINT]
        parts = [b"\x1b[22;%dt" % kind for kind in self._titles]
        parts += [_switching(mode, mode != _CURSOR) for mode in modes]
        parts += [b"\x1b[2h"] if 2 in self._ansi else []
        parts += self._settings()
        parts += [b"\x1b]9;%b\x1b\\" % self._progress] if self._progress else []
        return b"".join(parts)

    def unset(self) -> bytes:
        """What switches off, in a terminal whose state nobody knows, all that `settings` can ever switch on."""
        return _UNSET + b"".join(self._own) + self.colouring.unset()

    def _limits(self) -> bytes:
        sides = b"\x1b[?69h" if _SIDES in self._private else b""
        sides += b"\x1b[%bs" % self._sides if self._sides else b""
        return sides + (b"\x1b[%br" % self.region if self.region else b"")


def _note(modes: dict[int, None], mode: int, is_noted: bool) -> None:
    if is_noted:
        modes[mode] = None
    else:
        modes.pop(mode, None)


def _switching(mode: int, is_on: bool) -> bytes:
    return b"\x1b[?%d%c" % (mode, b"h" if is_on else b"l")


def _progress(report: bytes) -> bytes:
    """How far the program says it is, `4;1;50`, for those who look later; nothing if it does not say."""
    is_plain = len(report) <= _PROGRESS_MAX and report.replace(b";", b"").isdigit()
    return report if is_plain and report[2:3] not in (b"", b"0") else b""


def _numbers(parameters: bytes) -> list[int]:
    """The parameters as numbers, a missing one as 0; what comes after a colon is left out."""
    return [int(field.partition(b":")[0].lstrip(b"0")[:6] or b"0") for field in parameters.split(b";")]
