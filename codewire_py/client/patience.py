"""ask for something that takes long, across daemons and links that come and go"""

from __future__ import annotations

import os
import time

from codewire_py.client.connection import converse_once
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


class Patient:
    """Only a new command may start a daemon, and a server must answer it once: from then on we wait for either."""

    def __init__(self, where: str | Server, until: float | None) -> None:
        self.where, self.until = where, until
        self.has_met = False
        self.may_start = True
        self.failure = TimedOut("wait timed out")
        self.tries = 0  # since it was there last

    def ask(self, request: Callable[[], Message], reply: type[Reply]) -> Reply:
        while True:
            try:
                return self.ask_once(request(), reply)
            except ConnectionLost as error:
                self.has_met, self.may_start, self.tries = True, "stop" not in error.message, 0
            except NoDaemon:
                self.failure = TimedOut("wait timed out; no daemon is running", "start it with: cw start")
            except Unreachable as error:
                self.failure = TimedOut(f"wait timed out; {error.message}", error.hint)
                self.tries += 1
                if not self.has_met and not self.is_late():
                    raise
            if self.is_late():
                raise self.failure
            time.sleep(pause(self.tries, self.until))

    def ask_once(self, request: Message, reply: type[Reply]) -> Reply:
        connection, answer = converse_once(self.where, request, reply, self.may_start, patience(self.until))
        connection.close()
        self.has_met = True
        return answer

    def is_late(self) -> bool:
        return self.until is not None and time.monotonic() > self.until


def patience(until: float | None) -> float | None:
    """How long a silent link is waited for: not much longer than for what is asked."""
    left = None if until is None else until - time.monotonic() + LATE
    return None if left is None or left > SILENCE else max(LATE, left)


def pause(tries: int, until: float | None) -> float:
    """Longer each time that a server cannot be reached, and not the same for everybody."""
    longest = min(LONGEST_PAUSE, PAUSE * 2.0**tries) * (0.75 + os.getpid() % 50 / 100)
    return longest if until is None else max(0.01, min(longest, until - time.monotonic() + 0.01))
