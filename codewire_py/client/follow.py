"""print logs, and go on while their sessions print more"""

from __future__ import annotations

import select
import time

from codewire_py.client.connection import converse
from codewire_py.client.presence import Presence
from codewire_py.client.source import LocalLog, how_it_ended
from codewire_py.wire.messages import Logs, Reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

BLOCK = 256 << 10


def begin_reading(home: str, request: Logs) -> tuple[Presence, Reading]:
    """Where the log is and where to begin; the conversation stays open as long as we follow."""
    connection, begun = converse(home, request, Reading)
    return Presence(home, connection, lambda: request), begun


class Follower:
    """One session's log on its way to an output. `look`: raw, quiet (harmless to a terminal) or plain."""

    def __init__(
        self,
        begun: Reading,
        presence: Presence,
        write: Callable[[bytes], None],
        look: str,
        finish: Callable[[], None] = lambda: None,
    ) -> None:
        self.name, self.presence, self.write = begun.name or str(begun.id), presence, write
        self.log = LocalLog(begun.directory, begun.offset)
        self.until = begun.until
        self.has_ended = False
        self.change, self.rest = make_filter(look)
        self.finish = finish

    def read_all(self) -> None:
        """What is there now."""
        while data := self.log.read(BLOCK):
            before = self.log.offset - len(data)
            data = data[: max(0, self.until - before)] if self.until >= 0 else data
            if shown := self.change(data):
                self.write(shown)
            if self.log.offset >= self.until >= 0:
                return

    def see(self, ready: set[int]) -> None:
        """After the end is recorded, what the log has is all there will be."""
        if self.log.fileno() in ready or self.log.door is None:
            self.log.hear()
        is_over = self.log.is_ended or self.is_lost()
        self.read_all()
        if is_over:
            self.has_ended = True
            self.write_rest()

    def is_lost(self) -> bool:
        if not self.log.is_forsaken():
            return False
        if not self.presence.says_running(self.log.directory):
            return True
        self.log.forgive()
        return False

    def write_rest(self) -> None:
        """What was held back for what might follow."""
        if rest := self.rest():
            self.write(rest)
        self.finish()

    def follow_until(self, until: float | None) -> bool:
        """False: the time was over before the session."""
        return follow_several([self], until, lambda follower: None)

    def status(self) -> str:
        return how_it_ended(self.log.directory)[0]

    def close(self) -> None:
        self.log.close()
        self.presence.close()


def follow_several(
    followers: list[Follower], until: float | None, tell_end: Callable[[Follower], None]
) -> bool:
    """Until all have ended; False when the time was over first."""
    for follower in followers:
        follower.see(set())
    while True:
        for follower in followers:
            if follower.has_ended and follower.log.offset >= 0:
                tell_end(follower)
        followers = [follower for follower in followers if not follower.has_ended]
        if not followers:
            return True
        if until is not None and time.monotonic() >= until:
            return False
        ready = wait(followers, until)
        for follower in followers:
            keep_place(follower.presence, ready)
            follower.see(ready)


def keep_place(presence: Presence, ready: set[int]) -> None:
    if presence.fileno() in ready:
        presence.hear()
    presence.come_back()


def wait(followers: list[Follower], until: float | None) -> set[int]:
    poll = select.poll()
    pauses = [until - time.monotonic()] if until is not None else []
    for follower in followers:
        for source in (follower.log, follower.presence):
            if source.fileno() >= 0:
                poll.register(source.fileno(), select.POLLIN)
            pause = source.pause()
            if pause is not None:
                pauses.append(pause)
    patience = max(0.0, min(pauses)) * 1000 + 1 if pauses else None
    return {descriptor for descriptor, _ in poll.poll(patience)}


def make_filter(look: str) -> tuple[Callable[[bytes], bytes], Callable[[], bytes]]:
    """(change a piece, what is left at the end)"""
    if look == "raw":
        return (lambda data: data), (lambda: b"")
    if look == "quiet":
        from codewire_py.stream.quiet import Quiet

        quiet = Quiet()
        return quiet.feed, quiet.flush
    from codewire_py.stream.plain import Plain

    plain = Plain()
    return plain.feed, plain.flush
