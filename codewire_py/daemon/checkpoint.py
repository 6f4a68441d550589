"""a screen on disk: the offset it belongs to, and the paint that draws it"""

from __future__ import annotations

import json
import os
from contextlib import suppress

from codewire_py.daemon.limits import CHECKPOINT_BYTES, CHECKPOINT_LINES
from codewire_py.daemon.screen.screen import Screen
from codewire_py.home.marks import is_size
from codewire_py.home.paths import LOG
from codewire_py.home.records import is_fit

NAME = "checkpoint"


class Checkpoint:
    __slots__ = ("cols", "offset", "paint", "rows")

    def __init__(self, offset: int, rows: int, cols: int, paint: bytes) -> None:
        self.offset, self.rows, self.cols, self.paint = offset, rows, cols, paint

    def screen(self) -> Screen:
        """For `paint` to be drawn on, which takes too long to be done at once."""
        return Screen(self.rows, self.cols)


def draw_checkpoint(screen: Screen, offset: int) -> tuple[int, bytes]:
    """Where it stands, and its bytes. A sequence that has begun is left to whoever reads on: it may be a query."""
    begun = screen.unfinished()
    head = json.dumps({"version": 1, "offset": offset - begun, "rows": screen.rows, "cols": screen.cols})
    painted = screen.paint(CHECKPOINT_LINES, afresh=True, with_pending=not begun)
    return offset - begun, head.encode() + b"\n" + painted


def write_checkpoint(directory: str, drawn: bytes) -> None:
    """It appears whole or not at all, and is on the disk before what it stands for may be released."""
    fresh = f"{directory}/{NAME}.new"
    clear(fresh)
    try:
        with open(fresh, "xb", opener=open_ours) as file:
            file.write(drawn)
            file.flush()
            os.fdatasync(file.fileno())
        os.rename(fresh, f"{directory}/{NAME}")
    except OSError:
        clear(fresh)
        raise


def clear(path: str) -> None:
    with suppress(OSError):
        os.unlink(path)


def open_ours(path: str, flags: int) -> int:
    """No link to elsewhere; and a pipe in its place does not keep the daemon waiting."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)


def read_checkpoint(directory: str) -> Checkpoint | None:
    """None if there is none that we can use: then everything is read again."""
    try:
        with open(f"{directory}/{NAME}", "rb", opener=open_ours) as file:
            head = json.loads(file.readline(1024) or b"")
            paint = file.read(CHECKPOINT_BYTES)
        length = os.stat(f"{directory}/{LOG}").st_size
    except (OSError, ValueError, RecursionError):
        return None
    known = isinstance(head, dict) and head.get("version") == 1
    if not known or not all(is_fit(head.get(field), int) for field in ("offset", "rows", "cols")):
        return None
    if head["offset"] > length or not is_size((head["rows"], head["cols"])):
        return None
    return Checkpoint(head["offset"], head["rows"], head["cols"], paint)
