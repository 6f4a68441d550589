"""say how large a session is to be, or by whose terminals"""

from __future__ import annotations

from codewire_py.daemon import sizes
from codewire_py.daemon.talk import Talk
from codewire_py.wire import messages


async def handle(request: messages.Resize, talk: Talk) -> messages.Resized:
    session = talk.sessions.find(request.session)
    size = (request.rows, request.cols) if request.rows or request.cols else session.size()
    sizes.check(request.sizing, size)
    session.must_run()
    if request.sizing == "fixed":
        session.note("sizing", sizing="fixed", rows=size[0], cols=size[1])
    else:
        session.note("sizing", sizing=request.sizing)
    await session.fit()
    facts = session.facts
    return messages.Resized(
        id=session.number, name=facts.name, sizing=facts.sizing, rows=facts.rows, cols=facts.cols
    )
