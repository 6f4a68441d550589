"""what the lines that have scrolled by cost in memory, once somebody has looked"""

from __future__ import annotations

from benching import processes
from benching.attaching import time_attach
from benching.clock import pause
from benching.contestants import Contestant, Tmux
from benching.footprint import find_servers
from benching.material import END, Materials, plain_lines
from benching.metrics import Metric, Row, Unfit, Values
from benching.oneshot import IDLE
from benching.player import Player
from benching.streams import coloured_lines

LINES = 10_000
SECONDS_TO_PRINT = 20.0
SECONDS_TO_SETTLE = 1.0


def remembering_metrics() -> list[Metric]:
    return [
        Metric(
            "scrollback",
            (
                Row(
                    "scrollback-plain", f"{LINES} lines of scrollback, looked at: the servers grow by", "MiB"
                ),
                Row("scrollback-coloured", "… in four colours each", "MiB"),
            ),
            measure_scrollback,
            14.0,
            1,
        )
    ]


def measure_scrollback(host: Contestant, materials: Materials) -> Values:
    if isinstance(host, Tmux):
        host.launch(IDLE)  # which starts the server
        host.remember(LINES)
    elif not host.python:
        raise Unfit("is not asked to remember so many lines")
    few = materials.file("few-lines", 10_000, plain_lines, END + b"\n")
    print_and_look(host, materials, few)  # what it takes to look at all
    values: Values = {}
    for key, file in (("plain", plain_file(materials)), ("coloured", coloured_file(materials))):
        before = processes.memory(find_servers(host))
        print_and_look(host, materials, file)
        values[f"scrollback-{key}"] = processes.memory(find_servers(host)) - before
    return values


def plain_file(materials: Materials) -> str:
    return materials.lines(LINES * len(next(plain_lines())) // 100 + len(END) + 1)


def coloured_file(materials: Materials) -> str:
    size = LINES * len(next(coloured_lines())) + len(END) + 1
    return materials.file("coloured-lines", size, coloured_lines, END + b"\n")


def print_and_look(host: Contestant, materials: Materials, file: str) -> None:
    player = Player(host, materials, file)
    player.order("play")
    player.await_played(SECONDS_TO_PRINT)
    pause(SECONDS_TO_SETTLE)
    time_attach(host, player.session)
    pause(SECONDS_TO_SETTLE)
