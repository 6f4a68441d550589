"""how long much output takes: seen by a client, seen by nobody, ten sessions at once"""

from __future__ import annotations

import time

from benching.clock import Deadline, Late, pause
from benching.contestants import Contestant
from benching.material import END, MIB, Materials
from benching.metrics import Metric, Plan, Row, Target, Values
from benching.player import Player, attach, launch_detached
from benching.terminals import NOTHING_MORE

SECONDS_TO_PRINT = 90.0
STALL = 10.0
LOUD = 10


def throughput_metrics(plan: Plan) -> list[Metric]:
    return [
        attached("plain", f"{plan.plain // MIB} MiB of lines", Target(0.75), plan),
        attached("redraws", f"{plan.redraws // MIB} MiB of redraws", Target(0.25), plan),
        detached("plain", f"{plan.plain // MIB} MiB of lines", plan),
        detached("redraws", f"{plan.redraws // MIB} MiB of redraws", plan),
        Metric(
            "loud",
            (
                Row(
                    "loud", f"{LOUD} loud sessions at once, {plan.loud / 1e6:.0f} MB each", "ms", Target(0.25)
                ),
                Row("loud-logged", "… logged, all together", "MiB", is_compared=False),
            ),
            lambda host, materials: measure_loud(host, materials, plan.loud),
            37 * plan.loud / 50e6 + 5,
        ),
    ]


def printed(kind: str, materials: Materials, plan: Plan) -> str:
    return materials.lines(plan.plain) if kind == "plain" else materials.redraws(plan.redraws)


def attached(kind: str, title: str, target: Target, plan: Plan) -> Metric:
    key = f"attached-{kind}"
    return Metric(
        key,
        (
            Row(key, f"attached, {title}, until the last byte is at the client", "ms", target),
            Row(f"{key}-delivered", "… delivered to the client", "MiB", is_compared=False),
        ),
        lambda host, materials: measure_attached(host, materials, key, printed(kind, materials, plan)),
        13.0 if kind == "plain" else 5.0,
    )


def measure_attached(host: Contestant, materials: Materials, key: str, file: str) -> Values:
    player = Player(host, materials, file)
    audience = attach(host, player)
    audience.count_anew()
    start = time.perf_counter()
    player.order("play")
    (client,) = audience.clients
    if not audience.look_for(END, Deadline(SECONDS_TO_PRINT, "the last byte"), stall=STALL):
        raise Late(f"the last byte never came, {client.received / MIB:.1f} MiB did")
    took = audience.seen_at[client.terminal] - start
    return {key: took * 1000, f"{key}-delivered": client.received / MIB}


def detached(kind: str, title: str, plan: Plan) -> Metric:
    key = f"detached-{kind}"
    return Metric(
        key,
        (
            Row(key, f"detached, {title}, until the program has printed all", "ms", Target(0.70)),
            Row(f"{key}-logged", "… logged", "MiB", is_compared=False),
        ),
        lambda host, materials: measure_detached(host, materials, key, printed(kind, materials, plan)),
        9.0 if kind == "plain" else 5.5,
    )


def measure_detached(host: Contestant, materials: Materials, key: str, file: str) -> Values:
    players = launch_detached(host, materials, [file])
    return {key: time_play(players)} | count_logged(host, players, f"{key}-logged")


def measure_loud(host: Contestant, materials: Materials, size: int) -> Values:
    players = launch_detached(host, materials, [materials.lines(size)] * LOUD)
    return {"loud": time_play(players)} | count_logged(host, players, "loud-logged")


def time_play(players: list[Player]) -> float:
    """Milliseconds from telling all of them to print until the last has printed all."""
    start = time.perf_counter()
    for player in players:
        player.order("play")
    for player in players:
        player.await_played(SECONDS_TO_PRINT)
    return (time.perf_counter() - start) * 1000


def count_logged(host: Contestant, players: list[Player], key: str) -> Values:
    """How much of it is in the logs, for a contestant that keeps any, once they have stopped growing."""
    before, logged = -1, sum(host.logged(player.session) or 0 for player in players)
    while logged != before:
        pause(NOTHING_MORE)
        before, logged = logged, sum(host.logged(player.session) or 0 for player in players)
    return {key: logged / MIB} if logged else {}
