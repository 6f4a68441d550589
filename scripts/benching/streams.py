"""what programs of several kinds print, to be parsed"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from benching.material import END, FRAME_ROWS, Materials

RECORDINGS = Path(__file__).resolve().parents[2] / "tests" / "screen" / "recordings"
KINDS = ("plain", "redraws", "agent", "recorded")
STEPS = 8


def stream(materials: Materials, kind: str, size: int) -> str:
    """A file of that kind of output, of about `size` bytes."""
    if kind == "plain":
        return materials.lines(size)
    blocks = {"redraws": synchronized_frames, "agent": agent_frames, "recorded": recordings}[kind]
    return materials.file(f"{kind}-{size}", size, blocks, b"\x1b[0m\x1b[?2026l\n" + END + b"\n")


def synchronized_frames() -> Iterator[bytes]:
    """Whole screens, each shown at once, in colours of which hardly one comes twice."""
    chance = random.Random(2)
    while True:
        rows = (
            b"\x1b[%d;1H\x1b[38;2;%d;%d;%dm%b\x1b[0m \x1b[48;5;%dm%b\x1b[m\x1b[K"
            % (
                row + 1,
                chance.randrange(256),
                row,
                chance.randrange(256),
                b"word " * chance.randrange(8),
                chance.randrange(256),
                b"cell" * chance.randrange(9),
            )
            for row in range(FRAME_ROWS)
        )
        yield b"\x1b[?2026h\x1b[H" + b"".join(rows) + b"\x1b[?2026l"


def agent_frames() -> Iterator[bytes]:
    """The last lines drawn anew where they stand, and above them text that grows."""
    chance = random.Random(3)
    number = 0
    while True:
        number += 1
        steps = b"".join(
            b"\x1b[38;5;%dm\xe2\x97\x8f\x1b[39m \x1b[1mStep %d\x1b[22m of text that is \x1b[3mstreamed\x1b[23m, %d\n"
            % (chance.randrange(256), number, step)
            for step in range(STEPS)
        )
        yield b"\x1b[2K\x1b[1A" * (STEPS - 1) + b"\x1b[2K\x1b[G" + steps


def recordings() -> Iterator[bytes]:
    """Real programs, one after the other."""
    recorded = [read_recording(path) for path in sorted(RECORDINGS.glob("*.rec"))]
    while recorded:
        yield from (printed + b"\x1bc" for printed in recorded)


def read_recording(path: Path) -> bytes:
    """As the program printed it: its terminal put the carriage returns before the newlines."""
    return path.read_bytes().replace(b"\r\n", b"\n")


def coloured_lines() -> Iterator[bytes]:
    """Numbered lines of about 70 characters, in four colours each."""
    chance = random.Random(4)
    while True:
        words = b" ".join(
            b"\x1b[38;5;%dm%08d words\x1b[m" % (chance.randrange(256), chance.randrange(10**8))
            for _ in range(4)
        )
        yield b"line %s\n" % words
