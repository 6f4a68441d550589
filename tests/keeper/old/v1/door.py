"""a socket in the home directory that only our own user's processes get through"""

from __future__ import annotations

import _signal
import _socket
import errno
import os
import sys

spare: list[int] = []  # a descriptor to give up, so that a visitor can be turned away when we have no other
CLOSE_ON_EXEC = getattr(_socket, "MSG_CMSG_CLOEXEC", 0)


def open_door(name: str, backlog: int) -> _socket.socket:
    """Listen at `name`, which is relative: a home may have a longer path than a socket address can hold."""
    if os.path.lexists(name):
        os.unlink(name)
    door = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    door.bind(name)
    os.chmod(name, 0o600)
    door.listen(backlog)
    door.setblocking(False)
    spare[:] = [os.dup(2)]  # a fork has closed its parent's already
    return door


def let_in(door: _socket.socket) -> _socket.socket | None:
    """The next visitor, if it is one of ours."""
    try:
        descriptor, _ = door._accept()  # type: ignore[attr-defined]  # noqa: SLF001  all that socket.accept has more is enums
    except OSError as error:
        if error.errno in (errno.EMFILE, errno.ENFILE):
            turn_away(door)
        return None
    visitor = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM, 0, descriptor)
    visitor.setblocking(False)
    if hasattr(_socket, "SO_PEERCRED"):
        raw = visitor.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)
        if int.from_bytes(raw[4:8], sys.byteorder) != os.geteuid():
            visitor.close()
            return None
    return visitor


def turn_away(door: _socket.socket) -> None:
    """We may have no more descriptors; but a visitor that is left standing would keep us awake."""
    while spare:
        os.close(spare.pop())
    try:
        os.close(door._accept()[0])  # type: ignore[attr-defined]  # noqa: SLF001  as above
        spare.append(os.dup(2))
    except OSError:
        return


def send_with(peer: _socket.socket, word: bytes, descriptor: int) -> None:
    """A word, and a descriptor with it."""
    passed = descriptor.to_bytes(4, sys.byteorder)
    peer.sendmsg([word], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, passed)])


def receive_with(peer: _socket.socket) -> tuple[bytes, int]:
    """A word, and the descriptor that came with it, or -1."""
    word, extras, _, _ = peer.recvmsg(65536, _socket.CMSG_SPACE(4), CLOSE_ON_EXEC)
    return word, int.from_bytes(extras[0][2][:4], sys.byteorder) if extras else -1


def wait_for_children() -> int:
    """A descriptor that becomes readable when a child has changed."""
    inlet, outlet = os.pipe()
    os.set_blocking(inlet, False)
    os.set_blocking(outlet, False)
    _signal.signal(_signal.SIGCHLD, lambda number, frame: None)
    _signal.set_wakeup_fd(outlet, warn_on_full_buffer=False)
    return inlet


def drain(descriptor: int) -> None:
    try:
        while os.read(descriptor, 4096):
            pass
    except OSError:
        pass
