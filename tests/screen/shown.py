"""what a terminal shows, in one form for all terminals, and how two of them differ"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

FLAGS = {1, 2, 3, 5, 7, 8, 9, 53}
OFF = {22: {1, 2}, 23: {3}, 25: {5}, 27: {7}, 28: {8}, 29: {9}, 55: {53}}
SEEN_ON_BLANK = {7, 9, 53}  # bold, italic and the like show on characters only


class Look(NamedTuple):
    """Colours: "" the default, "9" of the palette, "1,2,3" red, green, blue."""

    flags: frozenset[int] = frozenset()
    underline: str = ""
    foreground: str = ""
    background: str = ""


PLAIN = Look()
Cell = tuple[str, Look]  # "" is the second half of a wide character


@dataclass
class Picture:
    """`cells`: as many per row as the terminal tells of; the others are not compared."""

    rows: list[str]
    cursor: tuple[int, int]
    is_alternate: bool
    history: list[str]
    cells: list[list[Cell]] = field(repr=False)


def differences(one: Picture, other: Picture) -> list[str]:
    """One line for each thing that differs; none: the same."""
    told = []
    for name in ("rows", "cursor", "is_alternate", "history"):
        ours, theirs = getattr(one, name), getattr(other, name)
        if ours != theirs:
            told.append(f"{name}: {ours!r}\n  against: {theirs!r}")
    if one.rows == other.rows:
        told += differing_cells(one, other)
    return told


def differing_cells(one: Picture, other: Picture) -> list[str]:
    told = []
    for row, (ours, theirs) in enumerate(zip(one.cells, other.cells, strict=True)):
        for index, (mine, its) in enumerate(zip(characters(ours), characters(theirs), strict=False)):
            if seen(mine) != seen(its):
                told.append(f"row {row}, character {index}: {mine!r} against {its!r}")
    return told


def characters(cells: list[Cell]) -> list[Cell]:
    """One entry per character: tmux does not tell what stands in which column."""
    return [(char, look) for cell, look in cells for char in cell]


def seen(cell: Cell) -> Cell:
    """Without what nobody sees: of a blank, all but its background and the lines on it."""
    char, look = cell
    if char != " ":
        return cell
    flags = look.flags & SEEN_ON_BLANK
    shows_ink = flags or look.underline
    return char, Look(frozenset(flags), look.underline, look.foreground if shows_ink else "", look.background)


def changed(look: Look, parameters: str) -> Look:
    """What it becomes by SGR; only as much of it as terminals say when asked what they show."""
    flags, underline, colours = set(look.flags), look.underline, {3: look.foreground, 4: look.background}
    fields = iter(re.sub(r"(?<=[345]8):", ";", parameters).replace("2::", "2:").split(";"))
    for said in fields:
        code = int(said.partition(":")[0] or "0")
        if code == 0:
            flags, underline, colours = set(), "", {3: "", 4: ""}
        elif code in FLAGS:
            flags.add(code)
        elif code in OFF:
            flags -= OFF[code]
        elif code in (4, 24):
            underline = {"24": "", "4:0": "", "4:1": "4"}.get(said, said)
        elif code in (38, 48, 58):
            colours[code // 10] = colour_from(fields)
        elif code in (39, 49):
            colours[code // 10] = ""
        else:
            colours[3 if code // 10 in (3, 9) else 4] = str(code % 10 + (8 if code >= 90 else 0))
    return Look(frozenset(flags), underline, colours[3], colours[4])


def colour_from(fields: Iterator[str]) -> str:
    kind, *values = next(fields).split(":")
    wanted = 1 if kind == "5" else 3
    values += [next(fields) for _ in range(wanted - len(values))]
    return ",".join(values)
