"""peers on this machine: the Unix socket in the home directory, and their user"""

from __future__ import annotations

import logging
import os
import socket
import struct
from collections.abc import Callable

import trio

from codewire_py.daemon import limits
from codewire_py.daemon.conversation import converse
from codewire_py.daemon.talk import House, Talk
from codewire_py.home.paths import SOCKET

journal = logging.getLogger("codewire")


def bind() -> socket.socket:
    """We hold the daemon's lock, so a socket file that is there belongs to nobody."""
    if os.path.lexists(SOCKET):
        os.unlink(SOCKET)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(SOCKET)
    os.chmod(SOCKET, 0o600)
    listener.listen(limits.BACKLOG)
    return listener


def identify(peer: trio.socket.SocketType) -> tuple[int, int]:
    """(pid, uid) of the process at the other end; where the system does not tell, the directory is the gate."""
    if not hasattr(socket, "SO_PEERCRED"):
        return 0, os.geteuid()
    raw = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    pid, uid, _ = struct.unpack("iII", raw)
    return pid, uid


async def serve_unix(listener: socket.socket, house: House) -> None:
    """Let in whoever comes, until we leave: what is answered from then on must be true of the next daemon."""
    listener.setblocking(False)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(house.departure.close, accepting := trio.CancelScope())

        def begin(peer: trio.SocketStream, pid: int, guests: list[Talk]) -> None:
            guests.append(Talk(peer, house, pid))
            nursery.start_soon(entertain, guests[-1], guests)

        with accepting:
            await welcome(trio.socket.from_stdlib_socket(listener), begin, house.room)


async def welcome(
    door: trio.socket.SocketType,
    begin: Callable[[trio.SocketStream, int, list[Talk]], None],
    most: Callable[[], int],
) -> None:
    """`most`: how many there is room for."""
    guests: list[Talk] = []
    while True:
        peer = await accept(door, guests)
        if peer is not None:
            make_room(guests, most())
            begin(trio.SocketStream(peer), identify(peer)[0], guests)


async def accept(door: trio.socket.SocketType, guests: list[Talk]) -> trio.socket.SocketType | None:
    """None: it was not for us; trouble with one peer costs only that peer."""
    try:
        peer, _ = await door.accept()
    except OSError as error:
        journal.warning("cannot accept: %s", error)
        make_room(guests, len(guests))
        await trio.sleep(0.1)
        return None
    uid = identify(peer)[1]
    if uid == os.geteuid():
        return peer
    journal.warning("refused a peer of user %d", uid)
    peer.close()
    return None


async def entertain(talk: Talk, guests: list[Talk]) -> None:
    await converse(talk)
    if talk in guests:
        guests.remove(talk)


def make_room(guests: list[Talk], most: int) -> None:
    """When the house is full, whoever has waited longest without a hello leaves; else the one that came first."""
    if guests and len(guests) >= most:
        silent = [talk for talk in guests if not talk.has_greeted]
        leaving = (silent or guests)[0]
        guests.remove(leaving)
        leaving.scope.cancel()
