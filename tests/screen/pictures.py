"""all there is to a screen, to compare two of them; and streams to draw them with"""

from __future__ import annotations

import json
import random
from pathlib import Path

from codewire_py.daemon.screen.screen import Screen

RECORDINGS = Path(__file__).parent / "recordings"

# What somebody may have left a terminal in.
DIRTY = (
    b"",
    b"\x1b[?1049h\x1b[31mfoo\x1b[5;10r\x1b[?6h",
    b"\x1b(0\x0e\x1b[4h\x1b[?7l\x1b]0;unfinished",
    b"\x1b[1;44m" + b"x\r\n" * 80 + b"\x1b[3;3H\x1b[20h\x1bP+q",
    b"\x1b[3g\x1b[?1h\xe2\x94",
    b"\x1b[?1000;1006;2004h\x1b[>1u\x1b[4 q\x1b[?25l\x1b]8;;http://a\x07link",
    b"\x1b[?2026h\x1b7\x1b[10;10H\x1b[9999",
)


def recorded() -> dict[str, tuple[bytes, int, int]]:
    """(bytes, rows, cols) of each recording."""
    found = {}
    for path in sorted(RECORDINGS.glob("*.rec")):
        size = json.loads(path.with_suffix(".json").read_text())
        found[path.stem] = (path.read_bytes(), size["rows"], size["cols"])
    return found


def picture(screen: Screen) -> dict[str, object]:
    """What a person sees, and what decides how the next byte is drawn."""
    return {
        "text": screen.text(),
        "styles": [[style.key for style in row.styles] for row in screen.lines],
        "wraps": [row.wraps for row in screen.lines],
        "main": [row.text() for row in screen.main],
        "cursor": (screen.y, screen.x),
        "alternate": screen.alternate > 0,
        "title": screen.title,
        "region": (screen.top, screen.bottom),
        "modes": (screen.origin, screen.autowrap, screen.insert, screen.returns),
        "settings": screen.modes.settings(),
        "keyboards": [keyboard.flags for keyboard in screen.modes.keyboards],
        "pen": screen.pen.key,
        "charsets": (screen.charsets, screen.shift),
        "tabs": sorted(col for col in screen.tabs if col < screen.cols),
    }


def differences(one: Screen, other: Screen) -> list[str]:
    """The names of what differs, the first of it shown."""
    pictures = picture(one), picture(other)
    names = [name for name in pictures[0] if pictures[0][name] != pictures[1][name]]
    return [f"{name}: {pictures[0][name]!r:.300} != {pictures[1][name]!r:.300}" for name in names]


_PIECES = (
    b"hello", b"a long run of words that is longer than a row", b"\r\n", b"\n", b"\r", b"\b", b"\t", b"\x1b[H",
    b"\x1b[%d;%dH", b"\x1b[%dA", b"\x1b[%dB", b"\x1b[%dC", b"\x1b[%dD", b"\x1b[K", b"\x1b[1K", b"\x1b[2K", b"\x1b[J",
    b"\x1b[1J", b"\x1b[2J", b"\x1b[%dL", b"\x1b[%dM", b"\x1b[%d@", b"\x1b[%dP", b"\x1b[%dX", b"\x1b[%dS",
    b"\x1b[%dT", b"\x1bM", b"\x1bD", b"\x1bE", b"\x1b7", b"\x1b8", b"\x1b[%d;%dr", b"\x1b[r", b"\x1b[?6h",
    b"\x1b[?6l", b"\x1b[?7l", b"\x1b[?7h", b"\x1b[4h", b"\x1b[4l", b"\x1b[?1049h", b"\x1b[?1049l", b"\x1b[?47h",
    b"\x1b[?47l", b"\x1b[%dm", b"\x1b[38;5;%dm", b"\x1b[48;2;1;%d;%dm", b"\x1b[4:3m", b"\x1b[m", b"\x1b(0", b"\x1b(B",
    b"\x0e", b"\x0f", b"\x1b)0", b"\x1bH", b"\x1b[3g", b"\x1b[g", b"\x1b[%db", b"\x1b[?25l", b"\x1b[?25h", b"\x1b[?2004h",
    b"\x1b[?1000h", b"\x1b[>%du", b"\x1b[<u", b"\x1b[=%du", b"\x1b]2;title %d\x07", b"\x1b]8;;http://a/%d\x1b\\", b"\x1b]8;;\x07",
    b"\x1b[!p", b"\x1bc", b"\x1b#8", b"\x1b[%d q", b"\x1b=", b"\x1b>", b"\x1b[?2026h", b"\x1b[?2026l", b"\x1b[20h",
    "wörld ".encode(), "漢字".encode(), "e\u0301".encode(), "👩‍👩‍👧".encode(), "❤️".encode(), "┌─┐".encode(), b"\xff\xe2\x94",
)  # fmt: skip


def drawn(seed: int, count: int) -> bytes:
    """A stream of odd things, the same for the same seed."""
    chance = random.Random(seed)
    stream = b""
    for _ in range(count):
        piece = chance.choice(_PIECES)
        stream += piece % tuple(chance.randrange(14) for _ in range(piece.count(b"%d")))
    return stream
