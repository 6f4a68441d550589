"""real programs: our screen ends as those of tmux and xterm.js do, however the bytes come"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from screen import oracles
from screen.oracles import Play
from screen.shown import Picture, differences

RECORDINGS = sorted((Path(__file__).parent / "recordings").glob("*.rec"))
NAMES = [path.stem for path in RECORDINGS]
PIECE = 997

# Where an oracle shows something else, and why that is not ours to follow.
EXCEPTIONS = {
    (
        "agentlike",
        "tmux",
    ): "a family of four is more bytes than tmux 3.3 keeps in a cell: the last child is lost"
}


def play_of(path: Path, piece: int) -> Play:
    data = path.read_bytes()
    size = json.loads(path.with_suffix(".json").read_text())
    pieces = tuple(data[start : start + piece] for start in range(0, len(data), piece))
    return Play(size["rows"], size["cols"], pieces)


@pytest.fixture(scope="module")
def pictures() -> dict[tuple[str, str], Picture]:
    """What each oracle shows at the end, by the recording's name and its own."""
    plays = [play_of(path, 1 << 20) for path in RECORDINGS]
    found = {"xterm": oracles.xterm(plays), "tmux": oracles.tmux(plays)}
    return {
        (name, who): picture for who, all_ in found.items() for name, picture in zip(NAMES, all_, strict=True)
    }


@pytest.mark.parametrize("who", ["xterm", "tmux"])
@pytest.mark.parametrize("path", RECORDINGS, ids=NAMES)
def test_a_recording_ends_as_elsewhere(
    path: Path, who: str, pictures: dict[tuple[str, str], Picture]
) -> None:
    """Text, cursor, history, colours and flags are those of the oracle."""
    differing = differences(oracles.ours(play_of(path, 1 << 20)), pictures[path.stem, who])
    why = EXCEPTIONS.get((path.stem, who))
    assert why or not differing, "\n".join(differing[:10])
    assert not why or differing or who == "tmux", "it agrees: there is no exception to declare"


@pytest.mark.parametrize("path", RECORDINGS, ids=NAMES)
def test_a_recording_in_pieces_ends_as_in_one(path: Path) -> None:
    """Where the bytes are cut does not matter: text, cursor, history and looks are the same."""
    assert oracles.ours(play_of(path, PIECE)) == oracles.ours(play_of(path, 1 << 20))


def test_there_are_recordings() -> None:
    """At least those of the programs that people and agents look at."""
    assert {"vim", "less", "htop", "top", "bash", "git-log", "claude", "codex", "gemini"} <= set(NAMES)
