"""what a program said can be read without a terminal, and its last lines found without reading it all"""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from codewire_py.stream import plain
from codewire_py.stream.plain import Plain, last_lines
from stream.cutting import bytewise, cut_up

SEQUENCES = [b"\x1b[1;31m", b"\x1b[K", b"\x1b]0;ti\ntle\x07", b"\x1bPq\r\n~\x1b\\", b"\x1b(B", b"\x1b[3\x18"]
PARTS = [
    *SEQUENCES,
    b"\r",
    b"\r",
    b"\n",
    b"\r\n",
    b"a",
    b"two words",
    "é".encode(),
    "…".encode(),
    "😀".encode(),
]
RUBBISH = [
    b"\x1b",
    b"[",
    b"]",
    b"\\",
    b"\x07",
    b"\x00",
    b"\x08",
    b"\x7f",
    b"\x80",
    b"\xc3",
    b"\xf0\x9f",
    b"\xff",
    b"\t",
]


def read_plain(data: bytes, cuts: list[int] | None = None) -> bytes:
    reader = Plain()
    return b"".join([*(reader.feed(piece) for piece in cut_up(data, cuts or [])), reader.flush()])


def streams(parts: list[bytes]) -> st.SearchStrategy[bytes]:
    return st.lists(st.sampled_from(parts), max_size=20).map(b"".join)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"a\x1b[1;31mb\x1b]0;title\x07c\x1b(Bd\x1bPq~\x1b\\e", b"abcde"),
        (b"one\r\ntwo\r\n", b"one\ntwo\n"),
        (b"one\r\r\ntwo", b"one\ntwo"),
        (b"10%\r20%\r", b"10%\n20%"),
        (b"10%\r\x1b[K20%", b"10%\n20%"),
        (b"line\r\x1b[K\n", b"line\n"),
        (b"a\x08b\x07c\x00d\x7fe\x0bf\x0cg\x05h\ti", b"abcdefgh\ti"),
        (b"caf\xc3\xa9 \xf0\x9f\x98\x80", b"caf\xc3\xa9 \xf0\x9f\x98\x80"),
        (b"\xff \xc3( \xed\xa0\x80", "\ufffd \ufffd( \ufffd\ufffd\ufffd".encode()),
        (b"cut \xf0\x9f", "cut \ufffd".encode()),
        (b"unfinished\x1b]0;ti", b"unfinished"),
        (b"cut short\x1b[3\x18 and on", b"cut short and on"),
    ],
)
def test_only_text_remains(data: bytes, text: bytes) -> None:
    """Lines end with one line feed, and there is nothing in them that would move a cursor or ring a bell."""
    assert read_plain(data) == text


@given(streams(PARTS))
@settings(max_examples=400, deadline=None)
def test_the_text_is_that_between_the_sequences(data: bytes) -> None:
    """Taking out the sequences first and mending the lines afterwards gives the same."""
    for sequence in SEQUENCES:
        data = data.replace(sequence, b"\0")
    rest = data.replace(b"\0", b"").decode()
    assert read_plain(data).decode() == re.sub(r"\r+\n?", "\n", rest.rstrip("\r"))


@given(streams(PARTS + RUBBISH), st.lists(st.integers(0, 1 << 10), max_size=8))
@example(b"\xc3\x1b[m\xa9", [1, 3])
@settings(max_examples=600, deadline=None)
def test_where_the_stream_is_cut_does_not_matter(data: bytes, cuts: list[int]) -> None:
    """The same text comes out whatever the reads were, and it is UTF-8."""
    assert read_plain(data, cuts) == read_plain(data)
    read_plain(data).decode()


@given(streams([*PARTS, *RUBBISH]))
@settings(max_examples=300, deadline=None)
def test_no_character_is_ever_split(data: bytes) -> None:
    """Each piece that comes out is whole characters, though each byte that goes in comes alone."""
    reader = Plain()
    for byte in bytewise(data):
        reader.feed(byte).decode()


def test_flush_makes_ready_for_another_stream() -> None:
    """What one stream left unfinished does not reach into the next."""
    reader = Plain()
    assert reader.feed(b"a\r\xc3\x1b]0;") == b"a"
    assert reader.flush() == "\n\ufffd".encode()
    assert reader.feed(b"b\n") == b"b\n"


# ── the last lines ─────────────────────────────────────────────────────────────────────────────────────


class Log:
    """Bytes in memory, read as a log is; remembers how much was read."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.bytes_read = 0

    def read(self, offset: int, length: int) -> bytes:
        assert 0 <= offset <= offset + length <= len(self.data)
        self.bytes_read += length
        return self.data[offset : offset + length]


def tail(data: bytes, count: int, start: int = 0) -> bytes:
    return data[[*last_lines(Log(data).read, start, len(data), count)][-1] :]


@pytest.mark.parametrize(
    ("data", "count", "expected"),
    [
        (b"", 3, b""),
        (b"a\nb\nc\n", 0, b""),
        (b"a\nb\nc\n", 1, b"c\n"),
        (b"a\nb\nc", 1, b"c"),
        (b"a\nb\nc\n", 2, b"b\nc\n"),
        (b"a\nb\nc\n", 3, b"a\nb\nc\n"),
        (b"a\nb\nc\n", 9, b"a\nb\nc\n"),
        (b"a\r\nb\r\n", 1, b"b\r\n"),
        (b"a\r\r\nb\r\r\n", 1, b"b\r\r\n"),
        (b"10%\r20%\r30%", 2, b"20%\r30%"),
        (b"10%\r\x1b[K20%\r\x1b[K\n", 1, b"\x1b[K20%\r\x1b[K\n"),
        (b"a\n\n\n", 2, b"\n\n"),
        (b"a\nb\n\x1b[0m\x1b[?25h", 1, b"b\n\x1b[0m\x1b[?25h"),
    ],
)
def test_the_last_lines_are_found(data: bytes, count: int, expected: bytes) -> None:
    """As many lines as were asked for, or all there are; an end at the very end begins no other line."""
    assert tail(data, count) == expected


def test_what_was_released_is_not_read() -> None:
    """The search ends where the log begins now."""
    assert tail(b"gone\nold\nnew\n", 9, start=5) == b"old\nnew\n"


@given(streams([part for part in PARTS if part not in SEQUENCES[2:]]), st.integers(0, 6), st.integers(1, 9))
@example(b"a\r\r\nb", 1, 3)
@example(b"a\r\x1b[K\nb", 1, 4)
@example(b"a\n\r\x1b[m", 1, 9)
@example(b"\n\r", 1, 2)
@example(b"a\n" + b"b" * 325 + b"\r\n" + b"c" * 71, 2, 200)
@example(b"a\nb\rc\nd", 2, 2)
@settings(max_examples=600, deadline=None)
def test_where_the_blocks_begin_does_not_matter(data: bytes, count: int, block: int) -> None:
    """The last lines of a log read as the last lines of its text."""
    usual, plain._BLOCK = plain._BLOCK, block  # type: ignore[misc]
    try:
        found = read_plain(tail(data, count))
    finally:
        plain._BLOCK = usual  # type: ignore[misc]
    text = read_plain(data)
    lines = text.removesuffix(b"\n").split(b"\n") if text else []
    assert found == b"\n".join(lines[max(len(lines) - count, 0) :]) + (
        b"\n" if text.endswith(b"\n") and count else b""
    )


def test_little_is_read_of_a_long_log() -> None:
    """To find the last ten lines, a gigabyte before them does not matter."""
    log = Log(b"some line\n" * 1_000_000)
    assert [*last_lines(log.read, 0, len(log.data), 10)] == [len(log.data) - 100]
    assert log.bytes_read <= 66 * 1024


def test_a_long_search_stops_after_each_block() -> None:
    """So that others have their turn: a full-screen program may have printed no line for hundreds of megabytes."""
    log = Log(b"\x1b[5;1Hno end of a line" * 50_000)
    stops = [*last_lines(log.read, 0, len(log.data), 10)]
    assert stops[-1] == 0
    assert max(before - after for before, after in pairwise([len(log.data), *stops])) <= 64 * 1024
