"""tell everything about one session"""

from __future__ import annotations

from codewire_py.daemon.describing import describe_whole
from codewire_py.daemon.talk import Talk
from codewire_py.wire import messages


async def handle(request: messages.Status, talk: Talk) -> messages.Described:
    return messages.Described(session=describe_whole(talk.sessions.find(request.session)))
