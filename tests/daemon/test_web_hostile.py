"""peers that say too much, or rubbish, to the listener of a real daemon: nothing of it stays"""

from __future__ import annotations

import logging
import os
import random
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from codewire_py.daemon import limits
from codewire_py.daemon.main import Harmless
from codewire_py.wire.codec import decode, encode
from codewire_py.wire.frames import HEADER
from codewire_py.wire.messages import Failed, Hello, List, Listed
from homes import Home
from webhomes import HI, PAIR, assert_quiet, can_talk, patient_home, port_at
from webs import TEXT, UPGRADE, Raw, frame


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


# ── too much ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("where", ["path", "header", "headers", "name", "line"])
def test_a_head_has_a_limit(raw: Raw, where: str) -> None:
    """In all, and in how many headers; up to it everything is read."""
    filler = "x" * limits.HEAD_BYTES
    few = [(f"X-{number}", "y") for number in range(limits.HEADERS - 1)]
    assert raw.ask("/healthz", headers=few).status == 200
    assert raw.ask("/healthz", headers={"X": "x" * (limits.HEAD_BYTES - 200)}).status == 200
    too_much = {
        "path": raw.head("/" + filler),
        "header": raw.head("/healthz", headers={"X": filler}),
        "headers": raw.head("/healthz", headers=[*few, ("X-more", "y")]),
        "name": raw.head("/healthz", headers={filler: "x"}),
        "line": filler.encode() + b"\r\n\r\n",
    }
    assert raw.say(too_much[where]).answer().status in (431, 400 if where == "line" else 431)
    assert raw.is_closed(5)


@pytest.mark.parametrize("char", ["\0", "\x01", "\x1b", "\x7f"])
def test_a_head_holds_no_control_characters(raw: Raw, char: str) -> None:
    """What no honest client says is not understood in one way here and in another by a proxy."""
    assert raw.ask("/healthz", headers={"X-Odd": f"a{char}b"}).status == 400


def test_a_body_has_a_limit(raw: Raw) -> None:
    """What says that it is larger, what is larger without saying so, and what is just small enough."""
    fits = b'{"name": "%s"}' % (b"x" * (limits.BODY_BYTES - 20))
    assert raw.ask("/pair", "POST", headers=PAIR, body=fits).status == 400  # read, and found to lack a code
    assert raw.ask("/pair", "POST", headers=PAIR, body=bytes(5_000_000)).status == 413
    assert raw.is_closed(5)
    with Raw(raw.port) as other:
        other.say(other.head("/pair", "POST", headers={"Transfer-Encoding": "chunked"}))
        other.say(b"1000\r\n" + bytes(0x1000) + b"\r\n" + b"FFFF\r\n" + bytes(0xFFFF))
        assert other.answer().status == 413
    with Raw(raw.port) as other:
        other.say(other.head("/pair", "POST", headers={"Content-Length": "9" * 30}))
        assert other.answer().status in (400, 413)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"x"', b"{}", b'{"code": 5}', b'{"code": null}', b'{"code": "x", "name": 5}',
     b"\xff\xfe", b"[" * 60_000, b'{"code": ["x"]}', b'{"code": "\\ud800"}'],
)  # fmt: skip
def test_what_is_no_code(raw: Raw, body: bytes) -> None:
    """A sentence, never a crash."""
    answer = raw.ask("/pair", "POST", headers=PAIR if body else {**PAIR, "Content-Length": "0"}, body=body)
    assert answer.status in (400, 401)
    assert answer.json()["message"]


def test_a_message_has_a_limit(there: Home, raw: Raw) -> None:
    """4 MiB from elsewhere; a promise of more is enough."""
    raw.upgrade(there.token()).say(b"\x82\xff" + (limits.WEB_MESSAGE_BYTES + 1).to_bytes(8, "big") + bytes(4))
    assert raw.goodbye()[0] == 1009


# ── conversations ───────────────────────────────────────────────────────────────────────────────────────


def test_what_is_wrong_in_a_conversation_is_told(there: Home, port: int) -> None:
    """As by the Unix socket: a refusal in words; text instead of a message: the reason of the end."""
    with Raw(port) as raw:
        raw.upgrade(there.token()).tell(HI)
        assert isinstance(raw.hear(), Hello)
        raw.say(frame(b"\0\0\0\0\1\xc1"))
        failed = raw.hear()
        assert isinstance(failed, Failed)
        assert failed.code == "bad-protocol"
        assert raw.goodbye() == (1000, "")
    with Raw(port) as raw:
        raw.upgrade(there.token()).say(frame(b"hello", TEXT))
        assert raw.goodbye()[0] == 1003
        assert raw.is_closed(5)


def test_a_silent_conversation_is_half_open_for_long_only(there: Home, port: int) -> None:
    """A peer that shuts its side without a word has left."""
    with Raw(port) as raw:
        raw.upgrade(there.token()).tell(HI)
        assert isinstance(raw.hear(), Hello)
        raw.peer.shutdown(socket.SHUT_WR)
        assert raw.is_closed(5)


def test_programs_inherit_nothing_of_it(there: Home, port: int) -> None:
    """No socket, and no word of the listener or its tokens in their environment, wherever they were launched from."""
    with Raw(port) as raw:
        raw.upgrade(there.token()).tell(HI)
        assert isinstance(raw.hear(), Hello)
        id = there.launch("sh", "-c", "ls -l /proc/self/fd; env; echo done")
        there.until_printed(id, b"done")
    printed = there.log(id).decode()
    assert "socket:" not in printed
    assert there.token() not in printed


# ── fuzz ────────────────────────────────────────────────────────────────────────────────────────────────


def mangle(data: bytes, chance: random.Random) -> bytes:
    """A few bytes changed, taken out, put in or said twice."""
    mangled = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(mangled) + 1)
        kind = chance.randrange(5)
        if kind == 0:
            mangled[at : at + 1] = bytes((chance.randrange(256),))
        elif kind == 1:
            del mangled[at : at + chance.randint(1, 40)]
        elif kind == 2:
            mangled[at:at] = chance.choice(
                [b"\r\n", b"\0", b"\x1b[31m", b": ", b"\r\n\r\n", b"\xff", b"Host: x\r\n"]
            )
        elif kind == 3:
            mangled[at:at] = mangled[at : at + chance.randint(1, 200)]
        else:
            mangled[at:at] = chance.randbytes(chance.randint(1, 30))
    return bytes(mangled)


def test_mangled_heads_are_no_trouble(there: Home, port: int) -> None:
    """Whatever comes: an answer or the end, no trace of an error, and the next honest client gets in."""
    chance = random.Random(4)
    with Raw(port) as sample:
        heads = [
            sample.head(headers={**UPGRADE, "Authorization": f"Bearer {there.token()}", "Origin": f"http://127.0.0.1:{port}"}),
            sample.head("/pair", "POST", headers=PAIR, body=b'{"code": "K7QD-M2XP-9RTA", "name": "x"}'),
            sample.head("/healthz?x=1", headers={"Transfer-Encoding": "chunked"}) + b"5\r\nhello\r\n0\r\n\r\n",
        ]  # fmt: skip
    for number in range(400):
        hang_up_on(port, mangle(heads[number % 3], chance))
    assert can_talk(there, port)
    assert_quiet(there)


def test_mangled_messages_are_no_trouble(there: Home, port: int) -> None:
    """The same after the handshake."""
    chance = random.Random(5)
    with Raw(port) as sample:
        head = sample.head(headers={**UPGRADE, "Authorization": f"Bearer {there.token()}"})
    talk = [frame(encode(HI)), frame(encode(List())), frame(b"", 9), frame(b"\x03\xe8", 8)]
    for _ in range(300):
        said = b"".join(chance.choices(talk, k=chance.randint(1, 4)))
        hang_up_on(port, head + mangle(said, chance))
    assert can_talk(there, port)
    assert_quiet(there)


def hang_up_on(port: int, data: bytes) -> None:
    """Say it, wait for no more than the first answer, leave."""
    with Raw(port) as raw:
        raw.peer.settimeout(0.02)
        try:
            raw.say(data)
            raw.peer.recv(1 << 16)
        except OSError:
            pass


def test_the_journal_is_harmless() -> None:
    """Whatever gets into it, a traceback with words of a peer say: on its way to the file it loses its power."""
    record = logging.LogRecord("codewire", logging.INFO, "", 0, "said \x1b[31m\x9b\r\n%s\tü", ("\x07",), None)
    assert Harmless("%(message)s").format(record) == "said \\x1b[31m\\x9b\\x0d\n\\x07\tü"


def test_no_secret_is_seen_from_outside(there: Home, port: int) -> None:
    """In no command line of any process, and the file is for its user alone."""
    assert can_talk(there, port)
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            assert there.token().encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
    assert (there.path / "token").stat().st_mode & 0o777 == 0o600


def test_a_client_of_another_making(there: Home, port: int) -> None:
    """Closes politely, is told politely."""
    said = {"Authorization": f"Bearer {there.token()}"}
    with connect(f"ws://localhost:{port}/ws", additional_headers=said, proxy=None) as peer:
        peer.ping().wait(5)
        peer.send(encode(HI))
        peer.recv(5)
        peer.send([encode(List())[:3], encode(List())[3:]])  # in two fragments
        listed = peer.recv(5)
        assert isinstance(listed, bytes)
        assert isinstance(decode(listed[HEADER:]), Listed)
        with pytest.raises(ConnectionClosed):
            peer.recv(5)
        assert peer.close_code == 1000
