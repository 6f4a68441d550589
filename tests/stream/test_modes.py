"""a terminal gets back what a stream switched on, and nothing it did not touch"""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from codewire_py.stream.modes import Modes
from stream.cutting import bytewise, cut_up

ST = b"\x1b\\"

# What a program sends, what brings the terminal back.
SWITCHES = [
    *((b"\x1b[?%dh" % mode, b"\x1b[?%dl" % mode) for mode in (
        1, 5, 9, 47, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1015, 1016, 1047, 2004, 2026, 2027, 2031, 2048,
        5522, 9001,
    )),
    (b"\x1b[?1049h", b"\x1b[999;1H\x1b[?1049l"),  # where there is no such screen, the prompt comes below
    (b"\x1b[?25l", b"\x1b[?25h"),
    (b"\x1b[?7l", b"\x1b[?7h"),
    (b"\x1b[?6h", b"\x1b[?6l\x1b[999;1H"),
    (b"\x1b[?69h", b"\x1b7\x1b[?69l\x1b[r\x1b8"),
    (b"\x1b[?1000;1006h", b"\x1b[?1000l\x1b[?1006l"),
    (b"\x1b[4h", b"\x1b[4l"),
    (b"\x1b[20h", b"\x1b[20l"),
    (b"\x1b=", b"\x1b>"),
    (b"\x1b[>1u", b"\x1b[<1u"),
    (b"\x1b[>1u\x1b[>5u", b"\x1b[<2u"),
    (b"\x1b[=5u", b"\x1b[=0u"),
    (b"\x1b[=1;2u", b"\x1b[=0u"),
    (b"\x1b[>4;2m", b"\x1b[>4m"),
    (b"\x1b[>4n", b"\x1b[>4m"),
    (b"\x1b[>1;2m", b"\x1b[>1m"),
    (b"\x1b[5 q", b"\x1b[0 q"),
    (b"\x1b[2;20r", b"\x1b7\x1b[r\x1b8"),
    (b"\x0e", b"\x0f"),
    (b"\x1b(0", b"\x1b(B"),
    (b"\x1b)0", b"\x1b)B"),
    (b"\x1b[1;31m", b"\x1b[0m"),
    (b"\x1b[38:2::1:2:3m", b"\x1b[0m"),
    (b"\x1b]10;#fff\x07", b"\x1b]110" + ST),
    (b"\x1b]11;rgb:00/00/00\x1b\\", b"\x1b]111" + ST),
    (b"\x1b]12;red\x07", b"\x1b]112" + ST),
    (b"\x1b]10;#fff;#000\x07", b"\x1b]110" + ST + b"\x1b]111" + ST),
    (b"\x1b]4;1;#f00;2;#0f0\x07", b"\x1b]104" + ST),
    (b"\x1b]8;id=1;http://a\x07", b"\x1b]8;;" + ST),
    (b"\x1b]9;4;1;50\x07", b"\x1b]9;4;0" + ST),
    (b"\x1b[22;0t", b"\x1b[23;0t"),
    (b"\x1b[22;0;0t\x1b[22;2t", b"\x1b[23;2t\x1b[23;0t"),
]  # fmt: skip

# What a program sends that leaves nothing on.
LEFT_OFF = [
    b"text\r\n", b"\x1b[H\x1b[2J", b"\x1b7\x1b[5;5H\x1b8", b"\x1b[s\x1b[u", b"\x1b[1m\x1b[m", b"\x1b[7mx\x1b[0m",
    b"\x1b[?1049h\x1b[?1049l", b"\x1b[?1049h\x1b[?47l", b"\x1b[?25l\x1b[?25h", b"\x1b[?2026h\x1b[?2026l",
    b"\x1b[?12h", b"\x1b[?7h", b"\x1b[?25h", b"\x1b[4l", b"\x1b=\x1b>", b"\x1b[>1u\x1b[<u", b"\x1b[>1u\x1b[<9u",
    b"\x1b[=1u\x1b[=1;3u", b"\x1b[>4;2m\x1b[>4m", b"\x1b[>4;2m\x1b[>m", b"\x1b[2 q\x1b[0 q", b"\x1b[2 q\x1b[ q",
    b"\x1b[2;20r\x1b[r", b"\x0e\x0f", b"\x1b(0qqq\x1b(B", b"\x1b]10;?\x07", b"\x1b]11;#000\x07\x1b]111\x07",
    b"\x1b]4;1;#f00\x07\x1b]104\x07", b"\x1b]4;1;#f00\x07\x1b]104;1\x07", b"\x1b]4;1;?\x07",
    b"\x1b]8;;http://a\x07x\x1b]8;;\x07", b"\x1b]9;4;1;50\x07\x1b]9;4;0\x07", b"\x1b[22;0t\x1b[23;0t", b"\x1b[23t",
    b"\x1b[8;24;80t", b"\x1b]0;[?1000h\x07", b"\x1bPq[?1000h\x1b\\", b"\x1b[?u", b"\x1b[6n", b"\x1b[?1h\x1b[?1l",
]  # fmt: skip

BROKEN = [
    b"\x1b",
    b"\x1b[",
    b"\x1b[?",
    b"\x1b]8;;x",
    b"\x1b]4;1;",
    b"\x1bP",
    b"\x18",
    b"\x07",
    ST,
    b"h",
    b"m",
    b"1049",
    b"\x0e",
]
RESETS = [b"\x1bc", b"\x1b[!p"]
PARTS = [on for on, _ in SWITCHES] + [off for _, off in SWITCHES] + LEFT_OFF + BROKEN + RESETS
STREAMS = st.lists(st.sampled_from(PARTS), max_size=16).map(b"".join)


def follow(*pieces: bytes) -> Modes:
    modes = Modes()
    for piece in pieces:
        modes.feed(piece)
    return modes


@pytest.mark.parametrize(("on", "off"), SWITCHES)
def test_what_is_on_is_switched_off(on: bytes, off: bytes) -> None:
    """The bytes that undo it, and no others, at once or byte by byte."""
    assert follow(b"a" + on + b"b").undo() == off
    assert follow(*bytewise(b"a" + on + b"b")).undo() == off


@pytest.mark.parametrize("data", LEFT_OFF)
def test_what_is_off_is_left_alone(data: bytes) -> None:
    """A terminal that has nothing on is sent nothing."""
    assert follow(data).undo() == b""
    assert follow(*bytewise(data)).undo() == b""


@given(STREAMS, st.lists(st.integers(0, 1 << 10), max_size=8))
@settings(max_examples=600, deadline=None)
def test_where_the_stream_is_cut_does_not_matter(data: bytes, cuts: list[int]) -> None:
    """The same is remembered whatever the reads were."""
    whole, cut = follow(data), follow(*cut_up(data, cuts))
    assert (cut.undo(), cut.enter()) == (whole.undo(), whole.enter())


@given(STREAMS)
@example(b"\x1b[?1049h\x1b[>1u\x1b[?6h\x1b[2;5r\x1b(0\x0e\x1b[31m\x1b]0;ti")
@settings(max_examples=600, deadline=None)
def test_undoing_leaves_nothing_on(data: bytes) -> None:
    """Whatever a program left on when it went, nothing is on after undo."""
    modes = follow(data, follow(data).undo())
    modes.keyboards[1].flags = [0]  # the alternate screen's own keyboard is out of reach once it is left
    assert modes.undo() == b""


@given(STREAMS)
@settings(max_examples=600, deadline=None)
def test_entering_switches_the_same_on_again(data: bytes) -> None:
    """A fresh terminal that is sent what enter gives has the same modes, so it needs the same undone."""
    modes = follow(data + b"\x18\x1b[m\x1b]8;;\x07\x1b]9;4;0\x07\x1b[?2026l")  # these a repaint switches on
    if not modes.alternate:
        modes.keyboards[1].flags = [0]
    again = follow(modes.enter())
    assert set(again.undo().split(b"\x1b")) == set(modes.undo().split(b"\x1b"))
    assert len(again.undo()) == len(modes.undo())


def test_a_full_reset_clears_everything() -> None:
    """After RIS a terminal needs nothing undone."""
    assert follow(b"".join(on for on, _ in SWITCHES) + b"\x1bc").undo() == b""


def test_a_soft_reset_clears_what_it_resets() -> None:
    """After DECSTR colours, margins and the cursor need nothing; the mouse and the alternate screen do."""
    assert follow(b"\x1b[31m\x1b[2;5r\x1b[?25l\x1b[4h\x1b=\x1b(0\x0e\x1b[?6h\x1b[!p").undo() == b""
    assert follow(b"\x1b[?1049h\x1b[?1000h\x1b[!p").undo() == b"\x1b[999;1H\x1b[?1049l\x1b[?1000l"
    assert follow(b"\x1b[!p\x1b[31m\x0e").undo() == b"\x0f\x1b[0m"


def test_an_unfinished_sequence_is_cut_short_first() -> None:
    """What undo sends is obeyed, not taken for the rest of a title."""
    assert follow(b"\x1b[?25l\x1b]0;ti").undo() == b"\x18\x1b\\\x1b[?25h"
    assert follow(b"\x1b[?25l\x1bPq" + b"~" * 200_000).undo() == b"\x18\x1b\\\x1b[?25h"
    assert follow(b"\x1b[?25l\x1b]0;ti\x07").undo() == b"\x1b[?25h"


def test_each_screen_has_its_own_keyboard() -> None:
    """The flags pushed on the alternate screen are popped before it is left, those of the main screen after."""
    modes = follow(b"\x1b[>1u\x1b[?1049h\x1b[>3u\x1b[>5u")
    assert modes.undo() == b"\x1b[<2u\x1b[999;1H\x1b[?1049l\x1b[<1u"
    assert modes.enter() == b"\x1b[>1u\x1b[?1049h\x1b[>3u\x1b[>5u"
    modes.feed(b"\x1b[?1049l")
    assert modes.undo() == b"\x1b[<1u"


def test_margins_are_reset_where_the_cursor_stays() -> None:
    """To reset margins moves the cursor, so it is saved around that; after leaving the alternate screen."""
    assert follow(b"\x1b[?1049h\x1b[3;9r").undo() == b"\x1b[999;1H\x1b[?1049l\x1b7\x1b[r\x1b8"
    assert follow(b"\x1b[3;9r").enter() == b"\x1b7\x1b[3;9r\x1b8"
    assert follow(b"\x1b[?69h\x1b[5;40s\x1b[3;9r").enter() == b"\x1b7\x1b[?69h\x1b[5;40s\x1b[3;9r\x1b8"


def test_the_cursor_is_not_moved_to_leave_origin_mode_on_the_alternate_screen() -> None:
    """Leaving that screen restores the cursor; on the main screen the last line is where a prompt does no harm."""
    assert follow(b"\x1b[?1049h\x1b[?6h").undo() == b"\x1b[?6l\x1b[999;1H\x1b[?1049l"
    assert follow(b"\x1b[?47h\x1b[?6h").undo() == b"\x1b[?6l\x1b[?47l\x1b[?6l\x1b[999;1H"


def test_colours_come_back_as_they_were() -> None:
    """A changed background is what the program chose, also after it was undone in between."""
    assert follow(b"\x1b]11;#123\x07\x1b]4;7;red\x07").enter() == b"\x1b]11;#123\x1b\\\x1b]4;7;red\x1b\\"


def test_a_stream_costs_no_memory() -> None:
    """However much a program pushes and sets, little is kept of it."""
    modes = Modes()
    for index in range(3000):
        modes.feed(b"\x1b[>1u\x1b[22;0t\x1b]4;%d;#fff\x07\x1b[?%dh" % (index, index + 10_000))
    modes.feed(b"\x1b]10;" + b"x" * 60_000 + b"\x07")
    assert len(modes.enter()) < 30_000
    assert modes.undo().startswith(b"\x1b[<99u")


def test_huge_numbers_are_harmless() -> None:
    """A number too long for any mode is no mode, and no error."""
    assert follow(b"\x1b[?" + b"9" * 200 + b"h\x1b[?0001049h").undo() == b"\x1b[999;1H\x1b[?1049l"


# ── asking, copying, painting ──────────────────────────────────────────────────────────────────────────────


def test_modes_can_be_asked_for() -> None:
    """On, off, or not one that is followed."""
    modes = follow(b"\x1b[?1049;2004;25h\x1b[?7l\x1b[4h")
    assert [modes.is_on(number) for number in (1049, 47, 2004, 25, 7, 1000, 12)] == [
        True, True, True, True, False, False, None,
    ]  # fmt: skip
    assert [modes.is_on(number, private=False) for number in (4, 20, 12)] == [True, False, None]
    assert [Modes().is_on(number) for number in (25, 7, 1049)] == [True, True, False]


def test_the_keyboard_that_is_in_force_is_that_of_the_screen_that_shows() -> None:
    """What was pushed last there."""
    modes = follow(b"\x1b[>1u\x1b[>5u")
    assert modes.keyboard_flags == 5
    modes.feed(b"\x1b[?1049h")
    assert modes.keyboard_flags == 0
    assert [keyboard.flags for keyboard in modes.keyboards] == [[0, 1, 5], [0]]


def test_of_a_full_stack_of_keyboards_the_oldest_goes() -> None:
    """As kitty has it: what was asked for last is in force, however often it was asked for."""
    modes = follow(b"".join(b"\x1b[>%du" % (number % 32) for number in range(3000)))
    assert modes.keyboard_flags == 2999 % 32
    modes.feed(b"\x1b[<u")
    assert modes.keyboard_flags == 2998 % 32


def test_colours_and_shape_can_be_asked_for() -> None:
    """As the program wrote them."""
    modes = follow(b"\x1b]11;#123\x07\x1b]4;007;red\x07\x1b[5 q")
    assert (modes.colours, modes.shape) == ({b"11": b"#123", b"4;7": b"red"}, b"5")


@pytest.mark.parametrize("colour", [b"#1\xc2\x9c2", b"\x00#fff", b"a\xffb", b"#" * 65, b"a\rb"])
def test_a_colour_that_could_break_out_of_its_sequence_is_not_kept(colour: bytes) -> None:
    """It would be shown to terminals again."""
    assert follow(b"\x1b]11;" + colour + b"\x07\x1b]4;1;" + colour + b"\x07").colours == {}


@given(STREAMS, STREAMS)
@settings(max_examples=400, deadline=None)
def test_a_copy_goes_its_own_way(before: bytes, after: bytes) -> None:
    """It continues as the first would have, and neither changes the other."""
    modes = follow(before)
    known = modes.enter(), modes.undo(), modes.settings()
    copy = modes.copy()
    copy.feed(after)
    assert (modes.enter(), modes.undo(), modes.settings()) == known
    modes.feed(after)
    assert (modes.enter(), modes.undo(), modes.unset()) == (copy.enter(), copy.undo(), copy.unset())


DRAWN = b"\x1b[?6h\x1b[?7l\x1b[?69h\x1b[?2026h\x1b[?1049h\x1b[>1u\x1b[=5u\x1b[2;5r\x1b(0\x0e\x1b[4h\x1b[20h\x1b[31m"


def test_settings_leave_out_what_is_drawn() -> None:
    """Screens, limits, charsets, keyboards and pens are for the paint to see to."""
    assert follow(DRAWN).settings() == b""


@pytest.mark.parametrize(
    "switch",
    [
        b"\x1b[?1h", b"\x1b[?5h", b"\x1b[?25l", b"\x1b[?1003h", b"\x1b[?1006h", b"\x1b[?2004h", b"\x1b[?1007h", b"\x1b[2h", b"\x1b=",
        b"\x1b[>4;2m", b"\x1b[>1;2m", b"\x1b[5 q", b"\x1b]11;#123\x1b\\", b"\x1b]4;7;red\x1b\\", b"\x1b]9;4;1;50\x1b\\", b"\x1b[22;0t",
    ],
)  # fmt: skip
def test_settings_are_everything_else(switch: bytes) -> None:
    """A terminal that was reset and gets them has the same switched on."""
    assert follow(b"a" + switch + b"b").settings() == switch


@given(STREAMS)
@settings(max_examples=600, deadline=None)
def test_settings_and_unset_are_each_others_opposite(data: bytes) -> None:
    """In a terminal in any state, unset leaves nothing on that settings can switch on; and settings, all of it."""
    data += b"\x18"
    modes = follow(data)
    terminal = follow(data, modes.unset())
    terminal._titles = []  # whose they are, nobody knows
    assert terminal.settings() == b""
    terminal.feed(modes.settings())
    assert set(terminal.settings().split(b"\x1b")) == set(modes.settings().split(b"\x1b"))


def test_unset_speaks_of_colours_only_to_those_who_had_them() -> None:
    """A person's own palette is left alone; what a program ever touched is reset, also if a viewer missed that."""
    assert b"\x1b]" not in follow(b"text\x1b[1;31m\x1b[?1000h").unset()
    assert b"\x1b]111\x1b\\" in follow(b"\x1b]11;#123\x07\x1b]111\x07\x1bc").unset()
    assert b"\x1b]104\x1b\\" in follow(b"\x1b]4;1;#123\x07").unset()
    handed_on = follow(follow(b"\x1b]11;#123\x07\x1b[?1007h\x1b]111\x07\x1b[?1007l").unset())
    assert b"\x1b]111\x1b\\" in handed_on.unset()
    assert b"\x1b[?1007l" in handed_on.unset()
    assert b"1007" not in Modes().unset()


UNSETTING = re.compile(
    rb"(?:\x1b\[\?[0-9;]+l|\x1b\[\?25h|\x1b\[2l|\x1b>|\x1b\[>4?m|\x1b\[0 q|\x1b\[<99u|\x1b\[=0u"
    rb"|\x1b\]1(?:04|1[0-9])\x1b\\|\x1b\]9;4;0\x1b\\)+"
)


def test_unset_clears_nothing_and_asks_nothing() -> None:
    """It only switches off: no reset, no erasing, no moving, no question."""
    said = follow(b"".join(on for on, _ in SWITCHES)).unset()
    assert UNSETTING.fullmatch(said), said
