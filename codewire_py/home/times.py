"""when each part of a log was printed: offsets and times, appended by the daemon and searched by everybody

A record says: what stands from `offset` on came at `time`. Marks say the same of their own offsets, and fill in where
there are no records: in sessions older than this file, and while a daemon was away.
"""

from __future__ import annotations

import os
import stat
from bisect import bisect_left, bisect_right
from struct import Struct

from codewire_py.home.marks import Marks
from codewire_py.home.paths import LOG
from codewire_py.home.records import is_fit, read_birth

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Knot = tuple[int, float]

TIMES = "times"
RECORD = Struct("<Qd")
SIZE = RECORD.size
GAP = 0.05  # seconds between two records
CLOCK_TICK = 0.01  # how far the time of a file may be behind
BLOCK = 4096 * SIZE
FILE_ONLY = os.O_NOFOLLOW | os.O_NONBLOCK  # no link to elsewhere; and a pipe does not keep the daemon waiting


class TimesWriter:
    """The daemon's. A record that finds no room on the disk is dropped: times are worth less than sessions."""

    __slots__ = ("_file", "_is_extra", "_kept", "_path", "_steady", "last")

    def __init__(self, directory: str) -> None:
        self._path, self._file = f"{directory}/{TIMES}", -1
        self._steady = 0.0  # time of the last record that stays
        self._is_extra = False  # whether another came after it
        self._kept, self.last = find_last(self._path, log_grown(directory)[0])

    def note(self, offset: int, time: float, force: bool = False) -> None:
        """What stands from `offset` on came at `time`: where the log was read on, not where that ended.

        One that is forced takes the place of another that was, soon after one that stays: a program that asks and
        asks does not fill the disk.
        """
        last_offset, last_time = self.last
        if not force and -GAP < time - last_time < GAP:
            return
        if offset > last_offset or (force and offset == last_offset):
            self.last = offset, time
            is_extra = -GAP < time - self._steady < GAP
            place = self._kept - SIZE if is_extra and self._is_extra else self._kept
            self._is_extra = self.write(RECORD.pack(offset, time), place) and is_extra
            self._steady = self._steady if is_extra else time

    def write(self, record: bytes, place: int) -> bool:
        try:
            if self._file < 0:
                self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | FILE_ONLY, 0o600)
                os.ftruncate(self._file, self._kept)  # what a crash tore, or nobody can have written
            if os.pwrite(self._file, record, place) == SIZE:
                self._kept = place + SIZE
                return True
            os.ftruncate(self._file, self._kept)
        except OSError:
            self.close()
        return False

    def fileno(self) -> int:
        """-1 while it is not open."""
        return self._file

    def close(self) -> None:
        """It opens again by itself."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


class Times:
    """A reader. It searches the file in place, which may grow meanwhile and is never read whole."""

    __slots__ = ("_directory", "_file", "_knots", "_marks")

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._file = open_if_there(f"{directory}/{TIMES}")
        self._marks = Marks(directory)
        self._knots = birth_knot(directory)

    def time_at(self, offset: int) -> float | None:
        """When what stands there was printed, as far as anybody saw; None: nobody knows anything."""
        knots = self.marked()
        at = bisect_right(knots, offset, key=offset_of)
        below = [knots[at - 1]] if at else []
        count = self.count()
        at = bisect_right(range(count), offset, key=lambda index: self.record(index)[0])
        if at:
            below.append(self.record(at - 1))
        return max(below)[1] if below else None

    def offset_at(self, time: float) -> int:
        """The first offset that was printed at that time or later; where nobody can know, rather too early."""
        length, grown = log_grown(self._directory)
        if grown < time:
            return length
        before, offset, is_recorded = self.crossing(time)
        return min(offset if is_recorded and offset >= 0 else before, length)

    def end_at(self, time: float) -> int:
        """The offset before which everything was printed by then; where nobody can know, rather too late."""
        length, _ = log_grown(self._directory)
        offset = self.crossing(time)[1]
        return min(offset, length) if offset >= 0 else length

    def crossing(self, time: float) -> tuple[int, int, bool]:
        """(the last offset known to be older, the first one known not to be or -1, whether records tell)."""
        knots, count = self.marked(), self.count()
        first = bisect_left(range(count), time, key=lambda index: self.record(index)[1])
        mark = bisect_left(knots, time, key=time_of)
        older = [0, *(knot[0] for knot in knots[mark - 1 : mark])]
        newer = [knot[0] for knot in knots[mark : mark + 1]]
        if first:
            older.append(self.record(first - 1)[0])
        if first < count:
            newer.append(self.record(first)[0])
        return max(older), min(newer, default=-1), first > 0

    def between(self, start: int, end: int) -> Iterator[Knot]:
        """Offsets from `start` to before `end` and their times, neither ever going back."""
        from heapq import merge

        last, latest = start, 0.0
        for offset, time in merge(self.records(start), self.marked()):
            if offset >= end:
                return
            if offset >= last and is_fit(time, float):
                last, latest = offset, max(latest, time)
                yield last, latest

    def records(self, start: int) -> Iterator[Knot]:
        at = SIZE * bisect_left(range(self.count()), start, key=lambda index: self.record(index)[0])
        while len(block := self.pread(BLOCK, at)) >= SIZE:
            whole = len(block) - len(block) % SIZE
            yield from RECORD.iter_unpack(block[:whole])
            at += whole

    def marked(self) -> list[Knot]:
        """What the marks know, those included that came since."""
        for mark in self._marks.refresh():
            offset, time = mark.get("at"), mark.get("time")
            if is_fit(offset, int) and is_fit(time, float):
                self._knots.append((int(offset or 0), float(time or 0)))
        return self._knots

    def count(self) -> int:
        if self._file < 0:  # it was not there yet
            self._file = open_if_there(f"{self._directory}/{TIMES}")
        return os.fstat(self._file).st_size // SIZE if self._file >= 0 else 0

    def record(self, index: int) -> Knot:
        found = self.pread(SIZE, index * SIZE)
        offset, time = unpack(found) if len(found) == SIZE else (0, 0.0)
        return offset, time if is_fit(time, float) else 0.0

    def pread(self, size: int, at: int) -> bytes:
        return os.pread(self._file, size, at) if self._file >= 0 else b""

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def unpack(record: bytes) -> Knot:
    offset, time = RECORD.unpack(record)
    return int(offset), float(time)


def offset_of(knot: Knot) -> int:
    return knot[0]


def time_of(knot: Knot) -> float:
    return knot[1]


def open_if_there(path: str) -> int:
    """Whatever else lies in its place holds no times."""
    try:
        file = os.open(path, os.O_RDONLY | FILE_ONLY)
    except OSError:
        return -1
    if stat.S_ISREG(os.fstat(file).st_mode):
        return file
    os.close(file)
    return -1


def birth_knot(directory: str) -> list[Knot]:
    try:
        return [(0, read_birth(directory).created_at)]
    except (OSError, ValueError):
        return []


def log_grown(directory: str) -> Knot:
    """The log's length, and when it last grew, as coarsely as a file system says that, or a little later."""
    try:
        found = os.stat(f"{directory}/{LOG}")
    except OSError:
        return 0, 0.0
    return found.st_size, found.st_mtime + CLOCK_TICK


def find_last(path: str, length: int) -> tuple[int, Knot]:
    """(how much of the file is good, its last record): a record beyond the log's end was written by no daemon."""
    file = open_if_there(path)
    if file < 0:
        return 0, (-1, 0.0)
    try:
        count = os.fstat(file).st_size // SIZE
        kept = SIZE * bisect_right(
            range(count), length, key=lambda at: unpack(os.pread(file, SIZE, at * SIZE))[0]
        )
        while kept:
            offset, time = unpack(os.pread(file, SIZE, kept - SIZE))
            if offset <= length and is_fit(time, float):
                return kept, (offset, time)
            kept -= SIZE
    finally:
        os.close(file)
    return 0, (-1, 0.0)
