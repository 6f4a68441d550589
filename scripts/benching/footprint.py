"""what sessions cost while nothing happens: memory, processor time, wake-ups"""

from __future__ import annotations

import time

from benching import processes
from benching.clock import pause
from benching.contestants import Contestant
from benching.metrics import Metric, Row, Target, Unfit, Values
from benching.oneshot import IDLE

COUNTS = (1, 50, 200)
IDLE_SESSIONS = 50
SECONDS_TO_SETTLE = 3.0
SECONDS_WATCHED = 3.0
NOTHING = Target(0.0, is_absolute=True)


def footprint_metrics() -> list[Metric]:
    sizes = [
        Row(f"memory-{count}", f"memory of the servers (PSS), {count} sessions", "MiB") for count in COUNTS
    ]
    each = [
        Row(
            f"memory-each-{count}",
            f"… per idle session beside the daemon, of {count}",
            "MiB",
            Target(0.7, is_absolute=True),
            is_compared=False,
        )
        for count in COUNTS[1:]
    ]
    return [
        Metric("memory", (*sizes, *each), lambda host, _: measure_memory(host), 22.0, 1),
        Metric(
            "idle",
            (
                Row(
                    "idle-cpu",
                    f"processor time, {IDLE_SESSIONS} idle sessions",
                    "ms/s",
                    NOTHING,
                    is_compared=False,
                ),
                Row(
                    "idle-wakeups",
                    f"wake-ups, {IDLE_SESSIONS} idle sessions",
                    "1/s",
                    NOTHING,
                    is_compared=False,
                ),
            ),
            lambda host, _: measure_idle(host),
            28.0,
            1,
        ),
    ]


def measure_memory(host: Contestant) -> Values:
    values: Values = {}
    for count in COUNTS:
        while host.launched < count:
            host.launch(IDLE)
        pause(1.0)
        servers, daemon = find_servers(host), host.daemon()
        values[f"memory-{count}"] = processes.memory(servers)
        if daemon and count > 1:
            beside = processes.memory(pid for pid in servers if pid != daemon)
            values[f"memory-each-{count}"] = beside / count
    return values


def measure_idle(host: Contestant) -> Values:
    while host.launched < IDLE_SESSIONS:
        host.launch(IDLE)
    pause(SECONDS_TO_SETTLE)
    servers = find_servers(host)
    before, start = processes.work(servers), time.monotonic()
    pause(SECONDS_WATCHED)
    after, seconds = processes.work(servers), time.monotonic() - start
    if seconds < SECONDS_WATCHED * 0.9:
        raise Unfit("was not watched long enough: the budget ended")
    return {
        "idle-cpu": (after.milliseconds - before.milliseconds) / seconds,
        "idle-wakeups": (after.wakeups - before.wakeups) / seconds,
    }


def find_servers(host: Contestant) -> list[int]:
    servers = host.servers()
    if processes.memory(servers[:1]) == 0:
        raise Unfit("has servers that we may not look into" if servers else "has no server to be found")
    return servers
