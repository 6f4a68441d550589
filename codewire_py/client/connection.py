"""ask the daemon something, and repeat what is safe to repeat when it goes away meanwhile"""

from __future__ import annotations

import os
import time

from codewire_py.client.starting import start_daemon
from codewire_py.errors import (
    ConnectionLost,
    NoDaemon,
    OutcomeUnknown,
    ProtocolError,
    Unreachable,
    from_wire,
)  # fmt: skip
from codewire_py.home.paths import SOCKET, check_home, connect
from codewire_py.version import VERSION
from codewire_py.wire.codec import decode, encode
from codewire_py.wire.frames import DATA, Frames
from codewire_py.wire.messages import FEATURES, PROTOCOL, Failed, Hello, Leaving

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol, TypeVar

    from codewire_py.client.servers import Server
    from codewire_py.wire.declare import Message

    Reply = TypeVar("Reply", bound=Message)

    class Peer(Protocol):
        """What a connection asks of its socket, or of whatever stands for one."""

        def sendall(self, data: bytes, /) -> None: ...
        def recv(self, size: int, /) -> bytes: ...
        def setblocking(self, flag: bool, /) -> None: ...
        def settimeout(self, seconds: float | None, /) -> None: ...
        def fileno(self) -> int: ...
        def close(self) -> None: ...


# A launch by its request id. What comes in many parts (search, export, rendered logs) is begun again by whoever asks.
REPEATABLE = {"list", "status", "attach", "screen", "logs", "wait", "launch"}
RETRY_SECONDS = 20.0
PAUSE, LONGEST_PAUSE = 0.02, 1.0
DIAL_SECONDS = 10.0
BLOCK = 65536


class Connection:
    """One conversation over a blocking socket."""

    __slots__ = ("_frames", "_unread", "hello", "peer")

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.hello: Hello | None = None  # what the daemon said of itself
        self._frames = Frames()
        self._unread: list[tuple[int, bytes]] = []

    def fileno(self) -> int:
        return self.peer.fileno()

    def say(self, *messages: Message) -> None:
        """Together, so that a request need not wait for the daemon's hello."""
        try:
            self.peer.sendall(b"".join(map(encode, messages)))
        except OSError as error:
            raise ConnectionLost("the daemon went away") from error

    def ask(self, request: Message) -> Message:
        """Say hello and this; return the reply, or raise what was refused."""
        try:
            self.open(request)
        except ConnectionLost:
            pass  # it may have said why before it left
        return self.answer()

    def open(self, request: Message) -> None:
        self.say(Hello(version=PROTOCOL, software=VERSION, features=FEATURES), request)

    def answer(self) -> Message:
        """The reply, after the daemon's own hello."""
        hello = self.hear()
        if isinstance(hello, Hello):
            self.hello = hello
            return self.hear()
        raise ProtocolError(f"the daemon began with {type(hello).type!r}")

    def hear(self) -> Message:
        """The next message; a refusal is raised as the error it stands for."""
        kind, payload = self.receive()
        if kind == DATA:
            raise ProtocolError("log bytes came where a message was due")
        message = decode(payload)
        if isinstance(message, Failed):
            raise from_wire(message.code, message.message, message.hint)
        if isinstance(message, Leaving):
            raise ConnectionLost(f"the daemon leaves: {message.why}")
        return message

    def receive(self) -> tuple[int, bytes]:
        while not self._unread:
            self._unread = self.take()
        return self._unread.pop(0)

    def take(self) -> list[tuple[int, bytes]]:
        """The frames that one read brings, perhaps none; first those that came together with a reply."""
        if self._unread:
            found, self._unread = self._unread, []
            return found
        try:
            data = self.peer.recv(BLOCK)
        except BlockingIOError:
            return []
        except OSError as error:
            raise ConnectionLost("the daemon went away") from error
        if not data:
            raise ConnectionLost("the daemon went away")
        return list(self._frames.feed(data))

    def close(self) -> None:
        self.peer.close()


def reach(
    where: str | Server, may_start: bool = True, seconds: float = DIAL_SECONDS, may_ask: bool = True
) -> Connection:
    """A connection to a server, or to the daemon of a home, which is started if need be."""
    if isinstance(where, str):
        return reach_home(where, may_start)
    return Connection(dial(where, seconds, may_ask))


def dial(server: Server, seconds: float, may_ask: bool = True) -> Peer:
    """Whoever hears that it cannot be had hears which server that is. `may_ask`: a person, for a password."""
    try:
        if server.url.startswith("ssh://"):
            from codewire_py.client.transports import ssh
            from codewire_py.client.transports.outbox import PlainPeer

            return PlainPeer(ssh.dial(server, seconds, may_ask))
        from codewire_py.client.transports import web

        return web.dial(server, seconds)
    except Unreachable as error:
        if server.name in error.message:
            raise
        raise Unreachable(f"cannot reach {server.called()}: {error.message}", error.hint) from error


def reach_home(home: str, may_start: bool) -> Connection:
    if os.path.lexists(home):
        check_home(home)
    while True:
        try:
            return Connection(connect(f"{home}/{SOCKET}", None))
        except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
            pass
        if not may_start:
            raise NoDaemon("no daemon is running")
        start_daemon(home)


def ask(where: str | Server, request: Message, reply: type[Reply], may_start: bool = True) -> Reply:
    """One request, one reply of that type."""
    connection, answer = converse(where, request, reply, may_start)
    connection.close()
    return answer


def converse(
    where: str | Server,
    request: Message,
    reply: type[Reply],
    may_start: bool = True,
    seconds: float | None = None,
) -> tuple[Connection, Reply]:
    """Like `ask`, with the conversation still open: the daemon may go away meanwhile, then the next one is asked."""
    again = Again()
    while True:
        try:
            return converse_once(where, request, reply, may_start, seconds)
        except (ConnectionLost, Unreachable) as error:
            verb = type(request).type
            if isinstance(error, ConnectionLost) and verb not in REPEATABLE:
                raise OutcomeUnknown(f"the daemon went away before it answered {verb!r}") from error
            again.pause(error)


class Again:
    """Whether to begin again, and not too soon: for some time after the daemon, which was there, went away.

    `may_start`: not after it was stopped, for only a new command may start one then.
    """

    def __init__(self, seconds: float = RETRY_SECONDS) -> None:
        self.seconds = seconds
        self.deadline, self.came, self.tries = 0.0, 0, 0
        self.may_start = True

    def pause(self, error: ConnectionLost | NoDaemon | Unreachable, came: int = 0) -> None:
        """`came`: how much of the answer there is; with more than before, that time begins anew."""
        now = time.monotonic()
        self.tries += 1
        if isinstance(error, ConnectionLost):
            self.may_start, self.tries = "stop" not in error.message, 0
            if came > self.came or not self.deadline:
                self.deadline, self.came = now + self.seconds, came
        if now > self.deadline:
            raise error
        time.sleep(min(LONGEST_PAUSE, PAUSE * 2.0**self.tries) + os.getpid() % 50 / 1000)


def converse_once(
    where: str | Server, request: Message, reply: type[Reply], may_start: bool, seconds: float | None = None
) -> tuple[Connection, Reply]:
    """`seconds`: that a server may be silent, where that is less than usual."""
    connection = reach(where, may_start, DIAL_SECONDS if seconds is None else min(DIAL_SECONDS, seconds))
    if seconds is not None and not isinstance(where, str):
        connection.peer.settimeout(seconds)
    try:
        answer = connection.ask(request)
        if isinstance(answer, reply):
            return connection, answer
        raise ProtocolError(f"the daemon answered {type(request).type!r} with {type(answer).type!r}")
    except BaseException:
        connection.close()
        raise
