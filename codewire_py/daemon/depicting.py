"""what a session's screen shows: kept up with its log in slices, skimmed where it floods, remembered on disk"""

from __future__ import annotations

import logging
import os

import trio

from codewire_py.daemon.checkpoint import Checkpoint, draw_checkpoint, read_checkpoint, write_checkpoint
from codewire_py.daemon.limits import CHECKPOINT_EVERY_BYTES, FLOOD_BYTES, REPLAYED_BYTES, SLICE_BYTES
from codewire_py.daemon.screen.jump import jump
from codewire_py.daemon.screen.screen import Screen
from codewire_py.home.log import Log
from codewire_py.home.marks import Facts, Marks
from codewire_py.home.paths import LOG
from codewire_py.home.records import Birth, is_fit
from codewire_py.stream.modes import Modes
from codewire_py.stream.scan import clean_start

journal = logging.getLogger("codewire")
PUSHES = 2048
CELL_BYTES, OWN_BYTES = 32, 256 << 10  # of a cell on both screens, and of all that comes with any screen
SKIM_BYTES = 256 << 10  # searched for modes at once


class Sizes:
    """At which offsets a session was given which size, as its marks say."""

    def __init__(self, directory: str) -> None:
        self.marks = Marks(directory)
        self.coming: list[tuple[int, int, int]] = []

    def next(self) -> tuple[int, int, int] | None:
        """(offset, rows, cols) of the first that was not taken yet."""
        for mark in self.marks.refresh():
            facts, at = Facts(), mark.get("at")
            facts.fold(mark)
            if facts.rows and facts.cols and is_fit(at, int):
                offset = int(at or 0)
                self.coming = [coming for coming in self.coming if coming[0] <= offset]  # they never go back
                self.coming.append((offset, facts.rows, facts.cols))
        return self.coming[0] if self.coming else None

    def take(self) -> None:
        del self.coming[0]


class Depiction:
    """A screen at `offset`. It may lag; `reach` brings it up."""

    def __init__(self, directory: str, birth: Birth, checkpoint: Checkpoint | None) -> None:
        self.directory, self.birth = directory, birth
        self.sizes = Sizes(directory)
        self.reaching, self.saving = trio.Lock(), trio.Lock()
        self.offset = checkpoint.offset if checkpoint else 0
        self.screen = checkpoint.screen() if checkpoint else Screen(birth.rows or 40, birth.cols or 120)
        self.unread = checkpoint.paint if checkpoint else b""  # what the screen is still to be drawn from
        self.saved_at = self.tried_at = self.offset  # `tried_at`: also where the disk had no room for it
        self.trouble = ""  # with the last checkpoint
        self.pushes: list[tuple[int, int]] = []  # (offset, rows that had left the screen by then), of late
        self.passed: list[tuple[int, Modes]] = []  # places at which the modes are known, from who followed

    def memory(self) -> int:
        """About how many bytes it takes."""
        cells = self.screen.height * self.screen.cols
        return self.screen.scrollback.size + cells * CELL_BYTES + OWN_BYTES

    def length(self) -> int:
        try:
            return os.stat(f"{self.directory}/{LOG}").st_size
        except OSError:
            return 0

    async def reach(self, upto: int | None = None, flood: int = FLOOD_BYTES) -> Screen:
        """The screen as it is at `upto`, or by now. Others run between two slices."""
        async with self.reaching:
            while self.unread:
                self.screen.feed(self.unread[:SLICE_BYTES])
                self.unread = self.unread[SLICE_BYTES:]
                await trio.lowlevel.checkpoint()
            goal = self.length() if upto is None else min(upto, self.length())  # who asks may be mistaken
            if goal <= self.offset:
                self.heed_sizes()
                return self.screen
            log = Log(self.directory)
            try:
                if goal - self.offset > flood:
                    await self.skim(log, goal, min(REPLAYED_BYTES, flood // 2))
                while self.offset < goal:
                    self.advance(log, goal)
                    await trio.lowlevel.checkpoint()
            finally:
                log.close()
            self.heed_sizes()
            return self.screen

    def advance(self, log: Log, goal: int) -> None:
        """One slice, which ends where the size changes."""
        self.heed_sizes()
        coming = self.sizes.next()
        end = min(goal, self.offset + SLICE_BYTES, coming[0] if coming else goal)
        start, data = log.read_kept(self.offset, end - self.offset)
        if start > self.offset:  # released meanwhile: what it says there is not known
            jump(self.screen, self.screen.modes)
        self.screen.feed(data)
        self.offset = start + len(data) if data else goal
        self.pushes.append((self.offset, self.screen.scrollback.pushed))
        del self.pushes[:-PUSHES]

    def missed_since(self, offset: int) -> int:
        """How many rows have left the screen since it was at `offset`, or a little later; 0 if nobody knows."""
        later = [pushed for at, pushed in self.pushes if at >= offset]
        return self.screen.scrollback.pushed - later[0] if later and self.pushes[0][0] <= offset else 0

    def heed_sizes(self) -> None:
        while (coming := self.sizes.next()) and coming[0] <= self.offset:
            self.screen.resize(*coming[1:])
            self.sizes.take()

    async def skim(self, log: Log, goal: int, replayed: int) -> None:
        """Leave out most of a flood: what it drew has been drawn over. Its modes are followed all the same."""
        begin = goal - replayed
        at, modes = self.nearest(begin)
        while at < begin:
            start, data = log.read_kept(at, min(SKIM_BYTES, begin - at))
            modes.feed(data)
            at = start + len(data) if data else begin
            await trio.lowlevel.checkpoint()
        cut = clean_start(log.read(at, 8192))
        modes.feed(log.read(at, cut))
        self.offset = at + cut
        jump(self.screen, modes)

    def nearest(self, begin: int) -> tuple[int, Modes]:
        """The last place before `begin` at which the modes are known."""
        known = [(at, modes) for at, modes in self.passed if self.offset <= at <= begin]
        at, modes = known[-1] if known else (self.offset, self.screen.modes)
        return at, modes.copy()

    async def save(self) -> None:
        """Beside the loop and whoever looks: the disk may be slow, or have gone."""
        async with self.saving:
            async with self.reaching:
                offset, drawn = draw_checkpoint(self.screen, self.offset)
                self.tried_at = self.offset
            try:
                await trio.to_thread.run_sync(write_checkpoint, self.directory, drawn)
            except OSError as error:
                if str(error) != self.trouble:
                    journal.warning("%s: no checkpoint: %s", self.directory, error)
                self.trouble = str(error)
                return
            self.saved_at, self.trouble = offset, ""

    def is_worth_saving(self) -> bool:
        """Where there was trouble, not each time again."""
        return not self.trouble or self.length() - self.tried_at >= CHECKPOINT_EVERY_BYTES


def depict(directory: str, birth: Birth, before: int | None = None) -> Depiction:
    """From the checkpoint, unless it lies behind `before`."""
    checkpoint = read_checkpoint(directory)
    if checkpoint is not None and before is not None and checkpoint.offset > before:
        checkpoint = None
    return Depiction(directory, birth, checkpoint)
