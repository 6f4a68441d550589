"""come back to the daemon of a home on this machine, and start one if it crashed"""

from __future__ import annotations

import os
import time

from codewire_py.client.connection import Connection, ask
from codewire_py.client.presence import Presence
from codewire_py.client.starting import STARTING, end_of, spawn, take_turn
from codewire_py.errors import CodewireError
from codewire_py.home.paths import SOCKET, connect
from codewire_py.wire.messages import Described, Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from codewire_py.wire.declare import Message

START_AFTER = 0.3  # seconds without a listener before we start a daemon ourselves
GIVE_UP_TURN = 15.0
PAUSE, LONG_PAUSE = 0.05, 1.0


class NearPresence(Presence):
    """The short way needs no daemon, so its absence is repaired beside the work, never waited for."""

    def __init__(self, home: str, connection: Connection, request: Callable[[], Message]) -> None:
        super().__init__(connection, request)
        self.home = home
        self.turn = self.daemon = -1  # while we are the one that starts it

    def notice(self, is_rendered: bool) -> str:
        """Who reads the log needs no daemon."""
        is_stopped = self.connection is None and not self.may_start
        return (
            "[cw] the daemon was stopped: this picture is old (cw start)"
            if is_rendered and is_stopped
            else ""
        )

    def retry_pause(self) -> float:
        return LONG_PAUSE if self.is_refused else os.getpid() % 20 / 1000

    def come_back(self) -> None:
        """Try, if it is time to; a daemon that crashed is started again, one that was stopped is not."""
        now = time.monotonic()
        if self.connection is not None or now < self.next_try:
            return
        self.next_try = now + (PAUSE if self.may_start else LONG_PAUSE)
        try:
            self.meet(Connection(connect(f"{self.home}/{SOCKET}", 0.0)))
        except OSError:
            if self.may_start and now - self.lost_at > START_AFTER:
                self.start(now)

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
        super().settle()
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
