"""a home with many sessions: while they are forgotten, or written into the index, others have their turn"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest
import trio

from codewire_py.config import load
from codewire_py.daemon.describing import SLICE, describe_several
from codewire_py.daemon.session import Session
from codewire_py.daemon.sessions import Sessions
from codewire_py.daemon.verbs.remove import forget
from codewire_py.home.paths import INDEX
from codewire_py.home.records import Birth, End

COUNT = 4 * SLICE


@pytest.fixture
async def sessions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sessions]:
    """They have ended, each has a log; no daemon has written anything down yet."""
    monkeypatch.chdir(tmp_path)
    async with trio.open_nursery() as nursery:
        there = Sessions(str(tmp_path), load(str(tmp_path), {"HOME": str(tmp_path)}), nursery)
        for number in range(1, COUNT + 1):
            (tmp_path / f"sessions/{number}").mkdir(parents=True)
            (tmp_path / f"sessions/{number}/output.log").write_bytes(b"x" * 5000)
            birth = Birth({"id": number, "command": ["é\n", '"'], "created_at": time.time()})
            session = Session(birth, 0, there.changed)
            session.end = End({"code": 0, "ended_at": time.time()})
            there.enroll(session)
        yield there
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def turns(look: Callable[[], int]) -> AsyncIterator[list[int]]:
    """What somebody else sees, each time that it is his turn."""
    seen: list[int] = []

    async def take_turns() -> None:
        while True:
            seen.append(look())
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(take_turns)
        yield seen
        nursery.cancel_scope.cancel()


def index() -> list[int]:
    return [one["id"] for one in json.loads(Path(INDEX).read_text())]


async def test_few_are_forgotten_at_once(sessions: Sessions) -> None:
    """Whoever asks something meanwhile waits for two of them at most; all are gone, and told."""
    async with turns(lambda: len(sessions.by_id)) as seen:
        removed = await forget(sessions, list(sessions.by_id.values()))
    assert max(before - after for before, after in pairwise(seen)) <= 2
    assert [one["id"] for one in removed.sessions] == [*range(1, COUNT + 1)]
    assert removed.size >= COUNT * 5000
    assert list(Path("sessions").iterdir()) == []


async def test_two_who_forget_the_same(sessions: Sessions) -> None:
    """Each is told by one of them, and its bytes are counted once."""
    told: list[int] = []
    size = 0

    async def prune() -> None:
        nonlocal size
        removed = await forget(sessions, chosen)
        told.extend(one["id"] for one in removed.sessions)
        size += removed.size

    chosen = list(sessions.by_id.values())
    blocks = sum(path.stat().st_blocks * 512 for path in Path("sessions").rglob("output.log"))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(prune)
        nursery.start_soon(prune)
    assert sorted(told) == [*range(1, COUNT + 1)]
    assert size == blocks


async def test_few_are_described_at_once(sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the index, and for a list."""
    described: list[int] = []
    status = Session.status
    monkeypatch.setattr(Session, "status", lambda self: (described.append(self.number), status(self))[1])
    for work in (sessions.write_index, lambda: describe_several(list(sessions.by_id.values()))):
        described.clear()
        async with turns(lambda: len(set(described))) as seen:
            await work()
        assert len(set(described)) == COUNT
        assert max(after - before for before, after in pairwise(seen)) <= 2 * SLICE


@pytest.mark.parametrize("count", [0, 1, 3])
async def test_the_index_looks_as_ever(sessions: Sessions, count: int) -> None:
    """As json makes it of the whole."""
    sessions.by_id = {number: session for number, session in sessions.by_id.items() if number <= count}
    await sessions.write_index()
    text = Path(INDEX).read_text()
    assert text == json.dumps(json.loads(text), indent=2) + "\n"
    assert index() == [*range(1, count + 1)]


async def test_what_changes_while_the_index_is_written(sessions: Sessions, autojump_clock: object) -> None:
    """It is in the next one, half a second later; whoever writes at the same time comes after."""
    await sessions.write_index()
    sessions.nursery.start_soon(sessions.keep_index)
    sessions.changed()
    async with turns(lambda: 0):
        async with trio.open_nursery() as writing:
            writing.start_soon(sessions.write_index)
            await trio.lowlevel.checkpoint()
            sessions.forget(sessions.by_id[1])
            sessions.forget(sessions.by_id[COUNT])
            writing.start_soon(sessions.write_index)
        assert index() == [*range(2, COUNT)]
    sessions.forget(sessions.by_id[2])
    await trio.sleep(2)
    assert index() == [*range(3, COUNT)]
