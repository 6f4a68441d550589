"""fork a keeper per order from a warm process, and replace a keeper that is killed

It outlives daemons, holds a duplicate of each terminal until the end is recorded, and is a child subreaper: when a
keeper is killed its program becomes the hatchery's child, so its exit status can still be known.
"""

from __future__ import annotations

import _signal
import _socket
import fcntl
import gc
import os
import resource
import select
import struct
import sys
import time

from .door import drain, let_in, open_door, receive_with, wait_for_children
from .hatching import Role, be_keeper, be_subreaper, be_successor, run_child
from .keeper import UNKNOWN

VISITORS = 16
ORDER_LIMIT = 64 << 20  # an environment and a command line may be large; the kernel's own limit is far below
LINGER = 1.0  # seconds an unneeded hatchery waits for a new daemon
PATIENCE = 5, 10.0  # so many keepers lost within so many seconds, and the session is given up


class Nest:
    """One session: its keeper, and all that a successor would need."""

    def __init__(self, session: str, asker: Asker | None) -> None:
        self.session, self.asker = session, asker
        self.channel: _socket.socket | None = None
        self.terminal = self.program = -1
        self.is_ward = self.is_told = False  # a ward's keeper was killed: its program is our child now
        self.losses: list[float] = []

    def is_over(self) -> bool:
        return (
            self.program < 0 or os.path.exists(f"{self.session}/exit.json") or not os.path.isdir(self.session)
        )

    def is_hopeless(self) -> bool:
        count, seconds = PATIENCE
        self.losses = [*self.losses[-count:], time.monotonic()]
        return len(self.losses) > count and self.losses[-1] - self.losses[0] < seconds


class Asker:
    """A daemon's conversation with us. A length, then a session's directory, a line end, and JSON: an order, or
    nothing, which asks what we know of it. Only the keeper-to-be reads the JSON: whatever we touch after a fork, every
    keeper there is pays for.
    """

    def __init__(self, peer: _socket.socket) -> None:
        self.peer, self.unread = peer, bytearray()

    def take_orders(self) -> list[tuple[str, bytes]] | None:
        """(session, order) of each that came since; None when the daemon is gone or talks nonsense."""
        orders = []
        try:
            data = self.peer.recv(1 << 20)
        except BlockingIOError:
            return []
        except OSError:
            return None
        self.unread += data
        while len(self.unread) >= 4:
            size = int.from_bytes(self.unread[:4], "big")
            if size > ORDER_LIMIT:
                return None
            if len(self.unread) < 4 + size:
                break
            session, _, order = bytes(self.unread[4 : 4 + size]).partition(b"\n")
            orders.append((os.fsdecode(session), order))
            del self.unread[: 4 + size]
        return orders if data else None

    def reply(self, session: str, answer: bytes) -> None:
        word = os.fsencode(session) + b"\n" + answer
        try:
            self.peer.send(len(word).to_bytes(4, "big") + word)
        except OSError:
            return  # a daemon that is gone finds the session by its directory


class Hatchery:
    def __init__(self, name: str) -> None:
        self.lock = os.open(f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.name = f"{name}.sock"
        self.nests: dict[int, Nest] = {}  # by the keeper's pid
        self.askers: dict[int, Asker] = {}
        self.door = open_door(self.name, VISITORS)
        self.wake = wait_for_children()
        self.poll = select.poll()
        self.poll.register(self.door, select.POLLIN)
        self.poll.register(self.wake, select.POLLIN)

    def serve_daemons(self) -> None:
        while True:
            needed = self.nests or self.askers
            ready = self.poll.poll(None if needed else LINGER * 1000)
            if not ready and not needed:
                os.unlink(self.name)
                return
            for descriptor, _ in ready:
                self.attend(descriptor)

    def attend(self, descriptor: int) -> None:
        if descriptor == self.door.fileno():
            self.welcome()
        elif descriptor == self.wake:
            drain(self.wake)
            self.see_children()
        elif descriptor in self.askers:
            self.serve(descriptor)
        else:
            self.hear_keeper(descriptor)

    def welcome(self) -> None:
        peer = let_in(self.door)
        if peer is not None and len(self.askers) >= VISITORS:
            peer.close()
        elif peer is not None:
            self.askers[peer.fileno()] = Asker(peer)
            self.poll.register(peer, select.POLLIN)

    def serve(self, descriptor: int) -> None:
        asker = self.askers[descriptor]
        try:
            orders = asker.take_orders()
        except ValueError:
            orders = None
        if orders is None:
            self.poll.unregister(descriptor)
            self.askers.pop(descriptor).peer.close()
            return
        for session, order in orders:
            if order:
                nest = Nest(session, asker)
                self.fork(nest, lambda channel, order=order: be_keeper(channel, order))  # type: ignore[misc]
            else:
                asker.reply(session, self.what_of(session))

    def what_of(self, session: str) -> bytes:
        for pid, nest in self.nests.items():
            if nest.session == session and nest.program > 0:
                return b'{"known": true, "keeper": %d, "program": %d}' % (pid, nest.program)
        return b'{"known": false}'

    # -- keepers

    def fork(self, nest: Nest, role: Role) -> None:
        nest.channel, theirs = _socket.socketpair()
        pid = os.fork()
        if pid == 0:
            run_child(nest.session, theirs, nest.terminal, role)
        theirs.close()
        nest.channel.setblocking(False)
        self.nests[pid] = nest
        self.poll.register(nest.channel, select.POLLIN)

    def hear_keeper(self, descriptor: int) -> None:
        found = [nest for nest in self.nests.values() if nest.channel and nest.channel.fileno() == descriptor]
        if not found or found[0].channel is None:
            return
        nest, channel = found[0], found[0].channel
        try:
            word, terminal = receive_with(channel)
        except BlockingIOError:
            return
        except OSError:
            word = b""
        if not word:
            self.forget_channel(nest)
            return
        if terminal >= 0:
            nest.terminal, nest.program = terminal, int(word)
            word = self.what_of(nest.session)
        if nest.asker:
            nest.asker.reply(nest.session, word)
            nest.asker = None

    def forget_channel(self, nest: Nest) -> None:
        if nest.channel:
            self.poll.unregister(nest.channel)
            nest.channel.close()
            nest.channel = None

    # -- children

    def see_children(self) -> None:
        for pid, nest in list(self.nests.items()):
            if os.waitpid(pid, os.WNOHANG)[0]:
                if nest.channel:
                    self.hear_keeper(nest.channel.fileno())
                self.lose_keeper(self.nests.pop(pid))
        for nest in self.nests.values():
            self.look_after(nest)
        wards = {nest.program for nest in self.nests.values() if nest.is_ward}
        for orphan in children() - wards - set(self.nests):
            os.waitpid(orphan, os.WNOHANG)

    def lose_keeper(self, nest: Nest) -> None:
        self.forget_channel(nest)
        if nest.asker:
            nest.asker.reply(nest.session, b'{"error": "the keeper died before the program ran"}')
        if nest.is_over() or nest.is_hopeless():
            if nest.terminal >= 0:
                os.close(nest.terminal)
            return
        nest.is_ward, nest.is_told, nest.asker = True, False, None
        self.fork(nest, lambda channel: be_successor(channel, nest.terminal, nest.program))

    def look_after(self, nest: Nest) -> None:
        """Tell a successor how its program ended, and leave the program unreaped until that is recorded."""
        if not nest.is_ward or nest.is_told or nest.channel is None:
            return
        try:
            end = os.waitid(os.P_PID, nest.program, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            code: int | None = UNKNOWN
        else:
            code = exit_code(end)
        if code is not None:
            nest.is_told = True
            nest.channel.send(struct.pack("i", code))


def exit_code(end: os.waitid_result | None) -> int | None:
    if end is None:
        return None
    return end.si_status if end.si_code == os.CLD_EXITED else -end.si_status


def children() -> set[int]:
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
            return {int(pid) for pid in file.read().split()}
    except OSError:
        return set()


def main() -> None:
    os.umask(0o077)
    gc.disable()  # a keeper makes no cycles, and a collection would unshare the pages it has from its parent
    for number in (_signal.SIGPIPE, _signal.SIGHUP, _signal.SIGINT):
        _signal.signal(number, _signal.SIG_IGN)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if hard != resource.RLIM_INFINITY else 1 << 16, hard))
    be_subreaper()
    try:
        hatchery = Hatchery(sys.argv[1])
    except BlockingIOError:
        return  # another one is already warm
    hatchery.serve_daemons()
