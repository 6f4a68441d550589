"""end sessions, their whole terminal session, and if asked what has left it"""

from __future__ import annotations

import signal
from typing import Any

import trio

from codewire_py.daemon.describing import describe_left, describe_several
from codewire_py.daemon.processes import signal_same, start_of, started_in
from codewire_py.daemon.session import Session
from codewire_py.daemon.talk import Talk
from codewire_py.errors import NotRunning, UsageError
from codewire_py.values import LONGEST_WAIT
from codewire_py.wire import messages


async def handle(request: messages.Kill, talk: Talk) -> messages.Killed:
    chosen = choose(request, talk)
    if not 0 <= request.signal < signal.NSIG:
        raise UsageError(f"there is no signal {request.signal}")
    if not 0 <= request.grace <= LONGEST_WAIT:
        raise UsageError(f"{request.grace:g} seconds of grace cannot be given", "from 0 to 86400, a day")
    if request.signal not in (0, signal.SIGKILL):
        for session in chosen:
            await session.send_signal(request.signal)
            session.note("signalled", signal=request.signal)
        return messages.Killed(sessions=await describe_several(chosen))
    grace = 0.0 if request.signal == signal.SIGKILL else max(0.0, request.grace)
    async with trio.open_nursery() as killing:
        for session in chosen:
            killing.start_soon(end_session, session, grace)
    left = started_in(talk.sessions.home, {session.number for session in chosen})
    if request.tree:
        await finish_off(left, grace)
        left = [process for process in left if start_of(process["pid"]) == process["start"]]
    return messages.Killed(sessions=await describe_several(chosen), left=describe_left(left))


def choose(request: messages.Kill, talk: Talk) -> list[Session]:
    """Everything is checked before anything is killed."""
    if request.everything:
        return talk.sessions.running()
    chosen = talk.sessions.select(request.sessions, [])
    for session in chosen:
        session.must_run()
    tagged = [session for session in talk.sessions.tagged(request.tags) if session.is_running()]
    if not chosen and not tagged:
        if request.tags:
            raise NotRunning(f"no session tagged {' or '.join(map(repr, request.tags))} is running")
        raise UsageError(
            "Must specify either a session ID or --all to kill all sessions.",
            "Usage: cw kill <ID> or cw kill --all",
        )
    return list(dict.fromkeys([*chosen, *tagged]))


async def end_session(session: Session, grace: float) -> None:
    """Then also those of its terminal session that did not end with it."""
    until = trio.current_time() + grace
    await session.kill(grace)
    survivors = session.end.survivors if session.end else []
    await finish_off(survivors, max(0.0, until - trio.current_time()))


async def finish_off(processes: list[dict[str, Any]], grace: float) -> None:
    """SIGTERM, and SIGKILL for those that are still there after the grace."""
    for process in processes:
        signal_same(process["pid"], process["start"], signal.SIGTERM)
        signal_same(process["pid"], process["start"], signal.SIGCONT)
    with trio.move_on_after(grace):
        while any(start_of(process["pid"]) == process["start"] for process in processes):
            await trio.sleep(0.02)
    for process in processes:
        signal_same(process["pid"], process["start"], signal.SIGKILL)
    with trio.move_on_after(2):
        while any(start_of(process["pid"]) == process["start"] for process in processes):
            await trio.sleep(0.005)
