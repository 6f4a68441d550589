"""how soon a typed key is seen: on a quiet machine, beside busy neighbours, in a flood"""

from __future__ import annotations

import itertools
import math
import random
import statistics
import sys
import time
from collections.abc import Iterator, Sequence

from benching.clock import Deadline, Late, pause
from benching.contestants import Contestant
from benching.material import Materials
from benching.metrics import Metric, Plan, Row, Target, Values
from benching.terminals import Audience, Client

NEIGHBOURS = 20
KEYS = b"#%&*+@^~"  # none of them is part of a sequence that a multiplexer prints
WARM_UPS = 10
SECONDS_FOR_A_KEY = 10.0
SECONDS_TO_ATTACH = 20.0
ECHO = ["/bin/sh", "-c", "stty raw -echo; exec cat"]
FLOOD = ["/usr/bin/yes", "y"]


def echoing_metrics(plan: Plan) -> list[Metric]:
    busy = f"{NEIGHBOURS} neighbours at 100 kB/s"
    flood = f"{NEIGHBOURS} × `yes`"
    return [
        Metric(
            "echo-idle",
            rows("echo-idle", "idle", Target(1.3), None),
            lambda host, _: measure_echo(host, "echo-idle", [], plan.keys),
            20.0,
        ),
        Metric(
            "echo-busy",
            rows("echo-busy", busy, None, Target(0.85)),
            lambda host, materials: measure_echo(host, "echo-busy", babble(materials), plan.keys),
            20.0,
        ),
        Metric(
            "echo-flood",
            rows("echo-flood", flood, Target(0.10), None),
            lambda host, _: measure_echo(host, "echo-flood", FLOOD, plan.keys // 2),
            26.0,
        ),
    ]


def rows(key: str, title: str, middle: Target | None, worst: Target | None) -> tuple[Row, ...]:
    return (
        Row(f"{key}-p50", f"echo of a key, {title}, p50", "ms", middle),
        Row(f"{key}-p99", f"echo of a key, {title}, p99", "ms", worst),
    )


def babble(materials: Materials) -> list[str]:
    return [sys.executable, "-I", "-S", materials.babbler]


def measure_echo(host: Contestant, key: str, neighbours: Sequence[str], count: int) -> Values:
    client = host.attach(host.launch(ECHO))
    keys = (bytes([code]) for code in itertools.cycle(KEYS))
    wake(client, keys)
    for _ in range(NEIGHBOURS if neighbours else 0):
        host.launch(neighbours)
    pause(1.0)
    for _ in range(WARM_UPS):
        press(client, next(keys))
    times = sorted(press(client, next(keys)) for _ in range(count))
    return {f"{key}-p50": statistics.median(times), f"{key}-p99": times[math.ceil(count * 0.99) - 1]}


def wake(client: Client, keys: Iterator[bytes]) -> None:
    """Type until something comes back: until then a client may throw away what it is given."""
    deadline = Deadline(SECONDS_TO_ATTACH, "an echo after attaching")
    while True:
        client.type(key := next(keys))
        try:
            await_key(client, key, Deadline(min(1.5, deadline.left()), "an echo"))
        except Late:
            deadline.left()
            continue
        Audience([client]).drain()
        return


def press(client: Client, key: bytes) -> float:
    """Milliseconds until `key` is back, typed at a moment nobody can foresee."""
    pause(random.uniform(0.005, 0.025))
    while client.read():
        pass
    start = time.perf_counter()
    client.type(key)
    await_key(client, key, Deadline(SECONDS_FOR_A_KEY, "the echo of a key"))
    return (time.perf_counter() - start) * 1000


def await_key(client: Client, key: bytes, deadline: Deadline) -> None:
    while key not in client.read_soon(deadline):
        pass
