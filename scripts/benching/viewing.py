"""many viewers of one session, and one that never reads"""

from __future__ import annotations

import statistics
import time

from benching import processes
from benching.clock import Deadline
from benching.contestants import Contestant
from benching.footprint import find_servers
from benching.material import END, MIB, Materials
from benching.metrics import Metric, Plan, Row, Target, Values
from benching.player import Attach, Player, attach

STALL = 3.0
SECONDS_TO_WATCH = 60.0
SECONDS_TO_PRINT = 15.0


def viewing_metrics(plan: Plan) -> list[Metric]:
    return [
        viewers(1, None, 6.0, plan),
        viewers(10, Target(1.1), 24.0, plan),
        viewers(50, Target(1.6), 50.0, plan),
        Metric(
            "stuck",
            (
                Row("stuck", f"one viewer that never reads: {plan.stuck // MIB} MiB are printed in", "ms"),
                Row(
                    "stuck-growth",
                    "… the servers grow by",
                    "MiB",
                    Target(2.0, is_absolute=True),
                    is_compared=False,
                ),
            ),
            lambda host, materials: measure_stuck(host, materials, materials.lines(plan.stuck)),
            25.0,
        ),
    ]


def viewers(count: int, target: Target | None, seconds: float, plan: Plan) -> Metric:
    key = f"viewers-{count}"
    who = "1 viewer" if count == 1 else f"{count} viewers"
    return Metric(
        key,
        (
            Row(key, f"{who}, {plan.watched // MIB} MiB, until each has the last byte", "ms", target),
            Row(f"{key}-delivered", "… delivered to each", "MiB", is_compared=False),
            Row(f"{key}-ended", "… viewers that got the last byte", "", is_compared=False),
        ),
        lambda host, materials: measure_viewers(host, materials, materials.lines(plan.watched), count, key),
        seconds,
    )


def measure_viewers(
    host: Contestant, materials: Materials, file: str, count: int, key: str, by: Attach | None = None
) -> Values:
    player = Player(host, materials, file)
    audience = attach(host, player, count, by)
    audience.count_anew()
    start = time.perf_counter()
    player.order("play")
    complete = audience.look_for(END, Deadline(SECONDS_TO_WATCH, "the last byte at each viewer"), stall=STALL)
    values = {
        f"{key}-delivered": statistics.median(client.received for client in audience.clients) / MIB,
        f"{key}-ended": float(len(audience.seen_at)),
    }
    if complete:
        values[key] = (max(audience.seen_at.values()) - start) * 1000
    return values


def measure_stuck(host: Contestant, materials: Materials, file: str) -> Values:
    player = Player(host, materials, file)
    attach(host, player)  # and from now on nobody reads its terminal
    servers = find_servers(host)
    before = processes.memory(servers)
    start = time.perf_counter()
    player.order("play")
    player.await_played(SECONDS_TO_PRINT)
    took = time.perf_counter() - start
    return {"stuck": took * 1000, "stuck-growth": processes.memory(servers) - before}
