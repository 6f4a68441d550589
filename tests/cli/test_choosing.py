"""how commands find out where they go, as far as that needs no daemon"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from codewire_py.cli import context, probing, stop
from codewire_py.cli.clicked import root
from codewire_py.cli.commands import NAMES
from codewire_py.cli.fast import take_server
from codewire_py.client.servers import Server
from codewire_py.errors import Unreachable
from codewire_py.wire.messages import Stopping


@pytest.fixture(autouse=True)
def _nothing_chosen() -> Iterator[None]:
    """What is tried within this process says nothing about the next test."""
    context.choose("")
    yield
    context.choose("")


WORDS = [
    "--server",
    "-s",
    "box",
    "--server=box",
    "--server=",
    "-sbox",
    "-s=x",
    "",
    "--",
    "-",
    "list",
    "--help",
    "--json",
]


@example(["-s=x", "list", "list"])
@example(["--server=", "list", "list"])
@given(st.lists(st.sampled_from(WORDS), max_size=6))
def test_both_parsers_find_the_same_server(words: list[str]) -> None:
    """Whatever stands before the command word: where the small parser finds a command, click finds that one there."""
    server, rest = take_server(words)
    if not rest or rest[0] not in NAMES:
        return  # click's to look at
    found = root().make_context("cw", list(words), resilient_parsing=False)
    assert found.params["server"] == (server or None)
    assert [*found._protected_args, *found.args] == rest


def test_a_session_of_ours_is_none_of_theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CODEWIRE_SESSION means a session of this home: a daemon elsewhere is told when it was born, to tell it apart."""
    monkeypatch.setenv("CODEWIRE_HOME", str(tmp_path))
    monkeypatch.setenv("CODEWIRE_SESSION", "7")
    assert context.inside() == (7, 0.0)
    monkeypatch.setenv("CODEWIRE_SERVER", "ws://box:1")
    assert context.inside() == (0, 0.0)
    (tmp_path / "sessions" / "7").mkdir(parents=True)
    (tmp_path / "sessions" / "7" / "session.json").write_text(
        '{"id": 7, "command": ["x"], "created_at": 2.5}'
    )
    assert context.inside() == (7, 2.5)


def test_completion_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also on one that lets us in and then says nothing."""
    never = threading.Event()

    def reach(*_: object, **__: object) -> None:
        never.wait(20)
        raise Unreachable("too late")

    monkeypatch.setattr(probing, "reach", reach)
    begun = time.monotonic()
    assert probing.sessions_there() == []
    assert time.monotonic() - begun < 5
    never.set()


def test_stop_waits_until_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as somebody does, it has not left. By ssh nobody asks: that would start another one."""
    told: list[str] = []

    class Link:
        def close(self) -> None:
            told.append("answered")

    def reach(*_: object, **__: object) -> Link:
        if len(told) == 3:
            raise Unreachable("refused")
        return Link()

    monkeypatch.setattr(stop, "reach", reach)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    monkeypatch.setattr(stop, "ask", lambda *_: Stopping(pid=1, running=0))
    context.choose("ws://box:1")
    assert stop.run({"session": None, "kill": False, "json": False}) == 0
    assert told == ["answered"] * 3
    told.clear()
    stop.await_end_elsewhere(Server("box", "ssh://box"))
    assert told == []
