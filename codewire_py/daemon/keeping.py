"""order a keeper from the hatchery, and find one's door"""

from __future__ import annotations

import errno
import json
import os
import struct
import subprocess
import sys
import zlib
from contextlib import suppress
from typing import Any

import trio

from codewire_py.daemon import limits
from codewire_py.daemon.descriptors import is_spared
from codewire_py.errors import CannotLaunch, CodewireError
from codewire_py.home.door import Door, visit
from codewire_py.home.paths import END, JOURNAL
from codewire_py.home.records import is_passing

Answer = dict[str, Any]
KEEPER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "keeper")


def hatchery_name() -> str:
    """Another keeper's code is another hatchery: a new version takes new orders, the old one keeps what it has."""
    digest = zlib.crc32(sys.executable.encode())
    for name in sorted(os.listdir(KEEPER)):
        if name.endswith(".py"):
            with open(os.path.join(KEEPER, name), "rb") as file:
                digest = zlib.crc32(file.read(), digest)
    return f"hatchery-{digest:08x}"


class CannotAsk(OSError):
    """Nobody can be asked just now: that says neither yes nor no."""


class HatcheryLost(CodewireError):
    """The hatchery went away before it answered."""

    code = "hatchery-lost"
    hint = "run the command again"


class Hatchery:
    """The daemon's conversation with its own version's hatchery; the working directory is the home."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.name = hatchery_name()
        self.nursery = nursery
        self.opening, self.sending = trio.Lock(), trio.Lock()
        self.stream: trio.SocketStream | None = None
        self.waiting: dict[str, trio.MemorySendChannel[Answer]] = {}

    async def order(self, session: str, order: dict[str, Any]) -> Answer:
        """Raise CannotLaunch when the program cannot run, OSError when there is no room for the session."""
        answer = await self.say(session, order)
        if answer.get("errno") in (errno.ENOSPC, errno.EDQUOT):
            raise OSError(answer["errno"], answer["error"])
        if "error" in answer:
            raise CannotLaunch(answer["error"])
        return answer

    async def say(self, session: str, word: dict[str, Any]) -> Answer:
        stream = await self.open()
        inlet, outlet = trio.open_memory_channel[Answer](1)
        self.waiting[session] = inlet
        try:
            with trio.fail_after(limits.KEEPER_SECONDS):
                async with self.sending:
                    await stream.send_all(make_letter(session, json.dumps(word).encode()))
                return await outlet.receive()
        except (
            trio.EndOfChannel,
            trio.BrokenResourceError,
            trio.ClosedResourceError,
            trio.TooSlowError,
        ) as error:
            raise HatcheryLost("the hatchery went away before it answered") from error
        finally:
            self.waiting.pop(session, None)

    async def open(self) -> trio.SocketStream:
        async with self.opening:
            if self.stream is None:
                self.stream = await self.connect_or_start()
                self.nursery.start_soon(self.hear, self.stream)
            return self.stream

    async def connect_or_start(self) -> trio.SocketStream:
        for attempt in range(200):
            with suppress(ChildProcessError):
                os.waitpid(-1, os.WNOHANG)  # noqa: ASYNC222  an earlier hatchery of ours that is gone
            with suppress(OSError):
                return await trio.open_unix_socket(f"{self.name}.sock")
            if attempt % 100 == 0:
                self.start()
            await trio.sleep(0.02)
        raise HatcheryLost("the hatchery does not start", "its last words are in the journal: daemon.log")

    def start(self) -> None:
        with open(JOURNAL, "ab") as journal:
            command = [sys.executable, "-I", "-m", "codewire_py.keeper", self.name]
            subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=journal, stderr=journal, start_new_session=True
            )

    async def hear(self, stream: trio.SocketStream) -> None:
        """Hand each answer to whoever waits for it, until the hatchery leaves."""
        unread = bytearray()
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            async for data in stream:
                unread += data
                self.deal_out(unread)
        self.stream = None
        await stream.aclose()
        for inlet in list(self.waiting.values()):
            inlet.close()

    def deal_out(self, unread: bytearray) -> None:
        while letter := take_letter(unread):
            session, answer = letter
            inlet = self.waiting.get(session)
            if inlet is not None:
                inlet.send_nowait(answer)


async def ask_hatchery(name: str, session: str) -> Answer:
    """What a hatchery of any version knows of a session; nothing when it is gone itself. Or CannotAsk."""
    try:
        with trio.move_on_after(limits.VISIT_SECONDS):
            async with await trio.open_unix_socket(f"{name}.sock") as stream:
                await stream.send_all(make_letter(session, b""))
                return await read_answer(stream)
    except trio.BrokenResourceError:
        pass  # it has just left, or has no room for us
    except OSError as error:
        tell_apart(error)
        return {"known": False}
    raise CannotAsk(errno.EAGAIN, "the hatchery does not answer")


async def read_answer(stream: trio.SocketStream) -> Answer:
    unread = bytearray()
    async for data in stream:
        unread += data
        if letter := take_letter(unread):
            return letter[1]
    raise trio.BrokenResourceError


def tell_apart(error: OSError) -> None:
    """CannotAsk, if it says nothing about whom we asked."""
    if is_passing(error):
        raise CannotAsk(error.errno, error.strerror) from error


def make_letter(session: str, order: bytes) -> bytes:
    """To the hatchery: a length, the session's directory, a line end, and the order; without one, a question."""
    word = session.encode() + b"\n" + order
    return struct.pack(">I", len(word)) + word


def take_letter(unread: bytearray) -> tuple[str, Answer] | None:
    """(session, answer), once it is whole."""
    size = 4 + int.from_bytes(unread[:4], "big")
    if len(unread) < max(size, 4):
        return None
    session, _, answer = bytes(unread[4:size]).partition(b"\n")
    del unread[:size]
    return session.decode(), dict(json.loads(answer))


async def is_given_up(hatchery: str, directory: str) -> bool:
    """Whether nobody keeps the session and nobody will, without a record of its end. Or CannotAsk."""
    known = await ask_hatchery(hatchery, directory)
    if known["known"]:
        return False
    await trio.sleep(0.05)  # the keeper may have left, or come, while we asked
    return not is_kept(directory) and not os.path.exists(f"{directory}/{END}")


def is_kept(directory: str) -> bool:
    """Whether somebody opens at this door, be it after a while."""
    try:
        visit(directory, timeout=0.0).close()
    except BlockingIOError:
        return True  # there is a queue
    except OSError as error:
        tell_apart(error)
        return False
    return True


def try_visit(directory: str) -> Door | None:
    """The door, if it opens at once."""
    try:
        door = visit(directory, timeout=0.0)
    except BlockingIOError:
        return None
    except OSError as error:
        tell_apart(error)
        return None
    if is_spared(door.fileno()):
        door.close()
        raise CannotAsk(errno.EMFILE, os.strerror(errno.EMFILE))
    return door
