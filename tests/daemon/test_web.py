"""who is let in by the listener of a real daemon, and who is not: everything that a peer can say wrong"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from codewire_py.version import VERSION
from codewire_py.wire.messages import Hello
from homes import Home
from webhomes import HI, assert_quiet, can_talk, patient_home, port_at
from webs import KEY, UPGRADE, Raw


@pytest.fixture(scope="module")
def there() -> Iterator[Home]:
    """One daemon for all of them."""
    with patient_home() as home:
        yield home


@pytest.fixture
def port(there: Home) -> int:
    return port_at(there)


@pytest.fixture
def raw(port: int) -> Iterator[Raw]:
    with Raw(port) as peer:
        yield peer


# ── who is let in ───────────────────────────────────────────────────────────────────────────────────────


def test_a_token_lets_in(there: Home, port: int) -> None:
    """The sessions of that home, by the same messages as at home."""
    assert can_talk(there, port)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_has_no_case(there: Home, raw: Raw, scheme: str) -> None:
    """As the standard says; space around the token means nothing."""
    answer = raw.ask(headers={**UPGRADE, "Authorization": f"{scheme}  {there.token()} "})
    assert answer.status == 101
    assert answer.headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@pytest.mark.parametrize(
    "said",
    [
        [],
        [("Authorization", "")],
        [("Authorization", "Bearer")],
        [("Authorization", "Bearer ")],
        [("Authorization", "Bearer wrong")],
        [("Authorization", "Bearer TOKEN2")],
        [("Authorization", "Bearer TOKE")],
        [("Authorization", "Bearer TOKEN TOKEN")],
        [("Authorization", "Bearer TOKEN,TOKEN")],
        [("Authorization", "TOKEN")],
        [("Authorization", "Basic TOKEN")],
        [("Authorization", "Basic Ojp0b2tlbg==")],
        [("Authorization", "Token TOKEN")],
        [("Authorization", "Bearer " + "x" * 8000)],
        [("Authorization", "Bearer ünïcode")],
        [("Authorization", "Bearer TOKEN"), ("Authorization", "Bearer TOKEN")],
        [("Authorization", "Bearer wrong"), ("Authorization", "Bearer TOKEN")],
        [("Cookie", "token=TOKEN; Authorization=Bearer TOKEN")],
        [("X-Authorization", "Bearer TOKEN")],
        [("Proxy-Authorization", "Bearer TOKEN")],
        [("Sec-WebSocket-Protocol", "TOKEN")],
        [("X-Forwarded-For", "127.0.0.1"), ("X-Real-IP", "127.0.0.1"), ("Forwarded", "for=127.0.0.1")],
    ],
    ids=lambda said: str(said)[:40],
)
def test_nothing_else_lets_in(there: Home, raw: Raw, said: list[tuple[str, str]]) -> None:
    """401, in a sentence, for whatever is not exactly one header with exactly one valid token."""
    headers = [(name, value.replace("TOKEN", there.token())) for name, value in said]
    answer = raw.ask(headers=[*UPGRADE.items(), *headers])
    assert (answer.status, answer.json()["error"]) == (401, "unauthorized")
    assert answer.json()["message"]
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_token_ends(there: Home, port: int) -> None:
    """Revoked: its conversations end and it lets nobody in. Expired: that is said, and nothing else."""
    kept = there.cw("token", "create", "kept").stdout.strip()
    brief = there.cw("token", "create", "brief", "--expires", "1s").stdout.strip()
    with Raw(port) as here:
        here.upgrade(kept).tell(HI)
        assert isinstance(here.hear(), Hello)
        there.cw("token", "revoke", "kept")
        assert here.is_closed(5)
    assert refusal_of(port, kept) == "the token is not valid"
    there.until(lambda: refusal_of(port, brief), "a second to pass", 10)
    assert refusal_of(port, brief) == 'the token "brief" has expired'
    assert kept not in there.journal()
    assert brief not in there.journal()


def refusal_of(port: int, token: str) -> str:
    """Nothing: it is let in."""
    with Raw(port) as raw:
        answer = raw.ask(headers={**UPGRADE, "Authorization": f"Bearer {token}"})
        return "" if answer.status == 101 else str(answer.json()["message"])


@pytest.mark.parametrize(
    "path", ["/ws?token=TOKEN", "/ws?access_token=TOKEN", "/ws?Authorization=Bearer%20TOKEN"]
)
def test_a_token_in_the_address_is_not_looked_at(there: Home, raw: Raw, path: str) -> None:
    """The answer says where it belongs; the journal never has it."""
    answer = raw.ask(path.replace("TOKEN", there.token()), headers=UPGRADE)
    assert answer.status == 401
    assert "Authorization: Bearer" in answer.json()["hint"]
    assert there.token() not in there.journal()


# ── what is there ───────────────────────────────────────────────────────────────────────────────────────


def test_health_says_nothing_but_ok_and_version(raw: Raw) -> None:
    """Without a token, again and again on one connection, also its head alone; nobody may keep or guess it."""
    for _ in range(3):
        answer = raw.ask("/healthz")
        assert (answer.status, answer.json()) == (200, {"ok": True, "version": VERSION})
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-type"] == "application/json"
        assert "server" not in answer.headers
    answer = raw.ask("/healthz", "HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert raw.ask("/healthz?anything").status == 200
    assert raw.ask("/healthz", headers={"Connection": "close"}).status == 200
    assert raw.is_closed(5)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404), ("GET", "/ws/", 404), ("GET", "//ws", 404), ("GET", "/WS", 404), ("GET", "/%77s", 404),
        ("GET", "/./ws", 404), ("GET", "/x/../ws", 404), ("GET", "/healthz/", 404), ("GET", "/token", 404),
        ("GET", "/ws#x", 404), ("GET", "/ws;x", 404), ("GET", "/../../etc/passwd", 404),
        ("POST", "/ws", 405), ("HEAD", "/ws", 405), ("OPTIONS", "/ws", 405), ("get", "/ws", 405),
        ("POST", "/healthz", 405), ("DELETE", "/healthz", 405), ("GET", "/pair", 405), ("PUT", "/pair", 405),
        ("OPTIONS", "*", 400), ("GET", "http://127.0.0.1/ws", 400), ("GET", "http://127.0.0.1/healthz", 400),
        ("CONNECT", "127.0.0.1:22", 400), ("GET", "ws", 400), ("GET", "?token=x", 400), ("GET", "\\ws", 400),
    ],
)  # fmt: skip
def test_what_is_not_there(there: Home, raw: Raw, method: str, path: str, status: int) -> None:
    """However it is asked for, and also with a valid token."""
    said = {**UPGRADE, "Authorization": f"Bearer {there.token()}"}
    answer = raw.ask(path, method, headers=said)
    assert answer.status == status
    assert method == "HEAD" or answer.json()["message"]
    assert status != 405 or answer.headers["allow"]


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"Upgrade": None}, 426),
        ({"Connection": None}, 426),
        ({"Upgrade": None, "Connection": None}, 426),
        ({"Upgrade": "h2c"}, 426),
        ({"Upgrade": "websocket, h2c"}, 426),
        ({"Connection": "keep-alive"}, 426),
        ({"Sec-WebSocket-Key": None}, 400),
        ({"Sec-WebSocket-Key": ""}, 400),
        ({"Sec-WebSocket-Key": "short"}, 400),
        ({"Sec-WebSocket-Key": KEY + KEY}, 400),
        ({"Sec-WebSocket-Key": "é" * 24}, 400),
        ({"Sec-WebSocket-Version": None}, 400),
        ({"Sec-WebSocket-Version": "12"}, 400),
        ({"Sec-WebSocket-Version": "13, 8"}, 400),
        ({"Sec-WebSocket-Extensions": "permessage-deflate; ="}, 101),  # nothing is negotiated on this machine
        ({"Sec-WebSocket-Extensions": "permessage-deflate; server_max_window_bits=99"}, 101),
        ({"Content-Length": "5"}, 400),
        ({"Transfer-Encoding": "chunked"}, 400),
    ],
    ids=str,
)
def test_what_is_no_handshake(there: Home, raw: Raw, changed: dict[str, Any], status: int) -> None:
    """Is answered so, and is no conversation."""
    said = {**UPGRADE, "Authorization": f"Bearer {there.token()}", **changed}
    answer = raw.ask(headers=said)
    assert answer.status == status
    assert status != 426 or answer.headers["upgrade"] == "websocket"


def test_old_http_is_no_handshake(there: Home, raw: Raw) -> None:
    """HTTP/1.0 knows no upgrade; HTTP/2 is not spoken."""
    said = {**UPGRADE, "Authorization": f"Bearer {there.token()}"}
    assert raw.ask(headers=said, version="1.0").status in (400, 426, 505)
    with Raw(raw.port) as other:
        other.say(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert other.answer().status in (400, 505)


# ── hosts and origins ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["/ws", "/healthz", "/pair", "/nothing"])
@pytest.mark.parametrize(
    "said",
    [
        [("Host", "evil.example")],
        [("Host", "evil.example:PORT")],
        [("Host", "user@127.0.0.1:PORT")],
        [("Host", "127.0.0.1.:PORT")],
        [("Host", "192.0.2.1:PORT")],
        [("Host", "")],
        [("Host", "127.0.0.1:PORT"), ("Origin", "null")],
        [("Host", "127.0.0.1:PORT"), ("Origin", "")],
        [("Host", "127.0.0.1:PORT"), ("Origin", "https://evil.example")],
        [("Host", "127.0.0.1:PORT"), ("Origin", "http://127.0.0.1")],
        [
            ("Host", "127.0.0.1:PORT"),
            ("Origin", "http://127.0.0.1:PORT"),
            ("Origin", "http://127.0.0.1:PORT"),
        ],
        [("Host", "evil.example:PORT"), ("Origin", "http://evil.example:PORT")],  # rebound
    ],
    ids=str,
)
def test_no_web_page_reaches_anything(there: Home, raw: Raw, path: str, said: list[tuple[str, str]]) -> None:
    """403 whatever it asks for, also with a valid token, so that nothing can be learnt from the answer."""
    headers = [(name, value.replace("PORT", str(raw.port))) for name, value in said]
    token = ("Authorization", f"Bearer {there.token()}")
    answer = raw.ask(path, headers=[*headers, *UPGRADE.items(), token])
    assert (answer.status, answer.json()["error"]) == (403, "forbidden")


@pytest.mark.parametrize(
    "said", [[("Host", None)], [("Host", "127.0.0.1"), ("Host", "127.0.0.1")], [("Host", "a"), ("host", "127.0.0.1")]]
)  # fmt: skip
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_request_names_one_host(raw: Raw, said: list[tuple[str, str]], version: str) -> None:
    """None or two: nobody can know what a proxy made of it."""
    assert raw.ask("/healthz", headers=said, version=version).status == 400


def test_what_is_said_reaches_the_journal_harmless(there: Home, raw: Raw) -> None:
    """A terminal that shows daemon.log obeys nobody; what was refused can still be read there."""
    assert raw.ask("/healthz", headers={"Host": "\x9b31mevil\x85\xad"}).status == 403
    assert raw.ask("/healthz", headers={"Origin": "http://\x9d0;title\x9c"}).status == 403
    assert r"\x9b31mevil" in there.journal()
    assert r"\x9d0;title" in there.journal()
    assert_quiet(there)


def test_a_page_of_our_own_may_talk_to_us(there: Home, raw: Raw) -> None:
    """With a token, as everybody."""
    own = {"Host": f"localhost:{raw.port}", "Origin": f"http://localhost:{raw.port}"}
    assert raw.ask("/healthz", headers=own).status == 200
    assert raw.ask(headers={**own, **UPGRADE}).status == 401
    with Raw(raw.port) as other:
        other.upgrade(there.token(), **own)
