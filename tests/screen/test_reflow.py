"""another size: lines of the main screen are broken anew, nothing is lost, and the cursor stays with its character"""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewire_py.daemon.screen.screen import Screen
from screen.pictures import drawn

TEXT = b"one short line\r\n" + b"0123456789" * 7 + b"\r\n" + "日本語".encode() * 9 + b"\r\nprompt$ typed"


def shown(rows: int, cols: int, *steps: bytes | tuple[int, int]) -> Screen:
    screen = Screen(rows, cols)
    for step in steps:
        if isinstance(step, bytes):
            screen.feed(step)
        else:
            screen.resize(*step)
    return screen


def everything(screen: Screen) -> list[str]:
    """Whole lines, those above the screen included."""
    rows = [*screen.history_text(10_000), *screen.text()]
    wraps = [not row.endswith(b"\n") for row in screen.scrollback.rows] + [row.wraps for row in screen.lines]
    lines, begun = [], ""
    for row, runs_on in zip(rows, wraps, strict=True):
        begun += row
        if not runs_on:
            lines.append(begun)
            begun = ""
    return "\n".join([*lines, begun]).rstrip("\n").split("\n")


@pytest.mark.parametrize("cols", [5, 13, 20, 33, 70, 71, 200])
def test_lines_are_broken_anew(cols: int) -> None:
    """At every width it is what a terminal of that width shows that was sent the same."""
    resized = shown(40, 60, TEXT, (40, cols))
    assert resized.text() == shown(40, cols, TEXT).text()
    assert resized.cursor() == shown(40, cols, TEXT).cursor()


@given(st.integers(0, 1 << 32), st.integers(1, 30), st.integers(2, 60))
def test_nothing_is_lost_but_blanks(seed: int, rows: int, cols: int) -> None:
    """Whatever the new size: each letter is on the screen or in the scrollback, in its order."""
    chance = random.Random(seed)
    words = [chance.choice(("word", "a" * 30, "日本", "x")) for _ in range(60)]
    stream = "".join(chance.choice((word, word + "\r\n", word + " ")) for word in words).encode()
    screen = shown(10, 24, stream)
    before = "".join(everything(screen)).replace(" ", "")
    screen.resize(rows, cols)
    assert "".join(everything(screen)).replace(" ", "") == before


def test_there_and_back_is_as_before() -> None:
    """Text and cursor, by way of smaller and larger sizes."""
    screen = shown(12, 60, TEXT)
    before = screen.text(), screen.cursor()
    for size in ((12, 20), (5, 20), (5, 90), (30, 7), (12, 60)):
        screen.resize(*size)
    assert (screen.text(), screen.cursor()) == before


def test_what_has_no_room_goes_above_and_comes_back() -> None:
    """Into the scrollback, and out of it when there is room again."""
    screen = shown(6, 20, b"".join(b"line %d\r\n" % number for number in range(5)) + b"$ ")
    screen.resize(3, 20)
    assert (screen.text(), screen.history_text(9)) == (
        ["line 3", "line 4", "$"],
        ["line 0", "line 1", "line 2"],
    )
    screen.resize(6, 20)
    assert (screen.text(), screen.history_text(9)) == ([*(f"line {number}" for number in range(5)), "$"], [])


def test_blank_rows_below_go_first() -> None:
    """Before anything that is written leaves the screen."""
    screen = shown(10, 20, b"one\r\ntwo\r\n$ ")
    screen.resize(4, 20)
    assert (screen.text(), screen.history_text(9)) == (["one", "two", "$", ""], [])


def test_the_alternate_screen_is_cut_and_the_main_one_is_broken_anew_below_it() -> None:
    """Programs there draw anew themselves; the shell they return to does not."""
    screen = shown(10, 40, b"m" * 60 + b"\r\n$ \x1b[?1049h\x1b[H" + b"a" * 40 + b"\x1b[10;40Hz")
    screen.resize(5, 20)
    assert (screen.is_alternate, screen.text()[0], screen.cursor()) == (True, "a" * 20, (4, 19))
    screen.feed(b"\x1b[?1049l")
    assert screen.text() == ["m" * 20, "m" * 20, "m" * 20, "$", ""]
    assert screen.cursor() == (3, 2)


def test_colours_go_along() -> None:
    """Each letter keeps its own, in whichever row it comes to stand."""
    screen = shown(5, 20, b"\x1b[31m" + b"r" * 10 + b"\x1b[44m" + b"b" * 20 + b"\x1b[m")
    screen.resize(5, 7)
    looks = [screen.cell(row, col)[1].sgr_bytes[4:-1] for row in range(5) for col in range(7)]
    assert looks == [b"31"] * 10 + [b"31;44"] * 20 + [b""] * 5


@pytest.mark.parametrize("size", [(1, 1), (1, 1000), (1000, 1), (5000, 5000), (0, 0), (-3, 7)])
def test_odd_sizes_are_borne(size: tuple[int, int]) -> None:
    """And leave a screen that has the size it is given next."""
    screen = shown(10, 20, drawn(3, 200), size, drawn(4, 200), (10, 20))
    assert len(screen.text()) == 10
