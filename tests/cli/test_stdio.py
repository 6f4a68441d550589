"""cw stdio: whatever ends first, no byte on the way is lost, and nobody who still speaks is held up"""

from __future__ import annotations

import hashlib
import os
import select
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from codewire_py.client.connection import Connection
from codewire_py.client.transports.ssh import GREETING
from codewire_py.wire.messages import List, Listed
from homes import SECONDS, Home, new_home, until
from stdios import close_input, close_output, read_exactly, standing_in, streams

MANY = 50 << 20
BLOCK = 1 << 20


@pytest.fixture
def bare() -> Iterator[Home]:
    """A home whose daemon the test plays."""
    with new_home() as fresh:
        yield fresh


# ── with a real daemon ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.deadline(90)
def test_a_conversation_with_the_daemon(home: Home) -> None:
    """One that is not there is started; then it is asked as at home, over a socket as ssh has it."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = home.begin("stdio", stdin=theirs, stdout=theirs, stderr=subprocess.PIPE)
    ours.settimeout(SECONDS)
    with ours:
        assert ours.recv(len(GREETING), socket.MSG_WAITALL) == GREETING
        answer = Connection(ours).ask(List())
        assert isinstance(answer, Listed)
        assert answer.sessions == []
    assert process.wait(SECONDS) == 0
    assert process.stderr
    assert b"Error" not in process.stderr.read()
    assert home.daemon()


def test_a_daemon_that_is_killed_ends_it(home: Home) -> None:
    """With the end of its output, as the daemon's own socket would."""
    home.cw("start")
    process = home.begin("stdio", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    _, output = streams(process)
    assert read_exactly(output, len(GREETING)) == GREETING
    os.kill(home.daemon(), signal.SIGKILL)
    assert read_exactly(output, 1) == b""
    assert process.wait(SECONDS) == 0


def test_what_hangs_up_is_not_waited_for(home: Home) -> None:
    """A daemon closes a conversation whose other side has ended: nothing stays behind a link that broke."""
    home.cw("start")
    process = home.begin("stdio", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert read_exactly(streams(process)[1], len(GREETING)) == GREETING
    close_input(process)
    assert process.wait(SECONDS) == 0


# ── every byte ────────────────────────────────────────────────────────────────────────────────────────


def pour(fd: int, seed: bytes) -> str:
    """50 MB that nobody could guess; their hash."""
    digest = hashlib.sha256()
    for number in range(MANY // BLOCK):
        block = hashlib.shake_128(seed + bytes([number])).digest(BLOCK)
        digest.update(block)
        view = memoryview(block)
        while view:
            view = view[os.write(fd, view) :]
    return digest.hexdigest()


def drain(fd: int) -> tuple[int, str]:
    size, digest = 0, hashlib.sha256()
    while data := os.read(fd, BLOCK):
        size += len(data)
        digest.update(data)
    return size, digest.hexdigest()


def test_fifty_megabytes_each_way_at_once(bare: Home) -> None:
    """Byte for byte, to the last one before each end."""
    with standing_in(bare) as (process, daemon):
        stdin, stdout = streams(process)
        sent: dict[str, str] = {}

        def up() -> None:
            sent["up"] = pour(stdin, b"up")
            close_input(process)

        def down() -> None:
            sent["down"] = pour(daemon.fileno(), b"down")
            daemon.shutdown(socket.SHUT_WR)

        came: dict[str, tuple[int, str]] = {}

        def taking() -> None:
            came["up"] = drain(daemon.fileno())

        daemon.settimeout(None)
        threads = [threading.Thread(target=work, daemon=True) for work in (up, taking)]
        for thread in threads:
            thread.start()
        threads[1].join(SECONDS)  # the daemon's end ends it all: so it hears everything first
        threads.append(threading.Thread(target=down, daemon=True))
        threads[-1].start()
        came["down"] = drain(stdout)
        for thread in threads:
            thread.join(SECONDS)
        assert process.wait(SECONDS) == 0
    assert came == {way: (MANY, sent[way]) for way in ("up", "down")}


def test_both_ways_at_once(bare: Home) -> None:
    """A daemon that echoes: what goes up comes down, while more goes up."""
    with standing_in(bare) as (process, daemon):
        stdin, stdout = streams(process)
        daemon.settimeout(None)

        def echo() -> None:
            while data := daemon.recv(BLOCK):
                daemon.sendall(data)
            daemon.shutdown(socket.SHUT_WR)

        sent: list[str] = []

        def up() -> None:
            sent.append(pour(stdin, b"echo"))
            close_input(process)

        threads = [threading.Thread(target=work, daemon=True) for work in (echo, up)]
        for thread in threads:
            thread.start()
        came = drain(stdout)
        for thread in threads:
            thread.join(SECONDS)
    assert came == (MANY, sent[0])


# ── who ends first ────────────────────────────────────────────────────────────────────────────────────


def test_input_ends_first(bare: Home) -> None:
    """The daemon hears of it after the last byte, and what it still says arrives."""
    with standing_in(bare) as (process, daemon):
        stdin, stdout = streams(process)
        os.write(stdin, b"last words")
        close_input(process)
        assert daemon.recv(100, socket.MSG_WAITALL) == b"last words"
        daemon.sendall(b"answer" * 10000)
        daemon.close()
        assert read_exactly(stdout, 60001) == b"answer" * 10000
        assert process.wait(SECONDS) == 0


def test_output_ends_first(bare: Home) -> None:
    """What is on its way to the daemon still gets there, while what it says is dropped; then it is over."""
    with standing_in(bare) as (process, daemon):
        stdin, _ = streams(process)
        close_output(process)
        daemon.sendall(bytes(4 << 20))  # nobody waits for those who have gone
        os.write(stdin, b"typed")
        assert daemon.recv(5, socket.MSG_WAITALL) == b"typed"
        close_input(process)
        assert daemon.recv(1) == b""
        assert process.wait(SECONDS) == 0


def test_both_ends_of_ssh_go_at_once(bare: Home) -> None:
    """As when a link is cut: it leaves by itself, also if the daemon says and does nothing about it."""
    with standing_in(bare) as (process, daemon):
        close_output(process)
        close_input(process)
        assert process.wait(SECONDS) == 0
        assert daemon.recv(1) == b""


def test_the_daemon_ends_first(bare: Home) -> None:
    """Its last words arrive however slowly they are read; input that stays open holds nothing up."""
    with standing_in(bare) as (process, daemon):
        _, stdout = streams(process)
        text = os.urandom(300_000)
        threading.Thread(target=lambda: (daemon.sendall(text), daemon.close()), daemon=True).start()
        assert read_exactly(stdout, len(text) + 1) == text
        assert process.wait(SECONDS) == 0


def test_a_daemon_that_takes_nothing_more(bare: Home) -> None:
    """It may still speak: what is typed at it meanwhile goes nowhere, and breaks nothing."""
    with standing_in(bare) as (process, daemon):
        stdin, stdout = streams(process)
        daemon.shutdown(socket.SHUT_RD)
        for _ in range(3):
            os.write(stdin, bytes(1000))
        daemon.sendall(b"still here")
        assert read_exactly(stdout, 10) == b"still here"
        daemon.close()
        assert process.wait(SECONDS) == 0


# ── who does not read ─────────────────────────────────────────────────────────────────────────────────


def test_output_that_is_not_read_stops_only_that_way(bare: Home) -> None:
    """The daemon is held back after a few hundred KB, memory stays small, and typing goes through."""
    with standing_in(bare) as (process, daemon):
        stdin, stdout = streams(process)
        memory = resident(process.pid)
        daemon.setblocking(False)
        sent = 0
        with suppress(BlockingIOError):
            while sent < 64 << 20:
                select.select([], [daemon], [], 0.3)
                sent += daemon.send(bytes(BLOCK))
        assert sent < 4 << 20
        daemon.settimeout(SECONDS)
        os.write(stdin, b"Ctrl+C")
        assert daemon.recv(6, socket.MSG_WAITALL) == b"Ctrl+C"
        assert resident(process.pid) - memory < 4 << 20
        daemon.close()
        assert len(read_exactly(stdout, sent + 1)) == sent


def resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_it_sleeps_while_nothing_happens(bare: Home) -> None:
    """Also when one side has gone: no loop turns."""
    with standing_in(bare) as (process, daemon):
        close_output(process)
        daemon.sendall(b"x")
        until(lambda: state(process.pid)[0] == "S", "it to sleep", 10)
        before = state(process.pid)[1]
        assert not select.select([daemon], [], [], 0.3)[0]
        assert state(process.pid)[1] - before <= 2


def state(pid: int) -> tuple[str, int]:
    """(what it does, CPU ticks it took)"""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return fields[0], int(fields[11]) + int(fields[12])
