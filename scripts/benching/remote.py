"""sessions from elsewhere, by WebSocket over loopback: beside the same at home, and beside a web terminal"""

from __future__ import annotations

import itertools
import math
import random
import re
import statistics
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from benching.clock import Deadline, pause
from benching.contestants import ELSEWHERE, SECONDS_TO_OPEN, Codewire, Contestant
from benching.echoing import ECHO, KEYS, press, wake
from benching.material import MIB, Materials
from benching.metrics import Metric, Plan, Row, Target, Unfit, Values
from benching.oneshot import IDLE, WARM_UPS
from benching.player import Player, attach
from benching.relay import Relay
from benching.spawning import time_command
from benching.terminals import COLUMNS, ROWS, Client
from benching.throughput import measure_attached, printed
from benching.viewing import measure_viewers
from benching.web import CodewireClient

VIEWERS = 100
TIMES = 5
SECONDS_TO_PRINT = 30.0
CUTS = 10
BETWEEN_CUTS = 0.5
SECONDS_TO_COME_BACK = 20.0
AT_HOME = "against the same at home"


def remote_metrics(plan: Plan) -> list[Metric]:
    return [
        attached("plain", f"{plan.plain // MIB} MiB of lines", plan, 6.0),
        attached("redraws", f"{plan.redraws // MIB} MiB of redraws", plan, 3.0),
        metric(
            "remote-echo",
            [
                *beside_home("remote-echo-p50", "echo of a key by WebSocket, idle, p50", Target(2.0, True)),
                *beside_home("remote-echo-p99", "echo of a key by WebSocket, idle, p99", None),
            ],
            lambda host, _: measure_echo(host, plan.keys),
            14.0,
        ),
        metric(
            "remote-list",
            beside_home("remote-list", "`list` by WebSocket, 1 session", None),
            lambda host, _: measure_list(host, plan.commands),
            3.0,
        ),
        metric(
            "remote-logs",
            beside_home("remote-logs", f"`logs` of {plan.plain // MIB} MiB by WebSocket", Target(1.67, True)),
            lambda host, materials: measure_logs(host, materials, materials.lines(plan.plain)),
            13.0,
        ),
        metric(
            "remote-resume",
            [
                Row("remote-resume", "a connection is cut: until what is printed next is seen", "ms"),
                Row("remote-resume-worst", f"… the worst of {CUTS}", "ms"),
            ],
            measure_resume,
            7.0,
        ),
        metric(
            "remote-viewers",
            [
                Row(
                    "remote-viewers",
                    f"{VIEWERS} viewers by WebSocket, {plan.watched // MIB} MiB, until each has the last byte",
                    "ms",
                ),
                Row("remote-viewers-delivered", "… delivered to each", "MiB", is_compared=False),
                Row("remote-viewers-ended", "… viewers that got the last byte", "", is_compared=False),
            ],
            lambda host, materials: measure_crowd(host, materials, materials.lines(plan.watched)),
            13.0,
        ),
    ]


def metric(
    name: str, rows: list[Row], measure: Callable[[Contestant, Materials], Values], seconds: float
) -> Metric:
    return Metric(name, tuple(rows), measure, seconds, contestants=ELSEWHERE)


def beside_home(key: str, title: str, target: Target | None) -> list[Row]:
    return [Row(key, title, "ms"), Row(f"{key}-home", f"… {AT_HOME}", "×", target, is_compared=False)]


def attached(kind: str, title: str, plan: Plan, seconds: float) -> Metric:
    key = f"remote-{kind}"
    rows = [
        *beside_home(
            key, f"attached by WebSocket, {title}, until the last byte is at the client", Target(1.67, True)
        ),
        Row(f"{key}-delivered", "… delivered to the client", "MiB", is_compared=False),
        Row(f"{key}-each-home", f"… each MiB of that, {AT_HOME}", "×", Target(1.67, True), is_compared=False),
    ]
    return metric(
        key,
        rows,
        lambda host, materials: measure_throughput(host, materials, key, printed(kind, materials, plan)),
        seconds,
    )


def reach(host: Contestant) -> int | None:
    """The port of its daemon, which is begun with a listener; None: it has no way but the web."""
    if not isinstance(host, Codewire):
        return None
    host.env["CODEWIRE_LISTEN"] = "127.0.0.1:0"
    host.launch(IDLE)
    home = Path(host.env["CODEWIRE_HOME"])
    deadline = Deadline(SECONDS_TO_OPEN, "a listener")
    while not (
        found := re.search(r"listens at ws://127\.0\.0\.1:(\d+)/ws", (home / "daemon.log").read_text())
    ):
        deadline.left()
        pause(0.02)
    host.env["CODEWIRE_TOKEN"] = (home / "token").read_text().strip()
    host.where = elsewhere(port := int(found[1]))
    return port


def elsewhere(port: int) -> tuple[str, ...]:
    return ("--server", f"ws://127.0.0.1:{port}")


def ways(host: Contestant) -> list[tuple[str, ...]]:
    """By the web and, where there is such a thing, at home: in random order."""
    return random.sample([host.where, ()], 2) if isinstance(host, Codewire) else [()]


def by(host: Contestant, way: tuple[str, ...]) -> None:
    if isinstance(host, Codewire):
        host.where = way


def compare(key: str, values: dict[tuple[str, ...], float]) -> Values:
    """The value by the web, and against the one at home."""
    home = values.pop((), 0.0)
    if not values:
        return {key: home}
    (web,) = values.values()
    return {key: web, f"{key}-home": web / home}


def measure_throughput(host: Contestant, materials: Materials, key: str, file: str) -> Values:
    reach(host)
    seen: dict[tuple[str, ...], Values] = {}
    for way in ways(host):
        by(host, way)
        seen[way] = measure_attached(host, materials, key, file)
        for client in host.clients:
            client.close()
    took = {way: values[key] for way, values in seen.items()}
    each = {way: values[key] / values[f"{key}-delivered"] for way, values in seen.items()}
    return seen[max(seen)] | compare(key, took) | compare(f"{key}-each", each)


def measure_echo(host: Contestant, count: int) -> Values:
    """One key by one way, one by the other."""
    reach(host)
    keys = (bytes([code]) for code in itertools.cycle(KEYS))
    clients: dict[tuple[str, ...], Client] = {}
    for way in ways(host):
        by(host, way)
        clients[way] = host.attach(host.launch(ECHO))
        wake(clients[way], keys)
    pause(1.0)
    times: dict[tuple[str, ...], list[float]] = {way: [] for way in clients}
    for _ in range(WARM_UPS + count):
        for way in random.sample(list(clients), len(clients)):
            times[way].append(press(clients[way], next(keys)))
    kept = {way: sorted(several[WARM_UPS:]) for way, several in times.items()}
    middle = {way: statistics.median(several) for way, several in kept.items()}
    worst = {way: several[math.ceil(count * 0.99) - 1] for way, several in kept.items()}
    return compare("remote-echo-p50", middle) | compare("remote-echo-p99", worst)


def measure_list(host: Contestant, count: int) -> Values:
    reach(host)
    if not isinstance(host, Codewire):
        raise Unfit("has no list")
    return time_both("remote-list", host, ["list"], count)


def measure_logs(host: Contestant, materials: Materials, file: str) -> Values:
    """Nothing limits it but the way."""
    reach(host)
    if not isinstance(host, Codewire):
        raise Unfit("has no logs")
    player = Player(host, materials, file)
    player.order("play")
    player.await_played(SECONDS_TO_PRINT)
    return time_both("remote-logs", host, ["logs", player.session], TIMES)


def time_both(key: str, host: Codewire, words: list[str], count: int) -> Values:
    """The command's median by each way, asked for in turn."""
    times: dict[tuple[str, ...], list[float]] = {way: [] for way in ways(host)}
    for _ in range(WARM_UPS + count):
        for way, several in times.items():
            several.append(time_command([host.binary, *way, *words], host.env))
    return compare(key, {way: statistics.median(several[WARM_UPS:]) for way, several in times.items()})


def measure_resume(host: Contestant, materials: Materials) -> Values:
    port = reach(host)
    if port is None:
        raise Unfit("does not come back by itself")
    with closing(Relay(port)) as relay:
        by(host, elsewhere(relay.port))
        player = Player(host, materials, "/dev/null")
        (client,) = attach(host, player).clients
        times = [time_return(relay, player, client, f"say-{number}-again") for number in range(CUTS)]
    return {"remote-resume": statistics.median(times), "remote-resume-worst": max(times)}


def time_return(relay: Relay, player: Player, client: Client, word: str) -> float:
    """Milliseconds from the cut until a word that is printed after it is seen."""
    pause(BETWEEN_CUTS)
    while client.read():
        pass
    start = time.perf_counter()
    relay.cut()
    player.order(word)
    deadline, seen = Deadline(SECONDS_TO_COME_BACK, "the client, back again"), b""
    while word.encode() not in seen:
        seen += client.read_soon(deadline)
    return (time.perf_counter() - start) * 1000


def measure_crowd(host: Contestant, materials: Materials, file: str) -> Values:
    """Clients of our own, a hundred in this one process; ours say nothing of what they have seen."""
    port = reach(host)

    def view(session: str) -> Client:
        assert port is not None
        client = CodewireClient(port, host.env["CODEWIRE_TOKEN"], session, ROWS, COLUMNS)
        host.clients.append(client)
        return client

    return measure_viewers(
        host, materials, file, VIEWERS, "remote-viewers", by=view if port is not None else None
    )
