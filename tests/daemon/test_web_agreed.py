"""what the listener and a peer agree on: TLS, compression, who speaks when"""

from __future__ import annotations

import hashlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.sync.client import connect

from codewire_py.daemon import limits
from codewire_py.daemon.listeners import requests
from codewire_py.wire.codec import encode
from codewire_py.wire.messages import Failed, Hello, List
from homes import until
from lobbies import GOOD, Running, encrypted, make_certificate, new_listener, wrapped
from webs import UPGRADE, Raw, frame

ODD = Hello(version=0)  # is refused, whatever the house knows
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def there() -> Iterator[Running]:
    with new_listener() as running:
        yield running


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"))


def talks(raw: Raw) -> bool:
    """Whether a conversation is possible there."""
    raw.tell(ODD)
    return isinstance(raw.hear(), Failed)


# ── what is agreed ──────────────────────────────────────────────────────────────────────────────────────


def test_everything_goes_through_tls(pair: tuple[Path, Path]) -> None:
    """Requests and conversations; the fingerprint told is the certificate's; older versions are not spoken."""
    with encrypted(pair) as there:
        with Raw(there.port, wrapped(there.port, pair)) as raw:
            assert raw.ask("/healthz").json()["ok"] is True
            assert talks(raw.upgrade(GOOD))
        der = ssl.PEM_cert_to_DER_cert(pair[0].read_text())
        assert there.house.fingerprint == "sha256:" + hashlib.sha256(der).hexdigest()
        assert there.house.url == f"wss://127.0.0.1:{there.port}/ws"
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.load_verify_locations(pair[0])
        with pytest.warns(DeprecationWarning, match="TLS"):
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        with (
            pytest.raises((ssl.SSLError, ConnectionError)),
            socket.create_connection(("127.0.0.1", there.port)) as below,
        ):
            old.wrap_socket(below, server_hostname="127.0.0.1")
        with Raw(there.port) as raw:
            raw.say(raw.head("/healthz"))
            assert raw.is_closed(5)


def test_only_what_travels_is_compressed(there: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not on this machine, where it would only cost time; elsewhere it is offered, and both ways work."""
    said = {"Authorization": f"Bearer {GOOD}"}
    url = f"ws://127.0.0.1:{there.port}/ws"
    with connect(url, additional_headers=said, proxy=None) as near:
        assert near.protocol.extensions == []
        near.send(encode(ODD))
        assert b"bad-protocol" in near.recv(5)  # type: ignore[operator]
    monkeypatch.setattr(requests, "is_loopback", lambda address: False)
    with connect(url, additional_headers=said, proxy=None) as far:
        assert [one.name for one in far.protocol.extensions] == ["permessage-deflate"]
        far.send(encode(Hello(version=1, software="x" * 5000)))
        assert b"hello" in far.recv(5)  # type: ignore[operator]
        far.send(encode(List()) + b"one byte more")
        with pytest.raises(Exception, match="one frame"):
            far.recv(5)


def test_a_compressed_message_has_the_same_limit(there: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """However small it looks: what would unfold to more is not unfolded."""
    monkeypatch.setattr(requests, "is_loopback", lambda address: False)
    monkeypatch.setattr(limits, "WEB_MESSAGE_BYTES", 100_000)
    said = {"Authorization": f"Bearer {GOOD}"}
    with connect(f"ws://127.0.0.1:{there.port}/ws", additional_headers=said, proxy=None) as far:
        far.send(bytes(200_000))
        with pytest.raises(Exception, match="1009"):
            far.recv(5)


def test_a_client_may_speak_before_it_is_answered(there: Running) -> None:
    """What follows the handshake in one breath belongs to the conversation."""
    with Raw(there.port) as raw:
        head = raw.head("/ws", headers={**UPGRADE, "Authorization": f"Bearer {GOOD}"})
        raw.say(head + frame(encode(ODD)))
        assert raw.answer().status == 101
        assert isinstance(raw.hear(), Failed)
        assert raw.goodbye() == (1000, "")


def test_a_leaving_daemon_lets_nobody_in(there: Running) -> None:
    """Whoever comes then waits for the next one; those who are here may finish."""
    with Raw(there.port) as here:
        here.upgrade(GOOD).tell(Hello(version=1))
        assert isinstance(here.hear(), Hello)
        there.within(there.house.departure.leave, "restart")
        until(lambda: not is_answered(there.port), "the door to be shut", 5)
        assert talks_on(here)


def is_answered(port: int) -> bool:
    """Refused it is not: whoever comes waits in the queue."""
    with Raw(port) as late:
        late.peer.settimeout(0.3)
        try:
            return late.ask("/healthz").status == 200
        except TimeoutError:
            return False


def talks_on(raw: Raw) -> bool:
    raw.say(frame(b"\0\0\0\0\1\xc1"))  # no message at all
    return isinstance(raw.hear(), Failed)


def test_many_at_once(there: Running) -> None:
    """A hundred conversations begun together, each gets its answer."""
    found: list[bool] = []

    def one() -> None:
        with Raw(there.port) as raw:
            found.append(talks(raw.upgrade(GOOD)))

    threads = [threading.Thread(target=one) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == [True] * 100
