"""give a session another name"""

from __future__ import annotations

from codewire_py.daemon.launching import check_name
from codewire_py.daemon.talk import Talk
from codewire_py.wire import messages


async def handle(request: messages.Rename, talk: Talk) -> messages.Renamed:
    session = talk.sessions.find(request.session)
    if request.name and request.name != session.facts.name:
        check_name(request.name)
        talk.sessions.check_free(request.name)
    session.note("name", name=request.name)
    return messages.Renamed(id=session.number, name=request.name)
