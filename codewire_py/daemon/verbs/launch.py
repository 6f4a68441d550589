"""start a program in a new session"""

from __future__ import annotations

from codewire_py.daemon.talk import Talk
from codewire_py.wire import messages


async def handle(request: messages.Launch, talk: Talk) -> messages.Launched:
    session = await talk.sessions.launch(request)
    return messages.Launched(
        id=session.number, name=session.facts.name, pid=session.facts.pid, command=session.birth.prompt
    )
