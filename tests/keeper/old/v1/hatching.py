"""in the forked child: become a keeper, and have its program born"""

from __future__ import annotations

import _signal
import _socket
import ctypes
import json
import os
import sys
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from .door import receive_with, send_with
from .keeper import Keeper, reserve_record
from .program import start_program

Role = Callable[[_socket.socket], None]
PR_SET_CHILD_SUBREAPER = 36
REASON_LIMIT = 1000  # characters; a reason travels in one piece
PRCTL = getattr(ctypes.CDLL(None), "prctl", None)
UNENDING: list[Any] = []  # a PtyProcess that is finalised hangs its program up


def run_child(session: str, channel: _socket.socket, terminal: int, role: Role) -> None:
    """Never returns: a keeper leaves by `_exit`, so that nothing it inherited is ever finalised."""
    code = 1
    try:
        os.setsid()
        _signal.set_wakeup_fd(-1)
        close_all_but(channel.fileno(), terminal)
        os.chdir(session)
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


def be_keeper(channel: _socket.socket, order: bytes) -> None:
    try:
        reserve_record()
        keeper = Keeper(channel)
    except OSError as error:
        channel.send(tell_why(error))
        return
    word, terminal = have_born(order)
    if terminal < 0:
        channel.send(word)
        return
    keeper.keep(terminal, int(word))
    send_with(channel, word, terminal)
    keeper.serve_program()


def have_born(order: bytes) -> tuple[bytes, int]:
    """(pid, terminal) of the program, or (why not, -1).

    A midwife reads the order and starts the program, and leaves: as their subreaper we become its parent, and all the
    memory that took was hers.
    """
    if not be_subreaper():
        return bear(order)
    ours, theirs = _socket.socketpair()
    midwife = os.fork()
    if midwife == 0:
        try:
            _signal.set_wakeup_fd(-1)
            word, terminal = bear(order)
            send_with(theirs, word, terminal) if terminal >= 0 else theirs.send(word)
        finally:
            os._exit(0)
    theirs.close()
    word, terminal = receive_with(ours)
    ours.close()
    os.waitpid(midwife, 0)
    return word or tell_why(OSError("it could not be started")), terminal


def bear(order: bytes) -> tuple[bytes, int]:
    try:
        process = start_program(json.loads(order))
    except Exception as error:  # noqa: BLE001  whatever it is, the daemon is told
        return tell_why(error), -1
    UNENDING.append(process)
    return b"%d" % process.pid, process.fd


def tell_why(error: Exception) -> bytes:
    number = error.errno if isinstance(error, OSError) else None
    why = {"error": str(error)[:REASON_LIMIT], "kind": type(error).__name__, "errno": number}
    return json.dumps(why).encode()


def be_successor(channel: _socket.socket, terminal: int, program: int) -> None:
    keeper = Keeper(channel)
    keeper.keep(terminal, program)
    keeper.watch_program()
    keeper.serve_program()


def be_subreaper() -> bool:
    """Whether processes that lose their parent become our children, as on Linux."""
    return PRCTL is not None and PRCTL(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
