"""the system lacks descriptors: what cannot be read or asked just now is neither corrupt nor lost"""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import trio

from codewire_py.config import load
from codewire_py.daemon import descriptors, limits
from codewire_py.daemon.keeping import CannotAsk, ask_hatchery, is_given_up, try_visit
from codewire_py.daemon.session import Session
from codewire_py.daemon.sessions import Sessions, birth_of, check_index, read_last_id
from codewire_py.daemon.tokens import Tokens
from codewire_py.errors import CodewireError
from codewire_py.home.marks import append_mark
from codewire_py.home.records import Birth
from codewire_py.wire.messages import Launched
from homes import Home, new_home
from peers import ask, launching
from tokened import FIRST, HERE, offer, refused

COUNT, FEW = 30, 40  # sessions, and the descriptors that a daemon has for them


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with session 3 as the daemon sees it: launched, and nobody keeps it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sessions/3").mkdir(parents=True)
    birth = Birth({"id": 3, "command": ["true"], "hatchery": "hatchery-1", "created_at": 1.7e9})
    birth.write("sessions/3")
    append_mark("sessions/3", "launched", 0, pid=7, keeper=8)
    return tmp_path


@contextmanager
def none_left() -> Iterator[None]:
    """All the descriptors we may have are taken."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    taken: list[int] = []
    try:
        with suppress(OSError):
            while True:
                taken.append(os.dup(0))
        yield
    finally:
        for descriptor in taken:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def session_3() -> Session:
    return Session(birth_of(3), 0, lambda: None)


def end(place: Path) -> None:
    (place / "sessions/3/exit.json").write_text('{"code": 5, "ended_at": 1.7e9}')


def names(place: Path) -> list[str]:
    return sorted(str(path.relative_to(place)) for path in place.rglob("*") if path.is_file())


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO])
def test_an_end_that_cannot_be_read_is_not_known_yet(
    place: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Nothing is set aside, and once it can be read it is the end."""
    session = session_3()
    end(place)
    before = names(place)

    def fail(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("builtins.open", fail)
    assert session.is_running()
    assert not session.has_ended()
    monkeypatch.undo()
    monkeypatch.chdir(place)
    assert names(place) == before
    assert session.has_ended()
    assert session.exit_code() == 5


def test_what_a_daemon_begins_with(place: Path) -> None:
    """A birth, the index: they stay where they are, and are read when they can be."""
    (place / "sessions.json").write_text("[]\n")
    before = names(place)
    with none_left():
        check_index()
        with pytest.raises(OSError, match="Too many open files"):
            birth_of(3)
    assert names(place) == before
    assert birth_of(3).command == ["true"]


async def test_the_last_id_is_waited_for(place: Path, autojump_clock: trio.testing.MockClock) -> None:
    """No id is given twice because the last one could not be read at once."""
    (place / "last_id").write_text("41")

    async def leave() -> None:
        await trio.sleep(1)
        crowd.close()

    with ExitStack() as crowd:
        crowd.enter_context(none_left())
        async with trio.open_nursery() as nursery:
            nursery.start_soon(leave)
            assert await read_last_id() == 41
    assert names(place).count("last_id") == 1


async def test_whoever_cannot_be_asked_says_neither_yes_nor_no() -> None:
    """Nobody keeps the session; but that is known only by those who can ask."""
    with none_left():
        with pytest.raises(CannotAsk):
            try_visit("sessions/3")
        with pytest.raises(CannotAsk):
            await ask_hatchery("hatchery-1", "sessions/3")
        with pytest.raises(CannotAsk):
            await is_given_up("hatchery-1", "sessions/3")
    assert try_visit("sessions/3") is None
    assert await ask_hatchery("hatchery-1", "sessions/3") == {"known": False}
    assert await is_given_up("hatchery-1", "sessions/3")


async def test_a_hatchery_without_room_says_neither(place: Path) -> None:
    """It closes the connection at once: there are too many who ask."""
    listener = trio.socket.socket(trio.socket.AF_UNIX)
    await listener.bind("hatchery-1.sock")
    listener.listen()

    async def turn_away() -> None:
        peer, _ = await listener.accept()
        peer.close()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(turn_away)
        with pytest.raises(CannotAsk):
            await ask_hatchery("hatchery-1", "sessions/3")
    listener.close()


async def test_a_session_is_not_lost_for_want_of_a_descriptor(
    place: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """Nor is its end, which is recorded meanwhile: it is found as soon as that can be read."""
    session = session_3()
    end(place)
    record = (place / "sessions/3/exit.json").rename(place / "end")
    with ExitStack() as crowd:
        crowd.enter_context(none_left())
        async with trio.open_nursery() as nursery:
            nursery.start_soon(session.find_door)
            await trio.sleep(60)
            assert session.status() == "running"
            record.rename(place / "sessions/3/exit.json")
            await trio.sleep(60)
            assert session.status() == "running"
            crowd.close()
    assert session.status() == "completed (5)"


async def test_a_session_that_cannot_be_read_is_adopted_later(
    place: Path, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are served meanwhile; it is there as soon as its birth can be read, and says what it was."""
    config = load(str(place), {"HOME": str(place)})
    async with trio.open_nursery() as nursery:
        sessions = Sessions(str(place), config, nursery)
        end(place)
        with none_left():
            await sessions.adopt_one(3)
            assert sessions.by_id == {}
        await trio.sleep(limits.AGAIN_SECONDS + 1)
        assert sessions.by_id[3].birth.prompt == "true"
        nursery.cancel_scope.cancel()


def test_tokens_that_cannot_be_read_are_not_gone(place: Path) -> None:
    """Nobody comes in by them meanwhile, nothing is written over them, and later they are valid as ever."""
    (place / "token").write_text(FIRST)
    secret = Tokens().create("ci", offer())
    before = names(place)
    with none_left():
        known = Tokens()
        refused(known, secret)
        with pytest.raises(CodewireError, match="cannot be read just now"):
            known.create("new", offer())
        with pytest.raises(CodewireError, match="cannot be read just now"):
            known.revoke("ci")
    assert names(place) == before
    assert known.grant_for(secret, HERE).name == "ci"
    assert known.create("new", offer())
    assert sorted(Tokens().by_name) == ["ci", "new"]


def test_the_last_descriptors_are_for_those_who_come(monkeypatch: pytest.MonkeyPatch) -> None:
    """No session holds on to them; and where there are few, sessions leave less room for conversations."""
    monkeypatch.setattr(descriptors, "most_descriptors", lambda: 64)
    assert [descriptors.is_spared(number) for number in (-1, 0, 31, 32, 63)] == [False] * 3 + [True] * 2
    assert [descriptors.room_for(sessions) for sessions in (0, 4, 8, 1000)] == [21, 16, 10, 10]
    monkeypatch.setattr(descriptors, "most_descriptors", lambda: 1 << 20)
    assert descriptors.room_for(limits.SESSION_COUNT) == limits.CONVERSATIONS


def few() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (FEW, FEW))


def listed(home: Home) -> list[tuple[int, str, str]]:
    return [(one["id"], one["prompt"], one["status"]) for one in home.list()]


def test_a_daemon_with_few_descriptors() -> None:
    """It has not enough for its sessions: all the same it adopts, lists and launches, and sets nothing aside; the
    next one, which has enough, serves them all.
    """
    with new_home() as home:
        home.cw("start")
        for number in range(COUNT):
            ask(home, launching("sh", "-c", f"read line; exit {number}"), Launched)
        ended = home.launch("true")
        home.end(ended)
        home.cw("stop")
        expected = [(n + 1, f"sh -c read line; exit {n}", "running") for n in range(COUNT)]
        expected.append((ended, "true", "completed (0)"))
        home.cw("start", preexec_fn=few)
        assert listed(home) == expected
        more = home.launch("true")
        home.end(more)
        expected.append((more, "true", "completed (0)"))
        home.cw("stop")
        assert list(home.path.rglob("*.corrupt.*")) == []
        home.cw("start")
        assert listed(home) == expected
        for number in (0, COUNT - 1):
            home.cw("send", str(number + 1), "")
            home.cw("wait", str(number + 1), status=number)
