"""a WebSocket client of our own, as bare as can be: what it shows is what came, and nothing is drawn"""

from __future__ import annotations

import base64
import json
import os
import socket
import struct
import time
from collections.abc import Iterator, Mapping

from benching.spawning import Failed
from benching.terminals import Client

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
SECONDS_TO_SHAKE_HANDS = 10.0


class WebClient(Client):
    """Reads as a client in a terminal does, but for the terminal. Compression is not asked for."""

    def __init__(self, port: int, headers: Mapping[str, str] | None = None) -> None:
        self.received, self.is_gone, self.pid = 0, False, 0
        self.started = time.perf_counter()
        peer = socket.create_connection(("127.0.0.1", port), SECONDS_TO_SHAKE_HANDS)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self.unread = bytearray(shake_hands(peer, port, headers or {}))
        except BaseException:
            peer.close()
            raise
        peer.setblocking(False)
        self.terminal = peer.detach()

    def shown(self, data: bytes) -> bytes:
        self.unread += data
        return b"".join(self.told(opcode, payload) for opcode, payload in self.take_messages())

    def take_messages(self) -> Iterator[tuple[int, bytes]]:
        """Whole ones; servers that we know do not cut them in pieces."""
        while len(self.unread) >= 2:
            opcode, size, start = self.unread[0] & 15, self.unread[1], 2
            if size >= 126:
                start = 4 if size == 126 else 10
                size = int.from_bytes(self.unread[2:start], "big")
            if len(self.unread) < start + size:
                return
            payload = bytes(self.unread[start : start + size])
            del self.unread[: start + size]
            if opcode == PING:
                self.send(PONG, payload)
            elif opcode == CLOSE:
                self.is_gone = True
            elif opcode != PONG:
                yield opcode, payload

    def send(self, opcode: int, payload: bytes) -> None:
        size = bytes([len(payload) | 128]) if len(payload) < 126 else struct.pack("!BH", 254, len(payload))
        os.write(self.terminal, bytes([128 | opcode]) + size + bytes(4) + payload)  # masked with nothing

    def told(self, opcode: int, payload: bytes) -> bytes:
        """What of a message is for the eye."""
        raise NotImplementedError


def shake_hands(peer: socket.socket, port: int, headers: Mapping[str, str]) -> bytes:
    """What came behind the server's answer."""
    told = {
        "Host": f"127.0.0.1:{port}",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        **headers,
    }
    lines = ["GET /ws HTTP/1.1", *(f"{name}: {value}" for name, value in told.items()), "", ""]
    peer.sendall("\r\n".join(lines).encode())
    head = b""
    while b"\r\n\r\n" not in head:
        data = peer.recv(4096)
        if not data:
            raise Failed(f"the web server hung up: {head[:80]!r}")
        head += data
    if not head.startswith(b"HTTP/1.1 101"):
        raise Failed(f"the web server said {head[:80]!r}")
    return head.partition(b"\r\n\r\n")[2]


class TerminadoClient(WebClient):
    """Messages are JSON: what kind, then the text."""

    def __init__(self, port: int, rows: int, columns: int) -> None:
        super().__init__(port)
        self.send(TEXT, json.dumps(["set_size", rows, columns]).encode())

    def told(self, opcode: int, payload: bytes) -> bytes:
        kind, *rest = json.loads(payload)
        return str(rest[0]).encode() if kind == "stdout" else b""

    def type(self, data: bytes) -> None:
        self.send(TEXT, json.dumps(["stdin", data.decode()]).encode())


class CodewireClient(WebClient):
    """Looks at one session, read only. Messages are frames: kind, length, and a msgpack map or the log's bytes."""

    def __init__(self, port: int, token: str, session: str, rows: int, columns: int) -> None:
        super().__init__(port, {"Authorization": f"Bearer {token}"})
        self.say({"type": "hello", "version": 1, "software": "bench"})
        look: dict[str, str | int] = {"type": "attach", "session": session, "rows": rows, "cols": columns}
        self.say(look | {"read_only": True})

    def say(self, fields: Mapping[str, str | int]) -> None:
        packed = bytes([128 | len(fields)])
        packed += b"".join(pack(part) for field in fields.items() for part in field)
        self.send(BINARY, struct.pack("!BI", 0, len(packed)) + packed)

    def told(self, opcode: int, payload: bytes) -> bytes:
        return payload[5:]  # a paint, too: it comes in a map


def pack(value: str | int) -> bytes:
    """The little of msgpack that is needed."""
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return struct.pack("!BH", 0xCD, value)
    return bytes([0xD9, len(value.encode())]) + value.encode()
