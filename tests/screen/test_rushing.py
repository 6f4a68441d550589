"""lines that rush by are not drawn, and nobody can tell: the screen and what is above it are the same"""

from __future__ import annotations

import random

import pytest

from codewire_py.daemon.screen.screen import RUSHING_BYTES, Screen
from screen.pictures import differences, recorded

LINES = (
    "a plain line", "", "x" * 40, "x" * 41, "tabs\there", "\x1b[31mred\x1b[m and plain", "\x1b[1;32mgreen to the end", "\x1b[0mreset first",
    "trailing blanks   ", "日本語", "─" * 40, "👩‍👩‍👧 joined", "e\u0301", "back\rover", "\x1b[Kerased", "\x1b[5;5Hmoved", "\x1b[?25lhidden",
    "\x1b(0lqk\x1b(B", "\x1b]2;title\x07", "soft\u00adhyphen", "c1 \u009b31m", "\x1b[44mblue\x1b[0m",
)  # fmt: skip
COMMON = LINES[:3] + LINES[5:6] + LINES[21:]


class Drawing(Screen):
    """Draws everything."""

    rushes = False


def stream(seed: int, odd: float) -> bytes:
    chance = random.Random(seed)
    lines = [chance.choice(LINES if chance.random() < odd else COMMON) for _ in range(1500)]
    return "\r\n".join(lines).encode() + (b"\xff\r\n" if seed % 3 else b"\r\n")


def check_same(data: bytes, rows: int, cols: int, piece: int) -> Screen:
    rushing, drawing = Screen(rows, cols), Drawing(rows, cols)
    for start in range(0, len(data), piece):
        rushing.feed(data[start : start + piece])
        drawing.feed(data[start : start + piece])
        assert not differences(rushing, drawing)
    assert rushing.history_text(10_000) == drawing.history_text(10_000)
    assert rushing.scrollback.pushed == drawing.scrollback.pushed
    return rushing


@pytest.mark.parametrize("odd", [0.0, 0.002, 0.05, 1.0])
@pytest.mark.parametrize("seed", range(6))
def test_the_same_is_shown(seed: int, odd: float) -> None:
    """As by reading each sequence, however many odd ones are among the plain lines."""
    check_same(stream(seed, odd), 5 + seed, 40, 3000 + 4001 * seed)


@pytest.mark.parametrize("line", LINES)
def test_one_odd_line_among_many_plain_ones(line: str) -> None:
    """It is drawn as ever, and so is what it changes; a control that some terminals obey is not handed on to any."""
    data = (b"a plain line\r\n" * 700 + line.encode() + b"\r\n") * 2 + b"a plain line\r\n" * 700
    for piece in (4096, 5000, 1 << 20):
        screen = check_same(data, 7, 40, piece)
        assert b"\xc2\x9b" not in b"".join(screen.scrollback.rows)


def test_what_is_left_of_a_row_that_is_overwritten() -> None:
    """The end of the longer line stays, as in any terminal."""
    check_same(b"\n" * 9 + b"something longer than a line\r" + b"a plain line\r\n" * 900, 7, 40, 1 << 20)


@pytest.mark.parametrize("name", recorded())
def test_recordings_are_the_same(name: str) -> None:
    """What real programs print, over and over."""
    data, rows, cols = recorded()[name]
    check_same(data * (1 + 40_000 // len(data)), rows, cols, 16384)


def test_what_is_above_looks_the_same() -> None:
    """Colours too: what was not drawn is what the program wrote."""
    data = stream(4, 0.0)
    rushing, drawing = Screen(6, 40), Drawing(6, 40)
    rushing.feed(data)
    drawing.feed(data)
    one, other = Screen(400, 40), Screen(400, 40)
    one.feed(rushing.paint(300, afresh=True))
    other.feed(drawing.paint(300, afresh=True))
    assert one.scrollback.text(300) == other.scrollback.text(300)
    looks = [[one.plain.key for _ in range(1)], [other.plain.key for _ in range(1)]]
    for screen, seen in zip((one, other), looks, strict=True):
        seen += [style.key for row in screen.main for style in row.styles]
    assert looks[0] == looks[1]


def test_nearly_nothing_of_a_flood_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it would be slow for nothing."""
    drawn: list[int] = []
    draw = Screen.draw
    monkeypatch.setattr(Screen, "draw", lambda self, data: (drawn.append(len(data)), draw(self, data))[1])
    screen = Screen(10, 40)
    data = b"a plain line\r\n" * 20_000
    for start in range(0, len(data), 4 * RUSHING_BYTES):
        screen.feed(data[start : start + 4 * RUSHING_BYTES])
    assert sum(drawn) < len(data) / 8
