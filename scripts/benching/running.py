"""one interleaved run: round by round, metric by metric, the contestants in random order"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path
from typing import NamedTuple

from benching.clock import Budget, Late
from benching.contestants import KINDS, Contestant, Installed
from benching.material import Materials
from benching.metrics import Metric, Unfit, Values
from benching.spawning import Failed

FIRST_TRY = 0.4  # of what a metric is thought to take has to be left for it to be tried at all


class Result(NamedTuple):
    round: int
    metric: str
    contestant: str
    values: Values
    trouble: str


class Run:
    def __init__(self, installed: dict[str, Installed], materials: Materials, directory: Path) -> None:
        self.installed, self.materials, self.directory = installed, materials, directory
        self.results: list[Result] = []
        self.skipped: dict[str, int] = {}  # metric -> rounds it was left out of, the budget being too short
        self.took: dict[str, float] = {}
        self.count = 0

    def measure(self, metrics: list[Metric], rounds: int) -> None:
        for number in range(1, rounds + 1):
            for metric in (metric for metric in metrics if number <= metric.rounds):
                if Budget.left() < self.took.get(metric.name, metric.seconds * FIRST_TRY):
                    self.skipped[metric.name] = self.skipped.get(metric.name, 0) + 1
                    continue
                start = time.monotonic()
                self.measure_all(metric, number)
                self.took[metric.name] = time.monotonic() - start

    def measure_all(self, metric: Metric, number: int) -> None:
        names = [name for name in self.installed if name in metric.contestants]
        for name in random.sample(names, len(names)):
            start = time.monotonic()
            result = self.measure_one(metric, name, number)
            self.results.append(result)
            said = result.trouble or ", ".join(f"{key} {value:.3g}" for key, value in result.values.items())
            print(
                f"{number} {metric.name:17} {name:9}{time.monotonic() - start:6.1f} s  {said}",
                file=sys.stderr,
            )

    def measure_one(self, metric: Metric, name: str, number: int) -> Result:
        host = self.open_contestant(name)
        try:
            return Result(number, metric.name, name, metric.measure(host, self.materials), "")
        except (Late, Failed, Unfit, OSError) as trouble:
            return Result(number, metric.name, name, {}, str(trouble) or type(trouble).__name__)
        finally:
            host.close()

    def open_contestant(self, name: str) -> Contestant:
        self.count += 1
        return KINDS[name](self.installed[name], self.directory / str(self.count))

    def versions(self) -> dict[str, str]:
        return {name: self.version(name) for name in self.installed}

    def version(self, name: str) -> str:
        host = self.open_contestant(name)
        try:
            return host.version()
        except (Late, Failed, OSError):
            return "unknown"
        finally:
            host.close()
