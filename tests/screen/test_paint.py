"""coming back is exact: a paint at any cut, and then the rest, is the whole stream, whatever was there before"""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewire_py.daemon.screen.screen import Screen
from codewire_py.stream.queries import Queries
from codewire_py.stream.quiet import is_query
from codewire_py.stream.scan import Scanner

from .pictures import DIRTY, differences, drawn, recorded

RECORDED = recorded()


def painted(screen: Screen, dirt: bytes, afresh: bool = False) -> Screen:
    """Another terminal, in the state that `dirt` leaves it in, after the paint."""
    other = Screen(screen.rows, screen.cols)
    other.feed(dirt)
    other.feed(screen.paint(100, afresh))
    return other


def check_every_cut(stream: bytes, rows: int, cols: int, cuts: list[int]) -> None:
    whole = Screen(rows, cols)
    whole.feed(stream)
    before, at = Screen(rows, cols), 0
    for index, cut in enumerate(sorted(cuts)):
        before.feed(stream[at:cut])
        at = cut
        dirt = DIRTY[index % len(DIRTY)]
        after = painted(before, dirt, bool(index % 2) or before.leaves_main_alone())
        after.feed(stream[cut:])
        assert not (found := differences(after, whole)), (found, cut, stream[max(0, cut - 60) : cut], dirt)


@pytest.mark.parametrize("name", RECORDED)
def test_a_paint_and_the_rest_are_the_whole_recording(name: str) -> None:
    """Wherever a viewer comes, what it is painted and what follows show the program's screen."""
    stream, rows, cols = RECORDED[name]
    chance = random.Random(name)
    check_every_cut(stream, rows, cols, [chance.randrange(len(stream)) for _ in range(25)])


@given(st.integers(0, 1 << 32), st.integers(1, 12), st.integers(1, 24))
def test_a_paint_and_the_rest_are_the_whole_of_any_stream(seed: int, rows: int, cols: int) -> None:
    """The same for sequences at random, on screens of any size."""
    stream = drawn(seed, 60)
    chance = random.Random(seed)
    check_every_cut(stream, rows, cols, [chance.randrange(len(stream)) for _ in range(7)])


def test_every_single_cut_of_a_short_stream() -> None:
    """The same at each byte, also in the middle of a character or a sequence."""
    stream = drawn(11, 120)
    check_every_cut(stream, 8, 20, list(range(len(stream))))


@pytest.mark.parametrize("name", RECORDED)
def test_a_paint_asks_nothing(name: str) -> None:
    """A terminal that is shown it types nothing."""
    stream, rows, cols = RECORDED[name]
    screen = Screen(rows, cols)
    for start in range(0, len(stream), 5000):
        screen.feed(stream[start : start + 5000])
        paint = screen.paint(1000)
        assert not Queries().feed(paint)
        assert not [piece for _, piece in Scanner().feed(paint) if is_query(piece)]


def test_earlier_lines_come_first_once_and_in_order() -> None:
    """They are what scrolls into the viewer's own scrollback, below what its terminal showed before."""
    screen = Screen(10, 40)
    screen.feed(b"".join(b"line %d\r\n" % number for number in range(300)))
    other = Screen(10, 40)
    other.feed(b"$ cw attach 1\r\n")
    other.feed(screen.paint(200))
    seen = [*other.history_text(1000), *other.text()]
    lines = [line for line in seen if line]
    assert lines == ["$ cw attach 1", *(f"line {number}" for number in range(91, 300))]


def test_rows_that_run_on_are_left_to_the_viewers_terminal_to_break() -> None:
    """So that it can join them when it is made wider, and copying gets one line."""
    screen = Screen(4, 20)
    screen.feed(b"x" * 50 + b"\r\n" + b"y" * 50 + b"\r\nz")
    paint = screen.paint(100)
    assert b"x" * 30 in re.sub(rb"\x1b\[[0-9;]*[A-Za-z]", b"", paint)
    other = Screen(4, 60)
    other.feed(screen.paint(100, afresh=True))
    assert "x" * 40 in "".join(other.history_text(10) + other.text())


def test_what_was_there_stays_below_a_program_that_uses_the_alternate_screen_alone() -> None:
    """Who looks at an editor, and leaves, finds the own shell as it was."""
    screen = Screen(5, 20)
    screen.feed(b"\x1b[?1049h\x1b[Hthe editor")
    other = Screen(5, 20)
    other.feed(b"$ ls\r\nfile\r\n$ cw attach 1\r\n")
    other.feed(screen.paint(100))
    assert other.text()[0] == "the editor"
    other.feed(b"\x1b[?1049l")
    assert (other.text()[:3], other.cursor()) == (["$ ls", "file", "$ cw attach 1"], (3, 0))


def test_a_note_stands_before_the_lines() -> None:
    """What is told a viewer is above the scrollback it is about."""
    screen = Screen(3, 40)
    screen.feed(b"a\r\nb\r\nc\r\nd")
    other = Screen(3, 40)
    other.feed(screen.paint(10, True, "[cw] 5.0 MiB skipped"))
    assert [line for line in [*other.history_text(9), *other.text()] if line] == [
        "[cw] 5.0 MiB skipped", "a", "b", "c", "d",
    ]  # fmt: skip


def test_no_synchronized_output_is_left_open() -> None:
    """A terminal that has begun to wait for the rest would show nothing."""
    screen = Screen(3, 20)
    screen.feed(b"\x1b[?2026hhalf")
    assert painted(screen, b"").modes.is_on(2026) is False


@given(st.integers(0, 1 << 32), st.integers(1, 40), st.integers(1, 90), st.integers(1, 90))
def test_tabs_stop_at_the_same_columns_at_any_size(seed: int, cols: int, then: int, at_last: int) -> None:
    """Also beyond the last column, of which a paint says nothing: those that come with a larger size are the usual ones."""
    chance = random.Random(seed)
    whole = Screen(2, cols)
    for _ in range(chance.randrange(4)):
        whole.feed(
            chance.choice([b"\x1b[3g", b"\x1b[%dG\x1bH", b"\x1b[%dG\x1b[g"]).replace(
                b"%d", b"%d" % chance.randrange(50)
            )
        )
    after = painted(whole, DIRTY[4])
    for size in (then, at_last):
        for screen in (whole, after):
            screen.resize(2, size)
        assert [col for col in whole.tabs if col < size] == [col for col in after.tabs if col < size]


def test_usual_tab_stops_are_set_beyond_the_last_column_too() -> None:
    """On a terminal that remembers what its program cleared, and is made wider later."""
    other = Screen(2, 200)
    other.feed(b"\x1b[3g")
    other.feed(Screen(2, 40).paint(0))
    assert {0, 8, 40, 192} < other.tabs
