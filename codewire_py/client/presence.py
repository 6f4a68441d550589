"""our place among a session's viewers, as the daemon knows it; it comes back by itself"""

from __future__ import annotations

import time

from codewire_py.errors import CodewireError, ConnectionLost, from_wire
from codewire_py.version import VERSION
from codewire_py.wire.codec import decode
from codewire_py.wire.frames import CONTROL
from codewire_py.wire.messages import (
    FEATURES,
    PROTOCOL,
    Attached,
    Ended,
    Failed,
    Foremost,
    Hello,
    Leaving,
    Painted,
    Reading,
)  # fmt: skip

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from codewire_py.client.connection import Connection
    from codewire_py.wire.declare import Message


class Presence:
    """What is common to both ways there are: to a daemon on this machine (near.py) and to one elsewhere (far.py)."""

    def __init__(self, connection: Connection, request: Callable[[], Message]) -> None:
        self.request = request
        self.connection: Connection | None = connection
        connection.peer.setblocking(False)
        self.is_foremost = False
        self.is_settled = True  # this daemon knows us
        self.refusal: CodewireError | None = None
        self.is_over = False  # all there was to be painted has come
        self.daemons = 0  # how many we have come back to
        self.paints: list[Painted] = []
        self.may_start = True
        self.lost_at = self.next_try = 0.0
        self.forgotten = 0  # bytes typed of which nobody knows whether they arrived

    @property
    def is_refused(self) -> bool:
        return self.refusal is not None

    def fileno(self) -> int:
        return self.connection.fileno() if self.connection else -1

    def wants_to_write(self) -> bool:
        return False

    def pause(self) -> float | None:
        return None if self.connection else max(0.0, self.next_try - time.monotonic())

    def notice(self, is_rendered: bool) -> str:
        """What our own terminal should say about it. `is_rendered`: it shows what the daemon paints."""
        return ""

    def may_leave(self) -> bool:
        """Whether Ctrl+C leaves, as the notice says, and is no key for the program."""
        return False

    # -- what the daemon says

    def hear(self) -> None:
        if self.connection is None:
            return
        try:
            for kind, payload in self.connection.take():
                if kind == CONTROL:
                    self.heed(decode(payload))
                else:
                    self.take_data(payload)
        except CodewireError:
            self.lose()

    def take_data(self, data: bytes) -> None:
        """By the short way none comes."""

    def heed(self, message: Message) -> None:
        if isinstance(message, Leaving):
            self.may_start = message.why != "stop"
            self.lose()  # the daemon waits for us to have heard that
        elif isinstance(message, Attached):
            self.heed_attached(message)
        elif isinstance(message, Painted):
            self.paints.append(message)
        elif isinstance(message, Ended):
            self.is_over = True
        elif isinstance(message, Reading):
            self.settle()
        elif isinstance(message, Foremost):
            self.is_foremost = message.yes
        elif isinstance(message, Failed):
            self.heed_refusal(from_wire(message.code, message.message, message.hint))

    def heed_attached(self, message: Attached) -> None:
        """We are back. Where we stopped the log goes on, unless our terminal has another size by now."""
        self.is_foremost = message.foremost
        self.refusal = None
        self.daemons += 1
        self.settle()
        if message.rendered:
            self.paints.append(Painted(paint=message.paint, offset=message.offset, rendered=True))

    def heed_refusal(self, error: CodewireError) -> None:
        self.is_over = True
        self.refusal = error  # the session has been removed, for one
        raise ConnectionLost(error.message)

    def has_painted_all(self) -> bool:
        """Whether no paint will come any more."""
        return self.is_over or (self.connection is None and not self.may_start)

    def take_paints(self) -> list[Painted]:
        paints, self.paints = self.paints, []
        return paints

    # -- what we say

    def tell(self, message: Message) -> None:
        if self.connection is None:
            return
        try:
            self.connection.say(message)
        except ConnectionLost:
            self.lose()

    # -- lost and found

    def lose(self) -> None:
        if self.connection:
            self.connection.close()
        self.connection = None
        self.is_settled = False
        self.lost_at = time.monotonic()
        self.next_try = self.lost_at + self.retry_pause()

    def retry_pause(self) -> float:
        """Seconds until we try to come back."""
        return 0.0

    def come_back(self) -> None:
        raise NotImplementedError

    def meet(self, connection: Connection) -> None:
        """Ask it once more what we asked the one before."""
        self.connection = connection
        self.tell(Hello(version=PROTOCOL, software=VERSION, features=FEATURES))
        self.tell(self.request())

    def settle(self) -> None:
        """This daemon knows us."""
        self.is_settled = True
        self.may_start = True

    def says_running(self, directory: str) -> bool:
        """Whether a session that has no door and no end runs all the same."""
        raise NotImplementedError

    def close(self) -> None:
        self.settle()
        if self.connection:
            self.connection.close()
