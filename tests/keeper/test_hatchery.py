"""the hatchery: its conversation, that there is one, when it leaves, and what it does without room"""

from __future__ import annotations

import fcntl
import os
import resource
import select
import signal
import socket
import time
from contextlib import suppress

import pytest

from keeper.hatching import (
    NAME,
    Hatchery,
    Session,
    cpu_seconds,
    descriptors,
    hear_word,
    is_alive,
    pack,
    receive,
    send_word,
)

TRUE = (
    b'{"path": "/bin/true", "argv": ["true"], "directory": "/", "env": {}, '
    b'"rows": 1, "cols": 1, "umask": 0, "nofile": 0}'
)


def make_directories(hatchery: Hatchery, *names: str) -> None:
    for name in names:
        (hatchery.home / name).mkdir(parents=True)


# -- the conversation


def test_words_come_in_any_portions(hatchery: Hatchery) -> None:
    """A word is as long as it says, however it is cut or joined on the way."""
    make_directories(hatchery, "a", "b")
    for byte in pack(b"a\n" + TRUE):
        hatchery.peer.sendall(bytes([byte]))
    assert hear_word(hatchery.peer, "a")["known"]
    hatchery.peer.sendall(pack(b"b\n" + TRUE) + pack(b"c\n"))
    answers = [receive(hatchery.peer, int.from_bytes(receive(hatchery.peer, 4), "big")) for _ in range(2)]
    assert {answer.partition(b"\n")[0] for answer in answers} == {b"b", b"c"}


def test_who_asks_about_nothing_we_keep_is_told_so(hatchery: Hatchery) -> None:
    """Whatever the name: not known, and the conversation goes on."""
    for name in ("", "sessions/7", "/etc", "..", "\udcff"):
        hatchery.peer.sendall(pack(name.encode(errors="surrogateescape")))
        assert receive(hatchery.peer, int.from_bytes(receive(hatchery.peer, 4), "big")).endswith(
            b'{"known": false}'
        )


@pytest.mark.parametrize("order", [b"x", b"{}", b"[]", b"7", b"\xff\xfe", b"[" * 100_000, b'{"path": 1}'])
def test_an_order_that_is_none_is_refused(hatchery: Hatchery, order: bytes) -> None:
    """With a reason, however it is broken; nothing runs, and the next order is served."""
    make_directories(hatchery, "a")
    send_word(hatchery.peer, "a", order)
    assert hear_word(hatchery.peer, "a")["error"]
    assert hatchery.launch("/bin/true").end()["code"] == 0


def test_a_word_that_is_too_long_ends_only_its_conversation(hatchery: Hatchery) -> None:
    """More than an environment and a command line can ever be is nonsense."""
    other = hatchery.connect()
    other.sendall(b"\xff\xff\xff\xff")
    assert other.recv(1) == b""
    assert hatchery.launch("/bin/true").end()["code"] == 0


def test_a_daemon_that_never_reads_ends_only_its_conversation(hatchery: Hatchery) -> None:
    """Its answers are not kept: it is cut off, after whole ones, and the others are served meanwhile."""
    deaf = hatchery.connect()
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        deaf.sendall(pack(b"sessions/1\n") * 1_000_000)
    heard = b""
    with suppress(ConnectionResetError):
        while more := deaf.recv(1 << 20):
            heard += more
    answer = pack(b'sessions/1\n{"known": false}')
    assert heard[: len(answer)] == answer
    assert answer.startswith(heard[len(heard) // len(answer) * len(answer) :])
    assert hatchery.launch("/bin/true").end()["code"] == 0


def test_a_daemon_that_leaves_at_once_has_ordered_all_the_same(hatchery: Hatchery) -> None:
    """A session or nothing: whoever comes next finds the door, or the record."""
    make_directories(hatchery, "a")
    other = hatchery.connect()
    send_word(other, "a", TRUE)
    other.close()
    hatchery.until((hatchery.home / "a/exit.json").exists, "the session to have run")


def test_many_conversations_at_once(hatchery: Hatchery) -> None:
    """A daemon that adopts asks about every session at once; each is answered, and none is kept afterwards."""
    session = hatchery.launch("/bin/cat")
    before = descriptors(hatchery.process.pid)
    peers = [hatchery.connect() for _ in range(300)]
    for peer in peers:
        send_word(peer, session.name)
    assert all(hear_word(peer, session.name)["known"] for peer in peers)
    for peer in peers:
        peer.close()
    hatchery.until(lambda: descriptors(hatchery.process.pid) == before, "the hatchery to forget them")


# -- that there is one


def test_a_second_one_refuses_to_start(hatchery: Hatchery) -> None:
    """It leaves by itself, without a word, and the first goes on behind the same door."""
    first, session = hatchery.process, hatchery.launch("/bin/cat")
    second = hatchery.begin()
    assert second.wait(20) == 0
    assert hatchery.journal() == ""
    assert first.poll() is None
    hatchery.peer = hatchery.connect()
    assert hatchery.ask(session)["known"]


def test_one_that_comes_while_another_leaves_waits_for_it(hatchery: Hatchery) -> None:
    """A new daemon need not find out why its hatchery did not start."""
    hatchery.kill()
    (hatchery.home / f"{NAME}.sock").unlink()
    lock = os.open(hatchery.home / f"{NAME}.lock", os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    process = hatchery.begin()
    with pytest.raises(TimeoutError):
        process_ended_within(process.pid, 0.3)
    os.close(lock)
    hatchery.peer = hatchery.connect()
    assert hatchery.launch("/bin/true").end()["code"] == 0


def process_ended_within(pid: int, seconds: float) -> None:
    handle = os.pidfd_open(pid)
    try:
        if not select.select([handle], [], [], seconds)[0]:
            raise TimeoutError(f"{pid} goes on")
    finally:
        os.close(handle)


def test_it_leaves_when_it_is_not_needed(hatchery: Hatchery) -> None:
    """About a second after the last session and the last daemon, with its door; and it comes again when called."""
    hatchery.launch("/bin/true").end()
    began = time.monotonic()
    hatchery.peer.close()
    assert hatchery.process.wait(20) == 0
    assert 0.5 < time.monotonic() - began < 5
    assert {path.name for path in hatchery.home.iterdir()} == {"journal", f"{NAME}.lock", "sessions"}
    assert hatchery.journal() == ""
    hatchery.start()
    assert hatchery.launch("/bin/true").end()["code"] == 0


def test_it_stays_while_there_is_a_session(hatchery: Hatchery) -> None:
    """Without any daemon: it is what makes a killed keeper survivable."""
    session = hatchery.sh("read line; exit 3")
    session.visit()
    hatchery.peer.close()
    with pytest.raises(TimeoutError):
        process_ended_within(hatchery.process.pid, 1.5)
    session.kill_keeper()
    session.visit().type(b"\n")
    assert session.end()["code"] == 3
    assert hatchery.process.wait(20) == 0


def test_waiting_costs_nothing(hatchery: Hatchery) -> None:
    """With sessions and a daemon, but nothing to do, neither hatchery nor keepers wake up: not in half a second."""
    sessions = [hatchery.launch("/bin/cat") for _ in range(5)]
    pids = [hatchery.process.pid, *(session.visit().keeper() for session in sessions)]
    hatchery.until(lambda: not who_woke(pids), "all of them to sleep through", 10)


def who_woke(pids: list[int]) -> list[int]:
    before = [switches(pid) for pid in pids]
    with pytest.raises(TimeoutError):
        process_ended_within(pids[0], 0.5)
    return [pid for pid, count in zip(pids, before, strict=True) if switches(pid) != count]


def switches(pid: int) -> int:
    """How often it has gone to sleep."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("voluntary"))


# -- without room


def allow_descriptors(pid: int, more: int) -> None:
    hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)[1]
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (max(descriptors(pid)) + 1 + more, hard))


def test_no_room_for_a_keeper_is_said(hatchery: Hatchery) -> None:
    """The order is refused with the reason, the hatchery lives, and later orders are served."""
    pid = hatchery.process.pid
    soft = resource.prlimit(pid, resource.RLIMIT_NOFILE)[0]
    session = hatchery.launch("/bin/cat")
    allow_descriptors(pid, 0)
    answer = hatchery.order("/bin/true")
    assert answer["errno"] == 24, answer
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, soft))
    assert hatchery.launch("/bin/true").end()["code"] == 0
    assert hatchery.ask(session)["known"]


def test_no_room_for_another_daemon_is_no_spin(hatchery: Hatchery) -> None:
    """It is turned away, and the hatchery goes to sleep again."""
    pid = hatchery.process.pid
    session = hatchery.launch("/bin/cat")
    allow_descriptors(pid, 0)
    assert hatchery.connect().recv(1) == b""
    before = cpu_seconds(pid)
    with pytest.raises(TimeoutError):
        process_ended_within(pid, 0.3)
    assert cpu_seconds(pid) - before < 0.1
    assert hatchery.ask(session)["known"]


def test_no_room_for_a_successor_is_waited_for(hatchery: Hatchery) -> None:
    """The program waits with it, its end included; and whoever asks is not told that the session is lost."""
    pid = hatchery.process.pid
    soft = resource.prlimit(pid, resource.RLIMIT_NOFILE)[0]
    session = hatchery.sh("echo ready; read line; echo got $line; exit 4")
    terminal = os.dup(session.visit().terminal())
    # The two that the dead keeper's channel frees, and those of a successor's: one is lacking.
    channels = [file for file, name in descriptors(pid).items() if name.startswith("socket:")]
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (min(channels), soft))
    os.kill(session.keeper, signal.SIGKILL)
    hatchery.until(lambda: hatchery.ask(session).get("keeper") == 0, "the keeper to be missed")
    assert hatchery.ask(session) == {"known": True, "keeper": 0, "program": session.program}
    os.write(terminal, b"word\n")
    os.close(terminal)
    hatchery.until(lambda: not is_alive(session.program), "the program to end")
    assert not session.has_ended()
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, soft))
    assert session.end()["code"] == 4
    assert session.log().endswith(b"got word\r\n")


# -- an upgrade meanwhile


def test_nothing_is_imported_once_it_is_warm(hatchery: Hatchery) -> None:
    """It outlives upgrades: by then the files it was started from may be others, or gone."""
    hatchery.kill()
    hatchery.start("-X", "importtime")
    before = len(hatchery.journal())
    live_through_everything(hatchery)
    assert "import time:" in hatchery.journal()[:before]
    assert hatchery.journal()[before:] == ""


def live_through_everything(hatchery: Hatchery) -> None:
    hatchery.order("/nowhere")
    hatchery.order("/bin/true", rows="none")
    session = Session(hatchery, hatchery.last, hatchery.order("/bin/cat"))
    session = hatchery.sh("(trap '' HUP; sleep 4327) & echo ready; read line; exit 3")
    session.until_printed(b"ready")
    session.visit().order(b"????")
    visit = session.visit()
    visit.signal(signal.SIGWINCH, 1)
    visit.signal(signal.SIGWINCH, 2)
    session.kill_keeper()
    session.visit().type(b"\n")
    assert session.end()["code"] == 3
    other = hatchery.connect()
    other.shutdown(socket.SHUT_RDWR)
    assert other.recv(1) == b""
