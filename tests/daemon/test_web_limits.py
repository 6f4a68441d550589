"""how many may come to the listener, how long they may take, and when they are sent away"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from codewire_py.daemon import limits
from codewire_py.daemon.listeners.failures import Failures
from codewire_py.wire.messages import Failed, Hello
from homes import until
from lobbies import BRIEF, CODE, GOOD, Running, encrypted, make_certificate, new_listener, wrapped
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


# ── how many ────────────────────────────────────────────────────────────────────────────────────────────


def test_one_address_has_only_so_many_connections(there: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next one is told so and turned away; when one leaves, there is room again. Others do not notice."""
    monkeypatch.setattr(limits, "WEB_CONNECTIONS_EACH", 2)
    with Raw(there.port) as first, Raw(there.port) as second:
        assert (first.ask("/healthz").status, second.ask("/healthz").status) == (200, 200)
        with Raw(there.port) as third:
            answer = third.answer()
            assert (answer.status, answer.json()["error"]) == (503, "limit-reached")
            assert third.is_closed()
        with Raw(
            there.port, socket.create_connection(("127.0.0.1", there.port), 5, ("127.0.0.2", 0))
        ) as other:
            assert other.ask("/healthz").status == 200
    until(lambda: is_let_in(there.port), "room for another")


def is_let_in(port: int) -> bool:
    with Raw(port) as raw:
        try:
            return raw.ask("/healthz").status == 200
        except (OSError, EOFError):
            return False


def test_all_together_have_only_so_many_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever they come from, and whether or not they say anything."""
    monkeypatch.setattr(limits, "WEB_CONNECTIONS", 3)
    with new_listener() as there:
        peers = [
            Raw(there.port, socket.create_connection(("127.0.0.1", there.port), 5, (f"127.0.0.{last}", 0)))
            for last in (2, 3, 4)
        ]
        with Raw(there.port) as late:
            assert late.answer().status == 503
        for peer in peers:
            peer.peer.close()
        until(lambda: is_let_in(there.port), "room for another")


def test_the_count_is_right_after_all_sorts_of_ends(there: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Resets, refusals, rubbish, conversations: nothing takes up room for ever."""
    monkeypatch.setattr(limits, "WEB_CONNECTIONS_EACH", 8)
    ends: list[Any] = [
        lambda raw: raw.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"),
        lambda raw: raw.ask("/nothing"),
        lambda raw: raw.say(b"\x16\x03\x01\0\0rubbish\r\n\r\n"),
        lambda raw: talks(raw.upgrade(GOOD)),
        lambda raw: raw.upgrade(GOOD).say(frame(b"x")).is_closed(),
        lambda raw: raw.say(b"GET / HT"),
    ]
    for end in ends * 10:
        until(lambda: is_let_in(there.port), "room for another")
        with Raw(there.port) as raw:
            end(raw)
    until(lambda: is_let_in(there.port), "room for another")


# ── how long ────────────────────────────────────────────────────────────────────────────────────────────


def drip(raw: Raw, data: bytes, every: float) -> float:
    """Say it byte by byte for ever, until hung up on: how long that took."""
    begun = time.monotonic()
    raw.peer.settimeout(every)
    while time.monotonic() < begun + 10:
        try:
            raw.peer.sendall(data[:1])
            data = data[1:] + data[:1]
            if not raw.peer.recv(1000):
                break
        except TimeoutError:
            continue
        except OSError:
            break
    return time.monotonic() - begun


@pytest.mark.parametrize("said", [b"GET /healthz HTTP/1.1\r\nX: " + b"x" * 1000, b""])
def test_a_head_comes_soon_or_never(there: Running, monkeypatch: pytest.MonkeyPatch, said: bytes) -> None:
    """Byte by byte, or not at all: the whole of it has so long, however busy the peer is meanwhile."""
    monkeypatch.setattr(limits, "HEAD_SECONDS", 0.4)
    with Raw(there.port) as raw:
        if said:
            assert 0.3 < drip(raw, said, 0.02) < 3
        else:
            assert raw.is_closed(3)


@pytest.mark.parametrize("said", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 500, b""])
def test_tls_comes_soon_or_never(
    pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    """The same deadline, from the first byte on; then the head has what is left of it."""
    monkeypatch.setattr(limits, "HEAD_SECONDS", 0.4)
    with encrypted(pair) as there:
        with Raw(there.port) as raw:
            if said:
                assert 0.3 < drip(raw, said, 0.02) < 3
            else:
                assert raw.is_closed(3)
        with Raw(there.port, wrapped(there.port, pair)) as raw:
            assert raw.is_closed(3)


def test_a_body_comes_soon_or_never(there: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what is promised but never comes is not waited for."""
    monkeypatch.setattr(limits, "BODY_SECONDS", 0.4)
    for length in ({"Content-Length": "60000"}, {"Transfer-Encoding": "chunked"}):
        with Raw(there.port) as raw:
            raw.say(raw.head("/pair", "POST", headers=length))
            assert 0.3 < drip(raw, b"1\r\nx\r\n", 0.02) < 3
    assert there.house.tokens.asked == []


def test_an_idle_connection_is_closed(there: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an answer it may ask again for a while."""
    monkeypatch.setattr(limits, "IDLE_SECONDS", 0.4)
    with Raw(there.port) as raw:
        assert [raw.ask("/healthz").status for _ in range(3)] == [200] * 3
        assert raw.is_closed(3)


def test_a_peer_that_never_closes_is_closed(there: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Having been refused, it may read why, and then it is over, whatever it still says."""
    monkeypatch.setattr(limits, "GOODBYE_SECONDS", 0.3)
    with Raw(there.port) as raw:
        raw.say(b"rubbish\r\n\r\n")
        assert raw.answer().status == 400
        begun = time.monotonic()
        with pytest.raises(OSError, match=r"reset|pipe"):
            say_for(5, raw)
        assert time.monotonic() < begun + 3


def say_for(seconds: float, raw: Raw) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        raw.say(b"x" * 1000)


# ── tokens ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_token_that_is_taken_back_ends_its_conversations(there: Running) -> None:
    """At once, and only those; nothing of them stays behind."""
    grant = there.house.tokens.grants[GOOD]
    with Raw(there.port) as first, Raw(there.port) as second, Raw(there.port) as other:
        for raw, token in ((first, GOOD), (second, GOOD), (other, BRIEF)):
            raw.upgrade(token).tell(Hello(version=1))
            assert isinstance(raw.hear(), Hello)
        assert len(grant.leavers) == 2
        there.within(lambda: [leave() for leave in list(grant.leavers)])
        assert first.is_closed(5)
        assert second.is_closed(5)
        assert not other.is_closed(0.1)
    until(lambda: not grant.leavers, "the conversations to be forgotten")


def test_a_token_that_expires_ends_its_conversations(there: Running) -> None:
    """When its time has come, not before."""
    there.house.tokens.grants[BRIEF].expires_at = time.time() + 0.5
    with Raw(there.port) as raw:
        raw.upgrade(BRIEF).tell(Hello(version=1))
        assert isinstance(raw.hear(), Hello)
        assert not raw.is_closed(0.2)
        assert raw.is_closed(5)


def test_the_last_token_counts(there: Running) -> None:
    """One connection that asks twice, with two tokens, is who it says it is the second time."""
    with Raw(there.port) as raw:
        raw.say(raw.head("/ws", headers={"Authorization": f"Bearer {GOOD}"}))
        assert raw.answer().status == 426
        raw.upgrade(BRIEF).tell(Hello(version=1))
        assert isinstance(raw.hear(), Hello)
        grants = there.house.tokens.grants
        assert (len(grants[GOOD].leavers), len(grants[BRIEF].leavers)) == (0, 1)


# ── failures ────────────────────────────────────────────────────────────────────────────────────────────


def status_of(there: Running, secret: str, address: str = "127.0.0.1") -> int:
    below = socket.create_connection(("127.0.0.1", there.port), 5, (address, 0))
    with Raw(there.port, below) as raw:
        return raw.ask(headers={**UPGRADE, "Authorization": f"Bearer {secret}"}).status


def test_who_fails_too_often_waits(
    there: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Unless the token is a valid one: a neighbour's failures lock nobody out. The journal gets a few lines."""
    monkeypatch.setattr(limits, "FAILURES", 5)
    monkeypatch.setattr(limits, "FAILURE_SECONDS", 60.0)
    with caplog.at_level(logging.INFO, "codewire"):
        assert [status_of(there, f"guess-{n}") for n in range(8)] == [401] * 5 + [429] * 3
    told = [record.message for record in caplog.records if "refused" in record.message]
    assert len(told) == limits.FAILURE_LINES
    assert not any("guess" in line for line in told)
    with Raw(there.port) as raw:
        answer = raw.ask(headers={**UPGRADE, "Authorization": "Bearer wrong"})
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert answer.json()["error"] == "too-many-failures"
    assert status_of(there, GOOD) == 101
    assert status_of(there, "wrong", "127.0.0.2") == 401


def test_codes_cannot_be_guessed(there: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a few wrong ones not even the right one is looked at, for a while."""
    monkeypatch.setattr(limits, "FAILURES", 3)
    monkeypatch.setattr(limits, "FAILURE_SECONDS", 60.0)

    def pair_with(code: str) -> int:
        with Raw(there.port) as raw:
            body = b'{"code": "%s", "name": "laptop"}' % code.encode()
            return raw.ask("/pair", "POST", headers=JSON, body=body).status

    assert pair_with(CODE) == 200
    assert [pair_with(f"guess-{n}") for n in range(6)] == [401] * 3 + [429] * 3
    assert pair_with(CODE) == 429
    assert there.house.tokens.asked == [CODE, "guess-0", "guess-1", "guess-2"]
    monkeypatch.setattr(limits, "FAILURE_SECONDS", 0.2)
    until(lambda: pair_with(CODE) == 200, "the failures to be forgiven", 5)


def test_failures_are_forgiven_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table: a budget per address that refills; it stays small; the journal hears how many it was not told of."""
    monkeypatch.setattr(limits, "FAILURE_ADDRESSES", 100)
    failures = Failures()
    assert failures.wait_of("a", 0.0) == 0
    told = [failures.note("a", 0.0) for _ in range(limits.FAILURES)]
    assert told == [1] * limits.FAILURE_LINES + [0] * (limits.FAILURES - limits.FAILURE_LINES)
    assert failures.wait_of("a", 0.0) == limits.FAILURE_SECONDS
    assert failures.wait_of("b", 0.0) == 0
    assert failures.wait_of("a", limits.FAILURE_SECONDS) == 0
    assert failures.note("a", limits.FAILURE_SECONDS) == 0
    assert failures.wait_of("a", limits.FAILURE_SECONDS) == limits.FAILURE_SECONDS
    assert failures.note("a", 61.0) == 1 + limits.FAILURES - limits.FAILURE_LINES + 1
    for number in range(1000):
        failures.note(f"address {number}", 100.0)
    assert len(failures.failing) == 100
    assert "address 999" in failures.failing
