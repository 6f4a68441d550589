"""wait until sessions have ended"""

from __future__ import annotations

import trio

from codewire_py.daemon.describing import describe_several
from codewire_py.daemon.session import Session
from codewire_py.daemon.talk import Talk
from codewire_py.errors import UsageError
from codewire_py.wire import messages


async def handle(request: messages.Wait, talk: Talk) -> messages.Waited | None:
    chosen = talk.sessions.select(request.sessions, request.tags)
    if not chosen:
        raise UsageError("say which sessions to wait for", "cw wait ID…, or cw wait --tag TAG")
    done = None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(talk.notice_leaving, nursery.cancel_scope)
        nursery.start_soon(talk.announce_leaving, nursery.cancel_scope)
        with trio.move_on_after(request.timeout if request.timeout >= 0 else float("inf")) as waited:
            if not are_enough([session.ended.is_set() for session in chosen], request.any):
                await enough_ended(chosen, request.any)
        done = messages.Waited(
            sessions=await describe_several([session for session in chosen if session.ended.is_set()]),
            timed_out=waited.cancelled_caught,
            ids=[session.number for session in chosen],
        )
        nursery.cancel_scope.cancel()
    return done


def are_enough(ended: list[bool], any_will_do: bool) -> bool:
    return any(ended) if any_will_do else all(ended)


async def enough_ended(chosen: list[Session], any_will_do: bool) -> None:
    async with trio.open_nursery() as waiting:
        for session in chosen:
            waiting.start_soon(see_end, session, waiting.cancel_scope if any_will_do else None)


async def see_end(session: Session, scope: trio.CancelScope | None) -> None:
    await session.ended.wait()
    if scope:
        scope.cancel()
