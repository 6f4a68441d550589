"""the results as a Markdown table and as JSON"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any, NamedTuple

from benching.metrics import Metric, Row
from benching.running import Result

SUBJECT = "cw"


class Cell(NamedTuple):
    median: float
    ratio: float | None  # the median of the ratios to the measure, each taken within one round


class Line(NamedTuple):
    row: Row
    measure: str  # everybody is compared with it
    cells: dict[str, Cell]
    is_met: bool | None


def lines_of(metrics: Sequence[Metric], results: Sequence[Result], contestants: Sequence[str]) -> list[Line]:
    lines = []
    for metric in metrics:
        measure = metric.contestants[0]
        for row in metric.rows:
            rounds = {name: values_of(results, name, row.key) for name in contestants}
            cells = {
                name: cell(row, values, rounds.get(measure, {})) for name, values in rounds.items() if values
            }
            lines.append(Line(row, measure, cells, is_met(row, cells.get(SUBJECT))))
    return lines


def values_of(results: Sequence[Result], contestant: str, key: str) -> dict[int, float]:
    """The row's value in each round it was measured in."""
    return {
        result.round: result.values[key]
        for result in results
        if result.contestant == contestant and key in result.values
    }


def cell(row: Row, values: dict[int, float], measure: dict[int, float]) -> Cell:
    ratios = [values[number] / measure[number] for number in values if measure.get(number)]
    is_compared = row.is_compared and ratios
    return Cell(statistics.median(values.values()), statistics.median(ratios) if is_compared else None)


def is_met(row: Row, subject: Cell | None) -> bool | None:
    if row.target is None or subject is None:
        return None
    value = subject.median if row.target.is_absolute else subject.ratio
    return None if value is None else value <= row.target.limit


def markdown(lines: Sequence[Line], contestants: Sequence[str]) -> str:
    header = ["metric", "unit", *contestants, "target", "met"]
    rules = [":--", ":--", *("--:" for _ in contestants), ":--", ":--"]
    body = [
        [
            line.row.title,
            line.row.unit,
            *(show(line, name) for name in contestants),
            wanted(line),
            met(line),
        ]
        for line in lines
        if line.cells
    ]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, rules, *body))


def show(line: Line, contestant: str) -> str:
    cell = line.cells.get(contestant)
    if cell is None:
        return "–"
    if cell.ratio is None or contestant == line.measure:
        return number(cell.median)
    return f"{number(cell.median)} ({cell.ratio:.2f})"


def number(value: float) -> str:
    """Three digits that count; none after the point from a hundred on."""
    if value == int(value):
        return str(int(value))
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def wanted(line: Line) -> str:
    row = line.row
    if row.target is None:
        return ""
    limit = f"{row.target.limit:g}"
    return f"≤ {limit} {row.unit}" if row.target.is_absolute else f"≤ {limit} × {line.measure}"


def met(line: Line) -> str:
    return {None: "", True: "yes", False: "**no**"}[line.is_met]


def troubles_of(results: Sequence[Result]) -> list[str]:
    """What could not be measured, each once."""
    return sorted(
        {f"{result.contestant}, {result.metric}: {result.trouble}" for result in results if result.trouble}
    )


def as_json(lines: Sequence[Line], results: Sequence[Result], about: dict[str, Any]) -> dict[str, Any]:
    return {
        "about": about,
        "rows": [
            {
                "key": line.row.key,
                "title": line.row.title,
                "unit": line.row.unit,
                "target": line.row.target._asdict() if line.row.target else None,
                "met": line.is_met,
                "contestants": {name: cell._asdict() for name, cell in line.cells.items()},
            }
            for line in lines
        ],
        "results": [result._asdict() for result in results],
    }
