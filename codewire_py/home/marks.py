"""facts pinned to offsets of a log: append them, read them, fold them into what holds now"""

from __future__ import annotations

import os
import time

from codewire_py.home.paths import MARKS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SIZINGS = ("latest", "smallest", "largest", "fixed")
LONGEST_SIDE = 9999


class Facts:
    """What the marks say holds now: the last one of a kind wins."""

    __slots__ = (
        "cols", "fixed", "is_killed", "is_launched", "keeper", "name", "pid", "released", "rows", "sizing", "tags",
    )  # fmt: skip

    def __init__(self, name: str = "", tags: list[str] | None = None, rows: int = 0, cols: int = 0) -> None:
        self.name, self.tags, self.rows, self.cols = name, tags or [], rows, cols
        self.sizing, self.fixed = "latest", (rows, cols)
        self.is_killed = self.is_launched = False
        self.released = self.keeper = self.pid = 0

    def fold(self, mark: dict[str, Any]) -> None:
        """Unknown kinds and odd values are passed over: newer daemons may have written them."""
        kind = mark.get("kind")
        try:
            if kind == "launched":
                self.is_launched, self.pid, self.keeper = True, number(mark["pid"]), number(mark["keeper"])
            elif kind == "size":
                self.fold_size((number(mark["rows"]), number(mark["cols"])))
            elif kind == "sizing":
                self.fold_sizing(mark)
            elif kind == "name":
                self.name = text(mark["name"])
            elif kind == "killed":
                self.is_killed = True
            elif kind == "released":
                self.released = number(mark["to"])
            elif kind == "kept-again":
                self.keeper = number(mark["keeper"])
        except (KeyError, ValueError):
            return

    def fold_size(self, size: tuple[int, int]) -> None:
        if is_size(size):
            self.rows, self.cols = size

    def fold_sizing(self, mark: dict[str, Any]) -> None:
        sizing = text(mark["sizing"])
        if sizing == "fixed":
            size = number(mark["rows"]), number(mark["cols"])
            if not is_size(size):
                return
            self.fixed = size
        if sizing in SIZINGS:
            self.sizing = sizing


class Marks:
    """A reader of one session's marks that takes in what is new each time."""

    __slots__ = ("_path", "_seen", "corrupt", "facts")

    def __init__(self, directory: str, facts: Facts | None = None) -> None:
        self._path = f"{directory}/{MARKS}"
        self._seen = self.corrupt = 0
        self.facts = facts or Facts()

    def refresh(self) -> list[dict[str, Any]]:
        """Fold what was added since, and return it; a torn or corrupt line costs only itself."""
        try:
            if os.stat(self._path).st_size == self._seen:
                return []
            with open(self._path, "rb") as file:
                file.seek(self._seen)
                added = file.read()
        except FileNotFoundError:
            return []
        whole = added.rpartition(b"\n")[0]
        self._seen += len(whole) + 1 if whole else 0
        lines = [line for line in whole.split(b"\n") if line]
        marks = [mark for mark in map(parse, lines) if mark]
        self.corrupt += len(lines) - len(marks)
        for mark in marks:
            self.facts.fold(mark)
        return marks


def number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 63:
        raise ValueError(f"{value!r} is not a number")
    return value


def is_size(size: tuple[int, int]) -> bool:
    """Rows and columns that a terminal can have."""
    return all(0 < side <= LONGEST_SIDE for side in size)


def text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not text")
    return value


def parse(line: bytes) -> dict[str, Any]:
    import json

    try:
        mark = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return mark if isinstance(mark, dict) else {}


def append_mark(directory: str, kind: str, offset: int, **facts: object) -> None:
    """The daemon's to call. A line that a crash tore is closed off first, so that it costs only itself."""
    import json

    mark = {"at": offset, "time": round(time.time(), 3), "kind": kind, **facts}
    line = json.dumps(mark).encode() + b"\n"
    file = os.open(f"{directory}/{MARKS}", os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        size = os.fstat(file).st_size
        if size and os.pread(file, 1, size - 1) != b"\n":
            line = b"\n" + line
        if os.write(file, line) != len(line):
            os.ftruncate(file, size)
            raise OSError(28, "no room for a whole mark")
    finally:
        os.close(file)
