"""take a whole file from the daemon, as data frames bring it"""

from __future__ import annotations

from codewire_py.client.connection import converse_once
from codewire_py.errors import ConnectionLost, ProtocolError, from_wire
from codewire_py.wire.codec import decode
from codewire_py.wire.frames import DATA
from codewire_py.wire.messages import Ended, Failed, Found, Leaving, Reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from codewire_py.client.servers import Server
    from codewire_py.wire.declare import Message


def fetch(
    where: str | Server,
    request: Message,
    write: Callable[[bytes], None],
    tell: Callable[[Reading], None],
    heed: Callable[[Found], None] | None = None,
    may_start: bool = True,
) -> Reading:
    """Write all of it; `tell` hears first what it will be. A daemon that goes away is an error.

    `heed`: what was asked for are lines, which come as messages.
    """
    connection, begun = converse_once(where, request, Reading, may_start)
    try:
        tell(begun)
        while True:
            kind, payload = connection.receive()
            if kind == DATA:
                write(payload)
                continue
            message = decode(payload)
            if heed and isinstance(message, Found):
                heed(message)
            elif is_last(message):
                return begun
    finally:
        connection.close()


def is_last(message: Message) -> bool:
    if isinstance(message, Failed):
        raise from_wire(message.code, message.message, message.hint)
    if isinstance(message, Leaving):
        raise ConnectionLost(f"the daemon leaves: {message.why}")
    if not isinstance(message, Ended):
        raise ProtocolError(f"{type(message).type!r} came where a file was due")
    return True
