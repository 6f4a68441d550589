"""promise 8: sessions of every keeper that may still be alive are in today's daemon's hands as its own are"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import struct
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from homes import Home
from keeper.hatching import KEEPERS, NAME, Hatchery
from keeper.visiting import Visit
from painted import check_painted
from viewers import Viewers

OLD = sorted(set(KEEPERS) - {"today"})
READ_LINES = 'echo ready; while read line; do [ "$line" = end ] && exit 7; echo "got $line"; done'
LINES = """
import sys, time
for number in range(int(sys.argv[1])):
    print(f"{number:08d}")
    if number % 100 == 0:
        time.sleep(0.005)
sys.exit(3)
"""


class OldHome(Home):
    """What an earlier daemon leaves: a hatchery of its version, and sessions written down as it did."""

    def __init__(self, hatchery: Hatchery) -> None:
        super().__init__(hatchery.home)
        self.warm = hatchery

    def keep(self, *command: str, name: str = "", is_noted: bool = True) -> int:
        """A session that was launched then. Not `is_noted`: the daemon died before it could say so."""
        env = {**self.warm.env, "CODEWIRE_SESSION": str(self.warm.count + 1)}
        kept = self.warm.launch(*command, directory="/tmp", rows=24, cols=80, env=env)
        number = self.warm.count
        birth = {
            "id": number, "command": list(command), "directory": "/tmp", "created_at": time.time(), "name": name,
            "request": f"{number:032x}", "tags": ["old"], "rows": 24, "cols": 80, "hatchery": NAME, "env_names": [],
            "env": {"PATH": os.environ["PATH"]}, "continues": 0,
        }  # fmt: skip
        (kept.directory / "session.json").write_text(json.dumps(birth))
        launched = {
            "at": 0,
            "time": time.time(),
            "kind": "launched",
            "pid": kept.program,
            "keeper": kept.keeper,
        }
        if is_noted:
            (kept.directory / "marks.jsonl").write_text(json.dumps(launched) + "\n")
        (self.path / "last_id").write_text(str(number))
        return number

    def sh(self, script: str, name: str = "", is_noted: bool = True) -> int:
        return self.keep("/bin/sh", "-c", script, name=name, is_noted=is_noted)

    def keeper(self, session: int) -> int:
        """Whoever opened the door: it was started by path, so its words tell nothing."""
        visit = Visit(self.directory(session) / "keeper.sock")
        try:
            return visit.keeper()
        finally:
            visit.close()


@pytest.fixture(params=OLD)
def home(request: pytest.FixtureRequest) -> Iterator[OldHome]:
    hatchery = Hatchery(KEEPERS[request.param])
    try:
        home = OldHome(hatchery)
        yield home
        home.close()
    finally:
        hatchery.close()


def test_an_old_keeper_is_kept() -> None:
    """As long as a keeper of a version may be alive somewhere, its code is here."""
    assert "v1" in OLD


def test_it_is_adopted(home: OldHome) -> None:
    """Listed and described as what it is, by the process and the keeper that it has had all the time."""
    session = home.sh(READ_LINES, name="ancient")
    home.until_printed(session, b"ready")
    program, keeper = home.marks(session)[0]["pid"], home.keeper(session)
    listed = home.list()[0]
    assert (listed["id"], listed["name"], listed["tags"], listed["status"]) == (
        1,
        "ancient",
        ["old"],
        "running",
    )
    told = home.status("ancient")
    assert (told["pid"], told["rows"], told["cols"]) == (program, 24, 80)
    assert told["last_output_snippet"] == "ready"
    assert home.keeper(session) == keeper
    assert [mark["kind"] for mark in home.marks(session)] == ["launched"]


def test_new_sessions_are_todays(home: OldHome) -> None:
    """Today's daemon orders them from a hatchery of its own; ids go on; the old hatchery leaves after its last."""
    old = home.sh(READ_LINES)
    new = home.launch("sh", "-c", READ_LINES)
    assert new == old + 1
    mine = json.loads((home.directory(new) / "session.json").read_text())["hatchery"]
    assert mine != NAME
    assert (home.path / f"{mine}.sock").exists()
    home.warm.peer.close()
    home.cw("kill", str(old))
    assert home.warm.process.wait(20) == 0
    assert not (home.path / f"{NAME}.sock").exists()
    assert [session["status"] for session in home.list()] == ["killed", "running"]


def test_looking_and_typing(home: OldHome, viewers: Viewers) -> None:
    """attach, send, logs -f, watch and wait; and everybody learns how it ended."""
    session = str(home.sh(READ_LINES))
    attached, read_only = (
        viewers.in_terminal("attach", session),
        viewers.in_terminal("attach", "--read-only", session),
    )
    followed, watched = viewers.in_pipe("logs", "-f", "--raw", session), viewers.in_pipe("watch", session)
    waiting = viewers.in_pipe("wait", session)
    attached.session()
    home.cw("send", session, "by send")
    os.write(attached.source, b"by hand\r")
    for viewer in (attached, read_only, followed, watched):
        viewer.until_shown(b"got by send")
        viewer.until_shown(b"got by hand")
    home.cw("send", session, "end")
    assert [viewer.end() for viewer in (attached, read_only, followed, watched, waiting)] == [7, 7, 0, 0, 7]
    assert followed.output == home.log(int(session))
    assert home.status(session)["status"] == "completed (7)"
    assert home.cw("wait", session, status=7)


def test_resizing(home: OldHome, viewers: Viewers) -> None:
    """The program has the size of the terminal that looks at it."""
    session = home.sh("trap 'stty size' WINCH; echo ready; while :; do sleep 0.02; done")
    home.until_printed(session, b"ready")
    viewer = viewers.in_terminal("attach", str(session))
    viewer.session()
    fcntl.ioctl(viewer.source, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 99, 0, 0))
    viewer.process.send_signal(signal.SIGWINCH)  # the terminal is not its controlling one
    viewer.until_shown(b"33 99\r\n")
    assert {"rows": 33, "cols": 99}.items() <= {**home.status(session), "tags": 0}.items()


@pytest.mark.parametrize("words", [(), ("--signal", "KILL")], ids=["asked", "at once"])
def test_killing(home: OldHome, words: tuple[str, ...]) -> None:
    """The whole terminal session, a shell's background jobs as well."""
    session = home.sh("sleep 1000 & echo ready; wait")
    home.until_printed(session, b"ready")
    assert home.cw("kill", *words, str(session)).stdout == f"Session {session} killed.\n"
    assert home.status(session)["status"] == "killed"
    assert home.end(session)["signal"] == (signal.SIGKILL if words else signal.SIGTERM)
    home.until(lambda: not sleepers(home), "its children to end")


def sleepers(home: Home) -> list[int]:
    return [pid for pid in home.ours() if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"sleep\0")]


def test_it_ended_while_no_daemon_was_there(home: OldHome) -> None:
    """Its status and its whole log are there."""
    session = home.keep("/usr/bin/env", "sh", "-c", "echo said; exit 5")
    home.end(session)
    assert home.cw("wait", str(session), status=5)
    assert home.cw("logs", str(session)).stdout == "said\n"
    assert home.status(session)["status"] == "completed (5)"


def test_an_unfinished_launch_is_completed(home: OldHome) -> None:
    """The daemon of that time died after its order: the program runs, so it is a session."""
    session = home.sh(READ_LINES, is_noted=False)
    assert home.list()[0]["status"] == "running"
    assert home.status(session)["pid"] in home.ours()
    home.cw("send", str(session), "end")
    assert home.cw("wait", str(session), status=7)


def test_a_keeper_that_is_killed_is_replaced_by_the_old_hatchery(home: OldHome, viewers: Viewers) -> None:
    """Today's daemon and client go to the successor: at most the read in hand is missing, and the status is known."""
    lines = 20_000
    session = home.keep(sys.executable, "-I", "-u", "-c", LINES, str(lines))
    viewer = viewers.in_terminal("attach", str(session))
    viewer.until_shown(b"0000")
    gone = home.keeper(session)
    os.kill(gone, signal.SIGKILL)
    assert viewer.end() == 3
    assert home.status(session)["status"] == "completed (3)"
    kept_again = [mark for mark in home.marks(session) if mark["kind"] == "kept-again"]
    assert len(kept_again) == 1
    assert kept_again[0]["keeper"] != gone
    log = home.log(session)
    assert len(log) > lines * 10 - 8192
    assert log.endswith(b"%08d\r\n" % (lines - 1))
    check_painted(viewer.output, log, "what the client showed")


def test_the_daemon_is_replaced_meanwhile(home: OldHome, viewers: Viewers) -> None:
    """Restarted, or killed: nobody who is attached notices."""
    session = str(home.sh(READ_LINES))
    viewer = viewers.in_terminal("attach", session)
    viewer.until_shown(b"ready")
    home.cw("restart")
    home.cw("send", session, "after restart")
    viewer.until_shown(b"got after restart")
    os.kill(home.daemon(), signal.SIGKILL)
    home.cw("send", session, "after a crash")
    viewer.until_shown(b"got after a crash")
    home.cw("send", session, "end")
    assert viewer.end() == 7


def test_nobody_is_left_to_tell(home: OldHome) -> None:
    """Without its hatchery a session goes on; without keeper and hatchery it is honestly lost."""
    session = home.sh(READ_LINES)
    home.until_printed(session, b"ready")
    home.warm.kill()
    assert home.list()[0]["status"] == "running"
    home.cw("send", str(session), "still here")
    home.until_printed(session, b"got still here")
    os.kill(home.keeper(session), signal.SIGKILL)
    home.until(lambda: home.list()[0]["status"] == "lost", "the daemon to see that it is lost")
    assert home.cw("wait", str(session), status=125)
