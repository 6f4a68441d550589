"""a process that cleans up after us, however we end"""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path
from types import TracebackType

from benching.clock import Deadline, Late
from benching.processes import end_process, sweep
from benching.spawning import await_exit

DEAFENED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
SECONDS_TO_CLEAN = 30.0


class Janitor:
    """When we are gone, killed with -9 included, what we started is ended and our directory removed."""

    def __init__(self, directory: Path) -> None:
        ours, self.lifeline = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.lifeline)
            serve_until_alone(ours, directory)
        os.close(ours)

    def __enter__(self) -> None:
        return

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self.lifeline)
        try:
            await_exit(self.pid, Deadline.past_budget(SECONDS_TO_CLEAN, "the cleaning up"))
        except Late:
            end_process(self.pid)
        os.waitpid(self.pid, 0)


def serve_until_alone(ours: int, directory: Path) -> None:
    for number in DEAFENED:
        signal.signal(number, signal.SIG_IGN)
    try:
        os.read(ours, 1)
        sweep(directory)
        shutil.rmtree(directory, ignore_errors=True)
    finally:
        os._exit(0)
