"""one entry of the table: bytes, what they prove, and whom we follow where the oracles disagree"""

from __future__ import annotations

from dataclasses import dataclass

from screen.oracles import Play


@dataclass(frozen=True)
class Case:
    """`follow` and `why`: tmux and xterm.js disagree about it. "neither": neither is
    right, or they agree and xterm itself does not: `rows` and `cursor` are right."""

    name: str
    data: bytes
    size: tuple[int, int]
    follow: str
    why: str
    rows: tuple[str, ...]
    cursor: tuple[int, int]
    looks: tuple[str, ...]

    @property
    def play(self) -> Play:
        return Play(*self.size, (self.data,))


def case(
    name: str,
    data: bytes | str,
    size: tuple[int, int] = (10, 20),
    follow: str = "",
    why: str = "",
    shows: tuple[tuple[str, ...], tuple[int, int]] = ((), (0, 0)),
    looks: tuple[str, ...] = (),
) -> Case:
    """`shows`: the rows from the top, as far as there is text, and the cursor. `looks`: the first characters', as SGR."""
    data = data.encode() if isinstance(data, str) else data
    return Case(name, data, size, follow, why, *shows, looks)
