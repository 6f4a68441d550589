"""print logs, and go on while their sessions print more"""

from __future__ import annotations

import select
import time

from codewire_py.client.connection import converse
from codewire_py.client.source import LocalLog
from codewire_py.wire.messages import Logs, Reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from codewire_py.client.distant import DistantLog
    from codewire_py.client.presence import Presence
    from codewire_py.client.servers import Server

BLOCK = 256 << 10


def begin_reading(
    where: str | Server, request: Logs, seconds: float | None = None
) -> tuple[Presence, LocalLog | DistantLog, Reading]:
    """The log, and where to begin; the conversation stays open as long as we follow. `seconds`: for a reply."""
    request.local = isinstance(where, str)
    connection, begun = converse(where, request, Reading, seconds=seconds)
    if isinstance(where, str):
        from codewire_py.client.near import NearPresence

        near = NearPresence(where, connection, lambda: request)
        return near, LocalLog(begun.directory, begun.offset), begun
    from codewire_py.client.distant import DistantLog
    from codewire_py.client.far import FarPresence

    far = FarPresence(where, connection, lambda: go_on(request, begun, log))
    log = DistantLog(far, begun.id, begun.offset)
    far.hear()  # what came together with the reply
    return far, log, begun


def go_on(request: Logs, begun: Reading, log: DistantLog) -> Logs:
    """The same, from where we are."""
    return Logs(
        session=str(begun.id),
        follow=request.follow,
        offset=log.place(),
        until=request.until,
        inside=request.inside,
        born=request.born,
    )


class Follower:
    """One session's log on its way to an output. `look`: raw, quiet (harmless to a terminal) or plain."""

    def __init__(
        self,
        reading: tuple[Presence, LocalLog | DistantLog, Reading],
        write: Callable[[bytes], None],
        look: str,
        finish: Callable[[], None] = lambda: None,
    ) -> None:
        self.presence, self.log, begun = reading
        self.name, self.write, self.until = begun.name or str(begun.id), write, begun.until
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
        return self.log.how_it_ended()[0]

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
            if follower.log.is_refused() and follower.presence.refusal:
                raise follower.presence.refusal


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
