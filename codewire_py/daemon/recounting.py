"""send a session's log as lines of text, as they ended up: what is there, the last of it, what comes"""

from __future__ import annotations

import time
from collections import deque

import trio

from codewire_py.daemon.reading import Reader
from codewire_py.daemon.rendering import Rendering
from codewire_py.daemon.screen.settling import Line
from codewire_py.daemon.session import Session
from codewire_py.daemon.talk import Talk
from codewire_py.wire.messages import Reading

TAIL_BYTES = 256 << 10  # in which the last lines are looked for first, and then in more
MOST_LINES = (1 << 63) - 1  # that a list can have
QUIET = 0.2  # seconds without output, after which lines are told that will hardly change any more


async def recount(session: Session, start: Reading, tail: int, until: float | None, talk: Talk) -> None:
    """From where it begins to where it stops, or the last lines; then what comes `until` then (None: nothing)."""
    end = start.until if start.until >= 0 else start.length
    rendering, lines = await begin(session, start.offset, end, tail, until is not None)
    try:
        await send(lines, talk)
        await send_upto(end, rendering, talk)
        if until is not None:
            await follow(session, rendering, until, talk)
        if until is not None or tail < 0:
            await send(rendering.finish(), talk)
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


async def send_upto(end: int, rendering: Rendering, talk: Talk) -> None:
    while rendering.offset < end:
        await send(rendering.advance(end), talk)
        await trio.lowlevel.checkpoint()


async def follow(session: Session, rendering: Rendering, until: float, talk: Talk) -> None:
    """Only the waiting is cut short, never what is being sent."""
    deadline = trio.current_time() + until - time.time() if until >= 0 else float("inf")
    with Reader(session, rendering.offset) as reader:
        while trio.current_time() < deadline:
            is_over = session.ended.is_set()
            await send_upto(rendering.log.length(), rendering, talk)
            if is_over:
                return
            if not await grows(reader, rendering.offset, min(deadline, trio.current_time() + QUIET)):
                await send(rendering.settle_above(), talk)
                await grows(reader, rendering.offset, deadline)


async def grows(reader: Reader, offset: int, deadline: float) -> bool:
    with trio.move_on_at(deadline) as waiting:
        await reader.wait_beyond(offset)
    return not waiting.cancelled_caught


async def send(lines: list[Line], talk: Talk) -> None:
    if lines:
        await talk.send_data("".join([f"{text}\n" for _, text in lines]).encode())
