"""what a viewer types from elsewhere: into the terminal once and in order, over however many conversations it comes"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress

import trio

from codewire_py.daemon.limits import TYPED_BYTES, TYPED_OVERHEAD
from codewire_py.daemon.session import Session
from codewire_py.daemon.talk import Talk
from codewire_py.daemon.viewers import Typist
from codewire_py.errors import LimitReached, NotRunning
from codewire_py.wire import messages

TELL_AFTER = 0.003  # seconds: the echo goes first


class Keys:
    """Of one conversation. A program that does not read makes them wait, and nothing else."""

    def __init__(self, session: Session, typist: Typist, talk: Talk) -> None:
        self.session, self.typist, self.talk = session, typist, talk
        self.waiting: deque[messages.Typed] = deque()
        self.taken: list[messages.Took] = []  # the viewer has yet to hear of
        self.size = 0
        self.came = trio.Event()
        self.is_stopping, self.scope = False, trio.CancelScope()  # of what is to stop at once
        self.stopped = trio.Event()

    def add(self, typed: messages.Typed) -> None:
        if self.is_stopping:
            return
        self.size += len(typed.data) + TYPED_OVERHEAD
        if self.size > TYPED_BYTES:
            raise LimitReached("too much of what was typed waits for the program to read")
        has_to_wait = self.waiting or self.typist.turn.locked()
        if has_to_wait or not (typed.seq and self.type_at_once(typed)):
            self.waiting.append(typed)
        self.came.set()

    def type_at_once(self, typed: messages.Typed) -> bool:
        """Nearly always a terminal takes a key at once, and then no task need be woken for it. Whether it took all.

        Only what has a number: of anything else nobody would know how much was taken.
        """
        rest = self.typist.rest(typed.seq, typed.data)
        taken = self.session.type_at_once(rest) if rest else 0
        self.typist.part += taken
        if taken == len(rest):
            self.has_taken(typed)
        return taken == len(rest)

    def has_taken(self, typed: messages.Typed) -> None:
        self.typist.took(typed.seq)
        self.size -= len(typed.data) + TYPED_OVERHEAD
        self.taken.append(messages.Took(seq=typed.seq, size=len(typed.data)))

    async def run(self) -> None:
        """What is said is said whole: a message that was cut short would be the end of the conversation."""
        while await self.is_done(self.came.wait):
            self.came = trio.Event()
            while self.waiting and not self.is_stopping:
                await self.tell()
                if await self.is_done(self.take_first):
                    self.waiting.popleft()
            await self.is_done(trio.sleep, TELL_AFTER)
            await self.tell()
        self.stopped.set()

    async def is_done(self, work: Callable[..., Awaitable[None]], *arguments: float) -> bool:
        """Unless we are to stop before."""
        with trio.CancelScope() as self.scope:
            if not self.is_stopping:
                await work(*arguments)
        return not self.is_stopping

    async def take_first(self) -> None:
        typed = self.waiting[0]
        async with self.typist.turn:
            rest = self.typist.rest(typed.seq, typed.data)
            with suppress(NotRunning):  # it has ended: nobody will read them
                if rest:
                    await self.type(rest)
            self.has_taken(typed)

    async def type(self, data: bytes) -> None:
        """Cut short at any moment, the typist knows how far it came."""
        async with self.session.at_terminal() as terminal:
            while data:
                try:
                    size = os.write(terminal, data)
                except BlockingIOError:
                    await trio.lowlevel.wait_writable(terminal)
                    continue
                except OSError:
                    return  # the terminal is gone
                self.typist.part += size
                data = data[size:]

    async def tell(self) -> None:
        taken, self.taken = self.taken, []
        for took in taken:
            await self.talk.say(took)

    async def stop(self) -> None:
        """Nothing is typed after this; the viewer hears how far it came, for whoever goes on."""
        self.is_stopping = True
        self.scope.cancel()
        await self.stopped.wait()
        await self.talk.say(messages.Took(seq=self.typist.seq, part=self.typist.part))
