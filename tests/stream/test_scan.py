"""a stream is split the way a terminal reads it, wherever its reads were cut"""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codewire_py.stream.scan import (
    APC,
    BROKEN,
    CSI,
    DCS,
    ESCAPE,
    OSC,
    PM,
    SOS,
    TEXT,
    TITLE,
    Pieces,
    Scanner,
    clean_start,
    unfinished,
    whole_characters,
)
from stream.cutting import cut_up
from stream.plain_terminal import Terminal

SMALL = [bytes([byte]) for byte in b"\x1b\x1b\x1b[]P_^Xk\\\x07\x18\x1a\nAm0;?( \x7f\x80\xc3\xa9"]
LARGE = [
    b"\x1b[38;5;1m",
    b"\x1b]0;title\x07",
    b"\x1bPq~\x1b\\",
    b"\x1b[" + b"1" * 300,
    b"\x1b]" + b"x" * 70_000,
]
STREAMS = st.one_of(
    st.lists(st.sampled_from(SMALL), max_size=40).map(b"".join),
    st.lists(st.sampled_from(SMALL + LARGE), max_size=12).map(b"".join),
)


def scan(data: bytes, cuts: list[int] | None = None) -> list[tuple[str, bytes]]:
    scanner = Scanner()
    return merge_text([token for piece in cut_up(data, cuts or []) for token in scanner.feed(piece)])


def merge_text(tokens: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    merged: list[tuple[str, bytes]] = []
    for kind, raw in tokens:
        if merged and kind == merged[-1][0] == TEXT:
            merged[-1] = TEXT, merged[-1][1] + raw
        else:
            merged.append((kind, raw))
    return merged


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        (CSI, b"\x1b[m"), (CSI, b"\x1b[38;5;12m"), (CSI, b"\x1b[?25h"), (CSI, b"\x1b[2 q"), (CSI, b"\x1b[1\n2H"),
        (OSC, b"\x1b]0;title\x07"), (OSC, b"\x1b]8;;\x1b\\"), (OSC, b"\x1b]0;\xc3\xa9\x07"),
        (DCS, b"\x1bPq#0~\x07~\x1b\\"), (APC, b"\x1b_Ga=T;AA\x1b\\"), (PM, b"\x1b^x\x1b\\"), (SOS, b"\x1bXx\x1b\\"),
        (TITLE, b"\x1bkname\x1b\\"), (BROKEN, b"\x1bkname\x18"),
        (ESCAPE, b"\x1b7"), (ESCAPE, b"\x1b(0"), (ESCAPE, b"\x1b#8"), (ESCAPE, b"\x1b\\"), (ESCAPE, b"\x1bM"),
        (BROKEN, b"\x1b[3\x18"), (BROKEN, b"\x1b]0;ti\x1a"), (BROKEN, b"\x1bPq\x18"), (BROKEN, b"\x1b\x18"),
    ],
)  # fmt: skip
def test_each_kind_is_told_apart(kind: str, raw: bytes) -> None:
    """A sequence comes whole, between the text before and the text after it."""
    assert scan(b"a\n" + raw + b"b") == [(TEXT, b"a\n"), (kind, raw), (TEXT, b"b")]


@pytest.mark.parametrize(
    "cut_short", [b"\x1b", b"\x1b[", b"\x1b[3", b"\x1b]0;ti", b"\x1bPq", b"\x1b_G", b"\x1b("]
)
def test_an_escape_begins_anew_anywhere(cut_short: bytes) -> None:
    """The sequence that an escape cuts short is broken, the one it begins is whole."""
    assert scan(cut_short + b"\x1b[mx") == [(BROKEN, cut_short), (CSI, b"\x1b[m"), (TEXT, b"x")]


@pytest.mark.parametrize("cut_short", [b"\x1b", b"\x1b[", b"\x1b[3", b"\x1b("])
def test_characters_beyond_ascii_are_text(cut_short: bytes) -> None:
    """Bytes from 0x80 up are no 8-bit controls, and no part of a short sequence."""
    assert scan(cut_short + b"\xc2\x9bm") == [(BROKEN, cut_short), (TEXT, b"\xc2\x9bm")]


@given(STREAMS, st.lists(st.integers(0, 1 << 20), max_size=8))
@settings(max_examples=600, deadline=None)
def test_where_the_stream_is_cut_does_not_matter(data: bytes, cuts: list[int]) -> None:
    """The same sequences come out whatever the reads were."""
    assert scan(data, cuts) == scan(data)


@given(STREAMS)
@settings(max_examples=600, deadline=None)
def test_a_terminal_would_read_the_same(data: bytes) -> None:
    """Sequences and text are those a terminal sees, in the same order; only what is too long is missing."""
    terminal = Terminal()
    terminal.feed(data + b"\x18")
    expected = [(kind, body) for kind, body in terminal.events if kind != "control" and len(body) <= 256]
    assert list(describe(scan(data + b"\x18"))) == expected


def describe(tokens: list[tuple[str, bytes]]) -> list[tuple[str, str]]:
    """Tokens as the events of the terminal of these tests."""
    events = []
    for kind, raw in tokens:
        text = raw.decode("latin-1").lstrip("\x1b")
        if kind == TEXT:
            events += [(TEXT, char) for char in text if " " <= char != "\x7f"]
        elif kind in (CSI, ESCAPE):
            body = "".join(char for char in text if " " <= char != "\x7f")
            events.append((kind, body if kind == ESCAPE else body[1:]))
        elif kind != BROKEN:
            body = (
                text.removesuffix("\x1b\\").removesuffix("\x07")
                if kind == OSC
                else text.removesuffix("\x1b\\")
            )
            events.append((kind, body.lstrip(CONTROLS)[1:]))
    return [event for event in events if len(event[1]) <= 256]


CONTROLS = "".join(chr(code) for code in range(32)) + "\x7f"


@given(st.lists(st.sampled_from(SMALL), max_size=40).map(b"".join))
@settings(max_examples=300, deadline=None)
def test_nothing_is_lost_but_what_is_unfinished(data: bytes) -> None:
    """The tokens put together are the stream up to the sequence it ends in the middle of."""
    assert b"".join(raw for _, raw in scan(data)) == data[: unfinished(data)]


@pytest.mark.parametrize(
    "intro", [b"\x1b[", b"\x1b]0;", b"\x1bPq", b"\x1b_G", b"\x1b^", b"\x1bX", b"\x1bk", b"\x1b("]
)
def test_what_never_ends_is_left_out_and_not_kept(intro: bytes) -> None:
    """However long a sequence goes on little is held, and the next escape brings the text back."""
    scanner = Scanner()
    assert scanner.feed(intro) == []
    assert [token for _ in range(40) for token in scanner.feed(b"    " * 1000)] == []
    assert len(scanner.held) <= 65_536
    assert scanner.inside
    assert scanner.feed(b"\x1b[mtext") == [(CSI, b"\x1b[m"), (TEXT, b"text")]
    assert not scanner.inside


@pytest.mark.parametrize("intro", [b"\x1b]0;", b"\x1bPq", b"\x1b_G", b"\x1b^", b"\x1bX", b"\x1bk"])
def test_the_text_of_an_endless_string_is_no_text(intro: bytes) -> None:
    """Also behind its limit, and up to its end."""
    scanner = Scanner()
    assert scanner.feed(intro) == []
    assert [token for _ in range(40) for token in scanner.feed(b"text" * 1000)] == []
    assert scanner.feed(b"text\x1b\\after") == [(TEXT, b"after")]


def test_long_sequences_are_whole_up_to_their_limit() -> None:
    """256 bytes of a sequence and 64 KiB of a string pass, one more does not."""
    for intro, limit, end in (
        (b"\x1b[", 256, b"m"),
        (b"\x1b]", 65_536, b"\x07"),
        (b"\x1bP", 65_536, b"\x1b\\"),
    ):
        longest = intro + b"1" * (limit - len(intro))
        assert [raw for _, raw in scan(longest + end)] == [longest + end]
        assert (
            scan(longest + b"1" + end + b"x")
            == scan(longest + b"1" + end + b"x", [limit, limit + 1])
            == [(TEXT, b"x")]
        )


def test_pieces_end_between_sequences() -> None:
    """A reader that is handed pieces never sees half a sequence, not even half of a string's end."""
    pieces = Pieces()
    assert pieces.whole(b"a\x1b]0;t\x1b") == b"a"
    assert pieces.inside
    assert pieces.whole(b"\\b\x1b") == b"\x1b]0;t\x1b\\b"
    assert pieces.whole(b"[m") == b"\x1b[m"
    assert not pieces.inside


# ── characters ─────────────────────────────────────────────────────────────────────────────────────────


EDGES = [bytes([byte]) for byte in b"a\x80\x8f\x90\x9f\xa0\xbf\xc1\xc2\xdf\xe0\xed\xef\xf0\xf4\xf5"]


@given(
    st.one_of(
        st.lists(st.sampled_from(EDGES), max_size=6).map(b"".join),
        st.tuples(st.text(max_size=3), st.integers(0, 3)).map(lambda cut: cut[0].encode()[: -cut[1] or None]),
    )
)
@settings(max_examples=1500, deadline=None)
def test_only_a_plausible_unfinished_character_is_left_for_later(data: bytes) -> None:
    """The cut is where a UTF-8 decoder would wait for more."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    decoder.decode(data)
    waiting = decoder.getstate()[0]
    if waiting[:1] == b"\xed" and waiting[1:2] >= b"\xa0":  # half a surrogate: it waits in vain
        waiting = b""
    assert whole_characters(data) == len(data) - len(waiting)


# ── where a replay may begin ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("left", "kept"),
    [
        (b"", b""),
        (b"of a line\r\n", b"next\r\n"),
        (b"8;5;12mof a line\n", b"next"),
        (b"a title\x1b\\", b"text\nnext"),  # the end of a string, its newlines included
        (b"base\n64==\x1b\\", b"text\nnext"),
        (b"\x1b[1mred\x1bP1\n2\x1b\\\n", b"next"),
        (b"itle\x07", b"no newline \x1b[1m anywhere"),
        (b"8;5;12m", b"no newline anywhere"),
        (b"\xa9\x80", b"no newline anywhere"),
        (b"", b"12 lines without a newline"),
        (b"", b"\x1b[1m no newline"),
    ],
)
def test_a_replay_begins_where_a_cut_does_no_harm(left: bytes, kept: bytes) -> None:
    """What a cut has left of a line, a sequence, a string or a character is not shown."""
    data = left + kept
    assert data[clean_start(data) :] == kept


def test_a_replay_does_not_skip_much_to_find_a_newline() -> None:
    """A full-screen program may draw for long without one."""
    assert clean_start(b"x" * 5000 + b"\n") == 0
