"""a WebSocket used like a socket: whole frames out and in, however they are cut, and a sentence for every refusal"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from codewire_py.client.servers import Server
from codewire_py.client.transports import web
from codewire_py.client.transports.web import WebPeer, dial
from codewire_py.errors import (
    CodewireError,
    Forbidden,
    LimitReached,
    ProtocolError,
    Unauthorized,
    Unreachable,
)
from codewire_py.wire.frames import frame
from webs import BINARY, CLOSE, CONTINUED, PING, TEXT
from webs import frame as message

Play = Callable[[socket.socket], None]


class Stage:
    """A server of one connection: it reads the request, says what it is told to, and keeps what it hears."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.head = b""
        self.play: Play = lambda peer: None
        self.thread = threading.Thread(target=self.run, daemon=True)

    def server(self, token: str = "secret") -> Server:
        self.thread.start()
        return Server("stage", f"ws://127.0.0.1:{self.port}/ws", token)

    def run(self) -> None:
        peer, _ = self.listener.accept()
        self.listener.close()  # there is no second look at it
        peer.settimeout(20)
        with peer:
            while b"\r\n\r\n" not in self.head:
                self.head += peer.recv(65536)
            self.play(peer)

    def welcome(self, peer: socket.socket, together: bytes = b"") -> None:
        key = re.search(rb"Sec-WebSocket-Key: (\S+)", self.head)
        assert key
        digest = hashlib.sha1(key[1] + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
        head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        peer.sendall(head + b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n" + together)


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    yield stage
    stage.listener.close()
    stage.thread.join(20)
    assert not stage.thread.is_alive()


def said(payload: bytes, opcode: int = BINARY, last: bool = True) -> bytes:
    return message(payload, opcode, last=last, mask=False)


def heard_all(peer: WebPeer, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = peer.recv()
        assert more, f"it ended after {len(data)} bytes"
        data += more
    return data


def read_frames(peer: socket.socket, count: int) -> list[tuple[int, bytes]]:
    """(opcode, payload) of messages as a client sends them: short ones, masked."""
    data, found = b"", []
    while len(found) < count:
        data += peer.recv(65536)
        while len(data) >= 6 and len(data) >= 6 + (size := data[1] & 0x7F):
            payload = bytes(byte ^ data[2 + at % 4] for at, byte in enumerate(data[6 : 6 + size]))
            found.append((data[0] & 0xF, payload))
            data = data[6 + size :]
    return found


# -- let in, or not


def test_the_token_is_said_in_a_header_and_nowhere_else(stage: Stage) -> None:
    """Above all not in the address, which others may log."""
    stage.play = stage.welcome
    dial(stage.server("a-secret"), 5).close()
    line, _, headers = stage.head.partition(b"\r\n")
    assert line == b"GET /ws HTTP/1.1"
    assert b"\r\nAuthorization: Bearer a-secret\r\n" in headers
    assert stage.head.count(b"a-secret") == 1
    assert b"Sec-WebSocket-Extensions" not in stage.head  # on this machine nothing is compressed


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (401, "unauthorized", Unauthorized),
        (403, "forbidden", Forbidden),
        (503, "limit-reached", LimitReached),
        (429, "never-heard-of", CodewireError),
    ],
)
def test_a_refusal_is_told_as_the_daemon_worded_it(
    stage: Stage, status: int, code: str, error: type[CodewireError]
) -> None:
    """With its hint, and the name of the server."""
    body = json.dumps({"error": code, "message": "the reason", "hint": "a way out"}).encode()
    stage.play = lambda peer: peer.sendall(
        b"HTTP/1.1 %d No\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)
    )
    server = stage.server()
    with pytest.raises(error) as refused:
        dial(server, 5)
    assert (refused.value.hint, type(refused.value)) == ("a way out", error)
    assert "stage" in refused.value.message
    assert "the reason" in refused.value.message


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 401 No\r\nContent-Length: 5\r\n\r\n<htm>",
        b'HTTP/1.1 401 No\r\nContent-Length: 9\r\n\r\n["a list"]',
        b"HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_a_refusal_that_is_not_ours_is_told_all_the_same(stage: Stage, answer: bytes) -> None:
    """A proxy in front, say."""
    stage.play = lambda peer: peer.sendall(answer)
    with pytest.raises(Unauthorized, match=r"stage.*401 No"):
        dial(stage.server(), 5)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"\0" * 100,
        (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: wrong\r\n\r\n"
        ),
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10000,
        b"",
    ],
)
def test_what_is_no_listener_is_told_so(stage: Stage, answer: bytes) -> None:
    """Whatever answers there, it is one sentence; nothing is followed elsewhere."""
    stage.play = lambda peer: peer.sendall(answer)
    with pytest.raises((Unreachable, ProtocolError)) as refused:
        dial(stage.server(), 5)
    assert "stage" in refused.value.message
    assert "\n" not in refused.value.message


def test_one_that_does_not_answer_is_not_waited_for(stage: Stage) -> None:
    """Longer than its time: then it is said that it does not answer."""
    left = threading.Event()
    stage.play = lambda peer: left.wait(20) and None
    began = time.monotonic()
    try:
        with pytest.raises(Unreachable, match="does not answer"):
            dial(stage.server(), 0.5)
    finally:
        left.set()
    assert time.monotonic() - began < 10


# -- frames


@pytest.mark.parametrize("together", [True, False])
def test_frames_come_whole_however_they_are_cut(stage: Stage, together: bool) -> None:
    """Together with the handshake, byte by byte, in fragments with pings between, several at once."""
    first, second = frame(1, b"one"), frame(1, b"two" * 50)
    parts = said(first) + said(second[:70], last=False) + said(b"", PING) + said(second[70:], CONTINUED)

    def play(peer: socket.socket) -> None:
        stage.welcome(peer, parts if together else b"")
        for at in () if together else range(len(parts)):
            peer.sendall(parts[at : at + 1])
        read_frames(peer, 1)  # the answer to the ping: closed over it, the connection would be reset

    stage.play = play
    peer = dial(stage.server(), 5)
    assert heard_all(peer, len(first + second)) == first + second
    assert peer.recv() == b""  # it left
    peer.close()


def test_every_frame_is_a_message_of_its_own(stage: Stage) -> None:
    """Also those that are said in one breath; a ping is answered."""
    heard: list[tuple[int, bytes]] = []

    def play(peer: socket.socket) -> None:
        stage.welcome(peer, said(b"are you there", PING))
        heard.extend(read_frames(peer, 3))

    stage.play = play
    peer = dial(stage.server(), 5)
    hello, request = frame(0, b"hello"), frame(0, b"request")
    peer.setblocking(False)
    while b"are" not in b"".join(payload for _, payload in heard) and stage.thread.is_alive():
        try:
            if peer.recv() == b"":
                break
        except BlockingIOError:
            peer.sendall(hello + request if not heard else b"")
            stage.thread.join(0.3)
    peer.close()
    assert (BINARY, hello) in heard
    assert (BINARY, request) in heard


@pytest.mark.parametrize("end", [said(b"text", TEXT), said(b"\x03\xe8", CLOSE), b"\xff" * 20, b""])
def test_the_end_is_the_end(stage: Stage, end: bytes) -> None:
    """A farewell, what is no frame, or nothing: what came before is heard, then nothing, and nothing can be said."""
    stage.play = lambda peer: stage.welcome(peer, said(frame(1, b"last words")) + end)
    peer = dial(stage.server(), 5)
    assert heard_all(peer, 15) == frame(1, b"last words")
    assert peer.recv() == b""
    with pytest.raises(OSError):  # noqa: PT011  whichever
        peer.sendall(frame(1, b"x"))
    peer.close()


def test_what_a_slow_link_does_not_take_waits(stage: Stage) -> None:
    """Without blocking; when the link takes it, it goes out whole and in order."""
    go, heard = threading.Event(), bytearray()
    big = frame(1, bytes(range(256)) * 60000)

    def play(peer: socket.socket) -> None:
        stage.welcome(peer)
        go.wait(20)
        while data := peer.recv(1 << 20):
            heard.extend(data)

    stage.play = play
    peer = dial(stage.server(), 5)
    peer.setblocking(False)
    peer.sendall(big)
    assert peer.unwritten
    go.set()
    deadline = time.monotonic() + 20
    while peer.unwritten:
        assert time.monotonic() < deadline
        peer.sendall(b"")
    peer.close()
    stage.thread.join(20)
    assert len(heard) >= len(big)


def test_a_silent_link_is_given_up(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing comes, not even a ping: whoever waits hears so."""
    left = threading.Event()
    monkeypatch.setattr(web, "SILENCE_SECONDS", 0.3)

    def play(peer: socket.socket) -> None:
        stage.welcome(peer)
        left.wait(20)

    stage.play = play
    peer = dial(stage.server(), 5)
    assert not peer.is_silent()
    with pytest.raises(TimeoutError):
        peer.recv()
    left.set()
    assert peer.is_silent()
    peer.close()
