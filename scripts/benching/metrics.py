"""what a metric is: the rows it fills, and how one contestant is measured"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from benching.contestants import HERE, Contestant
from benching.material import Materials

Values = dict[str, float]
Measure = Callable[[Contestant, Materials], Values]


class Unfit(Exception):
    """A contestant cannot do this at all."""


class Target(NamedTuple):
    """At most `limit`: of what the first contestant took in the round, or, when absolute, in the row's own unit."""

    limit: float
    is_absolute: bool = False


class Row(NamedTuple):
    key: str
    title: str
    unit: str
    target: Target | None = None
    is_compared: bool = True  # how much was delivered is no contest


class Metric(NamedTuple):
    """`measure` gets a fresh contestant and returns a value for each row's key that it could measure."""

    name: str
    rows: tuple[Row, ...]
    measure: Measure
    seconds: float  # what all contestants together take, roughly: the budget is planned with it
    rounds: int = 1000  # at most: what chance does not touch is measured once
    contestants: tuple[str, ...] = HERE  # compared with the first of them


class Plan(NamedTuple):
    """How much is printed and typed: the same for every contestant."""

    plain: int
    redraws: int
    loud: int
    behind: int
    watched: int
    stuck: int
    keys: int
    commands: int
    parsed: int
    far: int
    flood: int
