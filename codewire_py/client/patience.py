"""ask for something that takes long, across daemons and links that come and go"""

from __future__ import annotations

import os
import time

from codewire_py.client.connection import converse_once, reach
from codewire_py.errors import ConnectionLost, NoDaemon, TimedOut, Unreachable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from codewire_py.client.servers import Server
    from codewire_py.wire.declare import Message

    Reply = TypeVar("Reply", bound=Message)

PAUSE, LONGEST_PAUSE = 0.2, 10.0
LATE = 1.0  # seconds that a reply may come late
SILENCE = 25.0  # seconds after which a link counts as dead anyway


def ask_patiently(
    where: str | Server, request: Callable[[], Message], reply: type[Reply], until: float | None
) -> Reply:
    """Only a new command may start a daemon, and a server must answer it once: from then on we wait for either."""
    reach(where).close()
    may_start, failure = True, TimedOut("wait timed out")
    tries = 0
    while True:
        try:
            connection, answer = converse_once(where, request(), reply, may_start, patience(until))
            connection.close()
            return answer
        except ConnectionLost as error:
            may_start = "stop" not in error.message
            tries = 0
        except NoDaemon:
            failure = TimedOut("wait timed out; no daemon is running", "start it with: cw start")
        except Unreachable as error:
            failure = TimedOut(f"wait timed out; {error.message}", error.hint)
            tries += 1
        if until is not None and time.monotonic() > until:
            raise failure
        time.sleep(pause(tries, until))


def patience(until: float | None) -> float | None:
    """How long a silent link is waited for: not much longer than for what is asked."""
    left = None if until is None else until - time.monotonic() + LATE
    return None if left is None or left > SILENCE else max(LATE, left)


def pause(tries: int, until: float | None) -> float:
    """Longer each time that a server cannot be reached, and not the same for everybody."""
    longest = min(LONGEST_PAUSE, PAUSE * 2.0**tries) * (0.75 + os.getpid() % 50 / 100)
    return longest if until is None else max(0.01, min(longest, until - time.monotonic() + 0.01))
