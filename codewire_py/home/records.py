"""what is written down about a session: its birth, its end, and the words for its status"""

from __future__ import annotations

import errno
import os
import time

from codewire_py.home.paths import BIRTH, END

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LOST_STATUS = 125
LATEST = 1e11  # seconds since 1970 that a date can be made of
PASSING = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO, errno.EAGAIN)


def is_passing(error: BaseException) -> bool:
    """What the system lacks just now: that says nothing about what could not be read, or asked."""
    return isinstance(error, OSError) and error.errno in PASSING


def write_whole(path: str, text: str) -> None:
    """It appears whole or not at all; under another process's eyes and after a kill."""
    fresh = f"{path}.new"
    try:
        with open(fresh, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
        os.rename(fresh, path)
    except OSError:
        if os.path.exists(fresh):
            os.unlink(fresh)
        raise


def read_map(path: str) -> dict[str, Any]:
    """A JSON map; ValueError when it is anything else."""
    import json

    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            found = json.load(file)
    except RecursionError as error:
        raise ValueError(f"{path} is nested too deeply") from error
    if not isinstance(found, dict):
        raise ValueError(f"{path} holds no map")
    return found


def is_fit(value: object, kind: type) -> bool:
    """Of that kind, and nothing that would trip whoever lists it, sends it or makes a date of it."""
    if kind is list:
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    if kind is dict:
        return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())
    if kind is str:
        return isinstance(value, str)
    if not isinstance(value, (int, float) if kind is float else int) or isinstance(value, bool):
        return False
    return 0 <= value < (LATEST if kind is float else 1 << 63)


class Birth:
    """session.json, written once at launch."""

    FIELDS = {
        "id": int, "command": list, "directory": str, "created_at": float, "request": str, "name": str, "tags": list,
        "rows": int, "cols": int, "hatchery": str, "env_names": list, "env": dict,
    }  # fmt: skip

    def __init__(self, found: dict[str, Any]) -> None:
        for field, kind in self.FIELDS.items():
            value = found.get(field, kind())
            if not is_fit(value, kind):
                raise ValueError(f"{field} is not {kind.__name__}")
            setattr(self, field, value)
        self.prompt = " ".join(self.command)

    id: int
    command: list[str]
    directory: str
    created_at: float
    request: str
    name: str
    tags: list[str]
    rows: int
    cols: int
    hatchery: str
    env_names: list[str]
    env: dict[str, str]

    def write(self, directory: str) -> None:
        import json

        text = json.dumps({field: getattr(self, field) for field in self.FIELDS}, indent=2)
        write_whole(f"{directory}/{BIRTH}", text + "\n")


def read_birth(directory: str) -> Birth:
    return Birth(read_map(f"{directory}/{BIRTH}"))


class End:
    """exit.json, written once by the keeper. `code` and `signal` both None: nobody can know."""

    __slots__ = ("at", "code", "length", "signal", "survivors", "unwritten")

    def __init__(self, found: dict[str, Any]) -> None:
        self.code: int | None = found.get("code")
        self.signal: int | None = found.get("signal")
        self.at: float = found.get("ended_at", 0.0)
        self.length: int = found.get("length", 0)
        self.unwritten: int = found.get("unwritten", 0)  # bytes that a full disk had no room for
        self.survivors: list[dict[str, Any]] = found.get("survivors", [])
        numbers = [self.length, self.unwritten, *(n for n in (self.code, self.signal) if n is not None)]
        if not (all(is_fit(number, int) for number in numbers) and is_fit(self.at, float)):
            raise ValueError("a number is not a number")
        if not (isinstance(self.survivors, list) and all(map(is_survivor, self.survivors))):
            raise ValueError("survivors are not processes")

    def exit_code(self) -> int:
        if self.signal is not None:
            return 128 + self.signal
        return LOST_STATUS if self.code is None else self.code


def is_survivor(value: object) -> bool:
    fields = {"pid": int, "start": int, "command": str}
    return isinstance(value, dict) and all(is_fit(value.get(field), kind) for field, kind in fields.items())


def read_end(directory: str) -> End | None:
    """None while there is none; ValueError when what is there is corrupt."""
    try:
        return End(read_map(f"{directory}/{END}"))
    except FileNotFoundError:
        return None


def set_aside(path: str) -> str:
    """Move a corrupt file out of the way, to a name that says so and that nothing has yet."""
    first = aside = f"{path}.corrupt.{time.strftime('%Y%m%d_%H%M%S')}"
    count = 1
    while os.path.lexists(aside):
        count += 1
        aside = f"{first}.{count}"
    os.rename(path, aside)
    return aside


def status_of(end: End | None, is_killed: bool, is_lost: bool) -> str:
    """running, completed (N), killed or lost."""
    if is_lost or (
        end is not None and end.exit_code() == LOST_STATUS and end.code is None and end.signal is None
    ):
        return "lost"
    if end is None:
        return "running"
    return "killed" if is_killed else f"completed ({end.exit_code()})"
