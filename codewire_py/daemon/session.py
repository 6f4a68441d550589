"""one session: its keeper, log, marks, viewers, and how it ended"""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import struct
import termios
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import trio

from codewire_py.daemon import limits, sizes
from codewire_py.daemon.attending import Attending
from codewire_py.daemon.bell import Bell
from codewire_py.daemon.keeping import CannotAsk, is_given_up, try_visit
from codewire_py.daemon.pasting import REPLY_PATIENCE, Paste, alone, type_at_once, type_reply
from codewire_py.daemon.viewers import Viewer, Viewers
from codewire_py.errors import NotReading, NotRunning, ProtocolError, TimedOut
from codewire_py.home.door import DONE, NOBODY, SESSION, Door
from codewire_py.home.log import punch
from codewire_py.home.marks import Facts, Marks, append_mark
from codewire_py.home.paths import END, LOG, MARKS, SESSIONS
from codewire_py.home.records import Birth, End, is_passing, read_end, set_aside, status_of

journal = logging.getLogger("codewire")
MEBIBYTE = 1 << 20


class Session:
    def __init__(self, birth: Birth, max_bytes: int, changed: Callable[[], None]) -> None:
        self.number, self.birth, self.changed = birth.id, birth, changed
        self.directory = f"{SESSIONS}/{birth.id}"
        self.path = os.path.abspath(self.directory)
        self.marks = Marks(self.directory, Facts(birth.name, birth.tags, birth.rows, birth.cols))
        self.marks.refresh()
        if self.marks.corrupt:
            journal.warning(
                "%s/%s: %d corrupt lines are passed over", self.directory, MARKS, self.marks.corrupt
            )
        self.max_bytes = max_bytes
        self.end: End | None = None
        self.is_lost = False
        self.ended = trio.Event()
        self.door: Door | None = None
        self.at_door = trio.Event()  # set while there is a door
        self.bell = Bell()  # the log grew, or nobody is there to tell
        self.answer, self.answered = b"", trio.Event()  # of the keeper to a signal order
        self.signalling = trio.Lock()
        self.viewers = Viewers()
        self.unwritten: list[tuple[str, int, dict[str, object]]] = []
        self.attending = Attending(self.directory, birth, self.facts, self.reply)

    @property
    def facts(self) -> Facts:
        return self.marks.facts

    # -- what it is

    def status(self) -> str:
        return "running" if self.is_running() else status_of(self.end, self.facts.is_killed, self.is_lost)

    def is_running(self) -> bool:
        """The record decides, also when it was written this very moment and its keeper has yet to leave."""
        if self.end is None and os.path.exists(f"{self.directory}/{END}"):
            self.has_ended()
        return self.end is None and not self.is_lost

    def exit_code(self) -> int | None:
        return None if self.end is None or self.status() == "lost" else self.end.exit_code()

    def log_stat(self) -> tuple[int, float]:
        """The log's length, and when it last grew."""
        try:
            found = os.stat(f"{self.directory}/{LOG}")
        except OSError:
            return 0, self.birth.created_at
        return found.st_size, found.st_mtime

    def paused(self) -> str:
        return "disk full" if self.door is not None and self.door.is_paused else ""

    def must_run(self) -> None:
        if not self.is_running():
            raise NotRunning(f"session {self.number} is not running")

    # -- marks

    def note(self, kind: str, **facts: object) -> None:
        """Hold on to a mark that the disk has no room for; what it says is true from now on all the same."""
        self.unwritten.append((kind, self.log_stat()[0], facts))
        self.facts.fold({"kind": kind, **facts})
        self.write_marks()
        self.changed()

    def write_marks(self) -> None:
        try:
            while self.unwritten:
                kind, offset, facts = self.unwritten[0]
                append_mark(self.directory, kind, offset, **facts)
                del self.unwritten[0]
        except OSError as error:
            journal.warning("session %d: a mark waits for room: %s", self.number, error)

    # -- its keeper

    async def keep_in_touch(self) -> None:
        """Be there when the keeper says something or leaves; the end of it is the session's end."""
        async with trio.open_nursery() as nursery:
            if self.is_running():
                nursery.start_soon(self.attend)
            while await self.find_door():
                await self.listen()
            nursery.cancel_scope.cancel()
        self.ended.set()
        self.at_door.set()  # whoever waits for a door need not any more
        self.changed()

    async def attend(self) -> None:
        """Whatever a program prints, and whatever the system lacks, the daemon goes on."""
        while self.is_running():
            try:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self.attending.run)
                    nursery.start_soon(self.keep_releasing)
            except Exception:  # noqa: BLE001  one session's output must never be another's trouble
                journal.exception("session %d: there was trouble attending to it", self.number)
            await trio.sleep(limits.AGAIN_SECONDS)

    async def find_door(self) -> bool:
        """False once the session has ended, or is honestly lost; not because nobody could be asked."""
        pause = 0.01
        while self.door is None and self.is_running() and not self.has_ended():
            pause = min(2 * pause, limits.AGAIN_SECONDS)
            with suppress(CannotAsk):
                door = try_visit(self.directory)
                if door is not None:
                    self.enter(door)
                    return True
                if await is_given_up(self.birth.hatchery, self.directory):
                    self.is_lost = self.end is None
                    return False
            await trio.sleep(pause)
        return self.is_running()

    def has_ended(self) -> bool:
        """Whether its end is recorded, as far as that can be read just now; a record that is corrupt is none."""
        try:
            self.end = read_end(self.directory)
        except (OSError, ValueError) as error:
            if is_passing(error):
                return self.end is not None
            aside = set_aside(f"{self.directory}/{END}")
            journal.warning("session %d: %s is corrupt, set aside as %s: %s", self.number, END, aside, error)
        return self.end is not None

    def enter(self, door: Door) -> None:
        keeper = door.keeper()
        if keeper != self.facts.keeper and self.facts.is_launched and keeper:
            journal.warning(
                "session %d: keeper %d is gone, %d took over", self.number, self.facts.keeper, keeper
            )
            self.note("kept-again", keeper=keeper)
        self.door = door
        self.at_door.set()

    async def listen(self) -> None:
        door = self.door
        assert door is not None
        while door.is_open:
            await trio.lowlevel.wait_readable(door.fileno())
            self.bell.ring()
            was_paused, words = door.is_paused, self.hear(door)
            if was_paused != door.is_paused:
                journal.warning("session %d: %s", self.number, "disk full" if door.is_paused else "goes on")
                self.write_marks()
                self.changed()
            if DONE in words or NOBODY in words:
                self.answer = words
                self.answered.set()
            self.attending.ring()
        self.at_door = trio.Event()
        self.door = None
        self.bell.ring()
        self.answered.set()
        door.close()
        if not door.version:
            await trio.sleep(0.05)  # it has too many visitors

    def hear(self, door: Door) -> bytes:
        """A keeper newer than we are costs a warning: what it keeps may well be served all the same."""
        try:
            return door.hear()
        except ProtocolError as error:
            journal.warning("session %d: %s", self.number, error)
            return b""

    async def reach_keeper(self) -> Door:
        """The door, even if the keeper is being replaced just now."""
        self.must_run()
        with trio.move_on_after(limits.VISIT_SECONDS):
            await self.at_door.wait()
        if self.door is None:
            self.must_run()
            raise NotReading(f"the keeper of session {self.number} does not answer")
        return self.door

    async def send_signal(self, number: int, target: int = SESSION) -> bool:
        async with self.signalling:
            door = await self.reach_keeper()
            self.answer, self.answered = b"", trio.Event()
            door.send_signal(number, target)
            with trio.move_on_after(limits.VISIT_SECONDS):
                await self.answered.wait()
            return DONE in self.answer

    async def terminal(self) -> int:
        door = await self.reach_keeper()
        if door.terminal < 0:
            door.ask_terminal()
        with trio.move_on_after(limits.VISIT_SECONDS):
            while door.is_open and door.terminal < 0:
                await trio.sleep(0.001)
        if door.terminal < 0:
            self.must_run()
            raise NotReading(f"the keeper of session {self.number} does not hand out its terminal")
        return door.terminal

    # -- what may be done with it

    async def kill(self, grace: float) -> None:
        """Ask it to end, if there is time, then make it; returns when its end is recorded."""
        self.must_run()
        self.note("killed", signal=int(signal.SIGTERM if grace else signal.SIGKILL))
        with suppress(NotRunning):  # it may be quicker than we are
            if grace:
                await self.send_signal(signal.SIGTERM)
                await self.send_signal(signal.SIGCONT)
                with trio.move_on_after(grace):
                    await self.ended.wait()
            if not self.ended.is_set():
                await self.send_signal(signal.SIGKILL)
        with trio.move_on_after(limits.LEAVE_SECONDS):
            await self.ended.wait()
        if not self.ended.is_set():
            raise TimedOut(
                f"session {self.number} has not ended after SIGKILL", self.paused() or "is its disk stuck?"
            )

    async def fit(self) -> None:
        """Have the size that its viewers' terminals ask for, or the one that it is fixed at."""
        if self.size() != self.wanted_size():
            terminal = await self.terminal()
            if self.size() != self.wanted_size():  # meanwhile others may have come, gone or typed
                self.resize(terminal, *self.wanted_size())

    def size(self) -> sizes.Size:
        return self.facts.rows, self.facts.cols

    def wanted_size(self) -> sizes.Size:
        if self.facts.sizing == "fixed":
            return self.facts.fixed
        return sizes.decide(self.facts.sizing, self.viewers.sizes(), self.size())

    def resize(self, terminal: int, rows: int, cols: int) -> None:
        """The mark first, then the ioctl: a replay applies a size where its mark is."""
        self.note("size", rows=rows, cols=cols)
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))
        for viewer in self.viewers:
            viewer.turn()

    async def type(self, pieces: AsyncIterator[bytes], patience: float) -> int:
        """Type what comes from `pieces` as one paste; how many bytes the terminal took."""
        await self.terminal()
        async with alone(self.directory, patience):
            # Again: while we waited the keeper may have been replaced, and that number be another session's by now.
            with Paste(await self.terminal(), patience) as paste:
                async for piece in pieces:
                    await paste.type(piece)
        return paste.taken

    async def reply(self, data: bytes) -> bool:
        """What a terminal says by itself. A program that does not read loses it, as everywhere; whether it got it."""
        with suppress(NotRunning, NotReading, OSError):
            async with self.at_terminal(REPLY_PATIENCE) as terminal:
                return await type_reply(terminal, data)
        return False

    def type_at_once(self, data: bytes) -> int:
        """How much of it was taken."""
        terminal = self.door.terminal if self.door else -1
        return type_at_once(self.directory, terminal, data) if terminal >= 0 else 0

    @asynccontextmanager
    async def at_terminal(self, patience: float = float("inf")) -> AsyncIterator[int]:
        """A descriptor of its terminal, while nobody else types."""
        await self.terminal()
        async with alone(self.directory, patience):
            own = os.dup(
                await self.terminal()
            )  # meanwhile the keeper may be replaced, and that number be another's
            try:
                yield own
            finally:
                os.close(own)

    # -- viewers

    def come(self, viewer: Viewer) -> None:
        self.viewers.come(viewer)
        self.note("attached", viewers=len(self.viewers))

    def leave(self, viewer: Viewer) -> None:
        self.viewers.leave(viewer)
        self.note("detached", viewers=len(self.viewers))

    # -- old output

    async def keep_releasing(self) -> None:
        while self.max_bytes:
            await self.attending.grown.wait()
            await self.release_old()

    def release_step(self) -> int:
        return max(MEBIBYTE, self.max_bytes // 8 // MEBIBYTE * MEBIBYTE)

    async def release_old(self) -> None:
        """Give back the oldest bytes once the log is within a step of its limit: what they drew is kept first."""
        length, _ = self.log_stat()
        keep = max(self.max_bytes - self.release_step(), self.max_bytes // 2)
        upto = (length - keep) // 4096 * 4096
        if not self.max_bytes or length - self.facts.released <= keep or upto <= self.facts.released:
            return
        if await self.attending.secure(upto):
            self.release(upto)

    def release(self, upto: int) -> None:
        """Mark first, then the hole."""
        start = self.facts.released // 4096 * 4096
        self.note("released", to=upto)
        if not punch(self.directory, start, upto):
            journal.warning("session %d: this file system cannot release old output; it is kept", self.number)
            self.note("released", to=start)
            self.max_bytes = 0
