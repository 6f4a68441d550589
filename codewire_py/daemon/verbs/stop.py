"""the daemon leaves; its sessions go on"""

from __future__ import annotations

import os

import trio

from codewire_py.daemon.talk import Talk
from codewire_py.daemon.verbs.kill import end_session
from codewire_py.wire import messages


async def handle(request: messages.Stop, talk: Talk) -> messages.Stopping:
    running = talk.sessions.running()
    if request.kill:
        async with trio.open_nursery() as killing:
            for session in running:
                killing.start_soon(end_session, session, talk.sessions.config.kill_grace)
    left = len(talk.sessions.running())
    await talk.departure.leave_and_shut("stop")
    return messages.Stopping(pid=os.getpid(), running=left, killed=len(running) - left)
