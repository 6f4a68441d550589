"""the status line: one row, exactly as wide as the terminal, and no trace anywhere else"""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewire_py.client.statusline import status_row, status_text
from codewire_py.daemon.screen.screen import Screen

ROWS, COLS = 6, 30
TEXTS = st.text(st.characters(categories=["L", "N", "P", "S", "Zs", "Cc", "Mn", "Cf"]), max_size=60)
SEQUENCE = re.compile(rb"\x1b(?:\[[0-9;]*[A-Za-z]|[78])|\x0f")


def shown(left: str, right: str, cols: int = COLS, has_colours: bool = True) -> str:
    """What a person reads in the bottom row."""
    screen = Screen(ROWS, cols)
    screen.feed(status_row(ROWS, cols, left, right, has_colours))
    return screen.text()[-1]


@pytest.mark.parametrize(
    ("facts", "left"),
    [
        ((7, "api", "working"), "[cw] 7 api · working"),
        ((7, "", "idle"), "[cw] 7 · idle"),
        ((12, "api", ""), "[cw] 12 api"),
        ((12, "", ""), "[cw] 12"),
    ],
)
def test_what_it_says(facts: tuple[int, str, str], left: str) -> None:
    """The session, what is known of it, and how to leave it."""
    assert status_text(*facts, "ctrl-b d") == (left, "ctrl-b d to detach")


@pytest.mark.parametrize(
    ("left", "right", "row"),
    [
        ("abc", "xyz", "abc                        xyz"),
        ("a" * 25, "xyz", "a" * 25 + "  xyz"),
        ("a" * 26, "xyz", "a" * 26),
        ("a" * 40, "", "a" * 30),
        ("語" * 13, "xy", "語" * 13 + "  xy"),
        ("語" * 20, "xy", "語" * 15),
        ("a" + "語" * 20, "xy", "a" + "語" * 14),
        ("❤\ufe0f" * 28, "", "❤" * 28),
        ("e\u0301" * 28, "", "e\u0301" * 28),
        ("\x1b[31mred\x07\n\x9b1m\u202eevil\udc80\u2028", "", "[31mred1mevil"),
        ("", "", ""),
    ],
)
def test_how_it_is_laid_out(left: str, right: str, row: str) -> None:
    """Left and right; too narrow, the right one goes; then the left one is cut. No controls."""
    assert shown(left, right) == row


@given(TEXTS, TEXTS, st.integers(1, 40), st.booleans())
def test_it_fills_its_row_and_touches_nothing_else(left: str, right: str, cols: int, colours: bool) -> None:
    """Any text: the rows above and the cursor are as they were, the row is full, nothing has scrolled."""
    screen = Screen(ROWS, cols)
    screen.feed(b"\x1b[1;31m" + b"\x1b[%d;2H" % (ROWS - 1) + b"x" * (cols - 1))
    above, cursor, pen = screen.text()[:-1], screen.cursor(), screen.pen
    drawn = status_row(ROWS, cols, left, right, colours)
    screen.feed(drawn)
    assert (screen.text()[:-1], screen.cursor(), screen.pen) == (above, cursor, pen)
    assert screen.history_text(10) == []
    style = screen.cell(ROWS - 1, 0)[1]
    assert (style.sgr_bytes == b"\x1b[0;7m") is colours
    assert all(screen.cell(ROWS - 1, col)[1] is style for col in range(cols))
    assert b"\x1b" not in SEQUENCE.sub(b"", drawn)


def test_without_colours_it_has_none() -> None:
    """NO_COLOR: text alone."""
    assert b"\x1b[7m" in status_row(ROWS, COLS, "left", "right", True)
    assert shown("left", "right") == shown("left", "right", has_colours=False)
    assert b"\x1b[7m" not in status_row(ROWS, COLS, "left", "right", False)


@pytest.mark.parametrize(("rows", "cols"), [(0, 0), (0, 80), (24, 0), (-1, 80)])
def test_no_terminal_no_row(rows: int, cols: int) -> None:
    """Where there is no size, nothing is drawn."""
    assert status_row(rows, cols, "left", "right", True) == b""
