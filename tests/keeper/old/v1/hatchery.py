"""fork a keeper per order from a warm process, and replace a keeper that is killed

It outlives daemons, holds a duplicate of each terminal until the end is recorded, and is a child subreaper: when a
keeper is killed its program becomes the hatchery's child, so its exit status can still be known.
"""

from __future__ import annotations

import ctypes
import fcntl
import gc
import json
import os
import resource
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from .asking import Asker
from .door import drain, let_in, open_door, wait_for_children
from .keeper import UNKNOWN, Keeper, exit_code, reserve_record
from .program import Order, start_program

VISITORS = 1024  # a daemon that adopts may ask about every session at once
LINGER = 1.0  # seconds an unneeded hatchery waits for a new daemon
FORK_RETRY = 0.2  # seconds between attempts to replace a keeper when the system has no room for a process
PATIENCE = 5, 10.0  # so many keepers lost within so many seconds, and the session is given up
REASON_LIMIT = 1000  # characters of why a program cannot run; they travel in one piece
PR_SET_CHILD_SUBREAPER = 36
UNENDING: list[Any] = []  # a PtyProcess that is finalised hangs its program up


class Nest:
    """One session: its keeper, and all that a successor would need."""

    def __init__(self, session: str, asker: Asker | None) -> None:
        self.session, self.asker = session, asker
        self.channel: socket.socket | None = None
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
            pass  # the home is gone
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
        for order in orders:
            if "ask" in order:
                asker.reply(**self.what_of(order["ask"]))
            else:
                self.hatch(asker, order)

    def what_of(self, session: str) -> dict[str, Any]:
        nests = [*self.nests.items(), *((0, nest) for nest in self.unkept)]
        known = [(pid, nest) for pid, nest in nests if nest.session == session and nest.program > 0]
        pids = {"keeper": known[0][0], "program": known[0][1].program} if known else {}
        return {"session": session, "known": bool(known), **pids}

    # -- keepers

    def fork(self, nest: Nest, role: Callable[[socket.socket], None]) -> None:
        """OSError: the system has no room for another process, or we for another descriptor."""
        channel, theirs = socket.socketpair()
        with theirs:
            try:
                pid = os.fork()
            except OSError:
                channel.close()
                raise
            if pid == 0:
                run_child(nest, theirs, role)
        channel.setblocking(False)
        nest.channel = channel
        self.nests[pid] = nest
        self.poll.register(channel, select.POLLIN)

    def hatch(self, asker: Asker, order: Order) -> None:
        try:
            self.fork(Nest(order["session"], asker), lambda channel: be_keeper(channel, order))
        except OSError as error:
            asker.reply(
                session=order["session"], error=str(error), kind=type(error).__name__, errno=error.errno
            )

    def hatch_again(self, nest: Nest) -> None:
        nest.is_ward, nest.is_told, nest.asker = True, False, None
        try:
            self.fork(nest, lambda channel: be_successor(channel, nest))
        except OSError:
            self.unkept.append(nest)

    def retry_forks(self) -> None:
        due, self.unkept = self.unkept, []
        for nest in due:
            self.hatch_again(nest)
        if due:
            self.see_children()

    def hear_keeper(self, descriptor: int) -> None:
        found = [nest for nest in self.nests.values() if nest.channel and nest.channel.fileno() == descriptor]
        if not found or found[0].channel is None:
            return
        nest, channel = found[0], found[0].channel
        try:
            word, terminals, _, _ = socket.recv_fds(channel, 65536, 1)
        except BlockingIOError:
            return
        except OSError:
            word, terminals = b"", []
        if not word:
            self.forget_channel(nest)
            return
        said = json.loads(word)
        if terminals:
            nest.terminal, nest.program = terminals[0], said["program"]
        if nest.asker:
            nest.asker.reply(session=nest.session, **said)
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
            nest.asker.reply(
                session=nest.session, error="the keeper died before the program ran", kind="OSError"
            )
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
        except ChildProcessError:
            code: int | None = UNKNOWN
        else:
            code = exit_code(end)
        if code is None:
            return
        try:
            nest.channel.send(struct.pack("i", code))
            nest.is_told = True
        except OSError:
            pass  # it has just been killed too; the next one is told


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
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
            return {int(pid) for pid in file.read().split()}
    except OSError:
        return set()


# -- in the forked child


def run_child(nest: Nest, channel: socket.socket, role: Callable[[socket.socket], None]) -> None:
    """Never returns: a keeper leaves by `_exit`, so that nothing it inherited is ever finalised."""
    code = 1
    try:
        os.setsid()
        for number in (signal.SIGPIPE, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        signal.set_wakeup_fd(-1)
        close_all_but(channel.fileno(), nest.terminal)
        os.chdir(nest.session)
        role(channel)
        code = 0
    except BaseException:  # noqa: BLE001  a forked child must never get back into its parent's code
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)


def close_all_but(*kept: int) -> None:
    edges = [2, *sorted(descriptor for descriptor in kept if descriptor > 2), 1 << 20]
    for low, high in pairwise(edges):
        os.closerange(low + 1, high)


def be_keeper(channel: socket.socket, order: Order) -> None:
    try:
        reserve_record()
        keeper = Keeper(channel)
        process = start_program(order)
    except Exception as error:  # noqa: BLE001  whatever it is, the daemon is told
        number = error.errno if isinstance(error, OSError) else None
        why = {"error": str(error)[:REASON_LIMIT], "kind": type(error).__name__, "errno": number}
        channel.send(json.dumps(why).encode())
        return
    order.clear()
    UNENDING.append(process)
    keeper.keep(process.fd, process.pid, is_parent=True)
    socket.send_fds(
        channel, [json.dumps({"program": process.pid, "keeper": os.getpid()}).encode()], [process.fd]
    )
    keeper.serve_program()


def be_successor(channel: socket.socket, nest: Nest) -> None:
    keeper = Keeper(channel)
    keeper.keep(nest.terminal, nest.program, is_parent=False)
    keeper.serve_program()


def main() -> None:
    os.umask(0o077)
    gc.disable()  # a keeper makes no cycles, and a collection would unshare the pages it has from its parent
    for number in (signal.SIGPIPE, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if hard != resource.RLIM_INFINITY else 1 << 16, hard))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        hatchery = Hatchery(sys.argv[1])
    except BlockingIOError:
        return  # another one is already warm
    hatchery.serve_daemons()
