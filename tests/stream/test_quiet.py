"""a viewer's terminal is never made to answer, and gets everything else byte for byte"""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from codewire_py.stream.quiet import Quiet, is_query
from stream.cutting import bytewise, cut_up
from stream.plain_terminal import Terminal, asks, copies

QUESTIONS = [
    b"\x05", b"\x1bZ",
    b"\x1b[c", b"\x1b[0c", b"\x1b[>c", b"\x1b[>0c", b"\x1b[=c", b"\x1b[=0c",
    b"\x1b[5n", b"\x1b[6n", b"\x1b[?6n", b"\x1b[?15n", b"\x1b[?996n",
    b"\x1b[>q", b"\x1b[>0q", b"\x1b[> q", b"\x1b[>100 q", b"\x1b[>101 q",
    b"\x1b[?u", b"\x1b[?4m", b"\x1b[?1g", b"\x1b[4$p", b"\x1b[?2026$p",
    b"\x1b[11t", b"\x1b[13t", b"\x1b[13;2t", b"\x1b[14t", b"\x1b[14;2t", b"\x1b[15t", b"\x1b[16t", b"\x1b[18t",
    b"\x1b[19t", b"\x1b[20t", b"\x1b[21t", b"\x1b[x", b"\x1b[1x",
    b"\x1b[?1;1;0S", b"\x1b[?2;4S", b"\x1b[1$w", b"\x1b[2;1$u", b"\x1b[&u", b"\x1b[1;1;1;1;24;80*y", b"\x1b['|",
    b"\x1b]4;1;?\x07", b"\x1b]4;1;rgb:00/00/00;2;?\x1b\\", b"\x1b]5;0;?\x07", b"\x1b]10;?\x07", b"\x1b]11;?\x1b\\",
    b"\x1b]10;?;?\x1b\\", b"\x1b]12;?\x07", b"\x1b]19;?\x07", b"\x1b]011;?\x07", b"\x1b]21;foreground=?\x1b\\",
    b"\x1b]22;?__current__\x1b\\", b"\x1b]50;?\x07", b"\x1b]60\x1b\\", b"\x1b]52;c;?\x07", b"\x1b]52;;?\x1b\\",
    b"\x1b]99;i=1:p=?;\x1b\\", b"\x1b]7501;?\x1b\\", b"\x1b]1337;ReportCellSize\x07", b"\x1b]5522;type=read\x1b\\",
    b"\x1bP$qm\x1b\\", b"\x1bP+q544e\x1b\\", b"\x1bP+Qfont\x1b\\", b'\x1bP@kitty-cmd{"cmd":"ls"}\x1b\\',
    b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\", b"\x1b_Ga=q\x1b\\",
    b"\x1b[6\x7fn", b"\x1b\x00[c", b"\x1b]11;?\x18", b"\x1b]\x0011;?\x07",
]  # fmt: skip

HARMLESS = [
    b"plain \xc3\xa9 text\r\n\t\x07", b"\x1b[m", b"\x1b[38;5;12m", b"\x1b[4:3m", b"\x1b[>4;2m", b"\x1b[>4n",
    b"\x1b[H", b"\x1b[2J", b"\x1b[K", b"\x1b[?25l", b"\x1b[?2026h", b"\x1b[?1049h", b"\x1b[r", b"\x1b[s", b"\x1b[u",
    b"\x1b[>1u", b"\x1b[<u", b"\x1b[=1;2u", b"\x1b[2 q", b'\x1b[1"q', b"\x1b[1q", b"\x1b[22;0t", b"\x1b[23t",
    b"\x1b[8;24;80t", b"\x1b[3S", b"\x1b[3T", b"\x1b[!p", b'\x1b[61"p', b"\x1b[>1p", b"\x1b[1;1;2;2$x",
    b"\x1b[?0c", b"\x1b[5i", b"\x1b7", b"\x1b8", b"\x1bc", b"\x1b=", b"\x1b(0", b"\x1b#8", b"\x1b\\",
    b"\x1b]0;is it?;?\x07", b"\x1b]2;title\x1b\\", b"\x1b]8;;http://a/?b=?\x1b\\", b"\x1b]7;file://h/?\x07",
    b"\x1b]9;4;1;50\x07", b"\x1b]133;A\x07", b"\x1b]777;notify;a;?\x07", b"\x1b]99;i=1;what=?\x1b\\",
    b"\x1b]4;1;#fff\x07", b"\x1b]10;#fff\x1b\\", b"\x1b]104\x07", b"\x1b]110\x07", b"\x1b]7501;state=idle\x1b\\",
    b"\x1b]1337;File=inline=1:AAAA\x07", b"\x1b]1337;SetMark\x07", b"\x1bP=1s\x1b\\", b"\x1bP0;1q#0;2;0;0;0~\x1b\\",
    b"\x1b_Ga=T,f=100;AAAA\x1b\\", b"\x1b_other\x1b\\", b"\x1b^private\x1b\\", b"\x1bXstart\x1b\\", b"\x1bktitle?\x1b\\",
]  # fmt: skip

COPIES = [
    b"\x1b]52;c;aGVsbG8=\x07", b"\x1b]52;c;\x1b\\", b"\x1b]52;p;" + b"A" * 300_000 + b"\x1b\\",
    b"\x1b]1337;Copy=:aGVsbG8=\x07", b"\x1b]1337;CopyToClipboard=general\x07",
]  # fmt: skip

BROKEN = [
    b"\x1b", b"\x1b[", b"\x1b[6", b"\x1b[?", b"\x1b[1;\xff", b"\x1b]", b"\x1b]1", b"\x1b]11;?", b"\x1b]11;",
    b"\x1b]52;c;A", b"\x1bP", b"\x1bP$", b"\x1bP1$q", b"\x1b_G", b"\x1b_Ga=", b"\x1b]0;ti", b"\x1b]1337;Rep",
    b"\x18", b"\x1a", b"\x07", b"\x1bkti",
    b"n", b"c", b"q", b"?", b"[", b"]", b"\\", b"Z", b"\n", b"\x05", b"\x7f", b";", b"=", b"a=q", b"6n", b"11;?",
    b"$q", b"\xc3", b"\xa9", b"\x9b6n", b"\x1b(", b"\x1b ", b"\x1b[" + b"1" * 300,
]  # fmt: skip

PARTS = QUESTIONS + HARMLESS + COPIES[:2] + BROKEN * 2
STREAMS = st.lists(st.sampled_from(PARTS), max_size=12).map(b"".join)
MOJIBAKE = st.lists(
    st.sampled_from([*PARTS, *[b"\xc2", b"\x9b", b"\xc2\x9b", b"\xc2\x9d"] * 20]), max_size=12
)
LONG_STREAMS = st.lists(st.sampled_from([*PARTS, *[b"\x1b]4;" + b"1;" * 33_000] * 9]), max_size=12).map(
    b"".join
)


KNOWN = [
    b"\x1bZ", b"\x1b[c", b"\x1b[0c", b"\x1b[>c", b"\x1b[>0c", b"\x1b[=c", b"\x1b[5n", b"\x1b[6n", b"\x1b[?6n", b"\x1b[?996n",
    b"\x1b[>q", b"\x1b[>0q", b"\x1b[?u", b"\x1b[4$p", b"\x1b[?2026$p", b"\x1b[14;2t", b"\x1b[18t", b"\x1b[21t",
    b"\x1b]4;1;?\x07", b"\x1b]4;1;rgb:00/00/00;2;?\x1b\\", b"\x1b]10;?;?\x1b\\", b"\x1b]11;?\x1b\\", b"\x1b]012;?\x07",
    b"\x1bP$qm\x1b\\", b"\x1bP+q544e\x1b\\", b"\x1b[6\x7fn", b"\x1b\x00[c", b"\x1b]1\x001;?\x07",
]  # fmt: skip
UNKNOWN = [
    b"\x05", b"\x1b[?15n", b"\x1b[>1q", b"\x1b[> q", b"\x1b[?4m", b"\x1b[?1g", b"\x1b[x", b"\x1b[?1;1;0S",
    b"\x1b]5;0;?\x07", b"\x1b]19;?\x07", b"\x1b]21;foreground=?\x1b\\", b"\x1b]52;c;?\x07", b"\x1b]99;i=1:p=?;\x1b\\",
    b"\x1b]5522;type=read\x1b\\", b"\x1b]1337;ReportCellSize\x07", b"\x1bP+Qfont\x1b\\", b"\x1b_Ga=q\x1b\\",
]  # fmt: skip


def feed(data: bytes, cuts: list[int], clipboard: bool = False) -> bytes:
    quiet = Quiet(clipboard)
    return b"".join([*(quiet.feed(piece) for piece in cut_up(data, cuts)), quiet.flush()])


def feed_bytewise(data: bytes, clipboard: bool = False) -> bytes:
    quiet = Quiet(clipboard)
    return b"".join(quiet.feed(piece) for piece in bytewise(data))


def is_drawn(kind: str, body: str) -> bool:
    """Whether it changes the screen; what is longer than any real sequence may be left out."""
    return not (
        kind == "control" or asks(kind, body) or copies(kind, body) or body == "\\" or len(body) > 256
    )


def watch(data: bytes) -> Terminal:
    terminal = Terminal()
    terminal.feed(data)
    return terminal


@pytest.mark.parametrize("question", QUESTIONS)
def test_questions_are_left_out(question: bytes) -> None:
    """Whatever a terminal would answer does not reach a viewer's, at once or byte by byte."""
    assert feed(b"a" + question + b"b", []).translate(None, b"\x00") == b"ab"
    assert feed_bytewise(b"a" + question + b"b").translate(None, b"\x00") == b"ab"
    assert is_query(question)


@pytest.mark.parametrize("sequence", HARMLESS)
def test_everything_else_passes_byte_for_byte(sequence: bytes) -> None:
    """What no terminal answers is not touched, at once or byte by byte."""
    assert feed(b"a" + sequence + b"b", []) == b"a" + sequence + b"b"
    assert feed_bytewise(b"a" + sequence + b"b") == b"a" + sequence + b"b"
    assert not is_query(sequence)


@pytest.mark.parametrize("sequence", COPIES)
def test_the_clipboard_is_filled_only_where_that_is_allowed(sequence: bytes) -> None:
    """A program in a session does not reach its viewers' clipboards unless they said so."""
    assert feed(b"a" + sequence + b"b", [9, 4000, 299_999]) == b"ab"
    assert feed(b"a" + sequence + b"b", [9, 4000, 299_999], clipboard=True) == b"a" + sequence + b"b"


@given(
    st.one_of(STREAMS, LONG_STREAMS, MOJIBAKE.map(b"".join)),
    st.lists(st.integers(0, 1 << 20), max_size=8),
    st.booleans(),
)
@example(b"\x1b[6\x1b[cn", [3, 5], False)
@example(b"\x1b]11;?\x1b[cn", [8], False)
@example(b"\x1b]0;title\x07text\x1b[ctext", [6, 14], False)
@example(b"\x1b]0;title\x1b[ctext", [6, 8], False)
@example(b"\x1b[6\x1b]52;c;AAAA\x07n", [9], False)
@settings(max_examples=1500, deadline=None)
def test_where_the_stream_is_cut_does_not_matter(data: bytes, cuts: list[int], clipboard: bool) -> None:
    """A viewer sees the same whatever the reads were."""
    assert feed(data, cuts, clipboard) == feed(data, [], clipboard)


@given(STREAMS, st.booleans())
@example(b"\x1b[6\x1b[cn", False)
@example(b"\x1b\x1bZc", False)
@example(b"\x1b[6\x05n", False)
@example(b"\x1b]11;?\x1b]11;?\x07", False)
@example(b"\x1b_Ga=\x07q\x1bZ", False)
@settings(max_examples=1500, deadline=None)
def test_no_question_comes_out(data: bytes, clipboard: bool) -> None:
    """What is left out never lets its neighbours grow into a question."""
    seen = watch(feed(data, [], clipboard))
    assert [event for event in [*seen.events, *seen.cut_short] if asks(*event)] == []
    assert clipboard or not any(copies(*event) for event in seen.events)


@pytest.mark.parametrize("question", KNOWN)
def test_what_the_daemon_answers_reaches_nobody(question: bytes) -> None:
    """Also not the viewer that gets all other questions: no answer is ever doubled."""
    quiet = Quiet(clipboard=True, unknown=True)
    assert quiet.feed(b"a" + question + b"b").translate(None, b"\0\x7f") == b"ab"
    assert b"".join(quiet.feed(piece) for piece in bytewise(question)).translate(None, b"\0\x7f") == b""


@pytest.mark.parametrize("question", UNKNOWN)
def test_what_the_daemon_does_not_answer_reaches_one(question: bytes) -> None:
    """The viewer that typed last gets these questions byte for byte, and nobody else."""
    quiet = Quiet(clipboard=True, unknown=True)
    assert quiet.feed(b"a" + question + b"b") == b"a" + question + b"b"
    assert b"".join(quiet.feed(piece) for piece in bytewise(question)) == question
    quiet.unknown = False
    assert quiet.feed(b"a" + question + b"b") == b"ab"


def test_reading_the_clipboard_is_asked_only_where_that_is_allowed() -> None:
    """One that may not be filled by a program may not be read by it either."""
    assert Quiet(clipboard=False, unknown=True).feed(b"a\x1b]52;c;?\x07b") == b"ab"


@given(STREAMS)
@settings(max_examples=1500, deadline=None)
def test_nothing_but_questions_is_missing(data: bytes) -> None:
    """A terminal draws from what comes out all that it would have drawn from what went in."""
    data += b"\x18"  # whatever is unfinished is cut short, so that nothing is held
    wanted = [event for event in watch(data).events if is_drawn(*event)]
    assert [event for event in watch(Quiet().feed(data)).events if is_drawn(*event)] == wanted


@pytest.mark.parametrize("control", [bytes((0xC2, code)) for code in range(0x80, 0xA0)])
@pytest.mark.parametrize("unknown", [False, True])
def test_controls_in_the_disguise_of_characters_are_taken_out(control: bytes, unknown: bool) -> None:
    """Terminals that obey these would ask, or copy, unseen by the filter; what follows is only text then."""
    stream = b"a" + control + b"6n\xc2\xb7" + control + b"52;c;AAAA\x07"
    wanted = b"a\x006n\xc2\xb7\x0052;c;AAAA\x07"
    assert Quiet(unknown=unknown).feed(stream) == wanted
    quiet = Quiet(unknown=unknown)
    assert b"".join(quiet.feed(piece) for piece in bytewise(stream)) == wanted


@given(MOJIBAKE.map(b"".join), st.lists(st.integers(0, 1 << 10), max_size=8))
@example(b"\xc2\xc2\x9b\x9b6n", [1])
@example(b"\x1b\xc2\x9b[6n", [])
@settings(max_examples=600, deadline=None)
def test_no_disguised_control_comes_out(data: bytes, cuts: list[int]) -> None:
    """What is taken out never lets its neighbours grow into one, nor into a question."""
    passed = feed(data, cuts)
    assert re.search(rb"\xc2[\x80-\x9f]", passed) is None
    assert [event for event in watch(passed).events if asks(*event)] == []


def test_what_is_obeyed_inside_a_question_stays() -> None:
    """A line feed in the middle of a question is obeyed by terminals, so it is not lost with it."""
    assert Quiet().feed(b"a\x1b[6\r\nnb") == b"a\r\nb"


def test_what_is_undecided_at_the_end_is_dropped() -> None:
    """What the next program prints, a shell's prompt say, does not complete what was cut off."""
    quiet = Quiet()
    assert quiet.feed(b"a\x1b[6") == b"a"
    assert quiet.flush() == b""
    assert quiet.feed(b"n") == b"n"


@pytest.mark.parametrize(
    "text", [b"a", b"caf\xc3", b"\xf0\x9f", b"50%\r", b"\x1b]0;a long tit", b"\x1bPq#0;2"]
)
def test_nothing_harmless_is_held_back(text: bytes) -> None:
    """What cannot become a question is shown as soon as it is there."""
    assert Quiet().feed(text) == text


def test_plain_chunks_are_not_copied() -> None:
    """The common case costs a search and nothing else."""
    chunk = bytes(1000).replace(b"\0", b"x")
    assert Quiet().feed(chunk) is chunk


@pytest.mark.parametrize(
    "endless", [b"\x1b]11;", b"\x1b[", b"\x1b]52;c;", b"\x1bP$q", b"\x1b_Ga=", b"\x1b]1"]
)
def test_an_endless_sequence_costs_no_memory(endless: bytes) -> None:
    """However long a program goes on, little is held; and a fresh escape is the way out."""
    quiet = Quiet()
    assert b"".join([quiet.feed(endless), *(quiet.feed(b"1" * 10_000) for _ in range(50))]) == b""
    assert len(quiet._held) <= 65_536 + 8
    assert quiet.feed(b"\x1b[1mx") in (b"\x1b[1mx", b"\x18\x1b[1mx")
