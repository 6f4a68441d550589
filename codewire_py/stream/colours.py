"""the colours that a program has put in the place of a terminal's own"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_COLOURS_MAX: Final = 1024
_COLOUR_MAX: Final = 64
_CODE_MAX: Final = 19
_INDEX_MAX: Final = 5
_PALETTE: Final = b"\x1b]104\x1b\\"


class Colours:
    """As they were written: `specs` by what comes before them in the sequence, `4;7` or `11`."""

    __slots__ = ("specs", "touched")

    def __init__(self) -> None:
        self.specs: dict[bytes, bytes] = {}
        self.touched: dict[bytes, None] = {}  # what resets those that were ever spoken of

    def copy(self) -> Colours:
        other = Colours()
        other.specs, other.touched = self.specs.copy(), self.touched.copy()
        return other

    def clear(self) -> None:
        self.specs = {}

    def take(self, code: bytes, fields: list[bytes]) -> None:
        """OSC 4, 10 to 19, and what resets them, 104 and 110 to 119."""
        if code in (b"4", b"104"):
            self._take_palette(code, fields)
        else:
            self._take_plain(int(code), fields)

    def _take_palette(self, code: bytes, fields: list[bytes]) -> None:
        if code == b"4":
            for index, colour in zip(fields[::2], fields[1::2], strict=False):
                self._set(_palette_key(index), colour)
            return
        self.touched[_PALETTE] = None
        if fields == [b""]:
            self.specs = {key: self.specs[key] for key in self.specs if not key.startswith(b"4;")}
        for index in fields:
            self.specs.pop(_palette_key(index), None)

    def _take_plain(self, code: int, fields: list[bytes]) -> None:
        if code >= 100:  # 110 resets what 10 sets
            self.touched[_resetting(b"%d" % (code - 100))] = None
            self.specs.pop(b"%d" % (code - 100), None)
            return
        for offset, colour in enumerate(fields[: _CODE_MAX + 1 - code]):  # each is for the next code
            self._set(b"%d" % (code + offset), colour)

    def _set(self, key: bytes, colour: bytes) -> None:
        if key and _is_spec(colour) and (key in self.specs or len(self.specs) < _COLOURS_MAX):
            self.specs[key] = colour
            self.touched[_resetting(key)] = None

    def undo(self) -> bytes:
        plain = [_resetting(key) for key in self.specs if not key.startswith(b"4;")]
        return b"".join(plain) + (_PALETTE if len(plain) < len(self.specs) else b"")

    def unset(self) -> bytes:
        """Also those that are not set any more: a terminal may have missed that."""
        return b"".join(self.touched)

    def enter(self) -> bytes:
        return b"".join(b"\x1b]%b;%b\x1b\\" % colour for colour in self.specs.items())


def _palette_key(index: bytes) -> bytes:
    return b"4;%d" % int(index) if index.isdigit() and len(index) <= _INDEX_MAX else b""


def _is_spec(colour: bytes) -> bool:
    """It will be shown to terminals again, so nothing in it may end the sequence it stands in."""
    is_text = colour.isascii() and colour.decode().isprintable()
    return is_text and 0 < len(colour) <= _COLOUR_MAX and not colour.startswith(b"?")


def _resetting(key: bytes) -> bytes:
    return _PALETTE if key.startswith(b"4;") else b"\x1b]1%b\x1b\\" % key
