"""conversations that go on: attach, logs, send in pieces, wait"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import msgpack
import pytest

from codewire_py.daemon.screen.screen import Screen
from codewire_py.wire.codec import encode
from codewire_py.wire.declare import Message
from codewire_py.wire.frames import CHUNK, CONTROL, DATA
from codewire_py.wire.messages import (
    Attach,
    Attached,
    Described,
    Detach,
    Detached,
    Ended,
    Foremost,
    Kill,
    Killed,
    Launched,
    List,
    Logs,
    Measured,
    Painted,
    Prune,
    Reading,
    Removed,
    Send,
    Sent,
    Status,
    Took,
    Typed,
    Unknown,
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


# -- attach


def attach(home: Home, session: int, **fields: Any) -> tuple[Peer, Attached]:
    peer = Peer(home)
    return peer, peer.ask(Attach(session=str(session), **fields)).hear(Attached)


def test_an_attached_viewer_sees_what_comes_and_types(home: Home) -> None:
    """Attached first, then data, whole; each typed message is acknowledged once the terminal took its bytes."""
    id = ask(home, launching("cat", request="attach"), Launched).id
    peer, begun = attach(home, id)
    with peer:
        assert (begun.id, begun.foremost, begun.offset) == (id, True, 0)
        peer.say(Typed(seq=1, data=b"one\n"), Typed(seq=2, data=b"two\n"))
        took = [peer.hear(Took), peer.hear(Took)]
        assert [(word.seq, word.size) for word in took] == [(1, 4), (2, 4)]
        peer.until_data(
            lambda data: data.endswith(b"two\r\n") and data.count(b"\r\n") == 4, "echo and answer"
        )
        assert peer.data == home.log(id)
        peer.say(Detach())
        peer.hear(Detached)
        assert peer.is_over()
    assert ask(home, Status(session=str(id)), Described).session["attached"] is False


def test_the_end_comes_after_the_last_byte(home: Home) -> None:
    """A program that prints and exits at once: its whole output, then how it ended."""
    id = ask(
        home, launching("sh", "-c", "read x; printf 'the last byte'; exit 3", request="end"), Launched
    ).id
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
    """Not a byte is missing, none comes twice, nothing is painted; an offset beyond the log is its end."""
    id = ask(home, launching("sh", "-c", "seq 1000; cat", request="offset"), Launched).id
    home.until_printed(id, b"\r\n1000\r\n")
    log = home.log(id)
    for offset in (1, 1234, len(log)):
        peer, begun = attach(home, id, offset=offset)
        with peer:
            assert (begun.offset, begun.paint) == (offset, b"")
            peer.until_data(lambda data, offset=offset: data == log[offset:], f"the log from {offset}")
    peer, begun = attach(home, id, offset=1 << 60)
    with peer:
        assert begun.offset == len(log)


def test_who_comes_back_too_late_gets_the_rest(home: Home) -> None:
    """The session ended while its viewer was away: what was missed, and how it ended."""
    id = ask(home, launching("sh", "-c", "seq 1000; exit 5", request="late"), Launched).id
    home.end(id)
    peer, begun = attach(home, id, offset=1234)
    with peer:
        assert begun.offset == 1234
        assert peer.hear(Ended).session["exit_code"] == 5
        assert peer.data == home.log(id)[1234:]
    assert refusal(home, Attach(session=str(id))).code == "not-running"


@pytest.mark.parametrize("scrollback", [0, 100, -5, 1 << 40])
def test_who_attaches_is_painted(home: Home, scrollback: int) -> None:
    """The screen, below no more of what has left it than asked for; the log goes on there and draws the rest.

    One that has come to where the log begins has seen nothing, so it is painted, too.
    """
    id = ask(home, launching("sh", "-c", "seq 1000; cat", request="paint", rows=40, cols=120), Launched).id
    home.until_printed(id, b"\r\n1000\r\n")
    log = home.log(id)
    for offset in (-1, 0):
        peer, begun = attach(home, id, scrollback=scrollback, offset=offset)
        with peer:
            assert (begun.offset, begun.rendered) == (len(log), False)
            peer.say(Typed(data=b"typed\n")).hear(Took)
            peer.until_data(lambda data: data == b"typed\r\n" * 2, "what was typed, and nothing of before")
        log = home.log(id)
        there, here = Screen(40, 120), Screen(40, 120)
        there.feed(log)
        here.feed(begun.paint + peer.data)
        assert (here.text(), here.cursor()) == (there.text(), there.cursor())
        assert here.history_text(5000) == there.history_text(5000)[-max(scrollback, 0) - 2 :]


def test_every_viewer_sees_everything(home: Home) -> None:
    """Two at once; the one that attached last is foremost, and the other is told so, and told again."""
    id = ask(home, launching("cat", request="two"), Launched).id
    first, begun = attach(home, id)
    second, begun_too = attach(home, id)
    with first, second:
        assert (begun.foremost, begun_too.foremost) == (True, True)
        assert first.hear(Foremost).yes is False
        home.until(lambda: home.status(id)["attached_count"] == 2, "both to be counted")
        second.say(Typed(data=b"hi\n"))
        second.hear(Took)
        for peer in (first, second):
            peer.until_data(lambda data: data == b"hi\r\nhi\r\n", "the line twice")
        second.say(Detach())
        second.hear(Detached)
        assert first.hear(Foremost).yes is True


def test_a_reader_only_reads(home: Home) -> None:
    """It neither types nor resizes nor becomes foremost; in a smaller terminal it sees paints."""
    id = ask(home, launching("cat", request="reader", rows=24, cols=80), Launched).id
    typist, begun = attach(home, id)
    reader, begun_too = attach(home, id, read_only=True, rows=5, cols=5)
    with typist, reader:
        assert (begun.foremost, begun_too.foremost) == (True, False)
        assert (begun_too.rows, begun_too.cols, begun_too.rendered) == (24, 80, True)
        reader.say(Measured(rows=6, cols=6), Typed(data=b"no\n"))
        while isinstance(last := reader.hear(Message), Painted):
            assert last.rendered
        assert "read-only" in str(last)
        described = home.status(id)
        assert (described["rows"], described["cols"]) == (24, 80)
        typist.say(Typed(data=b"yes\n"))
        typist.hear(Took)
        typist.until_data(lambda data: data == b"yes\r\nyes\r\n", "only what the typist typed")


def test_a_viewer_resizes(home: Home) -> None:
    """On attach and afterwards; a mark says where; a size that cannot be is passed over."""
    id = ask(
        home,
        launching(
            "sh", "-c", "trap 'stty size' WINCH; echo ready; while :; do sleep 0.02; done", request="size"
        ),
        Launched,
    ).id
    home.until_printed(id, b"ready")
    peer, begun = attach(home, id, rows=30, cols=90)
    with peer:
        assert (begun.rows, begun.cols) == (30, 90)
        for rows, cols in ((0, 50), (-1, 5), (10_000, 5), (2**40, 2**40)):
            peer.say(Measured(rows=rows, cols=cols))
        peer.say(Measured(rows=31, cols=91), Typed(seq=1, data=b"\n"))
        peer.hear(Took)
        peer.until_data(lambda data: b"31 91" in data, "the program to hear of it")
    sizes = [(mark["rows"], mark["cols"]) for mark in home.marks(id) if mark["kind"] == "size"]
    assert sizes == [(30, 90), (31, 91)]


def test_a_stream_passes_over_what_it_does_not_know(home: Home) -> None:
    """An unknown word costs nothing; a known one that has no place here ends the stream with a refusal."""
    id = ask(home, launching("cat", request="words"), Launched).id
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
    id = ask(home, launching("cat", request="vanish"), Launched).id
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
    id = ask(
        home, launching("sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x", request="large"), Launched
    ).id
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
    id = ask(home, launching("cat", request="pieces"), Launched).id
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
