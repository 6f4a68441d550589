"""what happens while something else is waited for: a viewer leaves, a keeper is replaced, a wish comes, a session ends"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import trio

from codewire_py.daemon import limits
from codewire_py.daemon.bell import Bell
from codewire_py.daemon.depicting import Depiction, depict
from codewire_py.daemon.recounting import begin, follow
from codewire_py.daemon.rendering import Rendering
from codewire_py.daemon.screen.settling import Line
from codewire_py.daemon.verbs.logs import read_out
from codewire_py.daemon.viewers import Viewers
from codewire_py.daemon.visiting import Visit
from codewire_py.home.paths import TYPING
from codewire_py.home.records import Birth
from codewire_py.home.times import TIMES
from codewire_py.wire import messages
from homes import Home
from peers import Peer
from turns import most_at_once

DIRECTORY = "sessions/1"
BIRTH = Birth({"id": 1, "command": ["x"], "created_at": time.time(), "rows": 12, "cols": 40})
SAYS = "import sys\nfor line in sys.stdin: print('says', line.strip(), flush=True)"


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path(DIRECTORY).mkdir(parents=True)
    return Path(DIRECTORY, "output.log")


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


async def test_who_leaves_before_the_last_lines_are_found_leaves_no_descriptor(log: Path) -> None:
    """The log that was opened to search it is closed."""
    log.write_bytes(b"a line\n" * 100_000)
    session: Any = SimpleNamespace(directory=DIRECTORY, birth=BIRTH)
    before = descriptors()
    with trio.move_on_after(0) as left:
        await begin(session, 0, log.stat().st_size, 5, False)
    assert left.cancelled_caught
    assert descriptors() == before


async def test_what_is_printed_while_a_line_is_sent_is_told_as_well(log: Path) -> None:
    """The bell rings while nobody listens to it."""
    log.write_bytes(b"one\r\n")
    session: Any = SimpleNamespace(
        directory=DIRECTORY, birth=BIRTH, bell=Bell(), ended=trio.Event(), door=True
    )
    told: list[str] = []

    async def tell(lines: list[Line]) -> None:
        told.extend(text for _, text in lines)
        if told == ["one"]:
            log.write_bytes(b"one\r\ntwo\r\n")
        elif lines:
            session.ended.set()
        session.bell.ring()

    rendering = Rendering(DIRECTORY, BIRTH)
    with trio.fail_after(10):
        await follow(session, rendering, -1, tell)
    rendering.close()
    assert told == ["one", "two"]


class Wishing(Visit):
    """While its first wish for a paint is met, it has another."""

    met = 0

    async def go_on(self, scrollback: int, seen: int) -> None:
        self.met += 1
        if self.met == 1:
            await self.obey(messages.Repaint())
        else:
            self.session.ended.set()


async def test_a_wish_that_comes_while_another_is_met_is_met_as_well() -> None:
    """It is not forgotten when the first has been painted: there is another paint."""
    session: Any = SimpleNamespace(ended=trio.Event(), viewers=Viewers())
    talk: Any = SimpleNamespace(scope=trio.CancelScope())
    visit = Wishing(messages.Attach(local=True), session, talk)
    await visit.obey(messages.Repaint())
    with trio.fail_after(10):
        await visit.show()
    assert visit.met == 2


async def test_a_screen_is_drawn_from_its_checkpoint_in_slices(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thousands of lines: others have their turn meanwhile."""
    log.write_bytes(b"".join(b"\x1b[3%dmline %d\r\n" % (n % 8, n) for n in range(4000)))
    first = Depiction(DIRECTORY, BIRTH, None)
    await first.reach()
    await first.save()
    again = depict(DIRECTORY, BIRTH)
    bytes_at_once, pieces_in_a_row = await most_at_once(monkeypatch, again.reach)
    assert again.screen.history_text(4000) == first.screen.history_text(4000)
    assert bytes_at_once <= limits.SLICE_BYTES
    assert pieces_in_a_row <= 2  # as trio deals them


def test_what_waits_to_be_typed_never_reaches_another_session(home: Home) -> None:
    """The keeper is replaced while somebody else types; by then its terminal's number is another session's."""
    one, other = home.python(SAYS), home.python(SAYS)
    home.cw("send", str(one), "first")
    home.until_printed(one, b"says first")
    with (home.directory(one) / TYPING).open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiting = home.begin("send", str(one), "second")
        daemon = home.daemon()
        path = str(home.directory(one) / TYPING)
        home.until(lambda: path in open_files(daemon), "the daemon to wait for its turn")
        os.kill(home.keeper(one), signal.SIGKILL)
        home.until(lambda: "took over" in home.journal(), "the keeper to be replaced")
        home.cw("send", str(other), "hello")
        fcntl.flock(lock, fcntl.LOCK_UN)
    assert waiting.wait(30) == 0
    home.until_printed(one, b"says second")
    assert b"second" not in home.log(other)


def open_files(pid: int) -> list[str]:
    found = []
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            found.append(os.readlink(f"/proc/{pid}/fd/{name}"))
        except OSError:
            pass
    return found


def test_what_a_program_says_as_it_ends_has_its_own_time(home: Home) -> None:
    """Also when the daemon hears of the end before it has looked at what was said."""
    id = home.launch("sh", "-c", "echo begun; sleep 1.5; echo over")
    home.until((home.directory(id) / TIMES).exists, "the first time to be noted")
    daemon = home.daemon()
    os.kill(daemon, signal.SIGSTOP)
    try:
        home.end(id)
    finally:
        os.kill(daemon, signal.SIGCONT)
    home.until(lambda: home.status(id)["status"] == "completed (0)", "the daemon to know")
    assert search(home, "over") > search(home, "begun") + 1


def test_what_was_printed_before_anybody_noted_times_is_not_from_today(home: Home) -> None:
    """A session from before there were times: what is known is when its log last grew, and that it was launched by then."""
    id = home.python(SAYS)
    home.cw("send", str(id), "yesterday")
    home.until_printed(id, b"says yesterday\r\n")
    daemon = home.daemon()
    os.kill(daemon, signal.SIGKILL)
    home.until(lambda: not Path(f"/proc/{daemon}").exists(), "the daemon to be gone")
    gone_at = time.time()
    (home.directory(id) / TIMES).unlink(missing_ok=True)
    long_ago = time.time() - 86400
    os.utime(home.directory(id) / "output.log", (long_ago, long_ago))
    home.cw("list")
    home.until((home.directory(id) / TIMES).exists, "times to be noted")
    assert search(home, "says yesterday") < gone_at


def search(home: Home, text: str) -> float:
    from datetime import datetime

    found = json.loads(home.cw("search", "--json", text).stdout.splitlines()[-1])
    return datetime.fromisoformat(found["time"]).timestamp()


def test_who_brings_an_impossible_agent_is_attached_all_the_same(home: Home) -> None:
    """And is no viewer any more once it has left."""
    id = home.python(SAYS)
    with Peer(home) as peer:
        peer.ask(messages.Attach(session=str(id), local=True, agent="/a\0b/1/agent"))
        peer.hear(messages.Attached)
        assert home.status(id)["attached_count"] == 1
    home.until(lambda: home.status(id)["attached_count"] == 0, "the viewer to be forgotten")


async def test_who_does_not_follow_hears_an_end(log: Path) -> None:
    """However fast the program prints: what had been printed when it was asked for."""
    log.write_bytes(b"begun")
    session: Any = SimpleNamespace(directory=DIRECTORY)
    sent = []

    async def send_data(data: bytes) -> None:
        sent.append(data)
        with log.open("ab") as file:
            file.write(b" and more")

    start = messages.Reading(id=1, name="", directory="", offset=0, length=5, released=0)
    talk: Any = SimpleNamespace(send_data=send_data)
    with trio.fail_after(10):
        await read_out(session, start, None, talk)
    assert sent == [b"begun"]
