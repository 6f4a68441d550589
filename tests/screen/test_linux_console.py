"""a bare Linux console shows a paint without rubbish: what it does not know, it must not print"""

from __future__ import annotations

import pytest

from codewire_py.daemon.screen.screen import Screen
from screen.pictures import recorded


class Console:
    """What the kernel's console (drivers/tty/vt, since 5.8) takes for text.

    Behind ESC it knows a few letters, and those that want one more; any other is swallowed alone. `ESC ]` and a digit
    begins a string up to BEL or ESC; `ESC P`, `ESC X`, `ESC ^` and `ESC _` likewise. A control sequence ends with its
    final letter, known or not.
    """

    def __init__(self) -> None:
        self.text: list[str] = []
        self.state = self.normal

    def feed(self, data: str) -> list[str]:
        for char in data:
            self.state = self.state(char) or self.normal
        return self.text

    def normal(self, char: str) -> object:
        if char == "\x1b":
            return self.escape
        if char >= " ":
            self.text.append(char)
        return self.normal

    def escape(self, char: str) -> object:
        known = {
            "[": self.sequence,
            "]": self.system,
            "(": self.one,
            ")": self.one,
            "%": self.one,
            "#": self.one,
        }
        return known.get(char, self.string if char in "PX^_" else self.normal)

    def one(self, char: str) -> object:
        return self.normal

    def sequence(self, char: str) -> object:
        if char == "\x1b":
            return self.escape
        return self.normal if "@" <= char <= "~" else self.sequence

    def system(self, char: str) -> object:
        return self.string if char.isdigit() else self.normal

    def string(self, char: str) -> object:
        if char == "\x07":
            return self.normal
        return self.escape if char == "\x1b" else self.string


@pytest.mark.parametrize("name", recorded())
def test_only_what_the_program_wrote_is_printed(name: str) -> None:
    """No part of a paint is text to a console that knows few sequences."""
    stream, rows, cols = recorded()[name]
    screen = Screen(rows, cols)
    for start in range(0, len(stream), 3000):
        screen.feed(stream[start : start + 3000])
        printed = "".join(Console().feed(screen.paint(0, with_pending=False).decode()))
        wanted = "".join(row.text() for row in screen.main)
        wanted += "".join(screen.text()) if screen.is_alternate else ""
        assert printed.replace(" ", "") == wanted.replace(" ", "")
