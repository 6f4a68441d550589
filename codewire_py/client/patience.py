"""ask for something that takes long, across daemons that come and go"""

from __future__ import annotations

import time

from codewire_py.client.connection import converse_once, reach
from codewire_py.errors import ConnectionLost, NoDaemon, TimedOut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from codewire_py.wire.declare import Message

    Reply = TypeVar("Reply", bound=Message)

PAUSE = 0.2


def ask_patiently(
    home: str, request: Callable[[], Message], reply: type[Reply], until: float | None
) -> Reply:
    """Only a new command may start a daemon: once we have waited, a daemon that was stopped stays stopped."""
    reach(home).close()
    may_start = True
    while True:
        try:
            connection, answer = converse_once(home, request(), reply, may_start)
            connection.close()
            return answer
        except ConnectionLost as error:
            may_start = "stop" not in error.message
        except NoDaemon:
            pass
        if until is not None and time.monotonic() > until:
            raise TimedOut("wait timed out; no daemon is running", "start it with: cw start")
        time.sleep(PAUSE)
