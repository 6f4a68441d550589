"""one row of a screen: its characters, how each looks, and whether it runs on into the next"""

from __future__ import annotations

from itertools import groupby

from codewire_py.daemon.screen.style import LINK, Style
from codewire_py.daemon.screen.width import ZWJ

NO_LINK = "\x1b]8;;\x1b\\"
DEFAULT = "\x1b[m"


def joined(chars: list[str]) -> str:
    """As one text. A character that waits for another to join it must not get the one beside it."""
    text = "".join(chars)
    return "".join(char.rstrip(ZWJ) for char in chars) if ZWJ in text else text


class Row:
    """One entry per column. The second half of a wide character is ""; marks are with what they combine with."""

    __slots__ = ("chars", "gaps", "styles", "wraps")

    def __init__(self, cols: int, style: Style) -> None:
        self.chars = [" "] * cols
        self.styles = [style] * cols
        self.wraps = False
        self.gaps = (
            False  # its last column was left free: the wide character that comes next has no room there
        )

    def end(self, plain: Style) -> int:
        """Of what runs on into the next row."""
        is_gap = self.gaps and self.chars[-1] == " " and self.styles[-1] is plain
        return len(self.chars) - is_gap

    def look_at(self, following: Row) -> None:
        """What comes next may have been drawn over: then there is room for it."""
        self.gaps = self.gaps and following.chars[1:2] == [""]

    def fill(self, start: int, end: int, style: Style, char: str = " ") -> None:
        """Overwrite columns; of a wide character that is cut, nothing stays."""
        self.part(start)
        self.part(end)
        self.chars[start:end] = [char] * (end - start)
        self.styles[start:end] = [style] * (end - start)

    def part(self, col: int) -> None:
        """Make sure that no wide character stands across the left edge of `col`."""
        chars = self.chars
        if 0 < col < len(chars) and not chars[col]:
            chars[col - 1] = chars[col] = " "

    def insert(self, col: int, count: int, style: Style) -> None:
        cols = len(self.chars)
        count = min(count, cols - col)
        self.part(col)
        self.part(cols - count)
        self.chars[col:] = [" "] * count + self.chars[col : cols - count]
        self.styles[col:] = [style] * count + self.styles[col : cols - count]

    def delete(self, col: int, count: int, style: Style) -> None:
        count = min(count, len(self.chars) - col)
        self.part(col)
        self.part(col + count)
        self.chars[col:] = self.chars[col + count :] + [" "] * count
        self.styles[col:] = self.styles[col + count :] + [style] * count
        self.wraps = False

    def resize(self, cols: int, style: Style) -> None:
        missing = cols - len(self.chars)
        if missing < 0:
            self.part(cols)
        self.chars = self.chars[:cols] + [" "] * missing
        self.styles = self.styles[:cols] + [style] * missing
        self.wraps = False

    def text(self) -> str:
        return "".join(self.chars).rstrip(" ")

    def is_plain(self, plain: Style) -> bool:
        return self.styles.count(plain) == len(self.styles)

    def used(self, plain: Style) -> int:
        """Up to which column there is something to be seen."""
        text = "".join(self.chars)
        end = len(self.chars) - (len(text) - len(text.rstrip(" ")))
        if self.styles[end:].count(plain) == len(self.styles) - end:
            return end
        end = len(self.chars)
        while self.chars[end - 1] == " " and self.styles[end - 1] is plain:
            end -= 1
        return end

    def encode(self, plain: Style) -> bytes:
        """As a terminal draws it that begins and ends in the default style; one that runs on, to its end."""
        if self.is_plain(plain):
            text = joined(self.chars)
            return (
                text[: len(text) - len(self.chars) + self.end(plain)] if self.wraps else text.rstrip(" ")
            ).encode()
        return self.draw(0, self.end(plain) if self.wraps else self.used(plain), plain)

    def draw(self, left: int, right: int, plain: Style) -> bytes:
        """Columns from `left` to `right`, in the default style before and after."""
        chars = self.chars[left:right]
        if chars and not chars[0]:
            chars[0] = " "
        if right < len(self.chars) and chars and not self.chars[right]:
            chars[-1] = " "
        parts: list[str] = []
        at, link = 0, ""
        pen = plain
        for pen, same in groupby(self.styles[left:right]):
            end = at + len(list(same))
            if pen.key[LINK] != link:
                link = pen.key[LINK]
                parts.append(pen.link_text)
            parts.append(pen.sgr_text if pen is not plain else DEFAULT if at else "")
            parts += chars[at:end]
            at = end
        parts.append(NO_LINK if link else "")
        parts.append(DEFAULT if pen is not plain else "")
        return joined(parts).encode()
