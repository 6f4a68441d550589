"""a socket in the home directory that only our own user's processes get through"""

from __future__ import annotations

import os
import socket
import struct


def open_door(name: str, backlog: int) -> socket.socket:
    """Listen at `name`, which is relative: a home may have a longer path than a socket address can hold."""
    if os.path.lexists(name):
        os.unlink(name)
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    door.bind(name)
    os.chmod(name, 0o600)
    door.listen(backlog)
    door.setblocking(False)
    return door


def let_in(door: socket.socket) -> socket.socket | None:
    """The next visitor, if it is one of ours."""
    try:
        visitor, _ = door.accept()
    except OSError:
        return None
    visitor.setblocking(False)
    if hasattr(socket, "SO_PEERCRED"):
        raw = visitor.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        if struct.unpack("iII", raw)[1] != os.geteuid():
            visitor.close()
            return None
    return visitor


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
