"""a session's screen: exact at every offset, also from a checkpoint; in slices; and a flood is skimmed, not read"""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import trio

from codewire_py.daemon import limits
from codewire_py.daemon.attending import Attending
from codewire_py.daemon.caring import Care
from codewire_py.daemon.checkpoint import NAME, read_checkpoint
from codewire_py.daemon.depicting import Depiction, depict
from codewire_py.daemon.screen.screen import Screen
from codewire_py.home.marks import Facts, append_mark
from codewire_py.home.records import Birth
from screen.pictures import differences, drawn, recorded
from turns import most_at_once

DIRECTORY = "sessions/1"
BIRTH = Birth({"id": 1, "command": ["x"], "created_at": time.time(), "rows": 12, "cols": 40})
REDRAW = b"\x1b[H" + b"".join(b"\x1b[%d;1Hrow %d\x1b[K" % (row, row) for row in range(2, 12))


@pytest.fixture(autouse=True)
def in_a_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(DIRECTORY).mkdir(parents=True)


def write(data: bytes) -> None:
    with Path(DIRECTORY, "output.log").open("ab") as file:
        file.write(data)


def whole(*pieces: bytes | tuple[int, int]) -> Screen:
    """What bytes and sizes, in this order, make of a screen."""
    screen = Screen(BIRTH.rows, BIRTH.cols)
    for piece in pieces:
        if isinstance(piece, bytes):
            screen.feed(piece)
        else:
            screen.resize(*piece)
    return screen


async def reached() -> Depiction:
    depiction = depict(DIRECTORY, BIRTH)
    await depiction.reach()
    return depiction


async def test_nobody_makes_it_go_beyond_the_end() -> None:
    """Whoever asks for an offset that is none yet: what is printed up to there is drawn when it comes."""
    write(b"before")
    depiction = await reached()
    await depiction.reach(1 << 70)
    write(b" and after")
    await depiction.reach()
    assert (depiction.offset, depiction.screen.text()[0]) == (16, "before and after")


async def test_it_is_what_the_whole_log_says() -> None:
    """However many slices it is read in."""
    stream = drawn(7, 20000)
    write(stream)
    depiction = await reached()
    assert depiction.offset == len(stream) > 5 * limits.SLICE_BYTES
    assert not differences(depiction.screen, whole(stream))


async def test_a_checkpoint_and_the_rest_are_the_whole() -> None:
    """Wherever it was made: within a character, a sequence, on either screen."""
    stream = drawn(8, 3000)
    expected = whole(stream)
    for cut in range(1000, 1100):
        Path(DIRECTORY, "output.log").write_bytes(stream[:cut])
        depiction = Depiction(DIRECTORY, BIRTH, None)
        await depiction.reach()
        await depiction.save()
        write(stream[cut:])
        after = await reached()
        assert cut - 64 < after.saved_at <= cut
        assert not (found := differences(after.screen, expected)), (cut, found)


@pytest.mark.parametrize("begun", [b"\x1b", b"\x1b[", b"\x1b]11;?", b"\xe2\x94"])
async def test_a_checkpoint_never_stands_inside_a_sequence(begun: bytes) -> None:
    """It may be a query, which a new daemon has to see whole."""
    write(b"asking " + begun)
    depiction = await reached()
    await depiction.save()
    assert read_checkpoint(DIRECTORY).offset == depiction.saved_at == 7  # type: ignore[union-attr]


async def test_sizes_hold_from_their_offsets_on() -> None:
    """Also for who asks for the past: it has the size that it had then."""
    first, second, third = b"a" * 100, b"\r\n" + b"b" * 100, b"\r\n" + b"c" * 100
    write(first)
    append_mark(DIRECTORY, "size", len(first), rows=5, cols=30)
    write(second)
    append_mark(DIRECTORY, "size", len(first + second), rows=20, cols=60)
    write(third)
    append_mark(DIRECTORY, "size", len(first + second + third), rows=9, cols=33)
    depiction = await reached()
    assert not differences(depiction.screen, whole(first, (5, 30), second, (20, 60), third, (9, 33)))
    past = depict(DIRECTORY, BIRTH)
    await past.reach(len(first) + 10)
    assert (past.screen.rows, past.screen.cols) == (5, 30)


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"not json\n", b'{"version": 1}\n', b'{"version": 2, "offset": 3, "rows": 4, "cols": 5}\nx',
     b'{"version": 1, "offset": -3, "rows": 4, "cols": 5}\n', b"[" * 100000, b'{"version": 1, "offset": "9"', b"\xff" * 5000],
)  # fmt: skip
async def test_a_checkpoint_that_is_none_is_passed_over(content: bytes) -> None:
    """The screen is drawn from the log then."""
    write(b"hello")
    Path(DIRECTORY, NAME).write_bytes(content)
    assert (await reached()).screen.text()[0] == "hello"


async def test_others_have_their_turn_between_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that nobody waits longer than one slice takes."""
    write(drawn(9, 10000))
    bytes_at_once, pieces_in_a_row = await most_at_once(monkeypatch, reached)
    assert bytes_at_once <= limits.SLICE_BYTES
    assert pieces_in_a_row <= 2  # as trio deals them


async def test_a_flood_is_skimmed_and_its_modes_are_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 8 MiB the last half is replayed; a mode that was set at the beginning still holds."""
    flood = b"".join(b"%07d a line of a flood\r\n" % number for number in range(300_000))
    write(b"\x1b[?2004h\x1b[?1000h\x1b[3;9r\x1b[r" + flood + b"\x1b[?1000l$ ")
    fed: list[int] = []
    feed = Screen.feed
    monkeypatch.setattr(Screen, "feed", lambda self, data: (fed.append(len(data)), feed(self, data))[1])
    screen = (await reached()).screen
    assert sum(fed) <= limits.REPLAYED_BYTES + 8192
    assert screen.text() == [*(f"{number:07} a line of a flood" for number in range(299_989, 300_000)), "$"]
    assert screen.history_text(1000) == [
        f"{number:07} a line of a flood" for number in range(298_989, 299_989)
    ]
    assert (screen.modes.is_on(2004), screen.modes.is_on(1000)) == (True, False)


async def test_a_flood_on_the_alternate_screen_stays_there() -> None:
    """Although the switch to it was skimmed."""
    write(b"shell\r\n\x1b[?1049h\x1b[5;5Hfixed" + REDRAW * 20_000)
    screen = (await reached()).screen
    assert screen.is_alternate
    assert screen.text()[1:11] == [f"row {row}" for row in range(2, 12)]
    screen.feed(b"\x1b[?1049l")
    assert screen.text()[0] == "" or not screen.is_alternate


async def test_an_unseen_screen_is_read_up_in_the_background() -> None:
    """What was drawn once, long ago, is still there for the first who looks: nothing of this was skimmed."""
    write(b"\x1b[?1049h\x1b[1;1Hdrawn once" + REDRAW.replace(b"\x1b[H", b"") * 20_000)
    attending = Attending(DIRECTORY, BIRTH, Facts(), trio.sleep)  # type: ignore[arg-type]
    care = Care()
    care.want(attending)
    with trio.fail_after(30):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(care.run)
            while care.waiting:
                await trio.sleep(0.01)
            nursery.cancel_scope.cancel()
    assert Path(DIRECTORY, NAME).exists()
    assert (await reached()).screen.text()[0] == "drawn once"


@pytest.mark.parametrize("name", ["vim", "htop", "claude"])
async def test_recordings_survive_a_restart_of_the_daemon(name: str) -> None:
    """In the middle: from the checkpoint on, real programs show the same."""
    stream, rows, cols = recorded()[name]
    append_mark(DIRECTORY, "size", 0, rows=rows, cols=cols)
    write(stream[: len(stream) // 2])
    await (await reached()).save()
    write(stream[len(stream) // 2 :])
    expected = Screen(rows, cols)
    expected.feed(stream)
    assert not differences((await reached()).screen, expected)
