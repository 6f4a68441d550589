"""coming back is exact on other people's terminals: a paint and the rest show there what the whole stream shows"""

from __future__ import annotations

import random

import pytest

from codewire_py.daemon.screen.screen import Screen
from screen import oracles
from screen.oracles import Play
from screen.pictures import DIRTY, recorded
from screen.shown import Picture, differences

RECORDED = recorded()
CUTS = 5
# A family of four is more than a cell of tmux holds: what it drops depends on how the bytes reach it.
NOT_IN_TMUX = {"agentlike"}
TERMINALS = {"xterm.js": oracles.xterm, "tmux": oracles.tmux}


def plays_of(name: str) -> tuple[Play, list[Play]]:
    """The whole recording, and what somebody gets who comes at some place in it, on a terminal that was used."""
    stream, rows, cols = RECORDED[name]
    chance = random.Random(name)
    cuts = sorted(chance.randrange(len(stream)) for _ in range(CUTS))
    screen, at, plays = Screen(rows, cols), 0, []
    for index, cut in enumerate(cuts):
        screen.feed(stream[at:cut])
        at = cut
        plays.append(
            Play(
                rows,
                cols,
                (
                    DIRTY[index % len(DIRTY)],
                    screen.paint(100, bool(index % 2) or screen.leaves_main_alone()),
                    stream[cut:],
                ),
            )
        )
    return Play(rows, cols, (stream,)), plays


def seen(picture: Picture) -> Picture:
    """What was above when somebody came is theirs."""
    return Picture(picture.rows, picture.cursor, picture.is_alternate, [], picture.cells)


@pytest.mark.parametrize("terminal", TERMINALS)
def test_a_paint_and_the_rest_show_what_the_whole_recording_shows(terminal: str) -> None:
    """In terminals that are not ours, too."""
    left_out = NOT_IN_TMUX if terminal == "tmux" else set()
    played = {name: plays_of(name) for name in RECORDED if name not in left_out}
    pictures = iter(TERMINALS[terminal]([play for whole, some in played.values() for play in (whole, *some)]))
    wrong = []
    for name, (_, some) in played.items():
        whole = seen(next(pictures))
        wrong += [
            f"{name}, cut {index}: {found}"
            for index in range(len(some))
            if (found := differences(seen(next(pictures)), whole))
        ]
    assert not wrong, "\n".join(wrong)
