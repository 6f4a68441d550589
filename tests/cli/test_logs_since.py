"""cw logs --since, --until: what was printed between two moments"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from codewire_py.home.times import RECORD, TimesWriter
from codewire_py.wire.messages import Ended, Logs, Reading
from homes import Home
from own_terminals import Desk
from peers import Peer

HOUR = 3600.0


def lines(id: int, home: Home, *ages: float) -> None:
    """Pretend that each of the log's lines was printed so long ago. The daemon must be through with it."""
    if home.status(id)["status"] != "running":
        home.cw("wait", str(id), status=None)
    log = home.log(id)
    starts = [0, *(at + 1 for at, byte in enumerate(log) if byte == 10)][: len(ages)]
    directory, now = home.directory(id), time.time()
    (directory / "times").unlink(missing_ok=True)
    (directory / "marks.jsonl").write_bytes(b"")
    birth = json.loads((directory / "session.json").read_text())
    (directory / "session.json").write_text(json.dumps({**birth, "created_at": now - ages[0] - 1}))
    writer = TimesWriter(str(directory))
    for at, age in zip(starts, ages, strict=True):
        writer.note(at, now - age)
    writer.close()
    os.utime(directory / "output.log", (now - ages[-1], now - ages[-1]))


@pytest.fixture
def hours(home: Home) -> int:
    """A session that printed a line three hours ago, one two hours, one one hour ago."""
    id = home.python("print('three'); print('two'); print('one')")
    home.end(id)
    lines(id, home, 3 * HOUR, 2 * HOUR, HOUR)
    return id


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["--since", "30m"], ""),
        (["--since", "90m"], "one\n"),
        (["--since", "2h30m"], "two\none\n"),
        (["--since", "1d"], "three\ntwo\none\n"),
        (["--until", "1d"], ""),
        (["--until", "90m"], "three\ntwo\n"),
        (["--until", "now"], "three\ntwo\none\n"),
        (["--since", "150m", "--until", "90m"], "two\n"),
        (["--since", "100m", "--until", "90m"], ""),
        (["--since", "1d", "--tail", "1"], "one\n"),
        (["--until", "90m", "--tail", "1"], "two\n"),
        (["--since", "90m", "--tail", "5"], "one\n"),
        (["--since", "30m", "--tail", "5"], ""),
        (["--since=150m", "--until=90m", "-f"], "two\n"),
        (["--since", "150m", "-f"], "two\none\n"),
        (["--since", "@0"], "three\ntwo\none\n"),
        (["--until", "@0"], ""),
        (["--until", "2099-01-01"], "three\ntwo\none\n"),
    ],
)
def test_an_ended_session(home: Home, hours: int, words: list[str], wanted: str) -> None:
    """Exactly what came between, also the last lines of that."""
    assert home.cw("logs", str(hours), *words).stdout == wanted


@pytest.mark.parametrize("raw", [False, True])
def test_on_a_terminal_too(home: Home, hours: int, desk: Desk, raw: bool) -> None:
    """The same bytes are chosen, however they are shown."""
    terminal = desk.cw("logs", str(hours), "--since", "150m", "--until", "90m", *(["--raw"] if raw else []))
    assert terminal.end() == 0
    assert terminal.shown.split() == [b"two"]


def test_a_character_is_not_cut(home: Home) -> None:
    """It belongs to the time at which its first byte came; together both parts are everything."""
    id = home.python("print('a漢b')")
    home.end(id)
    lines(id, home, 3 * HOUR)
    for at in range(1, 4):
        (home.directory(id) / "times").write_bytes(
            RECORD.pack(0, time.time() - 3 * HOUR) + RECORD.pack(at, time.time() - HOUR)
        )
        os.utime(home.directory(id) / "output.log", (time.time(), time.time()))
        before, after = (home.cw("logs", str(id), word, "2h").stdout for word in ("--until", "--since"))
        assert (before, after) == (("a", "漢b\n") if at == 1 else ("a漢", "b\n"))


def test_a_running_session_up_to_now(home: Home) -> None:
    """Followed until a moment that is over, it is not followed at all."""
    id = home.python("print('old'); print('new'); input()")
    home.until_printed(id, b"new\r\n")
    assert home.cw("logs", str(id), "-f", "--until", "now").stdout == "old\nnew\n"
    assert home.cw("logs", str(id), "--until", "1h").stdout == ""


def test_following_until_a_moment(home: Home) -> None:
    """It shows what comes meanwhile, and leaves at that moment, though the session goes on."""
    id = home.python("print('begun'); input(); print('more'); input()")
    home.until_printed(id, b"begun\r\n")
    over = time.time() + 3
    client = home.begin("logs", str(id), "-f", "--until", f"@{over:.3f}", stdout=-1)
    assert client.stdout
    assert client.stdout.read(6) == b"begun\n"
    home.cw("send", str(id), "x")
    assert client.stdout.read() == b"x\nmore\n"
    assert client.wait(10) == 0
    assert over - 0.1 < time.time() < over + 5
    assert home.status(id)["status"] == "running"


def test_through_the_conversation(home: Home, hours: int) -> None:
    """A peer that does not read the log itself is sent exactly that part."""
    now = time.time()
    with Peer(home) as peer:
        peer.ask(Logs(session=str(hours), since=now - 2.5 * HOUR, until=now - 1.5 * HOUR))
        begun = peer.hear(Reading)
        assert (begun.offset, begun.until, begun.length) == (7, 12, 17)
        peer.hear(Ended)
        assert peer.data == b"two\r\n"


def test_following_through_the_conversation(home: Home) -> None:
    """Until that moment, and not until the end."""
    id = home.python("print('begun'); input()")
    home.until_printed(id, b"begun\r\n")
    with Peer(home) as peer:
        over = time.time() + 0.5
        peer.ask(Logs(session=str(id), follow=True, until=over))
        assert peer.hear(Reading).until == -1
        ended = peer.hear(Ended)
        assert over - 0.1 < time.time() < over + 10
        assert ended.session["status"] == "running"
        assert peer.data == b"begun\r\n"


def test_what_came_a_moment_ago(home: Home) -> None:
    """The daemon notes times by itself: what was there before a pause is not of the time after it."""
    id = home.python("print('before'); input(); print('after'); input()")
    home.until_printed(id, b"before")
    home.until(lambda: home.status(id)["idle_seconds"] >= 0.3, "a pause")
    between = time.time() - 0.1
    home.cw("send", str(id), "-n", "\n")
    home.until_printed(id, b"after")
    home.until((home.directory(id) / "times").exists, "the daemon to note times")
    assert home.cw("logs", str(id), "--since", f"@{between}").stdout.split() == ["after"]
    assert home.cw("logs", str(id), "--until", f"@{between}").stdout.split() == ["before"]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--since", "soon"], "Error: 'soon' is no moment\n\nfor example 10m"),
        (["--until", ""], "Error: '' is no moment"),
        (["--since", "1h", "--until", "2h"], "Error: --until is before --since"),
        (["--since"], "requires an argument"),
    ],
)
def test_bad_words(home: Home, tmp_path: Path, words: list[str], text: str) -> None:
    """Are told, with examples."""
    assert text in home.cw("logs", "1", *words, status=2).stderr
