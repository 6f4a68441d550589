"""a peer that speaks the protocol frame by frame, as a client that is not ours would"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Any, TypeVar

from codewire_py.home.paths import connect
from codewire_py.wire.codec import decode, encode
from codewire_py.wire.declare import Message
from codewire_py.wire.frames import CONTROL, DATA, Frames, frame
from codewire_py.wire.messages import PROTOCOL, Failed, Hello, Launch, Painted
from homes import SECONDS, Home

Kind = TypeVar("Kind", bound=Message)


class Peer:
    """One conversation. `data` is every log byte that came, `paints` what a terminal of another size is shown."""

    def __init__(self, home: Home) -> None:
        found = connect(str(home.path / "server.sock"), SECONDS)
        self.peer = socket.socket(fileno=found.detach())
        self.peer.settimeout(SECONDS)
        self.frames = Frames()
        self.unread: list[tuple[int, bytes]] = []
        self.data = b""
        self.paints: list[Painted] = []

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self.peer.close()

    # -- saying

    def say(self, *messages: Message) -> Peer:
        self.peer.sendall(b"".join(map(encode, messages)))
        return self

    def say_raw(self, data: bytes) -> Peer:
        self.peer.sendall(data)
        return self

    def say_frame(self, kind: int, payload: bytes) -> Peer:
        return self.say_raw(frame(kind, payload))

    def ask(self, request: Message) -> Peer:
        """Hello and a request, in one breath; the daemon's hello is taken in."""
        self.say(Hello(version=PROTOCOL), request)
        self.hear(Hello)
        return self

    # -- hearing

    def next(self) -> tuple[int, bytes] | None:
        """The next frame; None at the end."""
        while not self.unread:
            try:
                data = self.peer.recv(1 << 16)
            except ConnectionResetError:
                data = b""
            if not data:
                assert not self.frames._unread, "the daemon left in the middle of a frame"
                return None
            self.unread.extend(self.frames.feed(data))
        return self.unread.pop(0)

    def hear(self, kind: type[Kind]) -> Kind:
        """The next message, which is of that kind; data and paints that come before it are kept."""
        while (found := self.next()) is not None:
            message = self.keep(*found)
            if isinstance(message, Painted) and not issubclass(kind, Painted):
                continue
            if message is not None:
                assert isinstance(message, kind), message
                return message
        raise AssertionError(f"the daemon left before it said {kind.__name__}")

    def until_data(self, is_so: Callable[[bytes], Any], what: str) -> None:
        deadline = time.monotonic() + SECONDS
        while not is_so(self.data):
            assert time.monotonic() < deadline, f"{self.data!r}, but no {what}"
            found = self.next()
            assert found is not None, f"it ended after {self.data!r}, before {what}"
            message = self.keep(*found)
            assert message is None or isinstance(message, Painted), message

    def keep(self, kind: int, payload: bytes) -> Message | None:
        """A frame's message, if it is none of data."""
        if kind == DATA:
            self.data += payload
            return None
        assert kind == CONTROL
        message = decode(payload)
        if isinstance(message, Painted):
            self.paints.append(message)
        return message

    def refused(self) -> Failed:
        """The refusal that is the daemon's last word."""
        failed = self.hear(Failed)
        assert self.next() is None
        return failed

    def is_over(self) -> bool:
        return self.next() is None


def launching(*command: str, **fields: Any) -> Launch:
    given = {"request": f"{command}{fields}", "directory": "/", "env": {"PATH": "/usr/bin:/bin"}, **fields}
    return Launch(command=list(command), **given)


def ask(home: Home, request: Message, kind: type[Message]) -> Any:
    with Peer(home) as peer:
        reply = peer.ask(request).hear(kind)
        assert peer.is_over()
        return reply


def refusal(home: Home, request: Message) -> Failed:
    with Peer(home) as peer:
        return peer.ask(request).refused()
