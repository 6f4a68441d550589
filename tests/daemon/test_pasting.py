"""typing into a terminal: whole, in order, no faster than it is read, and nobody in between"""

from __future__ import annotations

import os
import termios
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from codewire_py.daemon.pasting import LONGEST_LINE, Paste, alone, first_lines
from codewire_py.errors import LineTooLong, NotReading

LINE_OF_80 = b"x" * 79 + b"\n"


class Terminal:
    """A terminal whose program is the test: it reads when it is told to."""

    def __init__(self) -> None:
        self.master, self.slave = os.openpty()
        os.set_blocking(self.master, False)
        os.set_blocking(self.slave, False)
        mode = termios.tcgetattr(self.slave)
        mode[3] &= ~termios.ECHO
        termios.tcsetattr(self.slave, termios.TCSANOW, mode)
        self.read = bytearray()

    def make_raw(self) -> None:
        tty.setraw(self.slave)

    async def read_all(self, size: int) -> None:
        """As a program that is awake does, until it has so much."""
        while len(self.read) < size:
            await trio.lowlevel.wait_readable(self.slave)
            self.read += os.read(self.slave, 65536)

    def close(self) -> None:
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    terminal = Terminal()
    yield terminal
    terminal.close()


@pytest.fixture
def paste(terminal: Terminal) -> Iterator[Paste]:
    with Paste(terminal.master, patience=0.3) as paste:
        yield paste


async def type_to_a_reader(terminal: Terminal, paste: Paste, *pieces: bytes) -> bytes:
    typed = b"".join(pieces)
    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(terminal.read_all, len(typed))
            for piece in pieces:
                await paste.type(piece)
    return bytes(terminal.read)


@pytest.mark.parametrize(
    "data", [b"", b"hello\n", b"no line end", b"\n\n\n", LINE_OF_80 * 1000, b"x" * 4095 + b"\n"]
)
async def test_lines_arrive_whole(terminal: Terminal, paste: Paste, data: bytes) -> None:
    """In canonical mode: 240 kB of lines are far more than the terminal holds, and none is lost."""
    if data and not data.endswith(b"\n"):
        await paste.type(data)
        await paste.type(b"\n")
        await terminal.read_all(len(data) + 1)
        data += b"\n"
    else:
        await type_to_a_reader(terminal, paste, data)
    assert bytes(terminal.read) == data
    assert paste.taken == len(data)


async def test_raw_bytes_arrive_whole(terminal: Terminal, paste: Paste) -> None:
    """In raw mode any bytes, a megabyte without a line end."""
    terminal.make_raw()
    data = bytes(range(256)) * 4096
    assert await type_to_a_reader(terminal, paste, data) == data


async def test_a_paste_in_pieces_is_one(terminal: Terminal, paste: Paste) -> None:
    """A line may begin in one piece and end in another."""
    pieces = [b"be", b"gun\nthen", b" ended", b"\n"]
    assert await type_to_a_reader(terminal, paste, *pieces) == b"".join(pieces)


@pytest.mark.parametrize(
    "data",
    [
        b"x" * 4096,
        b"short\n" + b"x" * 4096 + b"\n",
        b"x" * 10_000_000,
        b"y" * 4096 + b"\r",
    ],
)
async def test_a_line_the_terminal_would_cut_is_refused_before_anything_is_typed(
    terminal: Terminal, paste: Paste, data: bytes
) -> None:
    """It would silently drop what exceeds 4095 bytes: so nothing of it is typed, and the sentence says how much."""
    length = max(map(len, data.replace(b"\r", b"\n").split(b"\n")))
    with pytest.raises(
        LineTooLong, match=rf"a line of {length} bytes is longer than the 4095 .*\(0 bytes were taken"
    ):
        await paste.type(data)
    assert paste.taken == 0
    with pytest.raises(BlockingIOError):
        os.read(terminal.slave, 1)


async def test_a_line_that_grows_too_long_over_pieces_is_refused(terminal: Terminal, paste: Paste) -> None:
    """The length of a line is counted from where it began; the message says what was taken before."""
    await paste.type(b"one\n")
    await terminal.read_all(4)
    await paste.type(b"x" * 4000)
    with pytest.raises(LineTooLong, match=r"a line of 4096 bytes .* \(4004 bytes were taken"):
        await paste.type(b"x" * 96)
    await paste.type(b"x" * 95 + b"\n")
    await terminal.read_all(4 + LONGEST_LINE + 1)
    assert bytes(terminal.read) == b"one\n" + b"x" * LONGEST_LINE + b"\n"


async def test_a_raw_terminal_has_no_longest_line(terminal: Terminal, paste: Paste) -> None:
    """Only canonical mode drops anything."""
    terminal.make_raw()
    assert await type_to_a_reader(terminal, paste, b"x" * 100_000) == b"x" * 100_000


async def test_a_program_that_does_not_read_is_told_of(terminal: Terminal, paste: Paste) -> None:
    """After the patience, with how much was taken; in both modes."""
    with pytest.raises(NotReading, match=r"does not read: its terminal took \d+ bytes and no more"):
        await paste.type(LINE_OF_80 * 1000)
    assert 4080 <= paste.taken < 30_000
    terminal.make_raw()
    taken = paste.taken
    with pytest.raises(NotReading, match=r"took \d+ bytes and no more"):
        await paste.type(b"x" * 1_000_000)
    assert paste.taken > taken


async def test_a_slow_program_is_waited_for(terminal: Terminal) -> None:
    """Patience is for standing still: a program that takes a line now and then is never given up."""

    async def read_slowly() -> None:
        while len(terminal.read) < 80 * 100:
            await trio.sleep(0.02)
            try:
                terminal.read += os.read(terminal.slave, 80)
            except BlockingIOError:
                continue

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read_slowly)
        started = trio.current_time()
        with Paste(terminal.master, patience=0.5) as paste:
            await paste.type(LINE_OF_80 * 100)
        assert trio.current_time() - started > 1
    assert bytes(terminal.read) == LINE_OF_80 * 100


async def test_one_types_at_a_time(tmp_path: Path) -> None:
    """Two pastes never mix: the second waits, and says so if the first does not finish."""
    order = []
    async with trio.open_nursery() as nursery:
        entered = trio.Event()

        async def first() -> None:
            async with alone(str(tmp_path), 5):
                entered.set()
                await trio.sleep(0.05)
                order.append("first")

        nursery.start_soon(first)
        await entered.wait()
        with pytest.raises(NotReading, match="somebody else is typing"):
            async with alone(str(tmp_path), 0.01):
                order.append("never")
        async with alone(str(tmp_path), 5):
            order.append("second")
    assert order == ["first", "second"]


async def test_the_lock_goes_with_whoever_held_it(tmp_path: Path) -> None:
    """An error while typing leaves nothing locked and nothing open."""
    descriptors = os.listdir("/proc/self/fd")
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            async with alone(str(tmp_path), 0.0):
                raise ZeroDivisionError
    assert os.listdir("/proc/self/fd") == descriptors


@pytest.mark.parametrize(
    ("data", "size"),
    [(b"", 0), (b"abc", 3), (b"a\nb", 2), (b"a\nb\n", 4), (b"a\rb", 2), (b"a\nb\rc", 4), (b"\n", 1)],
)
def test_as_many_whole_lines_as_fit(data: bytes, size: int) -> None:
    """A line end is a line feed or a return; without any, it is all one line."""
    assert first_lines(data) == size
