"""what the programs print: made once, the same bytes for every contestant"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

ROW = b"row-"  # every plain line begins with it
END = b"the-last-byte-is-here"
READY = b"ready-to-play"
MIB = 1 << 20
FRAME_ROWS, FRAME_CELLS = 50, 24

# Says that it is ready when told `hello`, and `say-…` when told that; prints its file when told `play`. The orders
# come by a pipe, so that typing plays no part.
PLAYER = f"""\
stty -echo
exec 3<>"$1" 4<>"$2"
while read -r order <&3; do
  case $order in
    hello) echo {READY.decode()} ;;
    say-*) echo "$order" ;;
    play) cat "$3"; echo played >&4 ;;
  esac
done
"""

BABBLER = """\
import os, random, time
text = b"".join(b"neighbour %06d %s\\n" % (number, b"." * 60) for number in range(128))[:10_000]
time.sleep(random.random() / 10)
while True:
    os.write(1, text)
    time.sleep(0.1)
"""


class Materials:
    """Files in one directory, each made when first asked for."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True)
        self.player = self.script("player.sh", PLAYER)
        self.babbler = self.script("babbler.py", BABBLER)

    def script(self, name: str, text: str) -> str:
        path = self.directory / name
        path.write_text(text)
        return str(path)

    def lines(self, size: int) -> str:
        return self.file(f"lines-{size}", size, plain_lines, END + b"\n")

    def redraws(self, size: int) -> str:
        return self.file(f"redraws-{size}", size, colourful_frames, b"\x1b[0m\x1b[2J\x1b[H" + END + b"\n")

    def file(self, name: str, size: int, blocks: Callable[[], Iterator[bytes]], end: bytes) -> str:
        path = self.directory / name
        if path.exists():
            return str(path)
        with path.open("wb") as out:
            for block in blocks():
                if out.tell() + len(block) + len(end) > size:
                    break
                out.write(block)
            out.write(end)
        return str(path)


def plain_lines() -> Iterator[bytes]:
    """Numbered lines of 78 characters: no terminal of 80 columns wraps them."""
    words = (b"the quick brown fox jumps over the lazy dog and then walks home again slowly " * 3)[:128]
    number = 0
    while True:
        yield b"".join(
            b"%s%08d %s\n" % (ROW, line, words[line % 50 : line % 50 + 65])
            for line in range(number, number + 100)
        )
        number += 100


def colourful_frames() -> Iterator[bytes]:
    """Whole screens drawn from the top, another colour every eight columns."""
    chance = random.Random(1)
    frames = [
        b"\x1b[H" + b"".join(frame_row(row, chance) for row in range(1, FRAME_ROWS + 1)) for _ in range(16)
    ]
    while True:
        yield from frames


def frame_row(row: int, chance: random.Random) -> bytes:
    cells = (
        f"\x1b[38;5;{chance.randrange(256)};48;5;{chance.randrange(256)}m{chance.randrange(10**7):08d}"
        for _ in range(FRAME_CELLS)
    )
    return f"\x1b[{row};1H{''.join(cells)}".encode()
