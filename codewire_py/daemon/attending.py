"""be the terminal of a session, whoever looks: follow what it prints, and answer what it asks"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Awaitable, Callable

import trio

from codewire_py.daemon import answers
from codewire_py.daemon.checkpoint import read_checkpoint
from codewire_py.daemon.depicting import Depiction, depict
from codewire_py.daemon.descriptors import is_spared
from codewire_py.daemon.limits import (
    AGAIN_SECONDS,
    ANSWER_SECONDS,
    IDLE_LAG_BYTES,
    LATE_BYTES,
    LATE_QUERIES,
    SCREENS_BYTES,
)
from codewire_py.home.log import Log
from codewire_py.home.marks import Facts
from codewire_py.home.paths import LOG
from codewire_py.home.records import Birth
from codewire_py.home.times import CLOCK_TICK, TimesWriter
from codewire_py.stream.modes import Modes
from codewire_py.stream.queries import Queries
from codewire_py.wire.messages import Looks

journal = logging.getLogger("codewire")
READ_BYTES = 128 << 10  # searched at once, in a millisecond or so
DENSE_BYTES = 4096
BUSY_BYTES = 4096  # in one read: more is on its way, and a pause gathers it
PAUSE = 0.01
CLOCK_SLACK = 1.0  # seconds by which clocks, and those of file systems, may differ
COURTESY = 0.002  # seconds: whoever shows the same bytes to a person goes first
MODES_EVERY_BYTES, MODES_KEPT = 256 << 10, 8


class Attending:
    """Of one session. `ring` it when the log grew; `grown` is set once what came has been followed."""

    def __init__(
        self, directory: str, birth: Birth, facts: Facts, answer: Callable[[bytes], Awaitable[bool]]
    ) -> None:
        """`answer` says whether it was taken."""
        self.directory, self.birth, self.facts, self.answer = directory, birth, facts, answer
        self.rung, self.grown = trio.Event(), trio.Event()
        self.looks = Looks()
        self.modes = Modes()
        self.queries = Queries()
        self.offset = self.base = 0  # how far it came, and where the queries are counted from
        self.mute_until = 0  # what was asked before is too old to be answered
        self.passed: list[tuple[int, Modes]] = []  # places of late at which the modes are known
        self.depiction: Depiction | None = None
        self.kept = 0  # how far the one before it came, which a checkpoint is not far behind
        self.seen_alive = 0.0  # when a daemon was last known to attend to anything
        self.wants_care: Callable[[Attending], None] = lambda attending: None

    # -- following

    def ring(self) -> None:
        self.rung.set()

    async def run(self) -> None:
        """Until cancelled. It may be run again, after trouble."""
        log = await self.open_log()
        self.times = TimesWriter(self.directory)
        try:
            self.begin(log)
            while True:
                self.rung = trio.Event()
                size = await self.follow(log)
                if is_spared(self.times.fileno()):
                    self.times.close()
                if size >= BUSY_BYTES:
                    await trio.sleep(PAUSE)
                await self.rung.wait()
                await trio.sleep(COURTESY)
        finally:
            if log.length() > self.offset:  # its end came before we were rung
                self.note_time(log)
            self.times.close()
            log.close()

    async def open_log(self) -> Log:
        """To hold on to it, once there is a descriptor that is not spared for others."""
        while is_spared((log := Log(self.directory)).fileno()):
            log.close()
            await trio.sleep(AGAIN_SECONDS)
        return log

    def note_time(self, log: Log) -> None:
        """Of what comes next. It may have come long ago, while there was no daemon."""
        self.times.note(self.offset, min(time.time(), log.grown() + CLOCK_TICK))

    def begin(self, log: Log) -> None:
        """Behind the checkpoint. Everything up to the last time that was noted has been answered."""
        checkpoint = read_checkpoint(self.directory)
        self.kept = checkpoint.offset if checkpoint else 0
        self.offset = self.base = max(self.kept, log.released())
        self.modes, self.queries, self.passed = Modes(), Queries(), []
        if checkpoint is not None:
            self.modes.feed(checkpoint.paint)
        self.mute_until = self.answered_until(log)

    def answered_until(self, log: Log) -> int:
        """Times that were before the session was, or are still to come, were noted by no daemon."""
        answered, seen = self.times.last
        born, now = self.birth.created_at, time.time()
        if answered >= 0 and not born - CLOCK_SLACK <= seen <= now + CLOCK_SLACK:
            return log.length()
        alive = max(seen, self.seen_alive) if answered >= 0 else 0.0  # nothing noted: all may be answered
        is_young = now - max(alive, born) <= ANSWER_SECONDS
        return answered if is_young and asks_little(log, max(0, answered)) else log.length()

    async def follow(self, log: Log) -> int:
        """All there is; how much that was."""
        begun = self.offset
        while True:
            start, data = log.read_kept(self.offset, READ_BYTES)
            if not data:
                break
            if start > self.offset:
                self.offset, self.base, self.queries = start, start, Queries()
            self.note_time(log)
            for piece in in_pieces(data):
                await self.take(piece)
                await trio.lowlevel.checkpoint()
            self.note_modes()
        self.grown.set()
        self.grown = trio.Event()
        if self.depiction_offset() + IDLE_LAG_BYTES < self.offset:
            self.wants_care(self)
        return self.offset - begun

    async def take(self, data: bytes) -> None:
        """The modes at a query are those that stand before it."""
        start = at = self.offset
        for end, query in self.queries.feed(data):
            end += self.base
            if end > self.mute_until:
                self.modes.feed(data[at - start : end - start])
                at = self.offset = end
                await self.reply(query)
        self.modes.feed(data[at - start :])
        self.offset = start + len(data)

    def note_modes(self) -> None:
        """Remember the modes here, for a screen that leaves out what is before."""
        if not self.passed or self.offset - self.passed[-1][0] >= MODES_EVERY_BYTES:
            self.passed.append((self.offset, self.modes.copy()))
            del self.passed[:-MODES_KEPT]

    # -- answering

    async def reply(self, query: bytes) -> None:
        """It is noted first: whoever goes on after us must not answer a second time.

        One who does not read has asked in vain until now: it is not waited for each time.
        """
        self.times.note(self.offset, time.time(), force=True)
        screen = (await self.depict(self.offset)).screen if answers.needs_screen(query) else None
        told = answers.Told(self.facts.rows, self.facts.cols, self.modes, self.looks, screen)
        answer = answers.answer(query, told)
        if answer and not await self.answer(answer):
            self.mute_until = os.stat(f"{self.directory}/{LOG}").st_size

    # -- the picture

    def depiction_offset(self) -> int:
        return self.depiction.offset if self.depiction else self.kept

    async def depict(self, upto: int | None = None) -> Depiction:
        """The screen as it is now: at least as far as we have followed."""
        depiction = self.begin_depiction()
        await depiction.reach(upto)
        return depiction

    def begin_depiction(self) -> Depiction:
        if self.depiction is None:
            self.depiction = depict(self.directory, self.birth)
        _depicted.pop(self, None)
        _depicted[self] = self.depiction
        make_room()
        self.depiction.passed = self.passed
        return self.depiction

    async def secure(self, upto: int) -> bool:
        """Whether what the log drew before `upto` is on the disk without it."""
        depiction = self.begin_depiction()
        if depiction.saved_at < upto and depiction.is_worth_saving():
            await depiction.reach(flood=IDLE_LAG_BYTES)
            await depiction.save()
        return depiction.saved_at >= upto

    def forget(self) -> None:
        if self.depiction:
            self.kept = self.depiction.offset
        self.depiction = None
        _depicted.pop(self, None)


def asks_little(log: Log, since: int) -> bool:
    """What is asked in two seconds is little. If it is more, it was answered long ago, and the times are wrong."""
    data = log.read(since, LATE_BYTES + 1)
    return len(data) <= LATE_BYTES and len(Queries().feed(data)) <= LATE_QUERIES


def in_pieces(data: bytes) -> list[bytes]:
    """What is dense with sequences takes longer than others are to wait."""
    size = DENSE_BYTES if data.count(b"\x1b") > len(data) // 16 else READ_BYTES
    return [data[at : at + size] for at in range(0, len(data), size)]


_depicted: dict[Attending, Depiction] = {}  # those with a depiction in memory, the last one used last


def make_room() -> None:
    """Those that were not used for longest go. They are made anew from their checkpoints, which takes some time."""
    taken = sum(depiction.memory() for depiction in _depicted.values())
    while taken > SCREENS_BYTES and len(_depicted) > 1:
        other, depiction = next(iter(_depicted.items()))
        taken -= depiction.memory()
        other.forget()
