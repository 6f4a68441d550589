"""coming back to a session that nobody has looked at: how soon the last row of its screen is there"""

from __future__ import annotations

import os
import signal
import statistics
from collections.abc import Callable

from benching.attaching import time_attach
from benching.clock import pause
from benching.contestants import Contestant, Tmux
from benching.material import Materials
from benching.metrics import Metric, Plan, Row, Target, Unfit, Values
from benching.player import Player

AGAIN = 3
SECONDS_TO_PRINT = 90.0
SECONDS_TO_SETTLE = 1.0
AT_ONCE = Target(150.0, is_absolute=True)


def painting_metrics(plan: Plan) -> list[Metric]:
    return [
        Metric(
            "painted-near",
            rows("painted-near", f"{plan.behind / 1e6:.0f} MB", None),
            painting("painted-near", plan.behind),
            4.0,
            2,
        ),
        Metric(
            "painted-far",
            (
                *rows("painted-far", f"{plan.far / 1e6:.0f} MB", AT_ONCE),
                Row(
                    "painted-far-killed",
                    "… after the daemon was killed with -9, and is started by attaching",
                    "ms",
                    is_compared=False,
                ),
            ),
            painting("painted-far", plan.far),
            plan.far / 200e6 * 20,
            1,
        ),
    ]


def rows(key: str, behind: str, target: Target | None) -> tuple[Row, ...]:
    return (
        Row(key, f"attach until painted, {behind} behind that nobody has looked at", "ms", target),
        Row(f"{key}-again", "… and once more", "ms"),
    )


def painting(key: str, behind: int) -> Callable[[Contestant, Materials], Values]:
    return lambda host, materials: measure_painted(host, materials, key, behind)


def measure_painted(host: Contestant, materials: Materials, key: str, behind: int) -> Values:
    if not (host.python or isinstance(host, Tmux)):
        raise Unfit("has no size before somebody attaches" if host.paints else "paints nothing")
    player = Player(host, materials, materials.lines(behind))
    player.order("play")
    player.await_played(SECONDS_TO_PRINT)
    pause(SECONDS_TO_SETTLE)
    values = {
        key: painted(host, player),
        f"{key}-again": statistics.median(painted(host, player) for _ in range(AGAIN)),
    }
    daemon = host.daemon()
    if daemon and key == "painted-far":
        os.kill(daemon, signal.SIGKILL)
        pause(0.1)
        values[f"{key}-killed"] = painted(host, player)
    return values


def painted(host: Contestant, player: Player) -> float:
    return time_attach(host, player.session)[1]
