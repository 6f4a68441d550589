"""attaching to a session that has printed a lot: how soon something of it is seen"""

from __future__ import annotations

import statistics
import time

from benching.clock import Deadline, pause
from benching.contestants import Contestant
from benching.material import END, ROW, Materials
from benching.metrics import Metric, Plan, Row, Target, Unfit, Values
from benching.player import launch_detached

TIMES = 5
SECONDS_TO_PRINT = 60.0
SECONDS_TO_ATTACH = 10.0


def attaching_metrics(plan: Plan) -> list[Metric]:
    behind = f"{plan.behind / 1e6:.0f} MB behind"
    return [
        Metric(
            "attach",
            (
                Row("attach-first", f"attach until the first output is seen, {behind}", "ms", Target(4.0)),
                Row("attach-last", f"attach until the last line is seen, {behind}", "ms"),
            ),
            lambda host, materials: measure_attach(host, materials, plan.behind),
            10.0,
        )
    ]


def measure_attach(host: Contestant, materials: Materials, behind: int) -> Values:
    if not host.paints:
        raise Unfit("shows nothing of what was printed before")
    (player,) = launch_detached(host, materials, [materials.lines(behind)])
    player.order("play")
    player.await_played(SECONDS_TO_PRINT)
    pause(0.5)
    times = [time_attach(host, player.session) for _ in range(TIMES + 1)][1:]
    first, last = zip(*times, strict=True)
    return {"attach-first": statistics.median(first), "attach-last": statistics.median(last)}


def time_attach(host: Contestant, session: str) -> tuple[float, float]:
    """Milliseconds until a line printed before, and until the last one, is at the client."""
    client = host.attach(session)
    deadline = Deadline(SECONDS_TO_ATTACH, "the past, shown on attaching")
    seen, first = b"", 0.0
    while END not in seen:
        seen += client.read_soon(deadline)
        first = first or (time.perf_counter() if ROW in seen else 0.0)
    last = time.perf_counter()
    client.close()
    return (first - client.started) * 1000, (last - client.started) * 1000
