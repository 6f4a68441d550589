"""how fast the bytes that programs print become a screen"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benching.clock import pause
from benching.contestants import Contestant, Tmux
from benching.material import MIB, Materials
from benching.metrics import Metric, Plan, Row, Target, Unfit, Values
from benching.player import Player
from benching.streams import KINDS, RECORDINGS, read_recording, stream

SIZES = ((50, 200), (24, 80))
SECONDS_TO_PARSE = 60.0
AT_LEAST_5_MIB = Target(200.0, is_absolute=True)  # ms for each MiB
TITLES = {
    "plain": "lines",
    "redraws": "whole screens, true colours, synchronized",
    "agent": "last lines redrawn, text streamed",
    "recorded": "recordings of real programs",
}

# Prints how long each file took, in ms for each MiB; the first, a warm-up, is left out.
PARSER = """\
import json, sys, time
from codewire_py.daemon.screen.screen import Screen
rows, cols, *files = sys.argv[1:]
times = []
for file in (files[0], *files):
    data = open(file, "rb").read().replace(b"\\n", b"\\r\\n")  # as a terminal hands it on
    screen = Screen(int(rows), int(cols))
    start = time.perf_counter()
    for at in range(0, len(data), 16384):
        screen.feed(data[at : at + 16384])
    times.append((time.perf_counter() - start) * 1000 / (len(data) / (1 << 20)))
print(json.dumps(times[1:]))
"""


def engine_metrics(plan: Plan) -> list[Metric]:
    rows = tuple(
        Row(
            key(kind, size),
            f"made a screen of {size[0]} × {size[1]}: {TITLES[kind]}",
            "ms/MiB",
            AT_LEAST_5_MIB,
        )
        for kind in KINDS
        for size in SIZES
    )
    slowest = Row(
        "engine-slowest", "… the recording that takes longest", "ms/MiB", AT_LEAST_5_MIB, is_compared=False
    )
    return [
        Metric(
            "engine",
            (*rows, slowest),
            lambda host, materials: measure_engine(host, materials, plan.parsed),
            7.0,
            2,
        )
    ]


def key(kind: str, size: tuple[int, int]) -> str:
    return f"engine-{kind}-{size[0]}x{size[1]}"


def measure_engine(host: Contestant, materials: Materials, parsed: int) -> Values:
    files = [stream(materials, kind, parsed) for kind in KINDS]
    if host.python:
        return parse_here(host, materials, files)
    if not isinstance(host, Tmux):
        raise Unfit("is not asked how fast it parses")
    values: Values = {}
    for size in SIZES:
        values |= {
            key(kind, size): time_pane(host, materials, file, size)
            for kind, file in zip(KINDS, files, strict=True)
        }
    return values


def parse_here(host: Contestant, materials: Materials, files: list[str]) -> Values:
    values: Values = {}
    for size in SIZES:
        times = parse(host, materials, size, files)
        values |= {key(kind, size): took for kind, took in zip(KINDS, times, strict=True)}
    each = [
        materials.file(f"recorded-{path.stem}", MIB // 4, repeated(read_recording(path)), b"\x1bc")
        for path in sorted(RECORDINGS.glob("*.rec"))
    ]
    return values | {"engine-slowest": max(parse(host, materials, SIZES[0], each))} if each else values


def repeated(printed: bytes) -> Callable[[], Iterator[bytes]]:
    return lambda: itertools.repeat(printed)


def parse(host: Contestant, materials: Materials, size: tuple[int, int], files: list[str]) -> list[float]:
    script = materials.script("parser.py", PARSER)
    argv = [str(host.python), "-I", script, *map(str, size), *files]
    times: list[float] = json.loads(host.run(argv))
    return times


def time_pane(host: Tmux, materials: Materials, file: str, size: tuple[int, int]) -> float:
    """Milliseconds for each MiB until a pane of that size that nobody looks at has taken the file."""
    player = Player(host, materials, file)
    host.resize(player.session, *size)
    pause(0.2)
    start = time.perf_counter()
    player.order("play")
    player.await_played(SECONDS_TO_PARSE)
    took = time.perf_counter() - start
    return took * 1000 / (Path(file).stat().st_size / MIB)
