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
from .hatching import Role, be_keeper, be_subreaper, be_successor, run_child, tell_why
from .keeper import UNKNOWN, exit_code

VISITORS = 1024  # a daemon that adopts may ask about every session at once
ORDER_LIMIT = 64 << 20  # an environment and a command line may be large; the kernel's own limit is far below
LINGER = 1.0  # seconds an unneeded hatchery waits for a new daemon
FORK_RETRY = 0.2  # seconds between attempts to replace a keeper while the system has no room for a process
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
            self.terminal < 0
            or os.path.exists(f"{self.session}/exit.json")
            or not os.path.isdir(self.session)
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
        """Whole, or never again: a daemon that is gone or does not read finds the session by its directory."""
        word = os.fsencode(session) + b"\n" + answer
        try:
            if self.peer.send(len(word).to_bytes(4, "big") + word) == 4 + len(word):
                return
            self.peer.shutdown(_socket.SHUT_RDWR)
        except BlockingIOError:
            self.peer.shutdown(_socket.SHUT_RDWR)
        except OSError:
            return


class Hatchery:
    def __init__(self, name: str) -> None:
        self.lock = take_lock(name)
        self.name = f"{name}.sock"
        self.nests: dict[int, Nest] = {}  # by the keeper's pid
        self.unkept: list[Nest] = []  # a successor is due, but could not be forked yet
        self.askers: dict[int, Asker] = {}
        self.door = open_door(self.name, VISITORS)
        self.wake = wait_for_children()
        self.poll = select.poll()
        self.poll.register(self.door, select.POLLIN)
        self.poll.register(self.wake, select.POLLIN)

    def serve_daemons(self) -> None:
        while True:
            needed = self.nests or self.askers or self.unkept
            wait = (FORK_RETRY if self.unkept else None) if needed else LINGER
            ready = self.poll.poll(None if wait is None else wait * 1000)
            if not ready and not needed and self.leave():
                return
            for descriptor, _ in ready:
                self.attend(descriptor)
            if self.unkept:
                self.retry_forks()

    def leave(self) -> bool:
        """Take the door away, then look once more: whoever stands before it already is let in."""
        aside = f"{self.name}.left"
        try:
            os.rename(self.name, aside)
            if self.poll.poll(0):
                os.rename(aside, self.name)
                return False
            os.unlink(aside)
        except FileNotFoundError:
            return True  # the home is gone
        return True

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
        orders = asker.take_orders()
        if orders is None:
            self.poll.unregister(descriptor)
            self.askers.pop(descriptor).peer.close()
            return
        for session, order in orders:
            if order:
                self.hatch(Nest(session, asker), order)
            else:
                asker.reply(session, self.what_of(session))

    def what_of(self, session: str) -> bytes:
        for pid, nest in (*self.nests.items(), *((0, nest) for nest in self.unkept)):
            if nest.session == session and nest.program > 0:
                return b'{"known": true, "keeper": %d, "program": %d}' % (pid, nest.program)
        return b'{"known": false}'

    # -- keepers

    def hatch(self, nest: Nest, order: bytes) -> None:
        try:
            self.fork(nest, lambda channel: be_keeper(channel, order))
        except OSError as error:
            if nest.asker:
                nest.asker.reply(nest.session, tell_why(error))

    def hatch_again(self, nest: Nest) -> None:
        nest.is_ward, nest.is_told, nest.asker = True, False, None
        try:
            self.fork(nest, lambda channel: be_successor(channel, nest.terminal, nest.program))
        except OSError:
            self.unkept.append(nest)

    def retry_forks(self) -> None:
        due, self.unkept = self.unkept, []
        for nest in due:
            self.hatch_again(nest)
        self.see_children()

    def fork(self, nest: Nest, role: Role) -> None:
        """OSError: the system has no room for another process, or we for another descriptor."""
        ours, theirs = _socket.socketpair()
        try:
            pid = os.fork()
        except OSError:
            ours.close()
            theirs.close()
            raise
        if pid == 0:
            run_child(nest.session, theirs, nest.terminal, role)
        theirs.close()
        ours.setblocking(False)
        nest.channel = ours
        self.nests[pid] = nest
        self.poll.register(ours, select.POLLIN)

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
        if word.isdigit():
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
        # Every program is spared, not only wards: its keeper may have died since we looked.
        programs = {nest.program for nest in (*self.nests.values(), *self.unkept)}
        for orphan in children() - programs - set(self.nests):
            os.waitpid(orphan, os.WNOHANG)

    def lose_keeper(self, nest: Nest) -> None:
        self.forget_channel(nest)
        if nest.asker:
            nest.asker.reply(nest.session, b'{"error": "the keeper died before the program ran"}')
        if nest.is_over() or nest.is_hopeless():
            if nest.terminal >= 0:
                os.close(nest.terminal)
            return
        self.hatch_again(nest)

    def look_after(self, nest: Nest) -> None:
        """Tell a successor how its program ended, and leave the program unreaped until that is recorded."""
        if not nest.is_ward or nest.is_told or nest.channel is None:
            return
        try:
            end = os.waitid(os.P_PID, nest.program, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if end is None:
                return
            code = exit_code(end)
        except ChildProcessError:
            code = UNKNOWN
        try:
            nest.channel.send(struct.pack("i", code))
            nest.is_told = True
        except OSError:
            return  # it has just been killed too; the next one is told


def take_lock(name: str) -> int:
    """BlockingIOError: another one is warm. One that is just leaving, or coming, is waited for."""
    lock = os.open(f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    until = time.monotonic() + LINGER
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        except BlockingIOError:
            if os.path.exists(f"{name}.sock") or time.monotonic() > until:
                raise
        time.sleep(0.01)


def children() -> set[int]:
    """Read as bytes: a codec would be imported now, from files that an upgrade may have replaced."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", "rb") as file:
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
    if hasattr(os, "SCHED_OTHER"):  # the daemon steps back for others; neither we nor programs have to
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    try:
        hatchery = Hatchery(sys.argv[1])
    except BlockingIOError:
        return  # another one is already warm
    hatchery.serve_daemons()
