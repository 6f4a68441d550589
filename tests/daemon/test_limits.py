"""limits of the daemon that its other tests do not reach: each is made small, and passed by one"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import trio

from codewire_py.daemon import attending, checkpoint
from codewire_py.daemon.attending import Attending
from codewire_py.daemon.screen.screen import Screen
from codewire_py.errors import LimitReached
from codewire_py.home.log import Log
from codewire_py.home.marks import Facts
from codewire_py.home.records import Birth
from codewire_py.home.times import TimesWriter
from codewire_py.wire.messages import PROTOCOL, Hello, Launched, Wait, Waited
from homes import Home, new_home
from peers import Peer, ask, launching, refusal
from remotes import prepare

MANY = 4
FEW = f"""
from codewire_py.daemon import limits
limits.CONVERSATIONS, limits.DESCRIPTORS_EACH, limits.SESSION_COUNT = {MANY}, 100, 2
limits.HELLO_SECONDS = 60.0  # so that nobody has to leave for another reason
"""
DIRECTORY = "sessions/1"


@pytest.fixture
def small_home() -> Iterator[Home]:
    """Room for four conversations and two sessions."""
    with new_home() as home:
        prepare(home, FEW)
        home.cw("start")
        yield home


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of session 1, in a home where no daemon is."""
    monkeypatch.chdir(tmp_path)
    Path(DIRECTORY).mkdir(parents=True)
    return Path(DIRECTORY, "output.log")


def attend(log: Path) -> Attending:
    birth = Birth({"id": 1, "command": ["x"], "created_at": time.time(), "rows": 12, "cols": 40})
    return Attending(str(log.parent), birth, Facts(), trio.sleep)  # type: ignore[arg-type]


# -- a full house


def test_in_a_house_full_of_guests_the_first_makes_room(small_home: Home) -> None:
    """Who comes is served, whoever else is there; all the others stay."""
    id = small_home.launch("cat")
    with ExitStack() as held:
        guests = [held.enter_context(Peer(small_home)).ask(Wait(sessions=[str(id)])) for _ in range(MANY)]
        small_home.cw("kill", str(id))
        assert guests[0].is_over()
        for guest in guests[1:]:
            guest.hear(Waited)


def test_who_has_not_said_hello_makes_room_before(small_home: Home) -> None:
    """Although it came last."""
    with ExitStack() as held:
        guests = [held.enter_context(Peer(small_home)).say(Hello(version=PROTOCOL)) for _ in range(MANY - 1)]
        for guest in guests:
            guest.hear(Hello)
        silent = held.enter_context(Peer(small_home))
        assert small_home.list() == []
        assert silent.is_over()
        assert "1" in guests[0].say(Wait(sessions=["1"])).refused().message


def test_so_many_sessions_and_no_more(small_home: Home) -> None:
    """Ended ones count; what to do is said; and once one is forgotten, there is room."""
    small_home.launch("cat")
    small_home.end(small_home.launch("true"))
    failed = refusal(small_home, launching("true"))
    assert (failed.code, failed.message) == (LimitReached.code, "there are 2 sessions already")
    assert "cw prune" in failed.hint
    small_home.cw("remove", "2")
    assert ask(small_home, launching("true"), Launched).id == 3


# -- what a new daemon looks for


@pytest.mark.parametrize(("printed", "is_searched"), [(3 * b"\x1b[c", True), (4 * b"\x1b[c", False)])
def test_late_questions(
    log: Path, monkeypatch: pytest.MonkeyPatch, printed: bytes, is_searched: bool
) -> None:
    """So many may be answered late. If there are more, all of them have been: the times are wrong."""
    monkeypatch.setattr(attending, "LATE_QUERIES", 3)
    assert begins_to_answer(log, printed) == (0 if is_searched else len(printed))


@pytest.mark.parametrize(("length", "is_searched"), [(100, True), (101, False)])
def test_late_bytes(log: Path, monkeypatch: pytest.MonkeyPatch, length: int, is_searched: bool) -> None:
    """The same of what they stand in."""
    monkeypatch.setattr(attending, "LATE_BYTES", 100)
    assert begins_to_answer(log, b"\x1b[c".ljust(length)) == (0 if is_searched else length)


def begins_to_answer(log: Path, printed: bytes) -> int:
    """Where a daemon does that came just after this was printed; the one before it had noted the beginning."""
    log.write_bytes(printed)
    attended = attend(log)
    attended.times = TimesWriter(DIRECTORY)
    attended.times.note(0, time.time(), force=True)
    try:
        return attended.answered_until(Log(DIRECTORY))
    finally:
        attended.times.close()


# -- screens


async def test_few_screens_are_kept_in_memory(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that were looked at last; the others are drawn again for who asks, and show the same."""
    monkeypatch.setattr(attending, "_depicted", {})
    log.write_bytes(b"hello")
    first, second, third = attend(log), attend(log), attend(log)
    for looked_at in (first, second):
        await looked_at.depict()
    drawn = first.depiction
    assert drawn is not None
    monkeypatch.setattr(attending, "SCREENS_BYTES", drawn.memory() * 2)
    assert (await first.depict()) is drawn
    await third.depict()
    assert [bool(one.depiction) for one in (first, second, third)] == [True, False, True]
    assert second.depiction_offset() == 5
    assert (await second.depict()).screen.text()[0] == "hello"
    assert first.depiction is None


def test_a_checkpoint_keeps_so_much_scrollback(monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest lines of it, and all of the screen."""
    monkeypatch.setattr(checkpoint, "CHECKPOINT_LINES", 3)
    screen, restored = Screen(4, 20), Screen(4, 20)
    screen.feed(b"\r\n".join(b"line %d" % number for number in range(10)))
    assert len(screen.history_text(100)) == 6
    restored.feed(checkpoint.draw_checkpoint(screen, 0)[1].partition(b"\n")[2])
    assert restored.history_text(100) == ["line 3", "line 4", "line 5"]
    assert restored.text() == screen.text()
