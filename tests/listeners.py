"""listeners of a test's own, plain and encrypted, and what `connect` makes of them"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

import pytest

from codewire_py.client.servers import Server
from codewire_py.client.transports.sockets import connect
from codewire_py.errors import CodewireError

SECRET = b"cw_secret"


class Pair(NamedTuple):
    cert: str
    key: str
    fingerprint: str


class Listener:
    """Whatever `serve` makes of each connection; `heard` is what came, decrypted where there is TLS."""

    def __init__(self, serve: Callable[[socket.socket], bytes]) -> None:
        self.serve = serve
        self.heard: list[bytes] = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self) -> None:
        while True:
            peer, _ = self.socket.accept()
            with peer:
                if self.is_over:
                    return
                peer.settimeout(10)
                with suppress(OSError):
                    self.heard.append(self.serve(peer))

    is_over = False

    def close(self) -> None:
        self.is_over = True
        with socket.create_connection(("127.0.0.1", self.port)):
            self.thread.join(20)
        assert not self.thread.is_alive()
        self.socket.close()


@contextmanager
def listening(serve: Callable[[socket.socket], bytes]) -> Iterator[Listener]:
    listener = Listener(serve)
    try:
        yield listener
    finally:
        listener.close()


def encrypted(cert: str, key: str) -> Callable[[socket.socket], bytes]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)

    def serve(peer: socket.socket) -> bytes:
        with context.wrap_socket(peer, server_side=True) as tls:
            data = tls.recv(100)
            tls.sendall(data)
            return data

    return serve


def plain_http(peer: socket.socket) -> bytes:
    data = peer.recv(1000)
    peer.sendall(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
    return data


def server(port: int, trusted: str = "", scheme: str = "wss", host: str = "127.0.0.1") -> Server:
    return Server("box", f"{scheme}://{host}:{port}/ws", "", trusted)


def refused(of: Server, kind: type[CodewireError], seconds: float = 5.0) -> CodewireError:
    with pytest.raises(kind) as caught:
        connect(of, seconds)
    assert "box (" in caught.value.message
    return caught.value


def talk(of: Server) -> bytes:
    with connect(of, 5) as peer:
        assert peer.gettimeout() is None
        peer.sendall(SECRET)
        return peer.recv(100)
