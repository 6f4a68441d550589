"""promise 7: however many first commands there are at once, they start one daemon, and each launch is one session"""

from __future__ import annotations

import re
import subprocess

import pytest

from homes import Home, processes
from load import daemons

RACERS = 50


def begin_all(home: Home, *words: str, count: int) -> list[tuple[str, str]]:
    """What each printed, on standard output and on standard error; all of them succeeded."""
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    begun = [home.begin(*words, **pipes) for _ in range(count)]
    ended = [process.communicate(timeout=60) for process in begun]
    said = [(out.decode(), err.decode()) for out, err in ended]
    assert [process.returncode for process in begun] == [0] * count, (said, home.journal())
    return said


def assert_one_daemon(home: Home) -> None:
    """Now, and as far as its journal goes back; nobody was told of another one."""
    assert daemons(home) == [home.daemon()]
    assert re.findall(r"serves .* as pid (\d+)", home.journal()) == [str(home.daemon())]
    assert "already" not in home.journal()


@pytest.mark.slow
def test_fifty_launches_at_once_are_fifty_sessions_of_one_daemon(home: Home) -> None:
    """Into a home that does not exist yet: ids 1 to 50, each told to one launcher, and each program ran once."""
    said = begin_all(
        home, "launch", "--", "sh", "-c", "echo $CODEWIRE_SESSION; exec sleep 1000", count=RACERS
    )
    told = [int(re.match(r"Session (\d+) launched: sh ", out)[1]) for out, _ in said]  # type: ignore[index]
    assert sorted(told) == list(range(1, RACERS + 1))
    assert sum("daemon started" in err for _, err in said) == 1
    assert_one_daemon(home)
    listed = home.list()
    assert [session["id"] for session in listed] == list(range(1, RACERS + 1))
    assert {session["status"] for session in listed} == {"running"}
    assert len({session["pid"] for session in listed}) == RACERS
    for session in told:
        home.until(
            lambda number=session: home.log(number) == b"%d\r\n" % number,
            f"session {session} to print its id",
        )
    assert len([pid for pid in processes("sleep\x001000") if pid in set(home.ours())]) == RACERS


def test_twenty_lists_at_once_start_one_daemon(home: Home) -> None:
    """Each of them is answered."""
    said = begin_all(home, "list", count=20)
    assert {out for out, _ in said} == {"No sessions.\n"}
    assert_one_daemon(home)


def test_first_commands_of_several_kinds_start_one_daemon(home: Home) -> None:
    """`cw start` and `cw daemon` race as well: the daemon that comes second says so, nobody else minds."""
    second = [home.begin("daemon", stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(3)]
    starts = [home.begin("start", stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(3)]
    begin_all(home, "list", "--json", count=10)
    assert [process.communicate(timeout=60) and process.returncode for process in starts] == [0, 0, 0]
    home.until(
        lambda: sum(process.poll() is None for process in second) <= 1, "the daemons that lost to leave"
    )
    for process in second:
        if process.poll() is not None:
            assert process.returncode == 1
            assert b"a daemon is running already" in process.stderr.read()  # type: ignore[union-attr]
    home.until(lambda: daemons(home) == [home.daemon()], "all but one daemon to leave")


def test_racing_for_one_name(home: Home) -> None:
    """Ten launches with the same name: one has it, the others are refused and leave nothing."""
    home.cw("start")
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    begun = [home.begin("launch", "--name", "api", "--", "sleep", "1000", **pipes) for _ in range(10)]
    told = [process.communicate(timeout=60)[1] for process in begun]
    assert sorted(process.returncode for process in begun) == [0] + [1] * 9
    assert sum(b"a running session is named 'api' already" in err for err in told) == 9
    assert [session["name"] for session in home.list()] == ["api"]
    assert len(list((home.path / "sessions").iterdir())) == 1
