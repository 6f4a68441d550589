"""plain lines that pass a screen by are told as if they had been drawn"""

from __future__ import annotations

import random

import pytest

from codewire_py.daemon.screen.passing import pass_by
from codewire_py.daemon.screen.settling import Line, Settling


def texts(data: bytes, rows: int, cols: int) -> list[str]:
    """All of it drawn."""
    settling = Settling(rows, cols)
    settling.feed(data)
    return [text for _, text in settling.finish()]


def passed(pieces: tuple[bytes, ...], rows: int, cols: int) -> tuple[list[Line], int]:
    """With the short way for plain lines; and how much took it."""
    settling = Settling(rows, cols)
    short = 0
    for piece in pieces:
        size = pass_by(settling, piece)
        settling.feed(piece[size:])
        short += size
    return settling.finish(), short


def plain(count: int, seed: int = 0) -> bytes:
    chance = random.Random(seed)
    words = ["word", "\tindented", "caf\u00e9", "", "trailing  ", "\x1b[32mINFO\x1b[m", "x" * 40]
    lines = [" ".join(chance.choices(words, k=chance.randrange(1, 3))) for _ in range(count)]
    return "".join(f"{line[:55]} {n}\r\n" for n, line in enumerate(lines)).encode()


@pytest.mark.parametrize(
    ("before", "between"),
    [
        (b"", b""),
        (b"prompt $ ", b"\x1b[H\x1b[2Jcleared\r\n"),
        (b"x" * 200, b"\x1b[3A\x1b[Kupwards\r\n\r\n\r\n"),
        (b"\x1b[5;2Hsomewhere\x1b[2;3H", b"\x1b[?1049h\x1b[Halternate\x1b[?1049l"),
        (b"a\r\nb\r\n\x1b[H", b"\x1b[2;4rregion\r\n\r\n\r\n\r\n\x1b[r"),
        (b"\x1b(0", b"\x1b(B"),
        (b"\x1b[4h", b"\x1b[4l"),
        (b"\x1b[?1049h", b"\x1b[?1049l"),
        (b"\x1b[3g", b"\x1bc"),
        (b"\x1b[?1049h", b"and stays"),
        (b"\x1b[2;5r", b"\x1b[3;1H"),
        (plain(99) + b"y" * 61 + b"\r\n" + plain(99), b"\xc3"),
        (plain(50) + "漢字\r\n".encode() + plain(50), b"\x1b["),
        (plain(50) + b"up\r\nthere\rgone\n" + plain(50), b"\n"),
        (b"\x1b]0;unfinished", b"\x07 text\r\n\xe2\x94"),
        (b"\xff\r\n", b"x" * 41 + b"\r\n"),
    ],
)  # fmt: skip
def test_the_short_way_says_the_same(before: bytes, between: bytes) -> None:
    """Plain lines that pass the screen by are told as if they had been drawn, whatever was there before."""
    pieces = (before, plain(300), between, plain(300, 1), between, plain(5, 2))
    lines, _ = passed(pieces, 8, 60)
    assert [text for _, text in lines] == texts(b"".join(pieces), 8, 60)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"\x1b]0;unfinished", b"\x07"), (b"\x1b[", b""), (b"\xe2\x94", b""), (b"\x1b[3g", b"\tlast"), (b"\x1bP", b"\x1b\\"),
        (b"", b"y" * 300 + b"\r\nlast\r\n"), (b"", b"\n\nlast"), (b"x" * 60, b"\x1b[3A\x1b[Jlast"), (b"\x1b[8;60Hx", b""),
    ],
)  # fmt: skip
def test_the_short_way_from_any_state(before: bytes, after: bytes) -> None:
    """What is unfinished before it, what comes behind, and lines that are too long."""
    pieces = (before, lines_and_tabs(100), after, lines_and_tabs(100) + after, after)
    lines, _ = passed(pieces, 8, 60)
    assert [text for _, text in lines] == texts(b"".join(pieces), 8, 60)


def lines_and_tabs(count: int) -> bytes:
    return b"".join(b"line\t%d\r\n" % n for n in range(count))


def test_the_short_way_is_taken() -> None:
    """By nearly all of a plain log, colours included; and its offsets are exact."""
    data = plain(5000)
    lines, short = passed((data,), 24, 80)
    assert short > 0.9 * len(data)
    assert len(lines) == 5000
    for offset, text in lines[100:4900]:
        assert data[:offset].endswith(text.rpartition(" ")[2].encode() + b"\r\n")
