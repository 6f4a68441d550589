"""peers from elsewhere: HTTP and WebSocket on one port, each let in by a token"""

from __future__ import annotations

import logging
import socket
from contextlib import suppress

import trio

from codewire_py.config import Config
from codewire_py.daemon import limits
from codewire_py.daemon.listeners.hosts import Guests, neighbourhood
from codewire_py.daemon.listeners.http import GONE
from codewire_py.daemon.listeners.opening import Door, can_waiting_help, open_door
from codewire_py.daemon.listeners.requests import Caller, Reception
from codewire_py.daemon.listeners.websocket import Below
from codewire_py.daemon.talk import House
from codewire_py.errors import CodewireError
from codewire_py.values import quote

journal = logging.getLogger("codewire")
FULL_BODY = b'{"error": "limit-reached", "message": "too many connections", "hint": "try again soon"}\n'
FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nConnection: close\r\n"
    b"Retry-After: 10\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(FULL_BODY), FULL_BODY)
)
ALIVE = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}


class Listening:
    """The listener that the configuration asks for: open, or not yet."""

    def __init__(self, config: Config, inherited: socket.socket | None = None) -> None:
        self.config, self.inherited = config, inherited
        self.door: Door | None = None

    def open(self) -> Door:
        """What was handed over is used at the first attempt or not at all."""
        inherited, self.inherited = self.inherited, None
        self.door = open_door(self.config, inherited)
        journal.info("listens at %s", self.door.address)
        return self.door

    async def keep_trying(self, house: House) -> Door | None:
        """None: it cannot be, as things are configured. The journal is told each reason once."""
        while self.door is None:
            try:
                return await trio.to_thread.run_sync(self.open)
            except CodewireError as error:
                trouble = "; ".join(filter(None, (error.message, error.hint)))
                if trouble != house.trouble:
                    journal.error("%s", trouble)
                house.trouble = trouble
                if not can_waiting_help(error):
                    return None
            await trio.sleep(limits.AGAIN_SECONDS)
        return self.door

    async def serve(self, house: House) -> None:
        """Let in whoever may come, until we leave."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(house.departure.close, accepting := trio.CancelScope())
            with accepting:
                door = await self.keep_trying(house)
                if door is not None:
                    house.url, house.fingerprint, house.trouble = door.url, door.fingerprint, ""
                    guests = Guests(self.config, is_encrypted=bool(door.tls))
                    await Lobby(door, Reception(house, guests), nursery).welcome()


class Lobby:
    """Counts who is here."""

    def __init__(self, door: Door, reception: Reception, nursery: trio.Nursery) -> None:
        self.door, self.reception, self.nursery = door, reception, nursery
        self.here: dict[str, int] = {}

    async def welcome(self) -> None:
        listener = trio.socket.from_stdlib_socket(self.door.listener)
        while True:
            try:
                peer, (address, *_) = await listener.accept()
            except OSError as error:
                journal.warning("cannot accept: %s", error)
                await trio.sleep(0.1)
                continue
            neighbours = neighbourhood(address)
            if self.has_room(neighbours):
                self.here[neighbours] = self.here.get(neighbours, 0) + 1
                self.nursery.start_soon(self.entertain, peer, address)
            else:
                await self.turn_away(peer)

    def has_room(self, neighbours: str) -> bool:
        most = min(limits.WEB_CONNECTIONS, max(1, self.reception.house.room() // 2))
        is_full = sum(self.here.values()) >= most
        return not is_full and self.here.get(neighbours, 0) < limits.WEB_CONNECTIONS_EACH

    async def turn_away(self, peer: trio.socket.SocketType) -> None:
        """At once, and without reading anything: what is sent here fits into the buffer of any new connection."""
        with peer, suppress(OSError), trio.move_on_after(0.1):
            if self.door.tls is None:
                await peer.send(FULL)

    async def entertain(self, peer: trio.socket.SocketType, address: str) -> None:
        """The error boundary of whatever comes before a conversation, which has its own."""
        try:
            await self.receive(peer, address)
        except (*GONE, OSError):
            pass
        except Exception:  # noqa: BLE001  one peer's trouble is never another's
            journal.exception("a peer at %s was dropped", quote(address))
        finally:
            peer.close()
            self.forget(neighbourhood(address))

    def forget(self, neighbours: str) -> None:
        self.here[neighbours] -= 1
        if not self.here[neighbours]:
            del self.here[neighbours]

    async def receive(self, peer: trio.socket.SocketType, address: str) -> None:
        head_by = trio.current_time() + limits.HEAD_SECONDS
        own = str(peer.getsockname()[0])
        plain = trio.SocketStream(peer)  # which sets TCP_NODELAY
        stream: Below = plain
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in ALIVE.items():
            if hasattr(socket, name):
                peer.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        if self.door.tls is not None:
            stream = trio.SSLStream(plain, self.door.tls, server_side=True, https_compatible=True)
            with trio.fail_at(head_by):
                await stream.do_handshake()
        await Caller(stream, address, own, self.reception).serve(head_by)
