"""read a session's log as lines of text, as they ended up, in slices"""

from __future__ import annotations

import time
from collections.abc import Iterator

from codewire_py.daemon.checkpoint import read_checkpoint
from codewire_py.daemon.depicting import SKIM_BYTES, Sizes
from codewire_py.daemon.limits import REPLAYED_BYTES, SLICE_BYTES
from codewire_py.daemon.screen.jump import jump
from codewire_py.daemon.screen.passing import pass_by
from codewire_py.daemon.screen.settling import Line, Settling, until_blank
from codewire_py.home.log import Log
from codewire_py.home.records import Birth
from codewire_py.home.times import Times
from codewire_py.stream.modes import Modes
from codewire_py.stream.scan import clean_start

PASSED_BYTES = 128 << 10  # of plain lines in one slice


class Rendering:
    """Lines from `first` on. What is drawn long before that is only searched for modes."""

    def __init__(self, directory: str, birth: Birth, first: int = 0) -> None:
        self.directory, self.birth, self.first = directory, birth, first
        self.log, self.sizes = Log(directory), Sizes(directory)
        self.times = Times(directory)
        self.settling = Settling(birth.rows or 40, birth.cols or 120)
        self.skimmed, self.modes = self.begin(max(0, first - REPLAYED_BYTES))
        self.knots = Knots(self.times, self.offset)

    @property
    def offset(self) -> int:
        return self.settling.offset

    def begin(self, before: int) -> tuple[int, Modes]:
        """The last place of which the modes are known, and they."""
        modes = Modes()
        checkpoint = read_checkpoint(self.directory) if before else None
        if checkpoint is None or checkpoint.offset > before:
            return self.log.released(), modes
        modes.feed(checkpoint.paint)
        return checkpoint.offset, modes

    def advance(self, goal: int) -> list[Line]:
        """One slice; what settled by it."""
        if self.skimmed < self.first - REPLAYED_BYTES:
            self.skim(self.first - REPLAYED_BYTES)
            return []
        if self.skimmed > self.offset:
            self.jump(self.skimmed)
        self.heed_sizes()
        coming = self.sizes.next()
        end = min(goal, coming[0] if coming else goal)
        start, data = self.log.read_kept(self.offset, min(end - self.offset, PASSED_BYTES))
        if not data:
            self.settling.offset = end  # it was cut behind our back
        elif start > self.offset:
            self.modes = self.settling.screen.modes
            self.jump(start)
        elif passed := pass_by(self.settling, data):
            self.knots.pass_by(start + passed)
        else:
            data = data[:SLICE_BYTES]
            self.settling.feed(data, self.knots.within(start, start + len(data)))
        return self.wanted(self.settling.hand_over())

    def wanted(self, lines: list[Line]) -> list[Line]:
        return [line for line in lines if line[0] > self.first] if self.first else lines

    def skim(self, upto: int) -> None:
        start, data = self.log.read_kept(self.skimmed, min(SKIM_BYTES, upto - self.skimmed))
        self.modes.feed(data)
        self.skimmed = start + len(data) if data else upto
        if self.skimmed >= upto:
            self.skimmed += clean_start(self.log.read(self.skimmed, 8192))

    def jump(self, offset: int) -> None:
        """What is before was not drawn, or is gone. On an empty screen it goes on at the top: what is above is told."""
        self.settling.offset = self.skimmed = offset
        self.heed_sizes()
        screen = self.settling.screen
        is_empty = not until_blank(screen.main)
        jump(screen, self.modes)
        if is_empty:
            screen.y = 0
        self.knots = Knots(self.times, offset)

    def heed_sizes(self) -> None:
        while (coming := self.sizes.next()) and coming[0] <= self.offset:
            self.settling.resize(*coming[1:])
            self.sizes.take()

    def settle_above(self) -> list[Line]:
        self.settling.settle_above()
        return self.wanted(self.settling.hand_over())

    def finish(self) -> list[Line]:
        return self.wanted(self.settling.finish())

    def close(self) -> None:
        self.log.close()
        self.times.close()


class Knots:
    """At which offsets the log grew some time after what stands before had come."""

    def __init__(self, times: Times, start: int) -> None:
        self.knots = times.between(start, 1 << 63)
        self.coming: tuple[int, float] | None = next(self.knots, None)

    def within(self, start: int, end: int) -> list[int]:
        found = []
        while self.coming and self.coming[0] < end:
            if self.coming[0] > start:
                found.append(self.coming[0])
            self.coming = next(self.knots, None)
        return found

    def pass_by(self, end: int) -> None:
        self.within(end, end)


class Clock:
    """When lines were printed, asked for mostly in their order."""

    def __init__(self, times: Times) -> None:
        self.times = times
        self.knots: Iterator[tuple[int, float]] = times.between(0, 1 << 63)
        self.now = self.coming = (0, 0.0)

    def go_on(self) -> None:
        """With what was noted since, if all that was before has been looked at."""
        if self.coming[0] == 1 << 63:
            self.knots = self.times.between(self.now[0], 1 << 63)
            self.coming = next(self.knots, self.coming)

    def time_of(self, line: Line) -> float:
        """Of its last byte."""
        last = line[0] - 1
        if last < self.now[0]:
            return self.times.time_at(last) or 0.0
        while self.coming[0] <= last:
            self.now = self.coming
            self.coming = next(self.knots, (1 << 63, time.time()))
        return self.now[1]
