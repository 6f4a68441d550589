"""one direction of a link: how fast bytes go that way, and where they are cut off"""

from __future__ import annotations

import fcntl
import socket
import termios
import time
from collections import deque
from contextlib import suppress

BLOCK = 256 << 10
TAIL = 1024
SETTLE_SECONDS = 1.0  # for whoever does not take what was sent before a cut
PIECE = 0.005  # seconds' worth of bytes that a slow way hands on at once


class Way:
    """One direction. What it is told holds for all connections together; what passed is counted."""

    def __init__(self) -> None:
        self.delay = 0.0  # seconds each byte is under way
        self.rate = 0.0  # bytes a second; 0: as fast as can be
        self.room = 1 << 20  # bytes of one connection that may be under way
        self.passed = 0  # bytes handed on
        self.tail = b""  # the last of them
        self.most = 0  # of one connection, that were under way at once
        self.cuts: deque[int] = deque()  # cut all when so many more have passed, then again after the next
        self.free_at = 0.0

    def most_at_once(self) -> int:
        most = max(1, int(self.rate * PIECE)) if self.rate else BLOCK
        return min(most, self.cuts[0]) if self.cuts else most

    def count(self, data: memoryview, now: float) -> bool:
        """These were handed on; whether this is where it is to be cut."""
        size = len(data)
        self.passed += size
        self.tail = (self.tail + data[-TAIL:])[-TAIL:]
        if self.rate:
            self.free_at = max(self.free_at, now - PIECE) + size / self.rate
        if not self.cuts:
            return False
        self.cuts[0] -= size
        return self.cuts[0] == 0 and self.cuts.popleft() == 0


class Flow:
    """One direction of one connection. Without a `sink` all that comes is lost."""

    def __init__(self, way: Way, source: socket.socket, sink: socket.socket | None) -> None:
        self.way, self.source, self.sink = way, source, sink
        self.under_way: deque[tuple[float, memoryview]] = deque()
        self.size = self.passed = 0  # bytes under way, and handed on
        self.is_over = self.is_reset = False  # the source has no more; it said so in the rudest way
        self.is_done = False  # and the sink knows

    def wants_more(self) -> bool:
        return not self.is_over and (self.sink is None or self.size < self.way.room)

    def due(self) -> float | None:
        """When the next bytes may go on; None: nothing is under way."""
        return max(self.under_way[0][0], self.way.free_at) if self.under_way else None

    def take(self, now: float) -> None:
        try:
            data = self.source.recv(BLOCK if self.sink is None else min(BLOCK, self.way.room - self.size))
        except OSError:
            data, self.is_reset = b"", True
        self.is_over = not data
        if data and self.sink is not None:
            self.under_way.append((now + self.way.delay, memoryview(data)))
            self.size += len(data)
            self.way.most = max(self.way.most, self.size)

    def hand_on(self, now: float) -> bool:
        """As much as may go now; whether the link is to be cut here."""
        assert self.sink
        due, data = self.under_way.popleft()
        sent = 0
        try:
            sent = self.sink.send(data[: self.way.most_at_once()])
        except BlockingIOError:
            pass
        except OSError:  # it takes no more; what it has said is still to be told
            self.lose()
            return False
        if sent < len(data):
            self.under_way.appendleft((due, data[sent:]))
        self.size -= sent
        self.passed += sent
        return bool(sent) and self.way.count(data[:sent], now)

    def settle(self) -> None:
        """Until the sink has all it was handed, for a reset would take it back."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while self.sink and time.monotonic() < deadline:
            if not any(fcntl.ioctl(self.sink, termios.TIOCOUTQ, bytes(4))):
                return
            time.sleep(0.001)

    def finish(self) -> bool:
        """Once all it said has arrived, the sink is told that this was all; whether rudely."""
        if not self.is_over or self.under_way or self.is_done:
            return False
        self.is_done = True
        if self.sink is not None and not self.is_reset:
            with suppress(OSError):
                self.sink.shutdown(socket.SHUT_WR)
        return self.is_reset

    def lose(self) -> None:
        """What is under way arrives nowhere, nor does anything after it."""
        self.sink = None
        self.under_way.clear()
        self.size = 0
