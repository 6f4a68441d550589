"""type into a session without attaching"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

import trio

from codewire_py.daemon import limits
from codewire_py.daemon.grants import OWNER
from codewire_py.daemon.talk import Talk
from codewire_py.errors import NotReading, ProtocolError, TimedOut
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
    """The first piece is in the request; an empty one is the last. Who waits for it holds up everybody who types."""
    patience = float("inf") if talk.grant is OWNER else limits.PIECE_SECONDS
    yield request.data
    while request.more:
        with trio.move_on_after(patience) as waiting:
            message = await talk.receive()
        if waiting.cancelled_caught:
            raise TimedOut(f"no more came within {patience:g} s; what came before was typed")
        if not isinstance(message, messages.Typed):
            raise ProtocolError("a send goes on with typed messages, the last one empty")
        if not message.data:
            return
        yield message.data
