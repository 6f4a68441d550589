"""type into a session without attaching"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from codewire_py.daemon.talk import Talk
from codewire_py.errors import NotReading, ProtocolError
from codewire_py.wire import messages


async def handle(request: messages.Send, talk: Talk) -> messages.Sent:
    session = talk.sessions.find(request.session)
    session.must_run()
    try:
        async with aclosing(pieces(request, talk)) as typed:
            size = await session.type(typed, talk.sessions.config.send_timeout)
    except NotReading:
        session.must_run()
        raise
    return messages.Sent(id=session.number, size=size)


async def pieces(request: messages.Send, talk: Talk) -> AsyncGenerator[bytes, None]:
    """The first piece is in the request; an empty one is the last."""
    yield request.data
    while request.more:
        message = await talk.receive()
        if not isinstance(message, messages.Typed):
            raise ProtocolError("a send goes on with typed messages, the last one empty")
        if not message.data:
            return
        yield message.data
