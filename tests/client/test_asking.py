"""our own terminal is asked what it looks like, and what it answers is never typed into anything"""

from __future__ import annotations

import os
import random
import select
import time
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from codewire_py.client.asking import (
    ANSWERED_WITHIN,
    HUSH,
    KEY_PAUSE,
    QUESTIONS,
    Replies,
    hush,
    should_ask,
)  # fmt: skip
from codewire_py.client.keys import Chord
from codewire_py.client.replies import LONGEST, read_colour
from codewire_py.stream.quiet import Quiet
from codewire_py.wire.messages import Looks
from homes import SECONDS

ANSWERS = [
    b"\x1b]10;rgb:ffff/ffff/ffff\x1b\\", b"\x1b]11;rgb:0000/1111/2222\x07", b"\x1b]12;#abcdef\x1b\\",
    b"\x1b[6;18;9t", b"\x1b[?1u", b"\x1b[?0u", b"\x1b[?62;22;52c", b"\x1b[?6c",
]  # fmt: skip
OTHERS = [
    b"a", b"\x03", b"\r", b"\xc3\xa9", b"\x1b[A", b"\x1bOA", b"\x1bx", b"\x1b[6~", b"\x1b[6;5~", b"\x1b[20~", b"\x1b[2~",
    b"\x1b[27u", b"\x1b[97;5u", b"\x1b[24;80R", b"\x1b[?24;80R", b"\x1b[?2026;2$y", b"\x1b[?997;1n", b"\x1b[0n",
    b"\x1b[>1;10;0c", b"\x1b[=1c", b"\x1b[8;24;80t", b"\x1b[4;600;800t", b"\x1b[<0;10;20M", b"\x1b[M !!", b"\x1b[I",
    b"\x1b]4;1;rgb:00/00/00\x07", b"\x1b]52;c;aGFsbG8=\x1b\\", b"\x1b]1;x\x07", b"\x1b]112\x07", b"\x1b]13;rgb:0/0/0\x07",
    b"\x1bP>|term(d)\x1b\\", b"\x1b_Gi=31;OK\x1b\\", b"\x1b[66;48;2;1;8;1_", b"\x1b[6;48;2;1;8;1_", b"\x1b[?1;2\xff",
]  # fmt: skip
PASTE = b"\x1b[200~" + b"".join(ANSWERS) + b"\x1b[20\x1b[201" + b"\x1b[201~"


class Clock:
    """Stands still until it is moved."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def feed(data: bytes, cuts: tuple[int, ...] = (), replies: Replies | None = None) -> bytes:
    replies = replies or Replies()
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return b"".join(replies.feed(data[start:end]) for start, end in pairwise(edges))


def every_cut(data: bytes) -> list[tuple[int, ...]]:
    return [(), *((cut,) for cut in range(1, len(data))), tuple(range(1, len(data)))]


# -- what is taken out


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_is_taken_out(answer: bytes) -> None:
    """Wherever the reads cut it, whatever is typed around it, asked for or not."""
    data = b"a\x1b[A" + answer + b"b" + answer + answer + b"\x1b" + answer + b"c"
    for cuts in every_cut(data):
        assert feed(data, cuts) == b"a\x1b[Ab\x1bc", cuts


@pytest.mark.parametrize("other", OTHERS)
def test_all_else_passes(other: bytes) -> None:
    """Keys, reports and answers to other questions; in order, and nothing is kept back once it is whole."""
    data = other + ANSWERS[0] + other + b"."
    for cuts in every_cut(data):
        assert feed(data, cuts) == other + other + b".", cuts
    if other != b"\x1b[?1;2\xff":
        assert feed(other) == other


@given(st.lists(st.sampled_from([*OTHERS, PASTE, b"\x1b\x1b[B"])), st.tuples(*[st.integers(0, 9999)] * 3))
@example([b"\x1b\x1b[B", PASTE, b"a"], (3, 9, 40))
def test_nothing_typed_is_lost_or_moved(typed: list[bytes], cuts: tuple[int, ...]) -> None:
    """Answers among the keys leave no trace."""
    random.seed(len(typed))
    mixed = b"".join(key + random.choice(ANSWERS) for key in typed)
    assert feed(mixed + b".", cuts) == b"".join(typed) + b"."


def test_a_paste_is_nobodys_answer() -> None:
    """Within its brackets nothing is taken out, behind them it is again."""
    for cuts in every_cut(PASTE + ANSWERS[1] + b"x"):
        assert feed(PASTE + ANSWERS[1] + b"x", cuts) == PASTE + b"x", cuts


def test_a_paste_comes_at_once() -> None:
    """What may be its end is not kept back."""
    replies = Replies()
    assert replies.feed(b"\x1b[200~abc\x1b[20") == b"\x1b[200~abc\x1b[20"
    assert not replies.is_open()
    assert replies.feed(b"1~" + ANSWERS[0] + b"d") == b"1~d"


# -- what is unfinished


@pytest.mark.parametrize("keys", [b"\x1b", b"\x1b[", b"\x1b]"])
def test_a_key_waits_no_longer_than_a_key_may(keys: bytes) -> None:
    """Escape, Alt and a bracket: given up after 50 ms, and then they are keys."""
    clock = Clock()
    replies = Replies(clock)
    assert replies.feed(b"a" + keys) == b"a"
    assert replies.flush() == b""
    assert replies.pause() == pytest.approx(KEY_PAUSE)
    clock.now += KEY_PAUSE * 1.01
    assert replies.pause() == 0.0
    assert replies.flush() == keys
    assert not replies.is_open()
    assert replies.feed(b"11;?\x07") == b"11;?\x07"


def test_a_late_rest_is_waited_for() -> None:
    """Nobody types so much of an answer: a slow line gets a second for the rest."""
    clock = Clock()
    replies = Replies(clock)
    for answer in ANSWERS:
        for cut in range(3, len(answer)):
            assert replies.feed(answer[:cut]) == b""
            clock.now += ANSWERED_WITHIN * 0.9
            assert replies.flush() == b""
            assert replies.feed(answer[cut:] + b"k") == b"k"


def test_a_colour_without_an_end_is_never_typed() -> None:
    """It is given up after a second, or at the first key that is a control; the keys behind it pass."""
    clock = Clock()
    replies = Replies(clock)
    assert replies.feed(b"\x1b]11;rgb:00") == b""
    clock.now += ANSWERED_WITHIN
    assert replies.flush() == b""
    assert replies.feed(b"ls\r") == b"ls\r"
    assert replies.feed(b"\x1b]11;rgb:00\x03ls\r") == b"\x03ls\r"
    assert replies.feed(b"\x1b]11;rgb:00\x1b[A") == b"\x1b[A"
    assert replies.feed(b"\x1b[?6") == b""
    clock.now += ANSWERED_WITHIN
    assert replies.flush() == b"\x1b[?6"


@pytest.mark.parametrize(
    ("begin", "filler", "end"),
    [
        (b"\x1b]11;", b"\xff\x80rgb:", b"\x07"),
        (b"\x1b]10;", b"A", b"\x1b\\"),
        (b"\x1b[?", b"1;2", b"c"),
        (b"\x1b[6;", b"9", b"t"),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 65536])
def test_a_huge_answer_is_nothing(begin: bytes, filler: bytes, end: bytes, size: int) -> None:
    """Nothing of it is kept, typed or learnt; what follows passes."""
    replies = Replies()
    replies.ask()
    data = begin + filler * (20_000 // len(filler)) + end
    for at in range(0, len(data), size):
        assert replies.feed(data[at : at + size]) == b""
        assert len(replies._held) <= LONGEST + 8
    assert replies.feed(b"x\x1b[A") == b"x\x1b[A"
    assert replies.feed(b"\x1b[?6c") == b""
    assert repr(replies.looks()) == repr(Looks(keyboard=0))


@given(st.binary(max_size=200), st.tuples(*[st.integers(0, 9999)] * 2))
@example(b"\x1b[6;:;1t\x1b[6;;t\x1b]10;\x07\x1b]11;rgb:\x1b\\", (3, 9))
def test_anything_may_come(data: bytes, cuts: tuple[int, ...]) -> None:
    """It never raises, and what has no escape in it passes untouched."""
    assert feed(b"\x18" + data.replace(b"\x1b", b""), cuts) == b"\x18" + data.replace(b"\x1b", b"")
    feed(b"\x1b]11;" + data, cuts)
    feed(b"\x1b[?" + data, cuts)
    feed(b"\x1b[6;" + data, cuts)


def test_the_chord_is_found_behind_it() -> None:
    """Answers between prefix and key are gone before the chord is looked for."""
    replies, chord = Replies(), Chord()
    forwarded = b""
    for read in (b"a\x02" + ANSWERS[0][:9], ANSWERS[0][9:], ANSWERS[6] + b"d"):
        passed, is_leaving = chord.feed(replies.feed(read))
        forwarded += passed
    assert (forwarded, is_leaving) == (b"a", True)


# -- what is learnt


def test_everything_is_learnt_once() -> None:
    """When the last question was answered; what was not answered is left out."""
    replies = Replies(Clock())
    assert replies.ask() == QUESTIONS
    for answer in (*ANSWERS[:5], b"k"):
        assert replies.looks() is None
        replies.feed(answer)
    assert replies.owed() > 0
    replies.feed(ANSWERS[6])
    assert (replies.pause(), replies.owed()) == (0.0, 0.0)
    assert repr(replies.looks()) == repr(
        Looks(
            foreground="ffffff",
            background="001122",
            cursor="abcdef",
            cell_height=18,
            cell_width=9,
            keyboard=1,
        )
    )
    assert replies.looks() is None
    assert not replies.is_open()


@pytest.mark.parametrize(
    ("answer", "written"), [(b"\x1b[?5u", b"\x1b[=5u"), (b"\x1b[?0u", b""), (b"\x1b[?u", b""), (b"", b"")]
)
def test_the_keyboard_is_given_back_as_it_was(answer: bytes, written: bytes) -> None:
    """A paint empties its stack of flags: those that were in force before are set when we leave."""
    replies = Replies(Clock())
    replies.ask()
    replies.feed(answer + b"\x1b[?1;2c")
    assert replies.given_back() == written


def test_silence_about_the_keyboard_is_a_no() -> None:
    """If the terminal answered what every terminal answers."""
    replies = Replies(Clock())
    replies.ask()
    replies.feed(b"\x1b[?1;2c")
    assert repr(replies.looks()) == repr(Looks(keyboard=0))


def test_a_terminal_that_says_nothing() -> None:
    """Is not waited for longer than a second; of one that answered in part, that is told."""
    clock = Clock()
    silent, partial = Replies(clock), Replies(clock)
    silent.ask()
    partial.ask()
    partial.feed(ANSWERS[1])
    assert (silent.looks(), partial.looks()) == (None, None)
    assert silent.pause() == pytest.approx(ANSWERED_WITHIN)
    clock.now += ANSWERED_WITHIN
    assert silent.looks() is None
    assert repr(partial.looks()) == repr(Looks(background="001122"))
    assert [silent.is_open(), partial.is_open(), silent.owed()] == [False, False, 0.0]


def test_nothing_is_told_unasked() -> None:
    """Answers to nobody teach nothing."""
    replies = Replies()
    assert replies.feed(b"".join(ANSWERS)) == b""
    assert replies.looks() is None


@pytest.mark.parametrize(
    ("text", "colour"),
    [
        (b"rgb:1234/abcd/FFFF", "12abff"),
        (b"rgb:12/ab/FF", "12abff"),
        (b"rgb:1/a/F", "11aaff"),
        (b"rgb:fff/000/800", "ff007f"),
        (b"rgba:1234/abcd/ffff/8000", "12abff"),
        (b"#12abFF", "12abff"),
        (b"#1af", "11aaff"),
        (b"#12345678abcd", "1256ab"),
        (b"", ""),
        (b"?", ""),
        (b"red", ""),
        (b"#", ""),
        (b"#12345", ""),
        (b"#12345g", ""),
        (b"rgb:12/ab", ""),
        (b"rgb:12345/0/0", ""),
        (b"rgb:+1/-1/_1", ""),
        (b"rgb:\xff/0/0", ""),
        (b"hls:0/0/0", ""),
    ],
)
def test_colours(text: bytes, colour: str) -> None:
    """As X11 writes them, with one to four digits; anything else is none."""
    assert read_colour(text) == colour


@pytest.mark.parametrize(
    ("term", "asks"),
    [
        ("xterm-256color", True), ("xterm-kitty", True), ("tmux-256color", True), ("screen", True),
        ("screen.xterm-256color", True), ("alacritty", True), ("foot", True), ("rxvt-unicode", True),
        ("linux", False), ("linux-16color", False), ("dumb", False), ("unknown", False), ("", False),
        ("cons25", False), ("vt100", False), ("vt220", False), ("vt100-am", False), ("eterm-color", False),
    ],
)  # fmt: skip
def test_which_terminals_are_asked(term: str, asks: bool) -> None:
    """Those that surely show no question as text."""
    assert should_ask(term) == asks


def test_every_question_is_one() -> None:
    """Whatever else reads the stream knows them as questions too; the last is the one that all answer."""
    assert Quiet().feed(b"a" + QUESTIONS + b"b") == b"ab"
    assert QUESTIONS.endswith(b"\x1b[c")


# -- leaving


def test_leaving_waits_for_what_is_owed() -> None:
    """All of it is taken; one that says nothing, or is gone, is not waited for long."""
    source, person = os.pipe()
    replies = Replies()
    replies.ask()
    os.write(person, b"k" + ANSWERS[0] + ANSWERS[6])
    hush(replies, source)
    assert not select.select([source], [], [], 0)[0]
    os.write(person, b"next")
    hush(replies, source)
    assert os.read(source, 99) == b"next"
    silent = Replies()
    silent.ask()
    begun = time.monotonic()
    hush(silent, source)
    assert HUSH * 0.9 < time.monotonic() - begun < SECONDS
    os.close(person)
    silent.ask()
    hush(silent, source)
    assert silent.owed() > 0
    os.close(source)
    hush(silent, source)
