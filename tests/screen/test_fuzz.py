"""whatever a program prints, a screen takes it: it never raises, never hangs, and never grows without bound"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codewire_py.daemon.limits import LARGEST_SIDE
from codewire_py.daemon.screen.screen import MOST_PLANS, Screen
from codewire_py.daemon.screen.strings import LONGEST_TITLE
from codewire_py.daemon.screen.style import MOST_KNOWN
from codewire_py.daemon.screen.width import MOST_JOINED, width
from codewire_py.stream.grammar import STRING_MAX

from .pictures import drawn, recorded

RECORDED = recorded()
MIB = 1 << 20
SIZES = (1, 2, 3, 5, 10, 24, 50, 81, 200)
PIECE = 16 * 1024
MOST_REMEMBERED = MIB  # bytes in the keys of whatever is looked up again

FIELD = st.one_of(
    st.integers(0, 120).map(str), st.just(""), st.sampled_from(["9" * 30, "4:3", "38:2::1:2:3", "?", ">"])
)
PARAMETERS = st.lists(FIELD, max_size=6).map(";".join)
SEQUENCE = st.one_of(
    st.binary(max_size=12),
    st.text(max_size=8).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.builds(lambda said, final: f"\x1b[{said}{final}".encode(), PARAMETERS, st.characters(min_codepoint=0x20, max_codepoint=0x7E)),
    st.builds(lambda lead, said, end: b"\x1b" + lead + said + end, st.sampled_from([b"]8;;", b"]2;", b"P", b"_", b"k", b"(", b"#"]),
              st.binary(max_size=9), st.sampled_from([b"\x07", b"\x1b\\", b"\x18", b"", b"\x1b"])),
    st.integers(0, 1 << 16).map(lambda seed: drawn(seed, 3)),
)  # fmt: skip


def pieces(stream: bytes, chance: random.Random) -> Iterator[bytes]:
    at = 0
    while at < len(stream):
        size = chance.choice((1, 2, 7, 60, 997, 5000))
        yield stream[at : at + size]
        at += size


def use(screen: Screen, stream: bytes, chance: random.Random) -> None:
    """Everything that can be asked of a screen, and what it says has to make sense."""
    for piece in pieces(stream, chance):
        screen.feed(piece)
        if chance.random() < 0.05:
            screen.resize(chance.choice(SIZES), chance.choice(SIZES))
        if chance.random() < 0.05:
            look(screen, chance)
    look(screen, chance)


def look(screen: Screen, chance: random.Random) -> None:
    row, col = screen.cursor()
    assert 0 <= row < screen.rows
    assert 0 <= col < screen.cols
    assert len(screen.main) == len(screen.other) == screen.rows
    for line in (*screen.main, *screen.other):
        assert len(line.chars) == len(line.styles) == screen.cols
        assert not torn(line.chars)
    text = screen.text()
    assert not [part for part in text if any(char < " " or "\x7f" <= char <= "\x9f" for char in part)]
    left = chance.randrange(screen.cols)
    screen.draw_row(chance.randrange(screen.rows), left, chance.choice((None, left, left + 7)))
    screen.history_text(20)
    assert isinstance(screen.paint(chance.choice((0, 20))), bytes)


def torn(chars: list[str]) -> list[int]:
    """Where half of a wide character stands alone."""
    columns = zip(["", *chars], chars, [*chars[1:], "end"], strict=False)
    return [
        column
        for column, (before, char, after) in enumerate(columns)
        if (not char and not before) or (len(char) == 1 and width(char) == 2 and after)
    ]


def garbled(stream: bytes, other: bytes, chance: random.Random) -> bytes:
    """Bytes flipped, parts cut out, doubled, and taken from elsewhere."""
    start = chance.randrange(max(1, len(stream) - 8000))
    made = bytearray(stream[start : start + 8000])
    for _ in range(chance.randrange(1, 30)):
        at, size = chance.randrange(len(made) + 1), chance.randrange(1, 40)
        match chance.randrange(4):
            case 0:
                made[at : at + 1] = bytes([chance.randrange(256)])
            case 1 if len(made) > 100:
                del made[at : at + size]
            case 2:
                made[at:at] = made[at : at + size] * chance.randrange(1, 4)
            case _:
                begin = chance.randrange(len(other))
                made[at:at] = other[begin : begin + size]
    return bytes(made)


@pytest.mark.parametrize("seed", range(20))
def test_random_bytes_do_no_harm(seed: int) -> None:
    """Any bytes, and those that sequences are made of."""
    chance = random.Random(seed)
    alphabet = (
        bytes(range(256))
        if seed % 2
        else b"\x1b\x1b\x1b[[]P;;:?0123489mHJKrhlbSTLM@X\r\n\x07\\\xe2\x94\x80\xf0ab c"
    )
    screen = Screen(chance.choice(SIZES), chance.choice(SIZES))
    use(screen, bytes(chance.choices(alphabet, k=20_000)), chance)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.lists(SEQUENCE, max_size=40), st.integers(0, 1 << 16))
def test_odd_sequences_do_no_harm(stream: list[bytes], seed: int) -> None:
    """Whole sequences with parameters that nobody expects."""
    chance = random.Random(seed)
    use(Screen(chance.choice(SIZES), chance.choice(SIZES)), b"".join(stream), chance)


@pytest.mark.parametrize("name", RECORDED)
def test_garbled_recordings_do_no_harm(name: str) -> None:
    """What real programs print, with parts lost, doubled and mixed up."""
    chance = random.Random(name)
    stream, rows, cols = RECORDED[name]
    others = list(RECORDED)
    for _ in range(3):
        other = RECORDED[chance.choice(others)][0]
        use(Screen(rows, cols), garbled(stream, other, chance), chance)


# -- nothing grows without bound


def remembered(screen: Screen) -> dict[str, int]:
    """Of all that a stream can make a screen remember: how much there is."""
    alive = {
        screen.pen,
        *screen.styles.known.values(),
        *(style for row in screen.main for style in row.styles),
    }
    alive |= {saved.pen for saved in screen.saved.values()}
    ways = [way for style in alive for way in style.next]
    return {
        "styles": len(screen.styles.known),
        "ways": len(ways),
        "bytes of keys": sum(map(len, ways)) + sum(map(len, screen.plans)),
        "plans": len(screen.plans),
        "title": len(screen.title),
        "tabs": len(screen.tabs),
        "saved": len(screen.saved),
        "held": len(screen.pieces.held),
        "joined": max(len(char) for row in screen.main for char in row.chars),
        "scrollback": screen.scrollback.size,
        "scrollback in fact": sum(map(len, screen.scrollback.rows)),
    }


LIMITS = {
    "styles": 3 * MOST_KNOWN,
    "ways": MOST_KNOWN + 1,
    "bytes of keys": MOST_REMEMBERED,
    "plans": MOST_PLANS + 1,
    "title": LONGEST_TITLE,
    "tabs": LARGEST_SIDE,
    "saved": 2,
    "held": STRING_MAX + 1,
    "joined": MOST_JOINED,
    "scrollback": MIB,
    "scrollback in fact": MIB,
}

HOSTILE = {
    "100 000 colours": b"".join(b"\x1b[38;2;%d;%d;%dmx" % (n % 256, n // 256 % 256, n // 65536) for n in range(100_000)),
    "100 000 colours from one saved pen": b"\x1b[1;31m\x1b7"
    + b"".join(b"\x1b8\x1b[48;2;%d;%d;%dmx" % (n % 256, n // 256 % 256, n // 65536) for n in range(100_000)),
    "100 000 links": b"".join(b"\x1b]8;;http://example.com/%d\x07x" % n for n in range(100_000)),
    "long links": b"".join(b"\x1b]8;;http://example.com/%s%d\x07x" % (b"l" * 1900, n) for n in range(5000)),
    "a million marks on one character": b"e" + "\u0301".encode() * 1_000_000,
    "many sequences": b"".join(b"\x1b[%d;%dH" % (n // 300, n % 300) for n in range(90_000)),
    "long parameters": b"".join(b"\x1b[%s%dm\x1b[%s%dH" % (b"1;" * 500, n, b"2;" * 500, n) for n in range(4000)),
    "huge parameters": b"".join(b"\x1b[%s%c\x1b[%sm" % (b"7" * 5000, final, b"7" * 5000) for final in b"ABCDEGHbSTXZ@PLMIJKrh")
    * 5,
    "repeats": b"".join(b"%s\x1b[16383b" % char for char in (b"x", "漢".encode(), "e\u0301".encode(), "👩‍".encode())) * 50,
    "10 MB without a newline": b"no end of it, " * 750_000,
    "10 MB of a string without an end": b"\x1b]2;" + b"t" * 10_000_000,
    "10 MB of one sequence": b"\x1b[" + b"3;" * 5_000_000,
    "titles": b"".join(b"\x1b]2;%s%d\x07\x1b[22;2t" % (b"t" * 5000, n) for n in range(1000)),
    "saved and tabs": b"\x1b7\x1bH\x1b[C\x1b[?1049h\x1b7\x1b[?1049l" * 10_000,
    "modes": b"".join(b"\x1b[?%dh\x1b[%dh\x1b[>%du\x1b[>%d;2m\x1b]%d;red\x07" % (n, n, n, n, n) for n in range(20_000)),
    "colours of the palette": b"".join(b"\x1b]4;%d;#123456\x07" % n for n in range(100_000)),
    "lines": b"\x1b[31mr\x1b[32mg\x1b[m\r\n" * 60_000,
}  # fmt: skip
SECONDS = 15.0  # each takes one at most; something quadratic takes minutes
LARGEST_PAINT = 8 * MIB  # every character may have a link of its own


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_grows_without_bound(name: str) -> None:
    """Nor takes time without bound; and afterwards the screen still works."""
    stream = HOSTILE[name]
    screen = Screen(24, 80, MIB)
    start = time.process_time()
    for at in range(0, len(stream), PIECE):
        screen.feed(stream[at : at + PIECE])
    found = remembered(screen)
    assert not {what: count for what, count in found.items() if count > LIMITS[what]}
    for rows, cols in ((50, 60), (24, 200), (60, 200)):
        screen.resize(rows, cols)
    assert len(screen.paint(1000)) < LARGEST_PAINT
    screen.feed(b"\x18\x1b\\\x1bcstill here")
    assert screen.text()[0] == "still here"
    assert time.process_time() - start < SECONDS


def test_nothing_of_a_line_without_an_end_is_lost_when_a_terminal_grows() -> None:
    """However long it is: what is not needed on the screen stays in the scrollback."""
    screen = Screen(24, 80)
    screen.feed(b"".join(b"%09d " % number for number in range(100_000)))
    before = [*screen.history_text(1 << 20), *screen.text()]
    screen.resize(60, 80)
    assert [*screen.history_text(1 << 20), *screen.text()] == before
