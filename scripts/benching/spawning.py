"""run a command and wait for it, with as little of our own time in it as Python allows"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Mapping
from pathlib import Path

from benching.clock import Deadline, Late

NOWHERE = "/dev/null"
SECONDS_FOR_A_COMMAND = 30.0


class Failed(Exception):
    """A command or a contestant did not do what it was asked."""


def spawn(argv: list[str], env: Mapping[str, str], *, stdin: str = NOWHERE, stdout: str = NOWHERE) -> int:
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, stdin, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, stdout, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    return os.posix_spawn(argv[0], argv, env, file_actions=actions, setsid=True)


def reap(pid: int, deadline: Deadline) -> int:
    """Wait for our child `pid`; when it is late, end it and say so."""
    try:
        await_exit(pid, deadline)
    except Late:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def await_exit(pid: int, deadline: Deadline) -> None:
    watch = os.pidfd_open(pid)
    try:
        waiting = select.poll()
        waiting.register(watch, select.POLLIN)
        while not waiting.poll(deadline.left() * 1000):
            deadline.left()
    finally:
        os.close(watch)


def run(argv: list[str], env: Mapping[str, str], report: Path, *, stdin: str = NOWHERE) -> str:
    """Run a command to its end and return what it printed (through the file `report`: a pipe would be
    held open by every daemon the command leaves behind)."""
    pid = spawn(argv, env, stdin=stdin, stdout=str(report))
    status = reap(pid, Deadline(SECONDS_FOR_A_COMMAND, " ".join(argv[:4])))
    text = report.read_text(errors="replace")
    if status != 0:
        raise Failed(f"{' '.join(argv[:4])} … ended with {status}: {text.strip()[-200:]}")
    return text


def time_command(argv: list[str], env: Mapping[str, str], *, stdin: str = NOWHERE) -> float:
    """Milliseconds from asking for a command to its end."""
    start = time.perf_counter()
    pid = spawn(argv, env, stdin=stdin)
    status = reap(pid, Deadline(SECONDS_FOR_A_COMMAND, " ".join(argv[:4])))
    took = time.perf_counter() - start
    if status != 0:
        raise Failed(f"{' '.join(argv[:4])} … ended with {status}")
    return took * 1000
