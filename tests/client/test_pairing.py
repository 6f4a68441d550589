"""a code becomes a token: what is asked, what may come back, and how much of it is listened to"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from codewire_py.client.certificate import make
from codewire_py.client.connection import ask
from codewire_py.client.servers import Server
from codewire_py.client.transports import sockets
from codewire_py.client.transports.pairing import redeem
from codewire_py.errors import CodewireError, Forbidden, LimitReached, ProtocolError, Unreachable, UsageError
from codewire_py.wire.messages import Kill, Killed, List, Listed
from homes import Home

TOKEN = {"token": "cw_abc-DEF_123", "name": "laptop", "scope": "control"}


@pytest.fixture(autouse=True)
def _quick_second_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether TLS is spoken is asked of a listener that takes one connection only."""
    monkeypatch.setattr(sockets, "SECOND_LOOK_SECONDS", 0.05)


class Asked:
    """One request, as it came."""

    def __init__(self, head: bytes, body: bytes) -> None:
        self.line, *fields = head.decode().split("\r\n")
        self.fields = {name.lower(): value for name, _, value in (field.partition(": ") for field in fields)}
        self.body: dict[str, Any] = json.loads(body)


@contextmanager
def answering(
    *parts: bytes, then: Callable[[socket.socket], object] = lambda peer: None
) -> Iterator[tuple[Server, list[Asked]]]:
    """A listener that answers one request with `parts`, one write each."""
    asked: list[Asked] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError), listener.accept()[0] as peer:
            peer.settimeout(20)
            head = b""
            while b"\r\n\r\n" not in head:
                data = peer.recv(4096)
                if not data:
                    return
                head += data
            head, _, body = head.partition(b"\r\n\r\n")
            asked.append(Asked(head, body))
            for part in parts:
                peer.sendall(part)
            then(peer)

    thread = threading.Thread(target=serve)
    thread.start()
    port = listener.getsockname()[1]
    try:
        yield Server("box", f"ws://127.0.0.1:{port}/ws"), asked
    finally:
        listener.close()
        thread.join(20)
        assert not thread.is_alive()


def answer(said: object, status: str = "200 OK", *fields: str) -> bytes:
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    head = "\r\n".join([f"HTTP/1.1 {status}", "Content-Type: application/json", *fields])
    return f"{head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def test_a_code_becomes_a_token() -> None:
    """One POST to /pair with code and label in its body, and nothing of them anywhere else."""
    with answering(answer(TOKEN)) as (server, asked):
        assert redeem(server, " ABCD-EFGH\n", "laptop") == ("cw_abc-DEF_123", "laptop", "control")
    assert asked[0].line == "POST /pair HTTP/1.1"
    assert asked[0].body == {"code": "ABCD-EFGH", "name": "laptop"}
    assert asked[0].fields["host"] == server.url.split("/")[2]
    assert asked[0].fields["content-type"] == "application/json"
    assert "ABCD" not in asked[0].line + str(asked[0].fields)


def test_a_proxy_below_a_path_of_its_own() -> None:
    """Where the listener's /ws lies, there lies its /pair."""
    with answering(answer(TOKEN)) as (server, asked):
        server.url = server.url.removesuffix("/ws") + "/cw/box/ws"
        redeem(server, "A", "laptop")
    assert asked[0].line == "POST /cw/box/pair HTTP/1.1"


def test_an_answer_in_single_bytes() -> None:
    """However it is cut."""
    with answering(*(bytes([byte]) for byte in answer(TOKEN))) as (server, _):
        assert redeem(server, "A", "laptop")[0] == TOKEN["token"]


def test_an_answer_in_chunks() -> None:
    """As a proxy may cut it; also with the connection held open."""
    body = json.dumps(TOKEN).encode()
    chunks = b"".join(b"%x;x=y\r\n%s\r\n" % (len(part), part) for part in (body[:7], body[7:])) + b"0\r\n\r\n"
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
    with answering(head + chunks, then=lambda peer: peer.recv(1)) as (server, _):
        assert redeem(server, "A", "laptop")[0] == TOKEN["token"]


def test_an_answer_that_only_the_end_ends() -> None:
    """Without a length, to the end of the connection."""
    with answering(b"HTTP/1.0 200 OK\r\n\r\n" + json.dumps(TOKEN).encode()) as (server, _):
        assert redeem(server, "A", "laptop")[0] == TOKEN["token"]


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        ("403 Forbidden", "forbidden", Forbidden),
        ("429 Too Many Requests", "limit-reached", LimitReached),
        ("400 Bad Request", "of-the-future", CodewireError),
    ],
)
def test_a_refusal_is_the_daemons_own(status: str, code: str, kind: type[CodewireError]) -> None:
    """Its sentence and hint, as the error it stands for; which server says so."""
    said = {"error": code, "message": "no such code", "hint": "make one there with: cw server pair"}
    with answering(answer(said, status)) as (server, _), pytest.raises(kind, match="no such code") as caught:
        redeem(server, "A", "laptop")
    assert type(caught.value) is kind
    assert caught.value.message.startswith("box (ws://")
    assert caught.value.hint == said["hint"]


@pytest.mark.parametrize(
    "said",
    [
        b"<html>", b"", b"[]", b"null", b'{"token"', b"{}", b"[" * 60000, b"\xff", answer({})[:20],
        {"name": "laptop"}, {"error": "x"},
    ],
)  # fmt: skip
@pytest.mark.parametrize("status", ["200 OK", "404 Not Found", "502 Bad Gateway"])
def test_an_answer_of_something_else(said: object, status: str) -> None:
    """A web server that is no listener of ours is told apart."""
    with (
        answering(answer(said, status)) as (server, _),
        pytest.raises(Unreachable, match=f"answers {status[:3]}"),
    ):
        redeem(server, "A", "laptop")


@pytest.mark.parametrize(
    "said", [b"SSH-2.0-OpenSSH_9.2\r\n", b"", b"HTTP/1.1\r\n\r\n", b"HTTP/1.1 2x0 OK\r\n\r\n"]
)
def test_an_answer_that_is_no_http(said: bytes) -> None:
    """Whatever listens there."""
    with answering(said) as (server, _), pytest.raises(Unreachable, match="no listener of cw"):
        redeem(server, "A", "laptop")


@pytest.mark.parametrize("token", ["", "two words", "tok\r\nX-Evil: 1", "tökén", None, 7, ["x"]])
def test_a_token_that_is_none(token: object) -> None:
    """It will be a header: what could not be one is refused."""
    said = answer({**TOKEN, "token": token})
    with answering(said) as (server, _), pytest.raises(ProtocolError, match="a token that is none"):
        redeem(server, "A", "laptop")


def flood(head: bytes) -> Callable[[socket.socket], object]:
    def pour(peer: socket.socket) -> None:
        peer.sendall(head)
        for _ in range(1 << 12):
            peer.sendall(bytes(65536))

    return pour


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nX: ",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\n",
    ],
)
def test_an_answer_without_end_is_not_heard_out(head: bytes) -> None:
    """After some kilobytes it is enough, whatever it claims of its length."""
    began = time.monotonic()
    with answering(then=flood(head)) as (server, _), pytest.raises(Unreachable):
        redeem(server, "A", "laptop")
    assert time.monotonic() - began < 5


def test_an_answer_that_never_comes() -> None:
    """The deadline holds; also against somebody who says a little all the time."""
    over = threading.Event()

    def dribble(peer: socket.socket) -> None:
        peer.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        while not over.wait(0.002):
            peer.sendall(b"x")

    for then in (lambda peer: over.wait(20), dribble):
        over.clear()
        began = time.monotonic()
        with answering(then=then) as (server, _):
            with pytest.raises(Unreachable, match="it does not answer"):
                redeem(server, "A", "laptop", seconds=0.3)
            over.set()
        assert time.monotonic() - began < 5


def test_ssh_needs_no_code() -> None:
    """Said before anything is done."""
    with pytest.raises(UsageError, match="only a listener takes a code"):
        redeem(Server("box", "ssh://box"), "A", "laptop")


def test_nothing_is_said_to_a_stranger(tmp_path: Path) -> None:
    """The code goes only to the certificate that was named."""
    tmp_path.chmod(0o700)
    _, _, other = make(str(tmp_path))
    with answering(answer(TOKEN)) as (server, asked):
        server.url, server.fingerprint = server.url.replace("ws://", "wss://"), other
        with pytest.raises(CodewireError):
            redeem(server, "SECRET", "laptop", seconds=0.5)
    assert asked == []


def test_the_listener_of_a_daemon(home: Home) -> None:
    """A code is good once: for a token that works, with the scope that was meant."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        home.env["CODEWIRE_LISTEN"] = f"127.0.0.1:{free.getsockname()[1]}"
    home.cw("start")
    told = json.loads(home.cw("server", "pair", "--scope", "observe", "--json").stdout)
    server = Server("box", told["url"])
    server.token, _, scope = redeem(server, told["code"], "laptop")
    assert scope == "observe"
    assert isinstance(ask(server, List(), Listed), Listed)
    with pytest.raises(Forbidden):
        ask(server, Kill(everything=True), Killed)
    with pytest.raises(CodewireError, match="the code is not valid"):
        redeem(server, told["code"], "laptop")
    journal = home.journal()
    assert told["code"] not in journal
    assert server.token not in journal
