"""the chord detaches in every form a terminal may send it, and nothing else does"""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from codewire_py.client.keys import Chord, forms_of

# Forms of the prefix and of the key, as terminals send them.
PREFIXES = [
    b"\x02",
    b"\x1b[98;5u", b"\x1b[98;5:1u", b"\x1b[98;5:2u",
    b"\x1b[98;69u", b"\x1b[98;133u", b"\x1b[98;197u", b"\x1b[98;69:1u",  # with caps lock, num lock, both
    b"\x1b[98:66;5u", b"\x1b[98:66:98;5u", b"\x1b[98::98;5u", b"\x1b[1080::98;5u",  # alternates; a Russian layout
    b"\x1b[98;5;2u", b"\x1b[2u", b"\x1b[2;1u", b"\x1b[2;5u",
    b"\x1b[27;5;98~", b"\x1b[27;69;98~", b"\x1b[27;5;2~", b"\x1b[27;5;66~",
    b"\x1b[66;48;2;1;8;1_",
]  # fmt: skip
KEYS = [
    b"d",
    b"\x1b[100u", b"\x1b[100;1u", b"\x1b[100;1:1u", b"\x1b[100;65u", b"\x1b[100;129u", b"\x1b[100;193:1u",
    b"\x1b[100:68;1u", b"\x1b[100:68:100;1u", b"\x1b[1074::100;1u", b"\x1b[100;;100u", b"\x1b[100;1;100u",
    b"\x1b[27;1;100~", b"\x1b[68;32;100;1;0;1_",
]  # fmt: skip
REPORTS = [
    b"\x1b[24;80R", b"\x1b[?24;80R", b"\x1b[I", b"\x1b[O",
    b"\x1b[<0;10;20M", b"\x1b[<0;10;20m", b"\x1b[M !!", b"\x1b[32;10;20M",
    b"\x1b[?62;22c", b"\x1b[>1;10;0c", b"\x1b[0n", b"\x1b[?997;1n", b"\x1b[?1u", b"\x1b[?2026;2$y",
    b"\x1b[8;24;80t", b"\x1b[48;24;80;480;800t",
    b"\x1b]11;rgb:0000/0000/0000\x1b\\", b"\x1b]11;rgb:0000/dddd/dddd\x07",
    b"\x1bP>|term(d)\x1b\\", b"\x1bP1$r0m\x1b\\",
    b"\x1b_Gi=31;OK\x1b\\", b"\x1bN", b"\x1bd",
    b"\x1b[97;1:3u", b"\x1b[100;1:3u", b"\x1b[1;1:3A",  # a key let go that was pressed before
    b"\x1b[57442;5u", b"\x1b[57442;1:3u", b"\x1b[57358;1u", b"\x1b[17;29;0;1;8;1_",  # Ctrl, caps lock
]  # fmt: skip
RELEASES = [
    b"\x1b[98;5:3u",
    b"\x1b[98;1:3u",
    b"\x1b[98:66:98;1:3u",
    b"\x1b[98;69:3u",
    b"\x1b[66;48;98;0;0;1_",
]
OTHERS = [
    b"x", b"D", b"\x04", b"\r", b"\t", b"\xc3\xa9", b"\x1b[120;1u", b"\x1b[100;5u", b"\x1b[100;2u", b"\x1b[100;3u",
    b"\x1b[100;9u", b"\x1b[27;5;100~", b"\x1b[101::100;1u", b"\x1b[A", b"\x1bOA", b"\x1bOd", b"\x1b[1;5D", b"\x1b[15~",
    b"\x1b[27u", b"\x1b[R", b"\x1b[98;6u", b"\x1b[98;1u", b"\x1b[98;7u", b"\x1b[27;6;98~", b"\x1b[27;1;98~", b"\x1b[3",
    b"\x1b[100;32;100;1;2;1_", b"\x1b[M",
]  # fmt: skip


def type_(data: bytes, cuts: tuple[int, ...] = (), chord: Chord | None = None) -> tuple[bytes, bool]:
    """Feed `data` in pieces; what is fed after the chord is dropped, as it would not be read."""
    chord = chord or Chord()
    forwarded = b""
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    for start, end in pairwise(edges):
        passed, is_detached = chord.feed(data[start:end])
        forwarded += passed
        if is_detached:
            return forwarded, True
    return forwarded, False


def every_cut(data: bytes) -> list[tuple[int, ...]]:
    return [(), *((cut,) for cut in range(1, len(data))), tuple(range(1, len(data)))]


def assert_typed(data: bytes, expected: tuple[bytes, bool]) -> None:
    """It has this effect, wherever the reads cut it."""
    for cuts in every_cut(data):
        assert type_(data, cuts) == expected, cuts


# ── the chord ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("prefix", PREFIXES)
def test_each_form_of_each_detaches(prefix: bytes, key: bytes) -> None:
    """Prefix and key in any two forms: detached, with nothing of them forwarded and the rest dropped."""
    assert_typed(b"hello" + prefix + key, (b"hello", True))
    assert type_(b"hello" + prefix + key + b"more") == (b"hello", True)


@pytest.mark.parametrize("report", REPORTS)
@pytest.mark.parametrize("prefix", PREFIXES[:2])
def test_what_the_terminal_says_in_between_does_not_matter(prefix: bytes, report: bytes) -> None:
    """Reports are forwarded, and the chord still detaches."""
    assert_typed(prefix + report + b"d", (report, True))
    assert_typed(prefix + report + report + b"\x1b[100;1u", (report + report, True))


@pytest.mark.parametrize("report", REPORTS)
def test_reports_stay_in_order_when_the_chord_is_none(report: bytes) -> None:
    """A program that asked gets its answer, whole, before the keys that came to nothing."""
    assert_typed(b"\x02" + report + b"x", (report + b"\x02x", False))


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("prefix", PREFIXES)
def test_the_release_of_the_prefix_goes_where_its_press_goes(prefix: bytes, release: bytes) -> None:
    """Swallowed by the chord; forwarded behind its press when that is forwarded."""
    assert_typed(prefix + release + b"d", (b"", True))
    assert_typed(prefix + release + b"x", (prefix + release + b"x", False))
    assert_typed(b"x" + release + b"y", (b"x" + release + b"y", False))


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("prefix", [*PREFIXES[:2], b"\x1b[27;5;98~"])
def test_any_other_key_cancels(prefix: bytes, other: bytes) -> None:
    """Then both are forwarded as they came, and the key alone does nothing."""
    assert_typed(prefix + other + b"\rd", (prefix + other + b"\rd", False))


@pytest.mark.parametrize(
    "data", [*KEYS, *REPORTS, *RELEASES, *OTHERS, b"\x1b[97;1u", b"d\xe2\x80\xa6d\x1b[H"]
)
def test_without_the_prefix_everything_passes(data: bytes) -> None:
    """Outside a chord nothing is changed."""
    assert_typed(data + b"\rd", (data + b"\rd", False))


# ── the prefix itself ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("second", PREFIXES)
@pytest.mark.parametrize("first", [*PREFIXES[:2], b"\x1b[27;5;98~"])
def test_the_prefix_typed_twice_is_sent_once(first: bytes, second: bytes) -> None:
    """In the form typed last; and what follows is no chord."""
    if b":2u" in second:  # the first one is held down: not typed twice
        assert_typed(first + second + b"d", (b"", True))
    else:
        assert_typed(first + second + b"d", (second + b"d", False))


def test_three_prefixes_are_one_prefix_and_a_chord() -> None:
    """After a prefix was sent, the next begins anew."""
    assert_typed(b"\x02\x02\x02d", (b"\x02", True))
    assert_typed(b"\x02\x02\x02\x02", (b"\x02\x02", False))


def test_the_prefix_typed_twice_with_releases() -> None:
    """The press that is forwarded keeps its repeats and its release; those of the other are gone."""
    press, repeat, release = b"\x1b[98;5u", b"\x1b[98;5:2u", b"\x1b[98;1:3u"
    assert_typed(press + release + press + repeat + release + b"d", (press + repeat + release + b"d", False))
    assert_typed(press + release + press + release + press + b"d", (press + release, True))


@pytest.mark.parametrize(
    ("prefix", "key", "typed"),
    [
        (0x10, 0x11, b"\x10\x11"),  # Ctrl+P Ctrl+Q
        (0x10, 0x11, b"\x1b[112;5u\x1b[113;5u"),
        (0x10, 0x11, b"\x1b[112;5u\x1b[112;1:3u\x1b[27;5;113~"),
        (0x1C, 0x64, b"\x1cd"),  # Ctrl+\
        (0x1C, 0x64, b"\x1b[92;5ud"),
        (0x1F, 0x64, b"\x1b[45:95;6ud"),  # Ctrl+Shift and the key of minus: Ctrl+_
        (0x00, 0x64, b"\x1b[32;5ud"),  # Ctrl+Space
        (0x60, 0x64, b"`d"),
        (0x60, 0x64, b"\x1b[96u\x1b[100u"),
        (0x02, 0x44, b"\x02D"),
        (0x02, 0x44, b"\x02\x1b[100:68;2u"),
        (0x02, 0x44, b"\x02\x1b[68;2u"),
        (0x02, 0x25, b"\x02\x1b[53:37;2u"),  # Shift and 5: %
        (0x01, 0x01, b"\x01\x01"),
    ],
)
def test_other_chords_can_be_chosen(prefix: int, key: int, typed: bytes) -> None:
    """Any control or plain character may be the prefix, and the key."""
    for cuts in every_cut(typed):
        assert type_(typed, cuts, Chord(prefix, key)) == (b"", True), cuts
    assert type_(b"\x02d", (), Chord(0x10, 0x11)) == (b"\x02d", False)


@pytest.mark.parametrize("prefix", [0x00, 0x01, 0x02, 0x1A, 0x1C, 0x1D, 0x1E, 0x1F, 0x60])
def test_forms_of_the_prefix_are_its_own(prefix: int) -> None:
    """Each form in which terminals send it is recognised."""
    for form in forms_of(prefix):
        assert_typed_with(prefix, form + b"d", (b"", True))


def assert_typed_with(prefix: int, data: bytes, expected: tuple[bytes, bool]) -> None:
    for cuts in every_cut(data):
        assert type_(data, cuts, Chord(prefix)) == expected, cuts


# ── pastes ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "chord", [b"\x02d", b"\x1b[98;5ud", b"\x02\x1b[100u", b"\x1b[200~\x02d", b"\x1b[201\x02d"]
)
def test_a_paste_does_not_detach(chord: bytes) -> None:
    """What is pasted is no typing, even if it holds the bytes of the chord, in however many reads it comes."""
    paste = b"\x1b[200~a" + chord + b"b\x1b[201~"
    assert_typed(paste, (paste, False))
    assert_typed(paste + b"\x02d", (paste, True))


def test_a_paste_cancels_the_prefix() -> None:
    """A prefix, a paste and the key are no chord."""
    paste = b"\x1b[200~\x02d\x1b[201~"
    assert_typed(b"\x02" + paste + b"d", (b"\x02" + paste + b"d", False))


def test_a_paste_is_forwarded_at_once() -> None:
    """Nothing of a long paste waits for its end."""
    chord = Chord()
    assert chord.feed(b"\x1b[200~" + b"x" * 5000 + b"\x1b[20") == (
        b"\x1b[200~" + b"x" * 5000 + b"\x1b[20",
        False,
    )
    assert not chord.waiting
    assert chord.feed(b"1~\x02d") == (b"1~", True)


# ── what is held, and for how long ─────────────────────────────────────────────────────────────────────


def test_a_lone_escape_is_held_until_flush() -> None:
    """It may begin a form of the prefix; after a short silence it was the Escape key."""
    chord = Chord()
    assert chord.feed(b"a\x1b") == (b"a", False)
    assert chord.waiting
    assert chord.flush() == b"\x1b"
    assert not chord.waiting
    assert chord.feed(b"\x02d") == (b"", True)


def test_escape_and_the_chord_in_one_read_detach() -> None:
    """Escape, then the prefix: not Alt and the prefix, for to get away matters more."""
    assert_typed(b"\x1b\x02d", (b"\x1b", True))


@pytest.mark.parametrize(
    "typed", [b"a", b"\x1b[A", b"\x1bx", b"\x1bO", b"\x1b]", b"\x1bP", b"\x1b[<0;1", b"\x1b[?6", b"\xc3"]
)
def test_what_cannot_be_the_prefix_is_not_delayed(typed: bytes) -> None:
    """Other keys, Alt and a letter, and reports pass on as they come."""
    assert Chord().feed(typed) == (typed, False)


def test_the_prefix_waits_for_its_key_however_long() -> None:
    """The prefix alone is no unfinished sequence: no silence ends it."""
    chord = Chord()
    assert chord.feed(b"\x02") == (b"", False)
    assert not chord.waiting
    assert chord.flush() == b""
    assert chord.feed(b"d") == (b"", True)


def test_escape_after_the_prefix_cancels_it() -> None:
    """Once it is clear that it was the Escape key."""
    chord = Chord()
    assert chord.feed(b"\x02\x1b") == (b"", False)
    assert chord.waiting
    assert chord.flush() == b"\x02\x1b"
    assert chord.feed(b"d") == (b"d", False)


@pytest.mark.parametrize("letter", [b"[", b"O", b"]", b"P", b"X", b"_", b"^"])
def test_alt_and_a_letter_that_looks_like_more_does_not_swallow_the_chord(letter: bytes) -> None:
    """These begin sequences and answers; after a silence, or at a control, they were keys."""
    for typed in (b"\x1b" + letter, b"\x02\x1b" + letter):
        chord = Chord()
        forwarded = chord.feed(typed)[0] + chord.flush()
        assert forwarded == b"\x1b" + letter
        if typed[0] == 0x1B:
            assert chord.feed(b"\x02") == (b"", False)
        assert chord.feed(b"d") == (b"", True)
    if letter != b"[":
        assert_typed(b"\x1b" + letter + b"\x02d", (b"\x1b" + letter, True))


def test_a_sequence_that_a_slow_link_tore_apart_is_no_chord() -> None:
    """What was forwarded in part is forwarded whole; a paste is still known as one."""
    chord = Chord()
    assert chord.feed(b"\x1b[98;") == (b"", False)
    assert chord.flush() == b"\x1b[98;"
    assert chord.feed(b"5ud") == (b"5ud", False)
    assert chord.feed(b"\x1b[20") == (b"", False)
    assert chord.flush() == b"\x1b[20"
    assert chord.feed(b"0~\x02d") == (b"0~\x02d", False)


def test_a_long_answer_is_not_kept() -> None:
    """A clipboard that is sent as an answer passes through, whatever its length."""
    chord = Chord()
    assert chord.feed(b"\x02\x1b]52;c;") == (b"\x1b]52;c;", False)
    for _ in range(50):
        assert chord.feed(b"d" * 1000) == (b"d" * 1000, False)
    assert len(chord._held) < 10
    assert chord.feed(b"\x1b\\d") == (b"\x1b\\", True)


# ── any mixture ────────────────────────────────────────────────────────────────────────────────────────

PASTE = [b"\x1b[200~", b"\x1b[201~"]
HALVES = [b"\x1b", b"[", b"O", b"\x1bP", b"\x1b]", b"9", b"\x07"]
TYPED = st.lists(
    st.sampled_from(PREFIXES + KEYS + REPORTS + RELEASES + OTHERS + PASTE * 8 + HALVES * 3), max_size=10
)
HARMLESS = st.lists(st.sampled_from(REPORTS + OTHERS + KEYS), max_size=12)
CUTS = st.lists(st.integers(0, 200), max_size=12).map(tuple)


@given(TYPED.map(b"".join), CUTS)
@example(b"\x1b[200~\x1b[201\x02d~\x1b[201~\x02d", (7, 12, 14, 20))
@settings(max_examples=600, deadline=None)
def test_where_the_reads_cut_does_not_matter(data: bytes, cuts: tuple[int, ...]) -> None:
    """The same is forwarded, and the same detaches, in whatever pieces the keys arrive."""
    whole, cut = Chord(), Chord()
    assert type_(data, cuts, cut) == type_(data, (), whole)
    assert (cut.flush(), cut.waiting) == (whole.flush(), whole.waiting)


@given(HARMLESS.map(b"".join), CUTS)
@settings(max_examples=300, deadline=None)
def test_nothing_is_lost_or_invented(data: bytes, cuts: tuple[int, ...]) -> None:
    """Without a prefix, what goes in comes out."""
    chord = Chord()
    forwarded, is_detached = type_(data, cuts, chord)
    assert (forwarded + chord.flush(), is_detached) == (data, False)
