"""the link that the remote tests misuse does what it is told, and nothing else"""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from homes import SECONDS, until
from links import CLOSE, RESET, Link, new_link

MEBIBYTE = 1 << 20


class Echo:
    """Gives back what it is sent, on every connection, with a thread each; a word first that says which it is."""

    def __init__(self) -> None:
        self.door = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self.door.getsockname()
        self.peers: list[socket.socket] = []
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self) -> None:
        while True:
            try:
                peer, _ = self.door.accept()
            except OSError:
                return
            self.peers.append(peer)
            threading.Thread(target=self.echo, args=(peer,), daemon=True).start()

    def echo(self, peer: socket.socket) -> None:
        try:
            while data := peer.recv(1 << 18):
                peer.sendall(data)
            peer.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self) -> None:
        if self.thread.is_alive():
            self.door.shutdown(socket.SHUT_RDWR)
            self.thread.join()
            self.door.close()
        for peer in self.peers:
            peer.close()


@pytest.fixture
def echo() -> Iterator[Echo]:
    fresh = Echo()
    yield fresh
    fresh.close()


@pytest.fixture
def link(echo: Echo) -> Iterator[Link]:
    with new_link(echo.address) as fresh:
        yield fresh


def call(link: Link) -> socket.socket:
    peer = socket.create_connection(("127.0.0.1", link.port), SECONDS)
    peer.settimeout(SECONDS)
    return peer


def exchange(peer: socket.socket, data: bytes) -> bytes:
    peer.sendall(data)
    return take(peer, len(data))


def take(peer: socket.socket, size: int) -> bytes:
    got = bytearray()
    while len(got) < size:
        data = peer.recv(size - len(got))
        assert data, f"it was closed after {bytes(got[-20:])!r}"
        got += data
    return bytes(got)


def rest(peer: socket.socket) -> tuple[bytes, str]:
    """What still comes, and how it ends."""
    got = bytearray()
    while True:
        try:
            data = peer.recv(1 << 16)
        except ConnectionResetError:
            return bytes(got), RESET
        if not data:
            return bytes(got), CLOSE
        got += data


def test_everything_arrives(link: Link) -> None:
    """Both ways, in order, with the end of each way by itself; counted."""
    data = bytes(range(256)) * 4096
    with call(link) as peer:
        digest = hashlib.sha256()
        sender = threading.Thread(target=lambda: [peer.sendall(data) for _ in range(16)])
        sender.start()
        for _ in range(16):
            digest.update(take(peer, len(data)))
        sender.join()
        peer.shutdown(socket.SHUT_WR)
        assert rest(peer) == (b"", CLOSE)
    assert digest.digest() == hashlib.sha256(data * 16).digest()
    assert link.up.passed == link.down.passed == 16 * MEBIBYTE
    assert (link.connections, link.cuts) == (1, 0)
    until(lambda: not link.pairs, "the link to forget what is over")


@pytest.mark.parametrize("how", [RESET, CLOSE])
def test_cut_at_once(link: Link, how: str) -> None:
    """All connections, both ends of each; the next ones work."""
    with call(link) as one, call(link) as other:
        assert exchange(one, b"one") + exchange(other, b"other") == b"oneother"
        assert link.cut(how) == 2
        assert rest(one) == rest(other) == (b"", how)
    with call(link) as next_one:
        assert exchange(next_one, b"again") == b"again"
    assert (link.connections, link.cuts) == (3, 1)


@pytest.mark.parametrize("how", [RESET, CLOSE])
def test_cut_after_so_many_bytes(link: Link, how: str) -> None:
    """Exactly so many arrive, then no more; and again, counted from there, over as many connections as it takes."""
    link.cut_after(link.down, 5, 1, 300_000, how=how)
    for size in (5, 1, 300_000):
        with call(link) as peer:
            peer.sendall(bytes(400_000))
            assert rest(peer) == (bytes(size), how)
    with call(link) as peer:
        assert exchange(peer, bytes(400_000)) == bytes(400_000)
    assert link.cuts == 3


def test_cut_after_so_many_bytes_on_the_way_there(link: Link, echo: Echo) -> None:
    """The other end has got exactly so many."""
    got: list[bytes] = []
    echo.echo = lambda peer: got.append(rest(peer)[0])  # type: ignore[method-assign]
    link.cut_after(link.up, 7)
    with call(link) as peer:
        peer.sendall(b"0123456789")
        assert rest(peer)[0] == b""
    until(lambda: got, "the other end to be cut off")
    assert got == [b"0123456"]


def test_refusing(link: Link) -> None:
    """New connections are refused, the others go on."""
    with call(link) as before:
        link.refuse()
        with pytest.raises(ConnectionRefusedError):
            call(link)
        assert exchange(before, b"here") == b"here"
        link.admit()
        with call(link) as after:
            assert exchange(after, b"there") == b"there"


def test_silence(link: Link) -> None:
    """Everything is taken, nothing is said, nobody hangs up; and what was silent once stays so."""
    with call(link) as before:
        assert exchange(before, b"here") == b"here"
        link.silence()
        with call(link) as during:
            for peer in (before, during):
                peer.sendall(bytes(4 * MEBIBYTE))
            link.heal()
            for peer in (before, during):
                peer.sendall(b"hello?")
                peer.settimeout(0.2)
                with pytest.raises(TimeoutError):
                    peer.recv(1)
    with call(link) as after:
        assert exchange(after, b"there") == b"there"


def test_delay(link: Link) -> None:
    """Each byte is so long under way, each way by itself, and many are at once."""
    link.up.delay, link.down.delay = 0.1, 0.2
    with call(link) as peer:
        begun = time.monotonic()
        exchange(peer, b"a")
        assert time.monotonic() - begun >= 0.3
        begun = time.monotonic()
        for _ in range(100):
            peer.sendall(b"a")
            time.sleep(0.002)  # so that each goes by itself
        take(peer, 100)
        assert 0.3 <= time.monotonic() - begun < 10  # one after another would take thirty


def test_rate_and_room(echo: Echo) -> None:
    """No faster than that, and what is under way is what the link has room for and the kernel is allowed to keep."""
    with new_link(echo.address, buffer=4096) as link, call(link) as peer:
        link.down.rate, link.down.room = 100_000, 8192
        begun = time.monotonic()
        peer.sendall(bytes(30_000))
        until(lambda: link.down.passed == 30_000, "it to pass")
        assert 0.25 <= time.monotonic() - begun < 3
        assert 4096 < link.down.most <= 8192
        assert take(peer, 30_000) == bytes(30_000)


def test_nobody_beyond(link: Link, echo: Echo) -> None:
    """Who calls is cut off when nobody listens at the other end."""
    echo.close()
    with pytest.raises(ConnectionResetError), call(link) as peer:
        peer.recv(1)


def test_it_costs_nothing_while_nothing_happens(link: Link) -> None:
    """No turn of its loop without a reason, whatever state its connections are in."""
    with call(link) as one, call(link) as other:
        exchange(one, b"one")
        exchange(other, b"other")
        one.shutdown(socket.SHUT_WR)
        link.silence()
        turns = []
        turn = link.turn
        link.turn = lambda: (turns.append(1), turn())[1]  # type: ignore[method-assign]
        link.do(lambda: None)
        time.sleep(0.2)  # a span to count in
        assert len(turns) < 5
