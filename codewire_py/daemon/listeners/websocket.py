"""a WebSocket as a stream of frames: one binary message is one frame; the protocol is the library's, the clock ours"""

from __future__ import annotations

import fcntl
import logging
import struct
import termios
from collections import deque
from contextlib import suppress
from socket import IPPROTO_TCP

import trio
from websockets.exceptions import InvalidState
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol

from codewire_py.daemon import limits
from codewire_py.wire.frames import HEADER

Below = trio.SocketStream | trio.SSLStream[trio.SocketStream]
ONLY_FRAMES = "a message is one frame of the protocol, and binary"
GONE = (trio.BrokenResourceError, trio.ClosedResourceError)
TCP_INFO = 11  # Linux
UNANSWERED = 3  # of the kernel's attempts; it makes as many in a few seconds
silent = logging.getLogger("codewire.websocket")
silent.setLevel(logging.CRITICAL + 1)  # what a peer did wrong is told to that peer


def is_frame(message: bytes) -> bool:
    """Its header and all of its payload, and nothing more."""
    return len(message) >= HEADER and int.from_bytes(message[1:HEADER], "big") == len(message) - HEADER


def count_untaken(socket: trio.socket.SocketType) -> int:
    """Bytes that the other machine has not taken yet; 0 where the system does not tell."""
    try:
        return int(struct.unpack("i", fcntl.ioctl(socket.fileno(), termios.TIOCOUTQ, bytes(4)))[0])
    except (OSError, ValueError):
        return 0


def is_cut_off(socket: trio.socket.SocketType) -> bool:
    """Whether nothing at all comes back, not even from the other machine's kernel; false where nobody can tell."""
    try:
        state = socket.getsockopt(IPPROTO_TCP, TCP_INFO, 8)
    except OSError:
        return False
    retransmits, probes = state[2:4]
    return int(retransmits + probes) >= UNANSWERED


def head_of(size: int) -> bytes:
    """Of a whole binary message from a server."""
    if size < 126:
        return bytes((0x82, size))
    return struct.pack("!BBH", 0x82, 126, size) if size < 1 << 16 else struct.pack("!BBQ", 0x82, 127, size)


class Turn:
    """A lock that costs no round through the scheduler while nobody else wants it."""

    __slots__ = ("lock",)

    def __init__(self, lock: trio.Lock) -> None:
        self.lock = lock

    async def __aenter__(self) -> None:
        try:
            self.lock.acquire_nowait()
        except trio.WouldBlock:
            await self.lock.acquire()

    async def __aexit__(self, *_: object) -> None:
        self.lock.release()


class WebStream(trio.abc.Stream):
    """`below` carries the bytes; `protocol` has shaken hands already.

    `send_all` sends one message, `receive_some` returns the next one, whole. While a peer takes what it is sent, or
    says anything, it lives; see `keep_alive`.
    """

    def __init__(self, below: Below, protocol: ServerProtocol) -> None:
        self.below, self.protocol = below, protocol
        self.socket = (below.transport_stream if isinstance(below, trio.SSLStream) else below).socket
        self.inbox: deque[bytes] = deque()
        self.fragments = bytearray()
        self.reading, self.writing = trio.Lock(), trio.Lock()
        self.is_broken = self.has_refused = False
        self.heard_at = self.taken_at = trio.current_time()
        self.pinged_at = 0.0
        self.outgoing = 0, False
        self.take_events()  # that came with the handshake

    # -- out

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        async with Turn(self.writing):
            if self.is_over():
                raise trio.BrokenResourceError("the peer has said good-bye")
            if self.protocol.extensions:
                self.protocol.send_binary(data)
            else:  # what the library would send, in a third of the time
                self.protocol.writes.append(head_of(len(data)) + data)
            await self.flush()

    async def flush(self) -> None:
        """In its turn. What was sent by half leaves nothing that the peer could understand."""
        try:
            while writes := self.protocol.data_to_send():
                data = writes[0] if len(writes) == 1 else b"".join(writes)
                if self.is_broken:
                    raise trio.BrokenResourceError
                if data:
                    await self.below.send_all(data)
        except BaseException:
            await self.drop()
            raise

    async def wait_send_all_might_not_block(self) -> None:
        await self.below.wait_send_all_might_not_block()

    async def answer(self) -> None:
        """Pongs and such: whoever is writing sends them afterwards, unless there are too many to keep."""
        is_many = sum(map(len, self.protocol.writes)) > limits.UNSENT_BYTES
        if self.protocol.writes and (is_many or not self.writing.locked()):
            async with Turn(self.writing):
                await self.flush()

    # -- in

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """The next message, whatever its size; nothing when the peer has left."""
        while not self.inbox:
            if self.is_over():
                return b""
            await self.pull()
        return self.inbox.popleft()

    def is_over(self) -> bool:
        return self.is_broken or self.protocol.state is not State.OPEN

    async def pull(self) -> None:
        """Take in what has come. Whoever waits for a turn while another pulls finds what that one got."""
        async with Turn(self.reading):
            if self.inbox or self.is_over():
                return
            data = await self.hear()
            self.heard_at = trio.current_time()
            if data:
                self.protocol.receive_data(data)
            else:
                self.protocol.receive_eof()
            self.take_events()
            await self.answer()

    def take_events(self) -> None:
        """What came before a mistake counts, what came after it does not."""
        for event in self.protocol.events_received():
            if not self.has_refused:
                self.take(event)

    async def hear(self) -> bytes | bytearray:
        try:
            return await self.below.receive_some(limits.PULL_BYTES)
        except trio.ClosedResourceError:
            raise trio.BrokenResourceError("the peer was given up") from None

    def take(self, event: object) -> None:
        if not isinstance(event, Frame) or event.opcode not in (Opcode.BINARY, Opcode.TEXT, Opcode.CONT):
            return
        if event.opcode is Opcode.TEXT:
            self.refuse(1003)
            return
        if not event.fin or self.fragments:
            self.fragments += event.data
        if not event.fin:
            return
        message = bytes(self.fragments or event.data)
        self.fragments.clear()
        if is_frame(message):
            self.inbox.append(message)
        else:
            self.refuse(1007)

    def refuse(self, code: int) -> None:
        self.has_refused = True
        if self.protocol.state is State.OPEN:
            self.protocol.fail(code, ONLY_FRAMES)

    # -- life

    async def keep_alive(self) -> None:
        """Until the peer is dead: it answers nothing, or takes nothing of what it is being sent."""
        with suppress(*GONE):
            while not self.is_over():
                now = trio.current_time()
                due = self.look(now)
                if due <= now:
                    await self.drop()
                    return
                if self.is_ping_due(now):
                    await self.ping(now)
                with trio.move_on_at(min(due, self.next_ping(now))):
                    await self.listen()

    def look(self, now: float) -> float:
        """When the peer is to be given up, if nothing changes until then."""
        outgoing = self.count_outgoing()
        if outgoing != self.outgoing:
            self.outgoing, self.taken_at = outgoing, now
        if any(outgoing) and not is_cut_off(self.socket):
            return self.taken_at + limits.STUCK_SECONDS
        if self.inbox:
            return now + limits.PONG_SECONDS  # it is us who do not listen
        return max(self.heard_at, self.taken_at) + limits.PONG_SECONDS

    def count_outgoing(self) -> tuple[int, bool]:
        return count_untaken(self.socket), self.writing.locked()

    def is_ping_due(self, now: float) -> bool:
        return now >= max(self.heard_at, self.pinged_at) + limits.PING_SECONDS and not self.writing.locked()

    def next_ping(self, now: float) -> float:
        due = max(self.heard_at, self.pinged_at) + limits.PING_SECONDS
        return due if due > now else now + limits.PING_SECONDS

    async def ping(self, now: float) -> None:
        self.pinged_at = now
        with trio.move_on_after(limits.STUCK_SECONDS):
            async with Turn(self.writing):
                with suppress(InvalidState):
                    self.protocol.send_ping(b"")
                await self.flush()
        self.outgoing = self.count_outgoing()  # what we add ourselves is nothing that the peer took

    async def listen(self) -> None:
        """A verb that takes its time reads nothing meanwhile: then hear the pong for it."""
        while self.pinged_at > self.heard_at and not self.inbox and not self.reading.locked():
            await self.pull()
            if self.is_over():
                return
        await trio.sleep_forever()

    # -- the end

    async def drop(self) -> None:
        """At once: whoever reads or writes meanwhile hears of it."""
        self.is_broken = True
        await trio.aclose_forcefully(self.below)

    async def aclose(self) -> None:
        """Say good-bye, and let the last words arrive: a socket that is closed with words unread takes them back."""
        try:
            with trio.move_on_after(limits.GOODBYE_SECONDS), suppress(*GONE):
                await self.say_goodbye()
        finally:
            await self.drop()

    async def say_goodbye(self) -> None:
        async with Turn(self.writing):
            with suppress(InvalidState):
                self.protocol.send_close(1000)
            await self.flush()
        if isinstance(self.below, trio.SocketStream):
            await self.below.send_eof()
        async with Turn(self.reading):
            while not self.is_broken and await self.below.receive_some(limits.PULL_BYTES):
                pass
