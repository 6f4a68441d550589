"""cw stdio: be the way from an ssh connection to the daemon of this machine"""

from __future__ import annotations

import _socket
import os
import select

from codewire_py.cli import context
from codewire_py.cli.table import Command
from codewire_py.client.connection import reach_home
from codewire_py.client.transports.ssh import GREETING
from codewire_py.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codewire_py.cli.table import Given

BLOCK = 256 << 10
BROKEN = select.POLLERR | select.POLLHUP
NOWHERE = -1


def run(_given: Given) -> int:
    context.stay_here("stdio")
    was_blocking = [(fd, os.get_blocking(fd)) for fd in (0, 1)]  # others may have them, too
    if os.isatty(0) or os.isatty(1):
        raise UsageError(
            "cw stdio talks to programs: ssh runs it here for a cw on another machine",
            "on that machine: cw --server ssh://HOST list",
        )
    os.read(0, 0)  # one that is closed is told before a daemon is started
    os.write(1, b"")
    daemon = reach_home(context.home(), may_start=True).peer
    assert isinstance(daemon, _socket.socket)
    try:
        os.write(1, GREETING)
        for fd in (0, 1, daemon.fileno()):
            os.set_blocking(fd, False)
        pass_on(daemon)
    finally:
        daemon.close()
        for fd, flag in was_blocking:
            os.set_blocking(fd, flag)
    return 0


class Way:
    """One direction, and what was read and not yet written: until it is, no more is read."""

    __slots__ = ("held", "is_over", "source", "target")

    def __init__(self, source: int, target: int) -> None:
        self.source, self.target = source, target
        self.held = memoryview(b"")
        self.is_over = False  # nothing more comes, and what came is written

    def wants(self) -> tuple[int, int]:
        """(descriptor, what to wait for there)"""
        return (self.target, select.POLLOUT) if self.held else (self.source, select.POLLIN)

    def move(self) -> bool:
        """As far as it goes without waiting; whether it is over now."""
        try:
            if not self.held:
                self.read()
            if self.held:
                self.held = self.held[os.write(self.target, self.held) :]
        except BlockingIOError:
            pass
        except (BrokenPipeError, ConnectionResetError):
            self.lose_target()
        return self.is_over

    def read(self) -> None:
        try:
            data = os.read(self.source, BLOCK)
        except ConnectionResetError:
            data = b""
        self.is_over = not data
        self.held = memoryview(b"" if self.target == NOWHERE else data)

    def lose_target(self) -> None:
        """What still comes is read, so that nobody waits for us, and dropped."""
        self.target, self.held = NOWHERE, memoryview(b"")


def pass_on(daemon: _socket.socket) -> None:
    """Until the daemon hangs up; or until nothing more comes for it, and nobody takes what it says."""
    up, down = Way(0, daemon.fileno()), Way(daemon.fileno(), 1)
    while not down.is_over and not (up.is_over and down.target == NOWHERE):
        ready = wait(up, down)
        if down.target != NOWHERE and ready.get(down.target, 0) & BROKEN:
            down.lose_target()
        if not up.is_over and up.wants()[0] in ready and up.move():
            say_end(daemon)
        if down.wants()[0] in ready:
            down.move()


def wait(up: Way, down: Way) -> dict[int, int]:
    """What goes on now, by descriptor."""
    wanted = {} if down.target == NOWHERE else {down.target: 0}  # whether it still is there
    for fd, event in (down.wants(), *(() if up.is_over else (up.wants(),))):
        wanted[fd] = wanted.get(fd, 0) | event
    poll = select.poll()
    for fd, events in wanted.items():
        poll.register(fd, events)
    return dict(poll.poll())


def say_end(daemon: _socket.socket) -> None:
    try:
        daemon.shutdown(_socket.SHUT_WR)
    except OSError:
        return  # it is gone: reading tells


COMMAND = Command(run, "Be the way to this machine's daemon: what ssh:// runs on the other side.")
