"""replies about several sessions: they fit into one message, and others have their turn while they are made"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from codewire_py.daemon import limits
from codewire_py.daemon.describing import (
    LEFT_BYTES,
    describe_briefly,
    describe_left,
    shorten,
    shorten_words,
    size,
)
from codewire_py.daemon.session import Session
from codewire_py.errors import LimitReached
from codewire_py.home.records import Birth, End
from codewire_py.wire.codec import encode
from codewire_py.wire.frames import HEADER, MAX_PAYLOAD
from codewire_py.wire.messages import Killed, Launched
from homes import Home
from peers import ask, launching

WORDS = {
    "ascii": "x" * (1 << 20), "wide": "é…𝄞" * 9999, "odd bytes": "\udcff" * 99999, "short": "short", "empty": "",
    "long to a byte": "x" * 4093, "one byte too long": "x" * 4094,
}  # fmt: skip


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def largest(number: int = limits.SESSION_COUNT) -> Session:
    """A session of which as much is to be told as there can be."""
    birth = Birth(
        {"id": number, "command": ["w" * 1000] * 1000, "directory": "/d" * 2047, "created_at": time.time() - 1e8,
         "tags": ["t" * 32] * limits.TAGS, "rows": 9999, "cols": 9999, "name": "n" * 32, "continues": 1 << 62}
    )  # fmt: skip
    session = Session(birth, 0, lambda: None)
    session.facts.pid, session.facts.released, session.facts.sizing = 1 << 62, 1 << 62, "smallest"
    session.log_stat = lambda: (1 << 62, time.time())  # type: ignore[method-assign]
    session.end = End({"code": 255, "ended_at": time.time()})
    return session


@pytest.mark.parametrize("count", [1, 2, 100, limits.SESSION_COUNT])
def test_however_many_there_are_they_fit(there: Path, count: int) -> None:
    """With every field as long as it can be; and with what else a reply may say."""
    told = describe_briefly(largest(), count)
    left = describe_left(
        [{"pid": 1 << 22, "start": 1 << 40, "command": "x" * 400, "session": 1 << 13}] * 1000
    )
    assert len(encode(Killed(sessions=[told] * count, left=left))) <= HEADER + MAX_PAYLOAD
    assert len(encode(Killed(sessions=[], left=left))) <= LEFT_BYTES
    assert told["prompt"].startswith("wwww")
    assert told["prompt"].endswith("…")
    assert told["working_dir"].startswith("/d/d")


def test_what_is_ordinary_is_told_whole(there: Path) -> None:
    """Also where there are as many as there can be."""
    birth = Birth(
        {"id": 3, "command": ["claude", "-p", "x" * 200], "directory": "/home/somebody/src/a-project"}
    )
    told = describe_briefly(Session(birth, 0, lambda: None), limits.SESSION_COUNT)
    assert (told["prompt"], told["command"], told["working_dir"]) == (
        birth.prompt,
        birth.command,
        birth.directory,
    )


@pytest.mark.parametrize("name", WORDS)
@pytest.mark.parametrize("room", [24, 25, 4096])
def test_texts_are_shortened(name: str, room: int) -> None:
    """To the room there is, between two characters; what fits is left as it is."""
    text, told = WORDS[name], shorten(WORDS[name], room)
    assert size(told) <= room
    assert told == text if size(text) <= room else told[-1] == "…" and text.startswith(told[:-1])
    assert size(told) > min(room, size(text)) - 8


@pytest.mark.parametrize("room", [24, 25, 26, 27, 28, 100, 4096])
@pytest.mark.parametrize("words", [[], [""] * 4096, ["a", "bc", "d" * 9], ["abc"] * 5, ["é" * 99] * 99])
def test_words_are_shortened(words: list[str], room: int) -> None:
    """Those at the beginning stay, and the last one says that there are more."""
    told = shorten_words(words, room)
    assert 3 + sum(map(size, told)) <= room
    assert told == words or (told[-1].endswith("…") and told[:-1] == words[: len(told) - 1])
    assert told != words or 3 + sum(map(size, words)) <= room


def test_a_message_that_nobody_would_take_is_not_sent() -> None:
    """It is told before, and how long it may be."""
    with pytest.raises(LimitReached, match=r"launched: \d+ bytes are too many"):
        encode(Launched(id=1, name="", pid=2, command="x" * MAX_PAYLOAD))


def test_long_prompts_spoil_no_list(home: Home) -> None:
    """Far more than fits into a message: they are listed and pruned all the same, and the status has the whole."""
    home.cw("start")
    words = ["é" * 60_000] * 8  # a system takes no longer ones
    for number in range(10):
        ask(home, launching("true", *words, request=f"{number}"), Launched)
    home.cw("wait", *map(str, range(1, 11)))
    listed = home.list()
    assert [(one["id"], one["prompt"][:7], one["prompt"][-1]) for one in listed] == [
        (number, "true éé", "…") for number in range(1, 11)
    ]
    assert listed[0]["command"][0] == "true"
    assert home.status(1)["command"] == ["true", *words]
    assert home.cw("prune").stdout.count("removed") == 10
    assert home.list() == []
