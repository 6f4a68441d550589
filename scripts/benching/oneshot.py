"""commands that do one thing and end: list, launch, send"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path

from benching.clock import Deadline, pause
from benching.contestants import Contestant
from benching.metrics import Metric, Plan, Row, Target, Unfit, Values
from benching.spawning import Failed, time_command

WARM_UPS = 3
IDLE = ["/bin/sleep", "100000"]
TWICE = Target(2.0, is_absolute=True)


def oneshot_metrics(plan: Plan) -> list[Metric]:
    python = "… against `python -c pass`"
    return [
        Metric(
            "list",
            (
                Row("list-1", "`list`, 1 session", "ms"),
                Row("list-1-python", python, "×", TWICE, is_compared=False),
                Row("list-100", "`list`, 100 sessions", "ms"),
                Row("list-100-python", python, "×", TWICE, is_compared=False),
            ),
            lambda host, _: measure_list(host, plan.commands),
            7.0,
        ),
        Metric(
            "launch",
            (Row("launch", "`launch`", "ms"),),
            lambda host, _: measure_launch(host, plan.commands),
            1.5,
        ),
        Metric(
            "send",
            (Row("send", "`send`", "ms"), Row("send-python", python, "×", TWICE, is_compared=False)),
            lambda host, _: measure_send(host, plan.commands),
            2.0,
        ),
    ]


def measure_list(host: Contestant, count: int) -> Values:
    argv = host.list_argv()
    if argv is None:
        raise Unfit("has no list")
    host.launch(IDLE)
    few = sample(host, "list-1", lambda: time_command(argv, host.env), count)
    while host.launched < 100:
        host.launch(IDLE)
    pause(0.5)
    return few | sample(host, "list-100", lambda: time_command(argv, host.env), count)


def measure_launch(host: Contestant, count: int) -> Values:
    host.launch(IDLE)  # the first one starts the server
    values = sample(
        host, "launch", lambda: time_command(host.launch_argv(host.next_name(), IDLE), host.env), count
    )
    return {"launch": values["launch"]}


def measure_send(host: Contestant, count: int) -> Values:
    """Send lines to a program that keeps them, and make sure that each arrived."""
    kept = host.directory / "kept"
    session = host.launch(["/bin/sh", "-c", 'stty -echo; exec cat >"$0"', str(kept)])
    argv, stdin = host.send_argv(session, "hello"), host.send_stdin("hello")
    await_lines(kept, 0)
    values = sample(host, "send", lambda: time_command(argv, host.env, stdin=stdin), count)
    await_lines(kept, count + WARM_UPS)
    return values


def await_lines(kept: Path, count: int) -> None:
    deadline = Deadline(5, f"{count} lines that were sent")
    while not kept.exists() or kept.read_text().count("hello\n") < count:
        deadline.left()
        pause(0.02)
    if kept.read_text() != "hello\n" * count:
        raise Failed(f"sent {count} lines, {kept.read_text()!r:.60} arrived")


def sample(host: Contestant, key: str, command: Callable[[], float], count: int) -> Values:
    """The command's median, and how it compares with its bare interpreter, asked for in turn with it."""
    for _ in range(WARM_UPS):
        command()
    times, bare = [], []
    for _ in range(count):
        times.append(command())
        if host.python:
            bare.append(time_command([host.python, "-c", "pass"], host.env))
    values = {key: statistics.median(times)}
    if bare:
        values[f"{key}-python"] = values[key] / statistics.median(bare)
    return values
