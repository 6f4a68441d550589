"""when a peer at the other end of a WebSocket lives, and when it is given up"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import suppress
from typing import Any

import pytest
import trio
import trio.testing

from codewire_py.daemon import limits
from codewire_py.daemon.listeners import websocket
from codewire_py.daemon.listeners.websocket import WebStream
from codewire_py.wire.frames import DATA
from codewire_py.wire.frames import frame as framed
from farside import HELLO, expect_broken, pair
from webs import BINARY, PING, PONG, frame


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """All clocks of a connection run a hundred times as fast."""
    for name in ("PING_SECONDS", "PONG_SECONDS", "STUCK_SECONDS", "GOODBYE_SECONDS"):
        monkeypatch.setattr(limits, name, getattr(limits, name) / 100)


@pytest.mark.usefixtures("hasty")
async def test_a_peer_that_answers_pings_lives() -> None:
    """Although nobody here reads meanwhile, because a verb takes its time."""
    async with pair() as (stream, far), trio.open_nursery() as nursery:
        nursery.start_soon(stream.keep_alive)
        begun = trio.current_time()
        pings = 0
        while trio.current_time() < begun + 5 * limits.PONG_SECONDS:
            assert await far.next() == (PING, b"")
            pings += 1
            await far.say(frame(b"", PONG))
        assert not stream.is_over()
        assert 5 <= pings <= 11
        await far.say(frame(HELLO))
        assert await stream.receive_some() == HELLO
        nursery.cancel_scope.cancel()


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("is_read", [False, True])
async def test_a_peer_that_answers_no_ping_is_dead(is_read: bool) -> None:
    """It is given up after PONG_SECONDS without a word, whether or not anybody here reads."""
    async with pair() as (stream, far), trio.open_nursery() as nursery:
        begun = trio.current_time()
        nursery.start_soon(stream.keep_alive)
        if is_read:
            nursery.start_soon(read_to_the_end, stream)
        assert await far.next() == (PING, b"")
        assert await far.is_left()
        assert limits.PONG_SECONDS <= trio.current_time() - begun < 3 * limits.PONG_SECONDS
        assert stream.is_over()


async def read_to_the_end(stream: WebStream) -> None:
    try:
        while await stream.receive_some():
            pass
    except trio.BrokenResourceError:
        pass


@pytest.mark.usefixtures("hasty")
async def test_a_peer_that_is_behind_lives() -> None:
    """It cannot hear the ping behind what it has not read yet; it lives as long as it takes something now and then."""
    async with pair(buffer=4096) as (stream, far), trio.open_nursery() as nursery:
        begun = trio.current_time()
        nursery.start_soon(stream.keep_alive)
        nursery.start_soon(stream.send_all, framed(DATA, bytes(3_000_000)))
        while trio.current_time() < begun + 5 * limits.PONG_SECONDS:
            await far.exactly(2000)
            await trio.sleep(limits.PONG_SECONDS / 10)
        assert not stream.is_over()
        await stream.drop()
        nursery.cancel_scope.cancel()


async def test_a_peer_that_takes_nothing_is_dropped(hasty: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not as soon as one that does not answer, but in the end; whoever was sending to it hears of it."""
    monkeypatch.setattr(limits, "STUCK_SECONDS", 1.0)
    async with pair(buffer=4096) as (stream, _), trio.open_nursery() as nursery:
        nursery.start_soon(expect_broken, stream, bytes(5_000_000))
        await trio.testing.wait_all_tasks_blocked()
        begun = trio.current_time()
        await stream.keep_alive()
        assert 1.0 <= trio.current_time() - begun < 3
        assert stream.is_over()


@pytest.mark.parametrize("has_room", [False, True])
async def test_a_peer_that_does_not_even_take_a_ping(
    hasty: None, monkeypatch: pytest.MonkeyPatch, has_room: bool
) -> None:
    """Nobody sends to it, but what was sent before fills everything on the way: it is dropped as well.

    Also where there is room for pings on our side of the way: they are not taken for something that it took.
    """
    monkeypatch.setattr(limits, "STUCK_SECONDS", 0.5)
    async with pair(buffer=4096) as (stream, _):
        full = 0
        while full < (2 if has_room else 20):  # looks: what is on its way arrives, and leaves room for more
            full = 0 if fill(stream) else full + 1
            await trio.sleep(0.02)
        begun = trio.current_time()
        await stream.keep_alive()
        assert 0.4 <= trio.current_time() - begun < 3
        assert stream.is_over()


def fill(stream: WebStream) -> int:
    """How many bytes there was room for."""
    written = 0
    with suppress(BlockingIOError):
        while True:
            written += os.write(stream.socket.fileno(), bytes(2000))
    return written


async def test_a_peer_whose_network_is_gone_is_dead(hasty: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Although something is on its way to it: nothing comes back at all, which a peer that is behind does not do."""
    monkeypatch.setattr(websocket, "is_cut_off", lambda socket: True)
    async with pair(buffer=4096) as (stream, _), trio.open_nursery() as nursery:
        nursery.start_soon(expect_broken, stream, bytes(5_000_000))
        await trio.testing.wait_all_tasks_blocked()
        begun = trio.current_time()
        await stream.keep_alive()
        assert trio.current_time() - begun < limits.STUCK_SECONDS / 2
        assert stream.is_over()


async def test_pings_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer that asks for pongs and takes none is not listened to any more; the memory stays small."""
    monkeypatch.setattr(limits, "UNSENT_BYTES", 1000)
    monkeypatch.setattr(limits, "PULL_BYTES", 1000)
    async with pair(buffer=4096) as (stream, far), trio.open_nursery() as nursery:
        nursery.start_soon(expect_broken, stream, bytes(5_000_000))
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(read_to_the_end, stream)
        with trio.move_on_after(0.5):
            await far.say(frame(b"x" * 125, PING) * 20_000)
        assert sum(map(len, stream.protocol.writes)) < 10_000
        await stream.drop()
        nursery.cancel_scope.cancel()


async def test_pongs_wait_for_who_is_sending(monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer may say more while it takes its time with what it is sent: nobody waits for anybody."""
    async with pair(buffer=4096) as (stream, far), trio.open_nursery() as nursery:
        large = framed(DATA, bytes(5_000_000))
        nursery.start_soon(stream.send_all, large)
        await trio.testing.wait_all_tasks_blocked()
        await far.say(frame(b"there?", PING), frame(HELLO))
        assert await stream.receive_some() == HELLO
        assert await far.next() == (BINARY, large)
        assert await far.next() == (PONG, b"there?")


@pytest.mark.skipif(not hasattr(socket, "SO_PEERCRED"), reason="only Linux tells")
def test_the_kernel_tells_a_network_that_is_gone() -> None:
    """After a few of its attempts, so that a peer whose machine fell asleep is not waited for as one that is behind."""
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--net", sys.executable, "-c", GONE_NETWORK],
        capture_output=True, text=True, timeout=40, check=False,
    )  # fmt: skip
    if "unshare" in done.stderr:
        pytest.skip("no network of our own here")
    assert done.stdout.split() == ["False", "True"], done.stderr


GONE_NETWORK = """
import socket, subprocess, time
from codewire_py.daemon.listeners.websocket import is_cut_off
subprocess.run("ip link set lo up", shell=True, check=True)
with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as near:
    near.send(b"x")
    print(is_cut_off(near))
    subprocess.run("ip route flush table local; ip link set lo down", shell=True, check=True)
    near.send(b"x")
    until = time.monotonic() + 20
    while not is_cut_off(near) and time.monotonic() < until:
        time.sleep(0.05)
    print(is_cut_off(near))
"""


def test_the_kernel_tells_a_peer_that_is_cut_off() -> None:
    """Where it can: a connection on this machine never is."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as far:
        far.connect(listener.getsockname())
        known: Any = far
        assert websocket.is_cut_off(known) is False
        assert websocket.count_untaken(known) == 0
