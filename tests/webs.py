"""a peer of the listener that says exactly the bytes it is told to, as no honest client would"""

from __future__ import annotations

import json
import os
import re
import socket
import struct
import time
from typing import Any

from codewire_py.wire.codec import decode, encode
from codewire_py.wire.declare import Message
from codewire_py.wire.frames import HEADER
from homes import SECONDS, Home

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": KEY,
    "Sec-WebSocket-Version": "13",
}
BINARY, TEXT, CONTINUED, CLOSE, PING, PONG = 2, 1, 0, 8, 9, 10


def port_of(home: Home) -> int:
    """Of the listener there was last."""
    found = re.findall(r"listens at wss?://\S+:(\d+)/ws", home.journal())
    assert found, home.journal()
    return int(found[-1])


def frame(
    payload: bytes, opcode: int = BINARY, *, last: bool = True, mask: bool = True, first: int = 0
) -> bytes:
    """Of a client: masked, unless told otherwise. `first`: further bits of the first byte."""
    size = len(payload)
    short = size if size < 126 else 126 if size < 1 << 16 else 127
    long = b"" if short < 126 else struct.pack("!H" if short == 126 else "!Q", size)
    head = bytes(((0x80 if last else 0) | first | opcode, short | (0x80 if mask else 0))) + long
    if not mask:
        return head + payload
    key = os.urandom(4)
    whole = (key * (size // 4 + 1))[:size]
    masked = (int.from_bytes(payload, "big") ^ int.from_bytes(whole, "big")).to_bytes(size, "big")
    return head + key + masked


class Answer:
    """What came back to a request."""

    def __init__(self, head: bytes, body: bytes) -> None:
        first, *rest = head.decode("latin-1").split("\r\n")
        self.status = int(first.split()[1])
        self.headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)
        }
        self.body = body

    def json(self) -> dict[str, Any]:
        return dict(json.loads(self.body))


class Raw:
    """One connection; `below` is another socket than a plain one to that port."""

    def __init__(self, port: int, below: socket.socket | None = None) -> None:
        self.port = port
        self.peer = below or socket.create_connection(("127.0.0.1", port), SECONDS)
        self.peer.settimeout(SECONDS)
        self.unread = b""

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *_: object) -> None:
        self.peer.close()

    # -- HTTP

    def say(self, data: bytes) -> Raw:
        self.peer.sendall(data)
        return self

    def ask(self, path: str = "/ws", method: str = "GET", **options: Any) -> Answer:
        return self.say(self.head(path, method, **options)).answer(method)

    def head(
        self,
        path: str = "/ws",
        method: str = "GET",
        headers: Any = (),
        body: bytes = b"",
        version: str = "1.1",
    ) -> bytes:
        """With a Host, unless `headers` name one. `headers`: a dict or pairs; None for a value: not at all."""
        pairs = list(headers.items() if isinstance(headers, dict) else headers)
        if not any(name.lower() == "host" for name, _ in pairs):
            pairs.insert(0, ("Host", f"127.0.0.1:{self.port}"))
        if body:
            pairs.append(("Content-Length", str(len(body))))
        lines = [
            f"{method} {path} HTTP/{version}",
            *(f"{name}: {value}" for name, value in pairs if value is not None),
        ]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body

    def answer(self, method: str = "GET") -> Answer:
        head = self.until(b"\r\n\r\n")
        answer = Answer(head, b"")
        if method != "HEAD" and answer.status != 101:
            answer.body = self.exactly(int(answer.headers["content-length"]))
        return answer

    def until(self, end: bytes) -> bytes:
        while end not in self.unread:
            self.more()
        found, _, self.unread = self.unread.partition(end)
        return found

    def exactly(self, size: int) -> bytes:
        while len(self.unread) < size:
            self.more()
        found, self.unread = self.unread[:size], self.unread[size:]
        return found

    def more(self) -> None:
        data = self.peer.recv(1 << 16)
        if not data:
            raise EOFError(self.unread)
        self.unread += data

    def is_closed(self, seconds: float = SECONDS) -> bool:
        """Whether the other side hangs up within that time, whatever it says before."""
        deadline = time.monotonic() + seconds
        try:
            while (left := deadline - time.monotonic()) > 0:
                self.peer.settimeout(left)
                if not self.peer.recv(1 << 16):
                    return True
        except ConnectionError:
            return True
        except TimeoutError:
            pass
        return False

    # -- WebSocket

    def upgrade(self, token: str, **headers: str) -> Raw:
        answer = self.ask(headers={**UPGRADE, "Authorization": f"Bearer {token}", **headers})
        assert answer.status == 101, (answer.status, answer.body)
        return self

    def tell(self, *messages: Message) -> Raw:
        for message in messages:
            self.say(frame(encode(message)))
        return self

    def next(self) -> tuple[int, bytes]:
        """(opcode, payload) of the next WebSocket frame."""
        first, size = self.exactly(2)
        if size == 126:
            (size,) = struct.unpack("!H", self.exactly(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", self.exactly(8))
        assert first & 0x70 == 0, "nothing is compressed here"
        return first & 0x0F, self.exactly(size)

    def hear(self) -> Message:
        """The next message; pings are left unanswered."""
        while (found := self.next())[0] == PING:
            pass
        opcode, payload = found
        assert opcode == BINARY, found
        message = decode(payload[HEADER:])
        assert message is not None
        return message

    def goodbye(self) -> tuple[int, str]:
        """(code, reason) of the close frame that comes, sooner or later."""
        while (found := self.next())[0] != CLOSE:
            pass
        return struct.unpack("!H", found[1][:2])[0], found[1][2:].decode()
