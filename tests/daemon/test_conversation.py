"""the documented protocol, as a client that is not ours speaks it: frames, hello, one request, streams"""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import Any

import msgpack
import pytest
from homes import Home
from peers import Peer

from codewire_py.wire.codec import encode
from codewire_py.wire.declare import Message
from codewire_py.wire.frames import CHUNK, CONTROL, DATA, MAX_PAYLOAD, frame
from codewire_py.wire.messages import (
    FEATURES, PROTOCOL, Attach, Attached, Described, Detach, Detached, Ended, Failed, Foremost, Hello, Kill, Killed, Launch,
    Launched, Leaving, List, Listed, Logs, Prune, Reading, Remove, Removed, Rename, Renamed, Resize, Restart, Send, Sent, Status,
    Stop, Took, Typed, Unknown, Wait, Waited,
)  # fmt: skip

CAT = ("cat",)
LINES = "for number in range(int(__import__('sys').argv[1])): print('line', number)"


@pytest.fixture(scope="module")
def home(shared_home: Home) -> Home:
    """A daemon that runs; every test has sessions of its own."""
    shared_home.cw("start")
    return shared_home


def launching(*command: str, **fields: Any) -> Launch:
    given = {"request": f"{command}{fields}", "directory": "/", "env": {"PATH": "/usr/bin:/bin"}, **fields}
    return Launch(command=list(command), **given)


def ask(home: Home, request: Message, kind: type[Message]) -> Any:
    with Peer(home) as peer:
        reply = peer.ask(request).hear(kind)
        assert peer.is_over()
        return reply


def refusal(home: Home, request: Message) -> Failed:
    with Peer(home) as peer:
        return peer.ask(request).refused()


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
        peer.say(Hello(version=1)).say_frame(CONTROL, msgpack.packb({"type": "list", "hologram": [1, {}]})).hear(Hello)
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
    id = ask(home, launching(*CAT, tags=["simple"]), Launched).id
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


# -- attach


def attach(home: Home, session: int, **fields: Any) -> tuple[Peer, Attached]:
    peer = Peer(home)
    return peer, peer.ask(Attach(session=str(session), **fields)).hear(Attached)


def test_an_attached_viewer_sees_what_comes_and_types(home: Home) -> None:
    """Attached first, then data; each typed message is acknowledged once the terminal took its bytes."""
    id = ask(home, launching(*CAT, request="attach"), Launched).id
    peer, begun = attach(home, id)
    with peer:
        assert (begun.id, begun.foremost, begun.paint) == (id, True, b"")
        peer.say(Typed(seq=1, data=b"one\n"), Typed(seq=2, data=b"two\n"))
        took = [peer.hear(Took), peer.hear(Took)]
        assert [(word.seq, word.size) for word in took] == [(1, 4), (2, 4)]
        peer.until_data(lambda data: data.endswith(b"two\r\n") and data.count(b"\r\n") == 4, "echo and answer")
        assert peer.data == home.log(id)
        peer.say(Detach())
        peer.hear(Detached)
        assert peer.is_over()
    assert ask(home, Status(session=str(id)), Described).session["attached"] is False


def test_the_end_comes_after_the_last_byte(home: Home) -> None:
    """A program that prints and exits at once: its whole output, then how it ended."""
    id = ask(home, launching("sh", "-c", "read x; printf 'the last byte'; exit 3", request="end"), Launched).id
    peer, _ = attach(home, id)
    with peer:
        peer.say(Typed(data=b"\n"))
        peer.hear(Took)
        ended = peer.hear(Ended).session
        assert peer.is_over()
    assert (ended["status"], ended["exit_code"]) == ("completed (3)", 3)
    assert peer.data == home.log(id)
    assert peer.data.endswith(b"the last byte")
    assert refusal(home, Attach(session=str(id))).code == "not-running"


def test_a_viewer_comes_back_at_its_offset(home: Home) -> None:
    """Not a byte is missing, none comes twice; an offset beyond the log is its end."""
    id = ask(home, launching("sh", "-c", "seq 1000; cat", request="offset"), Launched).id
    home.until_printed(id, b"\r\n1000\r\n")
    log = home.log(id)
    for offset in (0, 1, 1234, len(log)):
        peer, begun = attach(home, id, offset=offset)
        with peer:
            assert (begun.offset, begun.paint) == (offset, b"")
            peer.until_data(lambda data, offset=offset: data == log[offset:], f"the log from {offset}")
    peer, begun = attach(home, id, offset=1 << 60)
    with peer:
        assert begun.offset == len(log)


@pytest.mark.parametrize("history", [0, 100, -5, 1 << 40])
def test_recent_output_is_painted(home: Home, history: int) -> None:
    """Whole lines, no more than asked for; paint and data together are the log's end."""
    id = ask(home, launching("sh", "-c", "seq 1000; cat", request="paint"), Launched).id
    home.until_printed(id, b"\r\n1000\r\n")
    log = home.log(id)
    peer, begun = attach(home, id, history=history)
    with peer:
        peer.until_data(lambda data: begun.paint + data == log[len(log) - len(begun.paint) - len(data) :], "the rest")
        assert begun.offset + len(peer.data) == len(log)
    assert begun.paint == {0: b"", 100: log[-100:].partition(b"\n")[2], -5: b""}.get(history, log)


def test_every_viewer_sees_everything(home: Home) -> None:
    """Two at once; the one that attached last is foremost, and the other is told so, and told again."""
    id = ask(home, launching(*CAT, request="two"), Launched).id
    first, begun = attach(home, id)
    second, begun_too = attach(home, id)
    with first, second:
        assert (begun.foremost, begun_too.foremost) == (True, True)
        assert first.hear(Foremost).yes is False
        home.until(lambda: home.status(id)["attached_count"] == 2, "both to be counted")
        first.say(Typed(data=b"hi\n"))
        first.hear(Took)
        for peer in (first, second):
            peer.until_data(lambda data: data == b"hi\r\nhi\r\n", "the line twice")
        second.say(Detach())
        second.hear(Detached)
        assert first.hear(Foremost).yes is True


def test_a_reader_only_reads(home: Home) -> None:
    """It neither types nor resizes nor becomes foremost."""
    id = ask(home, launching(*CAT, request="reader", rows=24, cols=80), Launched).id
    typist, begun = attach(home, id)
    reader, begun_too = attach(home, id, read_only=True, rows=5, cols=5)
    with typist, reader:
        assert (begun.foremost, begun_too.foremost) == (True, False)
        assert (begun_too.rows, begun_too.cols) == (24, 80)
        reader.say(Resize(rows=6, cols=6), Typed(data=b"no\n"))
        assert "read-only" in reader.refused().message
        described = home.status(id)
        assert (described["rows"], described["cols"]) == (24, 80)
        typist.say(Typed(data=b"yes\n"))
        typist.hear(Took)
        typist.until_data(lambda data: data == b"yes\r\nyes\r\n", "only what the typist typed")


def test_a_viewer_resizes(home: Home) -> None:
    """On attach and afterwards; a mark says where; a size that cannot be is passed over."""
    id = ask(home, launching("sh", "-c", "trap 'stty size' WINCH; echo ready; while read x; do :; done", request="size"), Launched).id
    home.until_printed(id, b"ready")
    peer, begun = attach(home, id, rows=30, cols=90)
    with peer:
        assert (begun.rows, begun.cols) == (30, 90)
        for rows, cols in ((0, 50), (-1, 5), (10_000, 5), (2**40, 2**40)):
            peer.say(Resize(rows=rows, cols=cols))
        peer.say(Resize(rows=31, cols=91), Typed(seq=1, data=b"\n"))
        peer.hear(Took)
        peer.until_data(lambda data: b"31 91" in data, "the program to hear of it")
    sizes = [(mark["rows"], mark["cols"]) for mark in home.marks(id) if mark["kind"] == "size"]
    assert sizes == [(30, 90), (31, 91)]


def test_a_stream_passes_over_what_it_does_not_know(home: Home) -> None:
    """An unknown word costs nothing; a known one that has no place here ends the stream with a refusal."""
    id = ask(home, launching(*CAT, request="words"), Launched).id
    peer, _ = attach(home, id)
    with peer:
        peer.say_frame(CONTROL, msgpack.packb({"type": "dance"})).say(Typed(seq=9, data=b"x\n"))
        assert peer.hear(Took).seq == 9
        peer.say(List())
        with pytest.raises(AssertionError, match="Failed"):
            peer.until_data(lambda data: False, "nothing")
    peer, _ = attach(home, id)
    with peer:
        assert peer.say_frame(DATA, b"typed as data").refused().code == "bad-protocol"
    assert isinstance(Unknown(name="dance"), Message)


def test_a_viewer_that_vanishes_is_forgotten(home: Home) -> None:
    """Without a word, in the middle of a frame even: soon it counts no more, and the session goes on."""
    id = ask(home, launching(*CAT, request="vanish"), Launched).id
    peer, _ = attach(home, id)
    with peer:
        peer.say_raw(encode(Typed(data=b"half"))[:-2])
    home.until(lambda: home.status(id)["attached"] is False, "the viewer to be forgotten")
    assert home.status(id)["status"] == "running"


def test_who_attaches_without_a_word_gets_the_last_free_one(home: Home) -> None:
    """Launched last, nobody attached; when all are taken, a sentence."""
    first, second = (ask(home, launching("sleep", "60", request=f"free{n}"), Launched).id for n in range(2))
    free = sum(not session["attached"] for session in home.list("--status", "running"))
    with ExitStack() as stack:
        peers = [stack.enter_context(Peer(home)) for _ in range(free)]
        picked = [peer.ask(Attach()).hear(Attached).id for peer in peers]
        assert picked[:2] == [second, first]
        assert picked == sorted(picked, reverse=True)
        assert refusal(home, Attach()).message == "No unattached running sessions available."


# -- logs, send, wait


def test_logs_are_streamed(home: Home) -> None:
    """A log larger than any frame, in many; then how it ended."""
    id = ask(home, launching("sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x", request="large"), Launched).id
    home.end(id)
    with Peer(home) as peer:
        begun = peer.ask(Logs(session=str(id))).hear(Reading)
        assert (begun.id, begun.offset, begun.length, begun.released) == (id, 0, 3_000_000, 0)
        sizes = []
        while (found := peer.next()) is not None and found[0] == DATA:
            sizes.append(len(found[1]))
        assert sum(sizes) == 3_000_000
        assert max(sizes) <= CHUNK
        assert found
        assert msgpack.unpackb(found[1])["type"] == "ended"
        assert peer.is_over()


def test_logs_from_an_offset_and_of_the_last_lines(home: Home) -> None:
    """From exactly there; the last lines as they are in the log."""
    id = ask(home, launching("seq", "100", request="lines"), Launched).id
    home.end(id)
    log = home.log(id)
    for fields, wanted in (({"offset": 17}, log[17:]), ({"tail": 3}, b"98\r\n99\r\n100\r\n"), ({"tail": 0}, b""),
                           ({"tail": 10**6}, log), ({"offset": 10**9}, b"")):  # fmt: skip
        with Peer(home) as peer:
            peer.ask(Logs(session=str(id), **fields)).hear(Reading)
            peer.hear(Ended)
            assert peer.data == wanted


def test_following_a_log_ends_with_the_session(home: Home) -> None:
    """What is there, what comes, the last byte, the end."""
    id = ask(home, launching("sh", "-c", "echo begun; read x; printf over", request="follow"), Launched).id
    with Peer(home) as peer:
        peer.ask(Logs(session=str(id), follow=True)).hear(Reading)
        peer.until_data(lambda data: data == b"begun\r\n", "what is there")
        ask(home, Send(session=str(id), data=b"\n"), Sent)
        peer.hear(Ended)
        assert peer.data == home.log(id) == b"begun\r\n\r\nover"


def test_a_send_in_pieces_is_one_paste(home: Home) -> None:
    """More follows in typed messages, an empty one last; then the reply, for all of it."""
    id = ask(home, launching(*CAT, request="pieces"), Launched).id
    with Peer(home) as peer:
        peer.ask(Send(session=str(id), data=b"one ", more=True))
        peer.say(Typed(data=b"two "), Typed(data=b"three\n"), Typed())
        assert peer.hear(Sent).size == 14
    home.until_printed(id, b"one two three\r\none two three\r\n")
    with Peer(home) as peer:
        peer.ask(Send(session=str(id), data=b"x", more=True)).say(List())
        assert peer.refused().code == "bad-protocol"
    with Peer(home) as peer:
        peer.ask(Send(session=str(id), data=b"never finished", more=True))
    assert ask(home, Send(session=str(id), data=b"\nfree again\n"), Sent)
    home.until(lambda: home.log(id).count(b"free again\r\n") == 2, "the terminal to be free again")


def test_a_wait_is_answered_when_it_is_over(home: Home) -> None:
    """For all, for any, or when the time is over; who no longer wants to know just leaves."""
    quick = ask(home, launching("sh", "-c", "read x", request="quick"), Launched).id
    slow = ask(home, launching("sleep", "60", request="slow"), Launched).id
    late = ask(home, Wait(sessions=[str(quick), str(slow)], timeout=0.05), Waited)
    assert (late.sessions, late.timed_out) == ([], True)
    with Peer(home) as leaving, Peer(home) as both, Peer(home) as either:
        leaving.ask(Wait(sessions=[str(slow)]))
        both.ask(Wait(sessions=[str(quick), str(slow)]))
        either.ask(Wait(sessions=[str(quick), str(slow)], any=True))
        leaving.peer.close()
        ask(home, Send(session=str(quick), data=b"\n"), Sent)
        assert [s["id"] for s in either.hear(Waited).sessions] == [quick]
        ask(home, Kill(sessions=[str(slow)]), Killed)
        assert [s["id"] for s in both.hear(Waited).sessions] == [quick, slow]


@pytest.mark.parametrize("timeout", [float("nan"), float("inf"), -1.0, 1e300])
def test_a_wait_without_an_end_is_one(home: Home, timeout: float) -> None:
    """Odd times mean: until it is over."""
    id = ask(home, launching("true", request=f"odd{timeout}"), Launched).id
    assert ask(home, Wait(sessions=[str(id)], timeout=timeout), Waited).timed_out is False


@pytest.mark.parametrize("grace", [float("nan"), float("inf"), -1.0, 1e300])
def test_a_grace_that_is_no_time_kills_nobody(home: Home, grace: float) -> None:
    """Refused before anything is signalled or marked."""
    id = ask(home, launching("sleep", "60", request=f"grace{grace}"), Launched).id
    assert refusal(home, Kill(sessions=[str(id)], grace=grace)).code == "usage"
    assert home.status(id)["status"] == "running"
    assert "killed" not in [mark["kind"] for mark in home.marks(id)]


def test_an_age_that_is_no_time_prunes_nothing(home: Home) -> None:
    """NaN compares with nothing, so nothing is old enough."""
    id = ask(home, launching("true", request="nan"), Launched).id
    home.end(id)
    ask(home, Prune(older=float("nan")), Removed)
    assert home.status(id)["id"] == id


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
