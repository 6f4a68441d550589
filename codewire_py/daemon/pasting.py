"""type into a terminal: whole, in order, no faster than it is read, and nobody in between"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from codewire_py.errors import LineTooLong, NotReading
from codewire_py.home.paths import TYPING

LONGEST_LINE = 4095  # bytes that a terminal in canonical mode keeps of one line; it silently drops the rest
SETTLING = 0.002  # seconds until what was typed counts as unread: the kernel passes it on by a worker
REPLY_PATIENCE = 0.5  # seconds for the answer to a query: who asks reads at once
TIOCGPTPEER = 0x5441
LFLAG = 3


@asynccontextmanager
async def alone(directory: str, patience: float) -> AsyncIterator[None]:
    """Hold the session's typing lock: whoever types holds it for one paste, answer or batch of keys."""
    lock = os.open(f"{directory}/{TYPING}", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        with trio.move_on_after(patience) as waited:
            while not try_lock(lock):
                await trio.sleep(0.005)
        if waited.cancelled_caught:
            raise NotReading("somebody else is typing into this session and does not finish")
        yield
    finally:
        os.close(lock)


def try_lock(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def type_at_once(directory: str, terminal: int, data: bytes) -> int:
    """As much as the terminal takes without waiting; nothing while somebody else types."""
    lock = os.open(f"{directory}/{TYPING}", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        return os.write(terminal, data) if try_lock(lock) else 0
    except OSError:
        return 0  # whoever waits for it will see why
    finally:
        os.close(lock)


async def type_reply(terminal: int, data: bytes) -> bool:
    """At once, whole or, if the program does not read, in part; whether it was whole."""
    with trio.move_on_after(REPLY_PATIENCE) as waiting:
        await write_all(terminal, data)
    return not waiting.cancelled_caught


async def write_all(terminal: int, data: bytes) -> None:
    while data:
        try:
            data = data[os.write(terminal, data) :]
        except BlockingIOError:
            await trio.lowlevel.wait_writable(terminal)


class Paste:
    """One paste. `taken` is how many bytes the terminal took so far."""

    def __init__(self, terminal: int, patience: float) -> None:
        self.terminal, self.patience = os.dup(terminal), patience
        self.taken = 0
        self.line = 0  # bytes of the line that is being typed
        self.slave = fcntl.ioctl(terminal, TIOCGPTPEER, os.O_RDWR | os.O_NOCTTY)

    def __enter__(self) -> Paste:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.terminal)
        os.close(self.slave)

    async def type(self, data: bytes) -> None:
        if self.is_canonical():
            self.check_lines(data)
        rest = memoryview(data)
        while rest:
            size = len(rest)
            if self.is_canonical():
                await self.wait_until_read()
                size = first_lines(bytes(rest[: LONGEST_LINE + 1]))
            await self.write(rest[:size])
            rest = rest[size:]

    def is_canonical(self) -> bool:
        return bool(termios.tcgetattr(self.terminal)[LFLAG] & termios.ICANON)

    def check_lines(self, data: bytes) -> None:
        """Refuse before anything is typed, if that can still be."""
        for number, line in enumerate(data.replace(b"\r", b"\n").split(b"\n")):
            length = len(line) + (self.line if number == 0 else 0)
            if length > LONGEST_LINE:
                raise LineTooLong(
                    f"a line of {length} bytes is longer than the {LONGEST_LINE} that the terminal keeps "
                    f"({self.taken} bytes were taken before it)"
                )
        self.line = length

    async def wait_until_read(self) -> None:
        """Until the program has taken every whole line that waits in the terminal."""
        if self.taken:
            await trio.sleep(SETTLING)
        waiting, pause = self.unread(), 0.001
        deadline = trio.current_time() + self.patience
        while waiting:
            await trio.sleep(pause)
            left, pause = self.unread(), min(pause * 1.5, 0.02)
            if left < waiting:
                deadline = trio.current_time() + self.patience
            elif trio.current_time() > deadline:
                raise self.not_reading()
            waiting = left

    def unread(self) -> int:
        """In canonical mode: the bytes of whole lines; a program that reads raw has its own back-pressure."""
        if not self.is_canonical():
            return 0
        raw = fcntl.ioctl(self.slave, termios.FIONREAD, b"\0\0\0\0")
        return int(struct.unpack("i", raw)[0])

    async def write(self, data: memoryview) -> None:
        while data:
            try:
                size = os.write(self.terminal, data)
            except BlockingIOError:
                with trio.move_on_after(self.patience) as waited:
                    await trio.lowlevel.wait_writable(self.terminal)
                if waited.cancelled_caught:
                    raise self.not_reading() from None
                continue
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                raise NotReading(f"the terminal is gone; it took {self.taken} bytes") from error
            self.taken += size
            data = data[size:]

    def not_reading(self) -> NotReading:
        return NotReading(f"the program does not read: its terminal took {self.taken} bytes and no more")


def first_lines(data: bytes) -> int:
    """How much to type at once: as many whole lines as fit, else all of it."""
    end = max(data.rfind(b"\n"), data.rfind(b"\r"))
    return end + 1 if end >= 0 else len(data)
