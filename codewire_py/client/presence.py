"""our place among a session's viewers, as the daemon knows it; it comes back by itself"""

from __future__ import annotations

import os
import time

from codewire_py.client.connection import Connection, ask
from codewire_py.client.starting import STARTING, end_of, spawn, take_turn
from codewire_py.errors import CodewireError, ConnectionLost
from codewire_py.home.paths import SOCKET, connect
from codewire_py.version import VERSION
from codewire_py.wire.codec import decode
from codewire_py.wire.frames import CONTROL
from codewire_py.wire.messages import (
    FEATURES,
    PROTOCOL,
    Attached,
    Described,
    Ended,
    Failed,
    Foremost,
    Hello,
    Leaving,
    Painted,
    Reading,
    Status,
)  # fmt: skip

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from codewire_py.wire.declare import Message

START_AFTER = 0.3  # seconds without a listener before we start a daemon ourselves
GIVE_UP_TURN = 15.0
PAUSE, LONG_PAUSE = 0.05, 1.0


class Presence:
    """The short way needs no daemon, so its absence is repaired beside the work, never waited for."""

    def __init__(self, home: str, connection: Connection, request: Callable[[], Message]) -> None:
        self.home, self.request = home, request
        self.connection: Connection | None = connection
        connection.peer.setblocking(False)
        self.is_foremost = False
        self.is_settled = True  # this daemon knows us
        self.is_refused = False
        self.is_over = False  # all there was to be painted has come
        self.daemons = 0  # how many we have come back to
        self.paints: list[Painted] = []
        self.may_start = True
        self.lost_at = self.next_try = 0.0
        self.turn = self.daemon = -1  # while we are the one that starts it

    def fileno(self) -> int:
        return self.connection.fileno() if self.connection else -1

    def pause(self) -> float | None:
        return None if self.connection else max(0.0, self.next_try - time.monotonic())

    def hear(self) -> None:
        if self.connection is None:
            return
        try:
            for kind, payload in self.connection.take():
                if kind == CONTROL:
                    self.heed(decode(payload))
        except CodewireError:
            self.lose()

    def heed(self, message: Message) -> None:
        if isinstance(message, Leaving):
            self.may_start = message.why != "stop"
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
            self.is_over = self.is_refused = True  # the session has been removed, for one
            raise ConnectionLost(message.message)

    def heed_attached(self, message: Attached) -> None:
        """We are back. Where we stopped the log goes on, unless our terminal has another size by now."""
        self.is_foremost = message.foremost
        self.is_refused = False
        self.is_settled = True
        self.daemons += 1
        self.settle()
        if message.rendered:
            self.paints.append(Painted(paint=message.paint, rendered=True))

    def has_painted_all(self) -> bool:
        """Whether no paint will come any more."""
        return self.is_over or (self.connection is None and not self.may_start)

    def take_paints(self) -> list[Painted]:
        paints, self.paints = self.paints, []
        return paints

    def tell(self, message: Message) -> None:
        if self.connection is None:
            return
        try:
            self.connection.say(message)
        except ConnectionLost:
            self.lose()

    def lose(self) -> None:
        if self.connection:
            self.connection.close()
        self.connection = None
        self.is_settled = False
        self.lost_at = time.monotonic()
        self.next_try = self.lost_at + (LONG_PAUSE if self.is_refused else os.getpid() % 20 / 1000)

    def come_back(self) -> None:
        """Try, if it is time to; a daemon that crashed is started again, one that was stopped is not."""
        now = time.monotonic()
        if self.connection is not None or now < self.next_try:
            return
        self.next_try = now + (PAUSE if self.may_start else LONG_PAUSE)
        try:
            self.connection = Connection(connect(f"{self.home}/{SOCKET}", 0.0))
        except OSError:
            if self.may_start and now - self.lost_at > START_AFTER:
                self.start(now)
            return
        self.tell(Hello(version=PROTOCOL, software=VERSION, features=FEATURES))
        self.tell(self.request())

    def start(self, now: float) -> None:
        """Only one of all that miss the daemon starts it."""
        if self.turn >= 0:
            self.give_back_turn(now)
            return
        turn = os.open(f"{self.home}/{STARTING}", os.O_RDWR | os.O_CREAT, 0o600)
        if not take_turn(turn):
            os.close(turn)
            return
        self.turn = turn
        self.daemon = spawn(self.home)

    def give_back_turn(self, now: float) -> None:
        """Unless the daemon that we began may still come. One that cannot start is not tried again soon."""
        status = end_of(self.daemon)
        if status is None and now - self.lost_at < GIVE_UP_TURN:
            return
        self.settle()
        self.may_start = status != 0  # else it was stopped before we got through to it
        was_killed = status is not None and os.WIFSIGNALED(status)
        self.lost_at = now if was_killed else now + GIVE_UP_TURN

    def settle(self) -> None:
        self.may_start = True
        if self.turn >= 0:
            os.close(self.turn)
            self.turn = -1

    def says_running(self, directory: str) -> bool:
        """What the daemon knows of a session whose keeper is away; one that was stopped stays stopped."""
        request = Status(session=os.path.basename(directory))
        try:
            return ask(self.home, request, Described, self.may_start).session["status"] == "running"
        except CodewireError:
            return False

    def close(self) -> None:
        self.settle()
        if self.connection:
            self.connection.close()
