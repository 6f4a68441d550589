"""the documented protocol, as a client that is not ours speaks it: frames, hello, one request"""

from __future__ import annotations

import threading
from typing import Any

import msgpack
import pytest

from codewire_py.wire.codec import encode
from codewire_py.wire.declare import Message
from codewire_py.wire.frames import CONTROL, DATA, MAX_PAYLOAD, frame
from codewire_py.wire.messages import (
    FEATURES,
    PROTOCOL,
    Attach,
    Attached,
    Described,
    Detach,
    Hello,
    Kill,
    Killed,
    Launched,
    Leaving,
    List,
    Listed,
    Logs,
    Reading,
    Remove,
    Removed,
    Rename,
    Renamed,
    Restart,
    Send,
    Sent,
    Status,
    Stop,
    Wait,
    Waited,
)
from homes import Home
from peers import Peer, ask, launching, refusal


@pytest.fixture(scope="module")
def home(shared_home: Home) -> Home:
    """A daemon that runs; every test has sessions of its own."""
    shared_home.cw("start")
    return shared_home


# -- hello


def test_both_say_hello_first(home: Home) -> None:
    """With the version of the protocol and what they can do; the daemon's comes before the request is sent."""
    with Peer(home) as peer:
        hello = peer.say(Hello(version=PROTOCOL, features=["x-ray"])).hear(Hello)
        assert (hello.version, hello.features) == (PROTOCOL, FEATURES)
        assert peer.say(List()).hear(Listed)
        assert peer.is_over()


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (encode(List()), "bad-protocol"),
        (encode(Hello(version=0)), "bad-protocol"),
        (encode(Hello(version=-5)), "bad-protocol"),
        (frame(DATA, b"x"), "bad-protocol"),
        (frame(CONTROL, b""), "bad-protocol"),
        (frame(CONTROL, b"\xc1"), "bad-protocol"),
        (frame(CONTROL, msgpack.packb({"type": "hello", "version": "1"})), "bad-protocol"),
        (b"\x02\0\0\0\0", "bad-protocol"),
        (b"\0" + (MAX_PAYLOAD + 1).to_bytes(4, "big"), "bad-protocol"),
        (b"GET / HTTP/1.1\r\n\r\n", "bad-protocol"),
    ],
)
def test_whoever_begins_otherwise_is_told(home: Home, said: bytes, code: str) -> None:
    """What was wrong with it, in one message, and the connection ends."""
    with Peer(home) as peer:
        assert peer.say_raw(said).refused().code == code


def test_a_newer_version_is_answered_with_ours(home: Home) -> None:
    """Who can speak more, speaks what both know."""
    with Peer(home) as peer:
        assert peer.say(Hello(version=99), List()).hear(Hello).version == PROTOCOL
        peer.hear(Listed)


@pytest.mark.parametrize("said", [b"", encode(Hello(version=1)), encode(Hello(version=1))[:7], b"\0"])
def test_who_leaves_early_leaves_no_trace(home: Home, said: bytes) -> None:
    """Nothing in the journal, and the daemon serves on."""
    before = home.journal()
    with Peer(home) as peer:
        peer.say_raw(said)
    assert ask(home, List(), Listed)
    assert home.journal() == before


# -- one request


def test_what_comes_in_any_pieces_is_the_same(home: Home) -> None:
    """Byte by byte."""
    with Peer(home) as peer:
        for byte in encode(Hello(version=1)) + encode(List()):
            peer.say_raw(bytes((byte,)))
        peer.hear(Hello)
        assert peer.hear(Listed)


def test_an_unknown_request_is_refused_by_name(home: Home) -> None:
    """With its own error: the client may be newer than the daemon."""
    for message in (msgpack.packb({"type": "teleport", "id": 1}), msgpack.packb({"type": "launched-not"})):
        with Peer(home) as peer:
            peer.say(Hello(version=1)).say_frame(CONTROL, message).hear(Hello)
            failed = peer.refused()
            assert failed.code == "unknown-request"
            assert ("teleport" in failed.message) or ("launched-not" in failed.message)


@pytest.mark.parametrize("message", [Hello(version=1), Launched(id=1, name="", pid=1, command=""), Detach()])
def test_what_is_no_request_is_refused(home: Home, message: Message) -> None:
    """A reply or a word from within a stream is none."""
    assert refusal(home, message).code == "unknown-request"


def test_unknown_fields_are_ignored(home: Home) -> None:
    """A newer client may say more."""
    with Peer(home) as peer:
        peer.say(Hello(version=1)).say_frame(
            CONTROL, msgpack.packb({"type": "list", "hologram": [1, {}]})
        ).hear(Hello)
        peer.hear(Listed)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (Status(session="9999"), "no-such-session"),
        (Attach(session="9999"), "no-such-session"),
        (Logs(session="9999"), "no-such-session"),
        (Send(session="9999", data=b"x"), "no-such-session"),
        (Kill(sessions=["9999"]), "no-such-session"),
        (Wait(sessions=["9999"]), "no-such-session"),
        (Remove(sessions=["9999"]), "no-such-session"),
        (Rename(session="9999", name="x"), "no-such-session"),
        (Status(session=""), "no-such-session"),
        (Status(session="²"), "no-such-session"),
        (Status(session="1" * 5000), "no-such-session"),
        (Status(session="-1"), "no-such-session"),
        (Status(session="\udcff\0"), "no-such-session"),
        (Kill(tags=["nobody"]), "no-such-session"),
        (Kill(), "usage"),
        (Kill(everything=True, signal=-1), "usage"),
        (Kill(everything=True, signal=65), "usage"),
        (Wait(), "usage"),
        (Remove(), "usage"),
        (List(status="sleeping"), "usage"),
        (Restart(python="/nowhere/python"), "daemon-failed"),
        (Restart(python="/bin/false"), "daemon-failed"),
        (launching("no-such-program"), "cannot-launch"),
        (launching("true", directory="/nowhere"), "cannot-launch"),
        (launching("true", name="no good"), "bad-name"),
    ],
)
def test_refusals(home: Home, request_: Message, code: str) -> None:
    """Each by its code, with a sentence; nothing else happens."""
    failed = refusal(home, request_)
    assert failed.code == code
    assert failed.message
    assert "bug" not in failed.message


def test_a_hint_names_what_was_meant(home: Home) -> None:
    """A misspelt name is answered with the one that is like it."""
    ask(home, launching("sleep", "60", name="backend-api"), Launched)
    failed = refusal(home, Status(session="backend-apo"))
    assert failed.message == 'no session named "backend-apo"'
    assert failed.hint == 'did you mean "backend-api"? (cw list)'


def test_a_launch_by_its_request_happens_once(home: Home) -> None:
    """Repeated, also at the same time, it finds the session of the first."""
    request = launching("sleep", "60", request="once")
    replies: list[Any] = []
    asking = [threading.Thread(target=lambda: replies.append(ask(home, request, Launched))) for _ in range(5)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert len({reply.id for reply in replies}) == 1
    assert len(replies) == 5
    assert ask(home, request, Launched).id == replies[0].id


def test_the_simple_requests(home: Home) -> None:
    """Launch, status, rename, send, kill, wait, remove, list: one request, one reply, and the end."""
    id = ask(home, launching("cat", tags=["simple"]), Launched).id
    described = ask(home, Status(session=str(id)), Described).session
    assert (described["id"], described["status"], described["prompt"]) == (id, "running", "cat")
    assert ask(home, Rename(session=str(id), name="simple-one"), Renamed).name == "simple-one"
    assert ask(home, Send(session="simple-one", data=b"hello\n"), Sent).size == 6
    home.until_printed(id, b"hello\r\nhello\r\n")
    assert [s["id"] for s in ask(home, List(tags=["simple"]), Listed).sessions] == [id]
    [killed] = ask(home, Kill(sessions=["simple-one"]), Killed).sessions
    assert (killed["id"], killed["status"]) == (id, "killed")
    waited = ask(home, Wait(sessions=[str(id)]), Waited)
    assert ([s["id"] for s in waited.sessions], waited.timed_out) == ([id], False)
    assert [s["id"] for s in ask(home, Remove(sessions=[str(id)]), Removed).sessions] == [id]
    assert refusal(home, Status(session=str(id))).code == "no-such-session"


# -- many at once, and the daemon leaving


def test_many_at_once(home: Home) -> None:
    """A hundred conversations at the same time, some of which only look on: every one is answered."""
    peers = [Peer(home) for _ in range(100)]
    for number, peer in enumerate(peers):
        if number % 3:
            peer.say(Hello(version=1), List())
    answers = []
    for number, peer in enumerate(peers):
        if number % 3:
            peer.hear(Hello)
            answers.append(peer.hear(Listed))
        peer.peer.close()
    assert len(answers) == 66


def test_a_daemon_that_leaves_says_so(home: Home) -> None:
    """To everybody who waits for more: attach, logs, wait; with why. It is the last thing this file does."""
    id = ask(home, launching("sleep", "60", request="leaving"), Launched).id
    with Peer(home) as viewer, Peer(home) as reader, Peer(home) as waiter:
        viewer.ask(Attach(session=str(id))).hear(Attached)
        reader.ask(Logs(session=str(id), follow=True)).hear(Reading)
        waiter.ask(Wait(sessions=[str(id)]))
        with Peer(home) as peer:
            peer.ask(Stop())
            for other in (viewer, reader, waiter):
                assert other.hear(Leaving).why == "stop"
                assert other.is_over()
    home.until(lambda: not (home.path / "daemon.pid").exists(), "the daemon to have left")
    home.cw("start")
    assert home.status(id)["status"] == "running"
