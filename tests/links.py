"""a link between a client and a daemon that misbehaves when it is told to: it is cut, goes silent, is slow or late"""

from __future__ import annotations

import fcntl
import queue
import select
import socket
import struct
import termios
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import TypeVar

from homes import SECONDS

Answer = TypeVar("Answer")

LOOPBACK = "127.0.0.1"
BLOCK = 256 << 10
SETTLE_SECONDS = 1.0  # for whoever does not take what was sent before a cut
PIECE = 0.005  # seconds' worth of bytes that a slow way hands on at once
RESET, CLOSE = "reset", "close"  # how a connection is cut: rudely, or with a good-bye


class Way:
    """One direction. What it is told holds for all connections together; what passed is counted."""

    def __init__(self) -> None:
        self.delay = 0.0  # seconds each byte is under way
        self.rate = 0.0  # bytes a second; 0: as fast as can be
        self.room = 1 << 20  # bytes of one connection that may be under way
        self.passed = 0  # bytes handed on
        self.most = 0  # of one connection, that were under way at once
        self.cuts: deque[int] = deque()  # cut all when so many more have passed, then again after the next
        self.free_at = 0.0

    def most_at_once(self) -> int:
        most = max(1, int(self.rate * PIECE)) if self.rate else BLOCK
        return min(most, self.cuts[0]) if self.cuts else most

    def count(self, size: int, now: float) -> bool:
        """So many were handed on; whether this is where it is to be cut."""
        self.passed += size
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
        return bool(sent) and self.way.count(sent, now)

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


class Pair:
    """A connection through the link: its two ends, and a flow from each to the other."""

    def __init__(self, near: socket.socket, far: socket.socket | None, up: Way, down: Way) -> None:
        self.ends = [end for end in (near, far) if end]
        self.is_cut = False
        self.flows = [Flow(up, near, far)]
        if far:
            self.flows.append(Flow(down, far, near))

    def is_done(self) -> bool:
        return all(flow.is_done for flow in self.flows)

    def lose(self) -> None:
        for flow in self.flows:
            flow.lose()

    def hang_up(self) -> None:
        """Politely: whatever still comes is taken, so that nobody is sent a reset."""
        self.is_cut = True
        self.lose()
        for end in self.ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_WR)

    def close(self, is_rude: bool = False) -> None:
        for end in self.ends:
            if is_rude:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.close()


class Link:
    """Begins at `port` of this machine and leads to `target`; `up` is what the client says, `down` what the daemon says.

    `buffer`: how much the kernel may keep for each end, else as it likes. Everything happens in one thread; what a test
    tells the link has happened when the call returns.
    """

    def __init__(self, target: tuple[str, int], buffer: int = 0) -> None:
        self.target, self.buffer = target, buffer
        self.up, self.down = Way(), Way()
        self.connections = self.cuts = 0  # that there have been
        self.is_silent = self.is_refusing = self.is_over = False
        self.how = RESET
        self.pairs: list[Pair] = []
        self.orders: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.wake, self.waker = socket.socketpair()
        self.door = self.new_door(0)
        self.port: int = self.door.getsockname()[1]
        self.url = f"ws://{LOOPBACK}:{self.port}/ws"
        self.door.listen(128)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    # -- what a test tells it

    def cut(self, how: str = RESET) -> int:
        """Every connection there is; how many that were."""
        return self.do(lambda: self.cut_all(how))

    def cut_after(self, way: Way, *sizes: int, how: str = RESET) -> None:
        """When exactly so many more bytes have passed that way; then again, for each size there is."""
        self.how = how
        self.do(lambda: way.cuts.extend(sizes))

    def refuse(self) -> None:
        """Nobody listens at the port; connections that there are go on."""
        self.do(lambda: self.renew_door(True))

    def admit(self) -> None:
        self.do(lambda: self.renew_door(False))

    def silence(self) -> None:
        """Everything is taken and arrives nowhere, nobody is told. What was under way never comes, even after `heal`."""
        self.do(self.go_silent)

    def heal(self) -> None:
        """New connections work again."""
        self.is_silent = False

    def renew(self) -> None:
        """As when it was new, at the same port."""
        self.cut()
        self.heal()
        self.admit()
        self.do(lambda: [way.__init__() for way in (self.up, self.down)])  # type: ignore[misc]
        self.connections = self.cuts = 0

    def close(self) -> None:
        self.do(lambda: setattr(self, "is_over", True))
        self.thread.join(SECONDS)
        for end in (self.door, self.wake, self.waker):
            end.close()

    # -- what it does, all in its own thread

    def do(self, work: Callable[[], Answer]) -> Answer:
        answer: Future[Answer] = Future()
        self.orders.put(lambda: answer.set_result(work()))
        self.waker.send(b".")
        return answer.result(SECONDS)

    def run(self) -> None:
        while not self.is_over:
            self.turn()
        for pair in list(self.pairs):
            self.drop(pair)

    def turn(self) -> None:
        ready = self.wait()
        now = time.monotonic()
        for pair in list(self.pairs):
            self.serve(pair, ready, now)
        if ready.get(self.door.fileno()):
            self.welcome()
        if ready.get(self.wake.fileno()):
            self.wake.recv(1)
            self.orders.get()()

    def wait(self) -> dict[int, int]:
        """Descriptors that have something for us, or can take what is due."""
        wanted = {self.wake.fileno(): select.POLLIN}
        if not self.is_refusing:
            wanted[self.door.fileno()] = select.POLLIN
        now, pauses = time.monotonic(), []
        for flow in [flow for pair in self.pairs for flow in pair.flows]:
            if flow.wants_more():
                wanted[flow.source.fileno()] = wanted.get(flow.source.fileno(), 0) | select.POLLIN
            due = flow.due()
            if due is not None and due > now:
                pauses.append(due - now)
            elif due is not None and flow.sink:
                wanted[flow.sink.fileno()] = wanted.get(flow.sink.fileno(), 0) | select.POLLOUT
        poll = select.poll()
        for descriptor, events in wanted.items():
            poll.register(descriptor, events)
        return dict(poll.poll(min(pauses) * 1000 if pauses else None))

    def serve(self, pair: Pair, ready: dict[int, int], now: float) -> None:
        for flow in pair.flows:
            if ready.get(flow.source.fileno(), 0) & ~select.POLLOUT and flow.wants_more():
                flow.take(now)
            due = flow.due()
            can_take = flow.sink and ready.get(flow.sink.fileno(), 0) & ~select.POLLIN
            if due is not None and due <= now and can_take and flow.hand_on(now):
                flow.settle()
                self.cut_all(self.how)
                return
            if flow.finish():
                self.drop(pair)
                return
        if pair.is_done():
            self.pairs.remove(pair)
            pair.close()

    def welcome(self) -> None:
        near, _ = self.door.accept()
        self.connections += 1
        far = None
        if not self.is_silent:
            far = self.new_socket()
            try:
                far.connect(self.target)
            except OSError:
                Pair(near, far, self.up, self.down).close(is_rude=True)
                return
        pair = Pair(near, far, self.up, self.down)
        for end in pair.ends:
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            end.setblocking(False)
        self.pairs.append(pair)

    def drop(self, pair: Pair) -> None:
        """Both ends are told in the rudest way, as one of them did to us, or the test wants it."""
        if pair in self.pairs:
            self.pairs.remove(pair)
            pair.close(is_rude=True)

    def cut_all(self, how: str) -> int:
        cut = [pair for pair in self.pairs if not pair.is_cut]
        for pair in cut:
            if how == RESET:
                self.drop(pair)
            else:
                pair.hang_up()
        self.cuts += bool(cut)
        return len(cut)

    def go_silent(self) -> None:
        self.is_silent = True
        for pair in self.pairs:
            pair.lose()

    def renew_door(self, is_refusing: bool) -> None:
        """One that is bound and does not listen refuses, and keeps the port for us."""
        self.door.close()
        self.door = self.new_door(self.port)
        self.is_refusing = is_refusing
        if not is_refusing:
            self.door.listen(128)

    def new_door(self, port: int) -> socket.socket:
        door = self.new_socket()
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind((LOOPBACK, port))
        return door

    def new_socket(self) -> socket.socket:
        fresh = socket.socket()
        if self.buffer:  # before it is connected: the window is agreed upon then
            fresh.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.buffer)
            fresh.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self.buffer)
        return fresh


@contextmanager
def new_link(target: tuple[str, int], buffer: int = 0) -> Iterator[Link]:
    link = Link(target, buffer)
    try:
        yield link
    finally:
        link.close()
