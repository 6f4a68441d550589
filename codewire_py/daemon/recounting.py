"""send a session's log as lines of text, as they ended up: what is there, the last of it, what comes"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator

import trio

from codewire_py.daemon.limits import FOUND_LINES
from codewire_py.daemon.reading import Reader
from codewire_py.daemon.rendering import Clock, Rendering
from codewire_py.daemon.screen.settling import Line
from codewire_py.daemon.session import Session
from codewire_py.daemon.talk import Talk
from codewire_py.wire.frames import CHUNK
from codewire_py.wire.messages import Found, Logs, Reading

TAIL_BYTES = 256 << 10  # in which the last lines are looked for first, and then in more
MOST_LINES = (1 << 63) - 1  # that a list can have
QUIET = 0.2  # seconds without output, after which lines are told that will hardly change any more

Tell = Callable[[list[Line]], Awaitable[None]]


async def recount(session: Session, start: Reading, request: Logs, until: float | None, talk: Talk) -> None:
    """From where it begins to where it stops, or the last lines; then what comes `until` then (None: nothing)."""
    end = start.until if start.until >= 0 else start.length
    rendering, lines = await begin(session, start.offset, end, request.tail, until is not None)
    tell = telling(session, rendering, talk) if request.lines else lambda lines: send(lines, talk)
    try:
        await tell(lines)
        await tell_upto(end, rendering, tell)
        if until is not None:
            await follow(session, rendering, until, tell)
        if until is not None or request.tail < 0:
            await tell(rendering.finish())
    finally:
        rendering.close()


async def begin(
    session: Session, first: int, end: int, tail: int, follows: bool
) -> tuple[Rendering, list[Line]]:
    """If only the last lines are wanted: them, looked for no further back than need be."""
    if tail < 0:
        return Rendering(session.directory, session.birth, first), []
    size = TAIL_BYTES
    while True:
        start = max(first, end - size)
        rendering = Rendering(session.directory, session.birth, start)
        lines: list[Line] | None = None
        try:
            lines = await last_lines(rendering, end, tail, follows)
        finally:
            if lines is None:  # whoever asked has left
                rendering.close()
        if len(lines) == tail or start <= first:
            return rendering, lines
        rendering.close()
        size *= 8


async def last_lines(rendering: Rendering, end: int, count: int, follows: bool) -> list[Line]:
    last: deque[Line] = deque(maxlen=min(count, MOST_LINES))
    while rendering.offset < end:
        last.extend(rendering.advance(end))
        await trio.lowlevel.checkpoint()
    last.extend(rendering.settle_above() if follows else rendering.finish())
    return list(last)


async def tell_upto(end: int, rendering: Rendering, tell: Tell) -> None:
    while rendering.offset < end:
        await tell(rendering.advance(end))
        await trio.lowlevel.checkpoint()


async def follow(session: Session, rendering: Rendering, until: float, tell: Tell) -> None:
    """Only the waiting is cut short, never what is being sent."""
    deadline = trio.current_time() + until - time.time() if until >= 0 else float("inf")
    with Reader(session, rendering.offset) as reader:
        while trio.current_time() < deadline:
            is_over = session.ended.is_set()
            await tell_upto(rendering.log.length(), rendering, tell)
            if is_over:
                return
            if not await grows(reader, rendering.offset, min(deadline, trio.current_time() + QUIET)):
                await tell(rendering.settle_above())
                await grows(reader, rendering.offset, deadline)


async def grows(reader: Reader, offset: int, deadline: float) -> bool:
    with trio.move_on_at(deadline) as waiting:
        await reader.wait_beyond(offset)
    return not waiting.cancelled_caught


async def send(lines: list[Line], talk: Talk) -> None:
    if lines:
        await talk.send_data("".join([f"{text}\n" for _, text in lines]).encode())


def telling(session: Session, rendering: Rendering, talk: Talk) -> Tell:
    """Of what has just come, the time is told once it is noted."""
    clock = Clock(rendering.times)

    async def tell(lines: list[Line]) -> None:
        if lines:
            await attended(session, lines[-1][0])
            await tell_found(session, lines, clock, talk)

    return tell


async def attended(session: Session, offset: int) -> None:
    with trio.move_on_after(QUIET):
        while session.is_running() and session.attending.offset < offset:
            await session.attending.grown.wait()


async def tell_found(session: Session, lines: list[Line], clock: Clock, talk: Talk) -> None:
    clock.go_on()
    for part in parts(lines):
        told: list[dict[str, object]] = [
            {"offset": line[0], "time": clock.time_of(line), "line": line[1]} for line in part
        ]
        await talk.say_slowly(Found(id=session.number, name=session.facts.name, lines=told))


def parts(lines: list[Line]) -> Iterator[list[Line]]:
    """Each no more than one message may hold."""
    part: list[Line] = []
    size = 0
    for line in lines:
        if len(part) == FOUND_LINES or size >= CHUNK:
            yield part
            part, size = [], 0
        part.append(line)
        size += len(line[1])
    if part:
        yield part
