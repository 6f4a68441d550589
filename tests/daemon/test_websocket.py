"""a WebSocket as a stream of frames: what is let through, and when a peer is given up"""

from __future__ import annotations

import struct

import pytest
import trio
import trio.testing

from codewire_py.daemon import limits
from codewire_py.wire.frames import DATA, HEADER
from codewire_py.wire.frames import frame as framed
from farside import HELLO, MOST, expect_broken, pair
from webs import BINARY, CLOSE, CONTINUED, PING, PONG, TEXT, frame


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """All clocks of a connection run a hundred times as fast."""
    for name in ("PING_SECONDS", "PONG_SECONDS", "STUCK_SECONDS", "GOODBYE_SECONDS"):
        monkeypatch.setattr(limits, name, getattr(limits, name) / 100)


# ── messages ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("size", [0, 1, 120, 121, 125, 126, 127, 65535 - HEADER, 65536 - HEADER, 300_000])
async def test_a_message_is_a_frame_both_ways(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of any size, byte for byte, and nothing but the header of a binary message around it."""
    data = framed(DATA, bytes(range(256)) * (size // 256) + bytes(range(size % 256)))
    async with pair() as (stream, far), trio.open_nursery() as nursery:
        stream.protocol.max_message_size = len(data)
        nursery.start_soon(stream.send_all, data)
        assert await far.next() == (BINARY, data)
        nursery.start_soon(far.say, frame(data))
        assert await stream.receive_some() == data


async def test_what_comes_in_pieces_and_what_comes_together() -> None:
    """Bytes one by one, many messages at once, one message in many fragments with pings between: each once, in order."""
    first, second, third = (framed(DATA, text) for text in (b"one", b"two", b"three"))
    async with pair() as (stream, far):
        for byte in frame(first):
            await far.say(bytes((byte,)))
        assert await stream.receive_some() == first
        await far.say(frame(first), frame(second), frame(third))
        assert [await stream.receive_some() for _ in range(3)] == [first, second, third]
        pieces = [frame(third[:2], last=False), frame(b"", PING), frame(b"", CONTINUED, last=False)]
        await far.say(*pieces, frame(third[2:], CONTINUED))
        assert await stream.receive_some() == third
        assert await far.next() == (PONG, b"")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ([frame(b"hello", TEXT)], 1003),
        ([frame(HELLO, TEXT)], 1003),
        ([frame(b"")], 1007),
        ([frame(HELLO[:-1])], 1007),
        ([frame(HELLO + b"x")], 1007),
        ([frame(HELLO + HELLO)], 1007),
        ([frame(HELLO[:3], last=False), frame(b"x", CONTINUED)], 1007),
        ([frame(HELLO, mask=False)], 1002),
        ([frame(HELLO, 3)], 1002),
        ([frame(HELLO, 11)], 1002),
        ([frame(HELLO, first=0x40)], 1002),  # compressed, which was not agreed
        ([frame(HELLO, first=0x10)], 1002),
        ([frame(HELLO, CONTINUED)], 1002),
        ([frame(HELLO[:3], last=False), frame(HELLO)], 1002),
        ([frame(b"x" * 126, PING)], 1002),
        ([frame(b"", PING, last=False)], 1002),
        ([frame(b"x", CLOSE)], 1002),
        ([frame(struct.pack("!H", 1005), CLOSE)], 1002),
        ([frame(struct.pack("!H", 1000) + b"\xff", CLOSE)], 1007),
        ([frame(framed(DATA, b"x" * MOST))], 1009),
        ([frame(b"x" * 600, last=False), frame(b"x" * 600, CONTINUED)], 1009),
        ([frame(b"x" * 900, last=False), *[frame(b"x" * 90, CONTINUED, last=False)] * 2], 1009),
        ([b"\x82\xff" + b"\x7f" + b"\xff" * 7], 1009),  # 2^63 bytes are promised
        ([b"\x82\xff" + b"\xff" * 8], 1009),
        ([b"GET / HTTP/1.1\r\n\r\n"], 1002),
    ],
)
async def test_a_wrong_message_ends_the_conversation(said: list[bytes], code: int) -> None:
    """With the code that the standard has for it and a reason; what comes after it is not looked at."""
    async with pair() as (stream, far):
        await far.say(*said)
        with trio.move_on_after(0.05):
            await far.say(frame(HELLO))
        assert await stream.receive_some() == b""
        found, reason = await far.goodbye()
        assert found == code
        assert reason or code == 1007
        with pytest.raises(trio.BrokenResourceError):
            await stream.send_all(HELLO)


async def test_empty_fragments_take_no_room() -> None:
    """However many of them: nothing is kept but the message so far."""
    async with pair() as (stream, far), trio.open_nursery() as nursery:
        many = (
            frame(HELLO[:2], last=False)
            + frame(b"", CONTINUED, last=False) * 5000
            + frame(HELLO[2:], CONTINUED)
        )
        nursery.start_soon(far.say, many)
        assert await stream.receive_some() == HELLO


# ── leaving ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_goodbye_is_returned() -> None:
    """The peer's code comes back, then the connection ends."""
    async with pair() as (stream, far):
        await far.say(frame(struct.pack("!H", 1000) + b"done", CLOSE))
        assert await stream.receive_some() == b""
        assert await far.goodbye() == (1000, "done")
        await far.stream.aclose()
        await stream.aclose()


async def test_a_peer_that_just_leaves() -> None:
    """Ends the stream: with nothing, or in the middle of a message."""
    for said in (b"", frame(HELLO)[:5]):
        async with pair() as (stream, far):
            await far.say(said)
            await far.stream.aclose()
            assert await stream.receive_some() == b""


async def test_closing_says_goodbye_after_the_last_words() -> None:
    """Whatever the peer had said that nobody has read: the last words arrive all the same."""
    async with pair() as (stream, far), trio.open_nursery() as nursery:
        await far.say(*[frame(HELLO)] * 1000)
        await stream.send_all(HELLO)
        nursery.start_soon(stream.aclose)
        assert await far.next() == (BINARY, HELLO)
        assert await far.goodbye() == (1000, "")
        with trio.move_on_after(0.1):  # whoever hangs up on unread words answers them with a reset
            assert await far.stream.receive_some() == b""
            await far.say(frame(HELLO))
            await trio.sleep_forever()
        await far.stream.aclose()


@pytest.mark.usefixtures("hasty")
async def test_closing_waits_for_nobody() -> None:
    """Not for a peer that reads nothing while a message is on its way, nor for one that stays."""
    async with pair(buffer=4096) as (stream, far), trio.open_nursery() as nursery:
        nursery.start_soon(expect_broken, stream, bytes(5_000_000))
        await trio.testing.wait_all_tasks_blocked()
        begun = trio.current_time()
        await stream.aclose()
        assert trio.current_time() - begun < 1
    async with pair() as (stream, far):
        await stream.aclose()
        assert await far.goodbye() == (1000, "")
        assert await far.is_left()


async def test_half_a_message_is_never_followed_by_another() -> None:
    """A send that is cut off takes the connection with it: the peer could not understand what comes next."""
    async with pair(buffer=4096) as (stream, far):
        with trio.move_on_after(0.1) as cut:
            await stream.send_all(framed(DATA, bytes(5_000_000)))
        assert cut.cancelled_caught
        with pytest.raises(trio.BrokenResourceError):
            await stream.send_all(HELLO)
        assert await stream.receive_some() == b""
        assert await far.is_left()


async def test_waiting_for_a_turn_may_be_given_up() -> None:
    """Nothing of it was sent, so nothing is broken."""
    async with pair(buffer=4096) as (stream, far), trio.open_nursery() as nursery:
        large = framed(DATA, bytes(5_000_000))
        nursery.start_soon(stream.send_all, large)
        await trio.testing.wait_all_tasks_blocked()
        with trio.move_on_after(0.05) as cut:
            await stream.send_all(HELLO)
        assert cut.cancelled_caught
        assert await far.next() == (BINARY, large)
        await stream.send_all(HELLO)
        assert await far.next() == (BINARY, HELLO)
