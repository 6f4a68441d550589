"""a program is told what a terminal would tell it, and never hears its own words"""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from codewire_py.daemon.answers import Told, answer, needs_screen
from codewire_py.daemon.palette import first_colour, is_light, parse_colour
from codewire_py.daemon.screen.screen import Screen
from codewire_py.stream.queries import Queries, is_known
from codewire_py.version import VERSION
from codewire_py.wire.messages import Looks

ST = b"\x1b\\"
LIGHT = Looks(
    foreground="202020", background="fdf6e3", cursor="ff0000", cell_height=20, cell_width=9, keyboard=1
)

# What nobody has drawn or set anything is told.
FRESH = [
    (b"\x1bZ", b"\x1b[?62;22c"),
    (b"\x1b[c", b"\x1b[?62;22c"),
    (b"\x1b[0c", b"\x1b[?62;22c"),
    (b"\x1b[>c", b"\x1b[>1;10;0c"),
    (b"\x1b[>0c", b"\x1b[>1;10;0c"),
    (b"\x1b[=c", b"\x1bP!|00000000" + ST),
    (b"\x1b[>q", b"\x1bP>|codewire(" + VERSION.encode() + b")" + ST),
    (b"\x1b[>0q", b"\x1bP>|codewire(" + VERSION.encode() + b")" + ST),
    (b"\x1b[5n", b"\x1b[0n"),
    (b"\x1b[6n", b"\x1b[1;1R"),
    (b"\x1b[?6n", b"\x1b[?1;1R"),
    (b"\x1b[?996n", b"\x1b[?997;1n"),
    (b"\x1b[?u", b"\x1b[?0u"),
    (b"\x1b]4;1;?\x07", b"\x1b]4;1;rgb:cdcd/0000/0000\x07"),
    (b"\x1b]4;255;?" + ST, b"\x1b]4;255;rgb:eeee/eeee/eeee" + ST),
    (b"\x1b]4;0;?;21;?\x07", b"\x1b]4;0;rgb:0000/0000/0000\x07\x1b]4;21;rgb:0000/0000/ffff\x07"),
    (b"\x1b]4;256;?\x07", b""),
    (b"\x1b]10;?\x07", b"\x1b]10;rgb:e5e5/e5e5/e5e5\x07"),
    (b"\x1b]11;?" + ST, b"\x1b]11;rgb:0000/0000/0000" + ST),
    (b"\x1b]12;?\x07", b"\x1b]12;rgb:e5e5/e5e5/e5e5\x07"),
    (b"\x1b]10;?;?\x07", b"\x1b]10;rgb:e5e5/e5e5/e5e5\x07\x1b]11;rgb:0000/0000/0000\x07"),
    (b"\x1b]12;?;?;?\x07", b"\x1b]12;rgb:e5e5/e5e5/e5e5\x07"),
    (b"\x1b[4$p", b"\x1b[4;2$y"),
    (b"\x1b[12$p", b"\x1b[12;0$y"),
    (b"\x1b[?7$p", b"\x1b[?7;1$y"),
    (b"\x1b[?1049$p", b"\x1b[?1049;2$y"),
    (b"\x1b[?2004$p", b"\x1b[?2004;2$y"),
    (b"\x1b[?2026$p", b"\x1b[?2026;2$y"),
    (b"\x1b[?2048$p", b"\x1b[?2048;0$y"),
    (b"\x1b[?31337$p", b"\x1b[?31337;0$y"),
    (b"\x1b[?" + b"9" * 99 + b"$p", b""),
    (b"\x1bP$q q" + ST, b"\x1bP1$r0 q" + ST),
    (b"\x1bP$qr" + ST, b"\x1bP1$r1;24r" + ST),
    (b"\x1bP$qm" + ST, b"\x1bP1$r0m" + ST),
    (b'\x1bP$q"p' + ST, b"\x1bP0$r" + ST),
    (b"\x1bP+q544e" + ST, b"\x1bP0+r" + ST),
    (b"\x1b[11t", b"\x1b[1t"),
    (b"\x1b[13t", b"\x1b[3;0;0t"),
    (b"\x1b[14t", b"\x1b[4;384;640t"),
    (b"\x1b[14;2t", b"\x1b[4;384;640t"),
    (b"\x1b[15t", b"\x1b[5;384;640t"),
    (b"\x1b[16t", b"\x1b[6;16;8t"),
    (b"\x1b[18t", b"\x1b[8;24;80t"),
    (b"\x1b[19t", b"\x1b[9;24;80t"),
    (b"\x1b[20t", b"\x1b]L" + ST),
    (b"\x1b[21t", b"\x1b]l" + ST),
]

# What the program did before it asked, the question, the answer.
CHANGED = [
    (b"\r\n  ab", b"\x1b[6n", b"\x1b[2;5R"),
    (b"x" * 80, b"\x1b[6n", b"\x1b[1;80R"),
    (b"\x1b[5;20r\x1b[?6h\x1b[3;4H", b"\x1b[6n", b"\x1b[3;4R"),
    (b"\x1b[5;20r\x1b[3;4H", b"\x1b[?6n", b"\x1b[?3;4R"),
    (b"\x1b[5;20r", b"\x1bP$qr" + ST, b"\x1bP1$r5;20r" + ST),
    (b"\x1b[1;38;5;12m", b"\x1bP$qm" + ST, b"\x1bP1$r0;1;38;5;12m" + ST),
    (b"\x1b[4 q", b"\x1bP$q q" + ST, b"\x1bP1$r4 q" + ST),
    (b"\x1b[>5u", b"\x1b[?u", b"\x1b[?5u"),
    (b"\x1b[>5u\x1b[?1049h", b"\x1b[?u", b"\x1b[?0u"),
    (b"\x1b[?1049h", b"\x1b[?1049$p", b"\x1b[?1049;1$y"),
    (b"\x1b[?7l", b"\x1b[?7$p", b"\x1b[?7;2$y"),
    (b"\x1b[?25l", b"\x1b[?25$p", b"\x1b[?25;2$y"),
    (b"\x1b[?2004h", b"\x1b[?2004$p", b"\x1b[?2004;1$y"),
    (b"\x1b[4h", b"\x1b[4$p", b"\x1b[4;1$y"),
    (b"\x1b]11;#fff\x07", b"\x1b]11;?\x07", b"\x1b]11;rgb:ffff/ffff/ffff\x07"),
    (b"\x1b]11;#fff\x07", b"\x1b[?996n", b"\x1b[?997;2n"),
    (b"\x1b]11;rgb:1/22/3333\x07", b"\x1b]11;?\x07", b"\x1b]11;rgb:1111/2222/3333\x07"),
    (b"\x1b]11;papayawhip\x07", b"\x1b]11;?\x07", b"\x1b]11;rgb:0000/0000/0000\x07"),
    (b"\x1b]4;007;#123456\x07", b"\x1b]4;7;?\x07", b"\x1b]4;7;rgb:1212/3434/5656\x07"),
    (b"\x1b]4;7;#123456\x07\x1b]104;7\x07", b"\x1b]4;7;?\x07", b"\x1b]4;7;rgb:e5e5/e5e5/e5e5\x07"),
    (b"\x1b]2;rm -rf\x07", b"\x1b[21t", b"\x1b]l" + ST),
]  # fmt: skip

# All that may ever be said: numbers, and words of our own.
SAID = re.compile(
    rb"(?:\x1b\[[>?]?[0-9]{1,5}(?:;[0-9]{1,5})*(?:[cnRut]|\$y)"
    rb"|\x1b\](?:4;[0-9]{1,3}|1[012]);rgb:(?:[0-9a-f]{4}/){2}[0-9a-f]{4}(?:\x07|\x1b\\)"
    rb"|\x1b\][lL]\x1b\\|\x1bP!\|00000000\x1b\\|\x1bP>\|codewire\([0-9.a-z]+\)\x1b\\"
    rb"|\x1bP0[$+]r\x1b\\|\x1bP1\$r[0-9;:]*(?: q|r|m)\x1b\\)*"
)

TEXT = st.one_of(
    st.binary(max_size=12), st.sampled_from([b"\nrm -rf ~\n", b"\x90\r", b"`id`", b"1;2", b"?", b";?;", b"m"])
)
FORMS = [
    b"\x1b]2;%b\x07", b"\x1b]11;%b\x07", b"\x1b]4;1;%b\x1b\\", b"\x1b]4;%b;?\x07", b"\x1b]%b;?\x07", b"\x1b]10;%b;?\x07", b"\x1b]11;?;%b\x07",
    b"\x1bP$q%b\x1b\\", b"\x1bP+q%b\x1b\\", b"\x1bP%b$qm\x1b\\", b"\x1b[%b$p", b"\x1b[?%b$p", b"\x1b[%bn", b"\x1b[%bt", b"\x1b[%bc",
    b"\x1b[%bm\x1bP$qm\x1b\\", b"\x1b[%b q\x1bP$q q\x1b\\", b"\x1b[%br\x1bP$qr\x1b\\", b"\x1b[>%bu\x1b[?u", b"\x1b]11;%b\x07\x1b]11;?\x07",
    b"\x1b]4;9;%b\x07\x1b]4;9;?\x07", b"\x1b]2;%b\x07\x1b[21t", b"\x1b]1;%b\x07\x1b[20t", b"%b\x1b[6n",
]  # fmt: skip


def tell(drawn: bytes = b"", looks: Looks | None = None) -> Told:
    screen = Screen(24, 80)
    screen.feed(drawn)
    return Told(24, 80, screen.modes, looks or Looks(), screen)


@pytest.mark.parametrize(("query", "wanted"), FRESH)
def test_each_question_has_its_answer(query: bytes, wanted: bytes) -> None:
    """And the daemon knows that it is for it."""
    assert answer(query, tell()) == wanted
    assert is_known(query)


@pytest.mark.parametrize(("drawn", "query", "wanted"), CHANGED)
def test_an_answer_says_what_the_program_has_set(drawn: bytes, query: bytes, wanted: bytes) -> None:
    """Cursor, limits, style, modes, keyboard, colours: as they are where the question stands."""
    assert answer(query, tell(drawn)) == wanted


def test_an_answer_says_what_the_viewers_terminal_is_like() -> None:
    """Its colours, light or dark, and the size of its cells; but what the program has set comes first."""
    told = tell(looks=LIGHT)
    assert answer(b"\x1b]10;?;?;?\x07", told) == (
        b"\x1b]10;rgb:2020/2020/2020\x07\x1b]11;rgb:fdfd/f6f6/e3e3\x07\x1b]12;rgb:ffff/0000/0000\x07"
    )
    assert answer(b"\x1b[?996n", told) == b"\x1b[?997;2n"
    assert answer(b"\x1b[16t", told) == b"\x1b[6;20;9t"
    assert answer(b"\x1b[14t", told) == b"\x1b[4;480;720t"
    assert answer(b"\x1b]11;?\x07", tell(b"\x1b]11;#010203\x07", LIGHT)) == b"\x1b]11;rgb:0101/0202/0303\x07"


@pytest.mark.parametrize(("keyboard", "wanted"), [(-1, b"\x1b[?0u"), (0, b""), (1, b"\x1b[?0u")])
def test_a_keyboard_is_spoken_of_unless_it_is_known_not_to_be_there(keyboard: int, wanted: bytes) -> None:
    """A program that hears nothing takes the terminal for one without kitty's protocol."""
    assert answer(b"\x1b[?u", tell(looks=Looks(keyboard=keyboard))) == wanted


@pytest.mark.parametrize(
    "looks",
    [
        Looks(foreground="\n", background="zz", cursor="#", cell_height=-1, cell_width=3),
        Looks(foreground="rgb", background="1", cell_height=1 << 40, cell_width=1 << 40),
    ],
)
def test_a_viewer_that_talks_nonsense_is_not_believed(looks: Looks) -> None:
    """Then it is as if it had said nothing."""
    for query in (b"\x1b]10;?;?;?\x07", b"\x1b[14t", b"\x1b[16t", b"\x1b[?996n"):
        assert answer(query, tell(looks=looks)) == answer(query, tell())


def test_controls_inside_a_question_do_not_matter() -> None:
    """A terminal obeys them and answers all the same."""
    assert answer(b"\x1b\0[6\r\nn", tell()) == b"\x1b[1;1R"
    assert answer(b"\x1b]1\x001;?\x07", tell()) == b"\x1b]11;rgb:0000/0000/0000\x07"


@pytest.mark.parametrize(
    "query", [b"\x1b]11;?", b"\x1b]11;?\x18", b"\x1bP$qm\x18", b"\x1b[", b"\x1b", b"", b"text"]
)
def test_what_is_no_whole_question_is_not_answered(query: bytes) -> None:
    """Nobody answers what was broken off."""
    assert answer(query, tell()) == b""


def test_only_where_the_screen_matters_is_it_looked_at() -> None:
    """To know the screen may be dear, so most answers do without; and those that need it say so."""
    for query, wanted in FRESH:
        without = Told(24, 80, Screen(1, 1).modes, Looks())
        assert needs_screen(query) or answer(query, without) == wanted
    assert [query for query, _ in FRESH if needs_screen(query)] == [
        b"\x1b[6n", b"\x1b[?6n", b"\x1bP$qr" + ST, b"\x1bP$qm" + ST,
    ]  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(FORMS), TEXT), max_size=6))
@example([(b"\x1bP$q%b\x1b\\", b"\nrm -rf ~\n")])
@example([(b"\x1b]11;%b\x07\x1b]11;?\x07", b"\nrm -rf ~\n")])
@example([(b"\x1b]2;%b\x07\x1b[21t", b"\nrm -rf ~\n")])
@example([(b"\x1b[?%b$p", b"1" * 200)])
@settings(max_examples=1500, deadline=None)
def test_no_answer_repeats_what_a_program_wrote(said: list[tuple[bytes, bytes]]) -> None:
    """Whatever a program writes into titles, colours and questions, all it hears is numbers and words of ours: so
    nothing that is printed, `cat` a file say, can type a command into a shell."""
    stream = b"".join(form.replace(b"%b", text) for form, text in said)
    told = tell(stream)
    for _, query in Queries().feed(stream):
        assert SAID.fullmatch(answer(query, told)), (query, answer(query, told))


@given(st.binary(max_size=40))
@settings(max_examples=500, deadline=None)
def test_anything_at_all_can_be_asked(query: bytes) -> None:
    """No bytes make it raise, or say anything that it has no words for."""
    assert SAID.fullmatch(answer(b"\x1b" + query, tell()))
    needs_screen(query)


@pytest.mark.parametrize(
    ("spec", "colour"),
    [
        ("#fff", (0xFFFF, 0xFFFF, 0xFFFF)),
        ("#102030", (0x1010, 0x2020, 0x3030)),
        ("#111222333", (0x1111, 0x2222, 0x3333)),
        ("#111122223333", (0x1111, 0x2222, 0x3333)),
        ("rgb:f/ff/ffff", (0xFFFF, 0xFFFF, 0xFFFF)),
        ("RGB:0A/0b/0C", (0x0A0A, 0x0B0B, 0x0C0C)),
        *((spec, None) for spec in ("", "#", "#ff", "#fffff", "rgb:/1/1", "rgb:1/1", "red", "#ggg", "rgb:12345/1/1")),
    ],
)  # fmt: skip
def test_colours_are_read_as_terminals_read_them(spec: str, colour: tuple[int, int, int] | None) -> None:
    """With any number of digits; names are not read, as terminals do not agree on them."""
    assert parse_colour(spec) == colour


def test_the_palette_is_xterms() -> None:
    """Sixteen, a cube, a grey scale."""
    assert first_colour(9) == (0xFFFF, 0, 0)
    assert [first_colour(index) for index in (16, 196, 231)] == [(0, 0, 0), (0xFFFF, 0, 0), (0xFFFF,) * 3]
    assert [first_colour(index) for index in (67, 232, 255)] == [
        (95 * 257, 135 * 257, 175 * 257), (8 * 257,) * 3, (238 * 257,) * 3,
    ]  # fmt: skip
    assert [is_light(first_colour(index)) for index in (0, 15, 4, 11)] == [False, True, False, True]
