"""a socket to a daemon elsewhere: what is said when there is none, by when, and what kind of socket it is"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
import time

import pytest

from codewire_py.client.transports import sockets
from codewire_py.client.transports.sockets import connect
from codewire_py.errors import Unreachable
from listeners import listening, plain_http, refused, server


def test_nobody_listens() -> None:
    """Refused: the sentence has the name, the address and the reason, the hint the port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        error = refused(server(port, scheme="ws"), Unreachable)
    assert error.message == f"cannot reach box (ws://127.0.0.1:{port}/ws): connection refused"
    assert f"nothing listens on port {port}" in error.hint


def test_no_host_of_that_name() -> None:
    """A name that nobody has; ten seconds are not needed to know."""
    error = refused(server(9, host="no-such-host.invalid"), Unreachable)
    assert re.search("there is no host of that name|cannot be looked up", error.message)


def test_a_name_server_that_is_silent_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The deadline holds over the question for the address, too."""
    release = threading.Event()

    def ask(*_: object, **__: object) -> list[object]:
        release.wait(20)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", ask)
    began = time.monotonic()
    error = refused(server(9, host="slow.example"), Unreachable, 0.2)
    release.set()
    assert "could not be looked up in time" in error.message
    assert time.monotonic() - began < 5


def test_a_listener_that_takes_nobody_is_given_up() -> None:
    """A full queue leaves a connection hanging: the deadline ends it."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        began = time.monotonic()
        error = refused(server(port, scheme="ws"), Unreachable, 0.3)
        for one in waiting:
            one.close()
    assert "timed out" in error.message
    assert time.monotonic() - began < 5


def test_a_handshake_that_stalls_is_given_up() -> None:
    """TLS against somebody who is silent: the same deadline."""
    over = threading.Event()

    def silent(peer: socket.socket) -> bytes:
        over.wait(20)
        return b""

    with listening(silent) as listener:
        began = time.monotonic()
        error = refused(server(listener.port), Unreachable, 0.3)
        over.set()
    assert "timed out" in error.message
    assert time.monotonic() - began < 5


def test_the_second_address_is_tried_when_the_first_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name with an IPv6 address where nobody listens works all the same."""
    with listening(plain_http) as listener, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        answers = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))
            for port in (free.getsockname()[1], listener.port)
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answers)
        with connect(server(9, scheme="ws", host="two.example"), 5) as peer:
            assert peer.getpeername()[1] == listener.port


def test_nobody_connects_to_themselves() -> None:
    """Linux joins a socket with itself when the port it is given is the one it asks for: nobody is there."""
    port = free_odd_port()
    address = ("127.0.0.1", port)

    class Joined(socket.socket):
        def connect(self, to: object) -> None:
            self.bind(address)
            super().connect(address)

    original, socket.socket = socket.socket, Joined  # type: ignore[misc]
    try:
        with pytest.raises(ConnectionRefusedError):
            sockets.connect_to(socket.AF_INET, address, 5)
    finally:
        socket.socket = original  # type: ignore[misc]


def free_odd_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


# ── the socket ────────────────────────────────────────────────────────────────────────────────────────


def test_a_dead_peer_is_noticed_and_keys_go_out_at_once() -> None:
    """Keepalive after 10 s of silence, every 5 s, 3 times; no waiting for more to send; not for children; it blocks."""
    with listening(plain_http) as listener, connect(server(listener.port, scheme="ws"), 5) as peer:
        options = {
            name: peer.getsockopt(socket.IPPROTO_TCP, getattr(socket, name))
            for name in ("TCP_NODELAY", "TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT")
            if hasattr(socket, name)
        }
        assert peer.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert not os.get_inheritable(peer.fileno())
        assert peer.gettimeout() is None
    expected = {"TCP_NODELAY": 1, "TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}
    assert options == {name: expected[name] for name in options}
    assert options["TCP_NODELAY"]


def test_encryption_is_loaded_only_where_it_is_used() -> None:
    """A plain connection, and the module itself, cost no import of ssl."""
    with listening(plain_http) as listener:
        code = (
            "import sys; from codewire_py.client.transports import sockets\n"
            "heavy = {'socket', 'ssl', 'threading', 'hashlib', 're', 'typing'}\n"
            "before = heavy & set(sys.modules)\n"
            "from codewire_py.client.servers import Server\n"
            f"sockets.connect(Server('box', 'ws://127.0.0.1:{listener.port}/ws'), 5)\n"
            "print(before or '{}', 'ssl' in sys.modules)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=30
        )
    assert done.stdout == "{} False\n", done.stderr
