"""random mixes of what the table proves piece by piece: our screen shows what xterm.js shows"""

from __future__ import annotations

import random

import pytest

from screen import oracles
from screen.oracles import Play
from screen.shown import Picture, differences

HOW_MANY = 300
ROWS, COLS = 10, 20
SO_WIDE_THAT_NOTHING_WRAPS = 200

NARROW = (
    "abc",
    "hello world",
    "x",
    "é",
    "a" * 19,
    "─│",
    "0123456789" * 3,
    " ",
    "end\x1b[3b",
    "\x1b[?7l",
    "\x1b[?7h",
)
WIDE = ("日本", "😀", "e\u0301", "👨\u200d👩\u200d👧", "❤\ufe0f.", "🇩🇪", "👋🏽", "日" * 11)
# Sequences by which both are the same: where xterm.js does what xterm does not (the table says where), it is left out.
FIXED = (
    "\r\n", "\r", "\n", "\b", "\t", "\x1bM", "\x1bD", "\x1bE", "\x1bH", "\x1b[g", "\x1b[J", "\x1b[2J", "\x1b(0", "\x1b(B", "\x0e",
    "\x0f", "\x1b)0", "\x1b[r", "\x1b[!p", "\x1b]2;title\x07",
)  # fmt: skip
COUNTED = "ABCDEFGIKPX@`ade"
LOOKS = (0, 1, 3, 4, 7, 9, 22, 24, 27, 31, 39, 42, 49, 97, 105, "38;5;200", "48;2;1;2;3", "4:3", "53")


def mix(chance: random.Random, words: tuple[str, ...], length: int, cols: int = COLS) -> Play:
    """One word, sequence or look after another."""
    parts = []
    for _ in range(length):
        count, final = chance.randint(0, 6), chance.choice(COUNTED)
        top, bottom = sorted(chance.sample(range(1, ROWS + 1), 2))
        parts += [
            chance.choice(
                (
                    chance.choice(words),
                    chance.choice(words),
                    chance.choice(FIXED),
                    f"\x1b[{chance.choice(LOOKS)}m",
                    f"\x1b[{chance.randint(0, 2) if final == 'K' else count}{final}",
                    f"\x1b[{chance.randint(1, ROWS)};{chance.randint(1, COLS)}H",
                    f"\x1b[{top};{bottom}r" if chance.random() < 0.3 else "\n",
                )
            )
        ]
    return Play(ROWS, cols, ("".join(parts).encode(),))


@pytest.mark.parametrize("seed", range(3))
def test_a_random_mix_shows_what_xterm_shows(seed: int) -> None:
    """Text, cursor, history, and looks, of narrow characters."""
    chance = random.Random(seed)
    plays = [mix(chance, NARROW, chance.randint(4, 30)) for _ in range(HOW_MANY)]
    for play, picture in zip(plays, oracles.xterm(plays), strict=True):
        differing = differences(oracles.ours(play), picture)
        assert not differing, play.pieces[0]


@pytest.mark.parametrize("seed", range(3))
def test_a_random_mix_of_wide_characters_shows_what_xterm_shows(seed: int) -> None:
    """Text, cursor and history, as far as nothing has to wrap: that, and the looks of what is left of half a wide
    character, are the table's business: there xterm.js is not always right."""
    chance = random.Random(seed)
    plays = [
        mix(chance, NARROW[:-4] + WIDE, chance.randint(4, 8), SO_WIDE_THAT_NOTHING_WRAPS) for _ in range(100)
    ]
    for play, picture in zip(plays, oracles.xterm(plays), strict=True):
        mine, its = seen(oracles.ours(play)), seen(picture)
        assert mine == its, play.pieces[0]


def seen(picture: Picture) -> tuple[list[str], tuple[int, int], list[str]]:
    return picture.rows, picture.cursor, picture.history
