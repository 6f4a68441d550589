"""a link between a client and a daemon that misbehaves when it is told to: it is cut, goes silent, is slow or late"""

from __future__ import annotations

import queue
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import TypeVar

from flows import Flow, Way
from homes import SECONDS

Answer = TypeVar("Answer")

LOOPBACK = "127.0.0.1"
RESET, CLOSE = "reset", "close"  # how a connection is cut: rudely, or with a good-bye


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
