"""many WebSocket clients of the protocol in one thread"""

from __future__ import annotations

import logging
import select
import socket
import time
from collections.abc import Iterable

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from codewire_py.wire.codec import decode, encode
from codewire_py.wire.declare import Message
from codewire_py.wire.frames import DATA, HEADER
from codewire_py.wire.messages import PROTOCOL, Ended, Hello, Painted
from homes import SECONDS

silent = logging.getLogger("tests.crowds")
silent.setLevel(logging.CRITICAL + 1)
BLOCK = 1 << 18


class Onlooker:
    """One conversation. `data` is every log byte since it was painted afresh, `messages` is all else."""

    def __init__(self, url: str, token: str) -> None:
        uri = parse_uri(url)
        self.socket = socket.create_connection((uri.host, uri.port), SECONDS)
        self.protocol = ClientProtocol(uri, max_size=None, logger=silent)
        request = self.protocol.connect()
        request.headers["Authorization"] = f"Bearer {token}"
        self.protocol.send_request(request)
        self.flush()
        self.data = bytearray()
        self.painted = b""
        self.messages: list[Message] = []
        self.is_over = False
        while self.protocol.state.name == "CONNECTING":
            self.pull()

    def __enter__(self) -> Onlooker:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def ask(self, request: Message) -> Onlooker:
        """Hello and that."""
        return self.say(Hello(version=PROTOCOL), request)

    def say(self, *messages: Message) -> Onlooker:
        for message in messages:
            self.protocol.send_binary(encode(message))
        self.flush()
        return self

    def flush(self) -> None:
        for data in self.protocol.data_to_send():
            self.socket.sendall(data)

    def pull(self) -> None:
        data = self.socket.recv(BLOCK)
        if data:
            self.protocol.receive_data(data)
        else:
            self.protocol.receive_eof()
            self.is_over = True
        assert self.protocol.handshake_exc is None, self.protocol.handshake_exc
        for event in self.protocol.events_received():
            if isinstance(event, Frame) and event.opcode is Opcode.BINARY:
                self.take(bytes(event.data))
        self.flush()

    def take(self, whole: bytes) -> None:
        assert len(whole) == HEADER + int.from_bytes(whole[1:HEADER], "big")
        if whole[0] == DATA:
            self.data += whole[HEADER:]
            return
        message = decode(whole[HEADER:])
        self.messages.append(message)
        if isinstance(message, Painted):
            self.painted = message.paint
            self.data.clear()

    def hear(self, kind: type[Message]) -> Message:
        """The first of its kind."""
        deadline = time.monotonic() + SECONDS
        while not (found := [message for message in self.messages if isinstance(message, kind)]):
            assert not self.is_over, self.messages
            assert time.monotonic() < deadline, self.messages
            self.pull()
        return found[0]

    def has_ended(self) -> bool:
        return bool(self.messages) and isinstance(self.messages[-1], Ended)


def read_all(crowd: Iterable[Onlooker], seconds: float) -> None:
    """Until each has been told that the session ended."""
    waiting = {onlooker.socket.fileno(): onlooker for onlooker in crowd}
    poll = select.poll()
    for descriptor in waiting:
        poll.register(descriptor, select.POLLIN)
    deadline = time.monotonic() + seconds
    while waiting:
        assert time.monotonic() < deadline, f"{len(waiting)} have not heard of the end"
        for descriptor, _ in poll.poll(100):
            onlooker = waiting[descriptor]
            onlooker.pull()
            assert onlooker.has_ended() or not onlooker.is_over, onlooker.messages[-1]
            if onlooker.has_ended():
                poll.unregister(descriptor)
                del waiting[descriptor]
