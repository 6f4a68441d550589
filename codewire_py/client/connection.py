"""ask the daemon something, and repeat what is safe to repeat when it goes away meanwhile"""

from __future__ import annotations

import os
import time

from codewire_py.client.starting import start_daemon
from codewire_py.errors import ConnectionLost, NoDaemon, OutcomeUnknown, ProtocolError, from_wire
from codewire_py.home.paths import SOCKET, check_home, connect
from codewire_py.version import VERSION
from codewire_py.wire.codec import decode, encode
from codewire_py.wire.frames import DATA, Frames
from codewire_py.wire.messages import FEATURES, PROTOCOL, Failed, Hello, Leaving

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket
    from typing import TypeVar

    from codewire_py.wire.declare import Message

    Reply = TypeVar("Reply", bound=Message)

# A launch by its request id; of a search and a recording, only what comes before their first part.
REPEATABLE = {"list", "status", "attach", "screen", "logs", "search", "export", "wait", "launch"}
RETRY_SECONDS = 20.0
BLOCK = 65536


class Connection:
    """One conversation over a blocking socket."""

    __slots__ = ("_frames", "_unread", "peer")

    def __init__(self, peer: _socket.socket) -> None:
        self.peer = peer
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
            self._unread.extend(self.take())
        return self._unread.pop(0)

    def take(self) -> list[tuple[int, bytes]]:
        """The frames that one read brings, perhaps none."""
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


def reach(home: str, may_start: bool = True) -> Connection:
    """A connection to the daemon of this home, which is started if need be."""
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


def ask(home: str, request: Message, reply: type[Reply], may_start: bool = True) -> Reply:
    """One request, one reply of that type."""
    connection, answer = converse(home, request, reply, may_start)
    connection.close()
    return answer


def converse(
    home: str, request: Message, reply: type[Reply], may_start: bool = True
) -> tuple[Connection, Reply]:
    """Like `ask`, with the conversation still open: the daemon may go away meanwhile, then the next one is asked."""
    deadline = time.monotonic() + RETRY_SECONDS
    while True:
        try:
            return converse_once(home, request, reply, may_start)
        except ConnectionLost as error:
            verb = type(request).type
            if verb not in REPEATABLE:
                raise OutcomeUnknown(f"the daemon went away before it answered {verb!r}") from error
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02 + os.getpid() % 50 / 1000)


def converse_once(
    home: str, request: Message, reply: type[Reply], may_start: bool
) -> tuple[Connection, Reply]:
    connection = reach(home, may_start)
    try:
        answer = connection.ask(request)
        if isinstance(answer, reply):
            return connection, answer
        raise ProtocolError(f"the daemon answered {type(request).type!r} with {type(answer).type!r}")
    except BaseException:
        connection.close()
        raise
