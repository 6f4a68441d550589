"""a socket in the home directory that only our own user's processes get through"""

from __future__ import annotations

import errno
import os
import socket
import struct

spare: list[int] = []  # a descriptor to give up, so that a visitor can be turned away when we may have no other


def open_door(name: str, backlog: int) -> socket.socket:
    """Listen at `name`, which is relative: a home may have a longer path than a socket address can hold."""
    if os.path.lexists(name):
        os.unlink(name)
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    door.bind(name)
    os.chmod(name, 0o600)
    door.listen(backlog)
    door.setblocking(False)
    spare[:] = [os.dup(2)]  # what a fork has left of its parent's is closed already
    return door


def let_in(door: socket.socket) -> socket.socket | None:
    """The next visitor, if it is one of ours."""
    try:
        visitor, _ = door.accept()
    except OSError as error:
        if error.errno in (errno.EMFILE, errno.ENFILE):
            turn_away(door)
        return None
    visitor.setblocking(False)
    if hasattr(socket, "SO_PEERCRED"):
        raw = visitor.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        if struct.unpack("iII", raw)[1] != os.geteuid():
            visitor.close()
            return None
    return visitor


def turn_away(door: socket.socket) -> None:
    """We may have no more descriptors; but a visitor that is left standing would keep us awake."""
    while spare:
        os.close(spare.pop())
    try:
        door.accept()[0].close()
        spare.append(os.dup(2))
    except OSError:
        pass


def wait_for_children() -> int:
    """A descriptor that becomes readable when a child has changed."""
    import signal

    inlet, outlet = os.pipe()
    os.set_blocking(inlet, False)
    os.set_blocking(outlet, False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(outlet, warn_on_full_buffer=False)
    return inlet


def drain(descriptor: int) -> None:
    try:
        while os.read(descriptor, 4096):
            pass
    except OSError:
        pass
