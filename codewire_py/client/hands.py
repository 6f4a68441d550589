"""type by the short way: straight into the session's terminal, and nobody in between"""

from __future__ import annotations

import fcntl
import os
import time

from codewire_py.home.paths import TYPING
from codewire_py.wire.messages import Typed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codewire_py.client.presence import Presence
    from codewire_py.client.source import LocalLog

MOST_WAITING = 1 << 20  # typed, but the program does not read; beyond it our own terminal is not read either
LOCK_PAUSE = 0.01
TELL_EVERY = 1.0


class Hands:
    """What was typed and the session's terminal has not taken yet."""

    def __init__(self, log: LocalLog, presence: Presence) -> None:
        self.log, self.presence = log, presence
        self.lock = os.open(f"{log.directory}/{TYPING}", os.O_RDWR | os.O_CREAT, 0o600)
        self.has_lock = False
        self.waiting = bytearray()
        self.told_at = 0.0

    def is_full(self) -> bool:
        return len(self.waiting) > MOST_WAITING

    def pause(self) -> float | None:
        """Somebody else is typing: look again soon."""
        return LOCK_PAUSE if self.waiting and not self.has_lock else None

    def type(self, data: bytes) -> None:
        self.waiting += data
        self.push()
        if not self.presence.is_foremost or self.should_tell():
            self.presence.tell(Typed())

    def push(self) -> None:
        """A batch is held together by the session's typing lock until the terminal took all of it."""
        terminal = self.log.terminal()
        if not self.waiting or terminal < 0 or not self.take_lock():
            return
        try:
            del self.waiting[: os.write(terminal, self.waiting)]
        except BlockingIOError:
            return
        except OSError:
            self.waiting.clear()
        if not self.waiting:
            self.release_lock()

    def terminal(self) -> int:
        return self.log.terminal()

    def take_lock(self) -> bool:
        if not self.has_lock:
            try:
                fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            self.has_lock = True
        return True

    def release_lock(self) -> None:
        fcntl.flock(self.lock, fcntl.LOCK_UN)
        self.has_lock = False

    def should_tell(self) -> bool:
        """At most once a second the daemon hears that we still type."""
        now = time.monotonic()
        if now - self.told_at < TELL_EVERY:
            return False
        self.told_at = now
        return True

    def close(self) -> None:
        os.close(self.lock)
