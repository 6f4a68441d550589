"""promise 6: a keeper or the hatchery may be killed at any moment"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from homes import Home, all_pids
from load import LAST, PROGRAM, Load, born, daemons, kill, line, parting, seeded
from painted import check_painted
from viewers import Viewers

READ = 8192  # bytes: more than one read of a terminal brings
FLOOD = """
import os, sys
number = 0
while not os.path.exists(sys.argv[1]):
    sys.stdout.buffer.write(b"".join(b"%015d\\n" % one for one in range(number, number + 1000)))
    number += 1000
sys.stdout.buffer.flush()
sys.exit(7)
"""
FLOOD_KILLS = 4  # a session that loses more within ten seconds is given up


@pytest.mark.slow
@pytest.mark.deadline(120)
def test_keepers_killed_under_load(home: Home, viewers: Viewers) -> None:
    """A keeper killed with -9 under load: the others untouched; its program lives on, a new keeper adopts it, the log
    goes on (at most the read in hand is missing, and a mark says so), its exit status is known.
    """
    moments = seeded()
    load = Load(home, viewers, 12)
    unlucky = [session for session in load.attached if session % 2] * 2
    keepers = {session: home.keeper(session) for session in load.attached}
    hatchery = home.hatchery()
    first = unlucky[0]
    follower = viewers.in_pipe("logs", "-f", "--raw", str(first))
    waiter = viewers.in_pipe("wait", str(first))
    for session in moments.sample(unlucky, len(unlucky)):
        time.sleep(moments.uniform(0, 0.2))
        kill(home.keeper(session))
        await_successor(home, session, keepers)
    load.await_more()
    load.check_alive()
    assert home.hatchery() == hatchery
    load.finish()
    for session, viewer in load.attached.items():
        assert viewer.end() == load.status_of[session], viewer.errors()
        load.check_shown(session, viewer)
        check_log(load, session, kills=unlucky.count(session))
        assert len(keepers_marked(home, session)) == 1 + unlucky.count(session)
        assert home.end(session)["code"] == load.status_of[session]
    assert follower.end() == 0, follower.errors()
    load.check_shown(first, follower)
    assert waiter.end() == load.status_of[first]
    load.check_list()


def await_successor(home: Home, session: int, keepers: dict[int, int]) -> None:
    """The daemon has found the new keeper and says so; every other session's is the one it was."""
    home.until(lambda: keepers_marked(home, session)[-1] != keepers[session], "a mark that it is kept again")
    keepers[session] = keepers_marked(home, session)[-1]
    assert {number: home.keeper(number) for number in keepers} == keepers


def keepers_marked(home: Home, session: int) -> list[int]:
    """The first one, and each that took over."""
    return [mark["keeper"] for mark in home.marks(session) if mark["kind"] in ("launched", "kept-again")]


def check_log(load: Load, session: int, kills: int) -> None:
    log = load.home.log(session)
    last = LAST.search(log)
    assert last, log[-200:]
    status = load.status_of[session]
    wanted = b"".join(line(number, status) for number in range(1, int(last[1]) + 1)) + last[0]
    assert len(gaps_in(log, wanted)) <= kills


def gaps_in(log: bytes, wanted: bytes) -> list[int]:
    """How much is missing where: all else is in order, and each gap no more than a read in hand."""
    gaps = []
    while log != wanted:
        at = parting(log, wanted)
        next_line = log[at : at + 80]  # long enough to hold a whole number, so there is but one such place
        gap = wanted[at : at + READ + len(next_line)].find(next_line)
        assert 0 < gap <= READ, f"it goes on with {next_line!r} after {log[max(0, at - 80) : at]!r}"
        gaps.append(gap)
        log, wanted = log[at:], wanted[at + gap :]
    return gaps


@pytest.mark.slow
def test_keeper_killed_in_a_flood(home: Home, viewers: Viewers) -> None:
    """A keeper killed with -9 under load: at most the read in hand is missing, and a mark says so; the client attached
    shows what the log holds (painted afresh where it is far behind), and the exit status is known.
    """
    moments = seeded()
    over = home.path.parent / "over"
    viewer = viewers.in_terminal("launch", "-a", "--", sys.executable, "-I", "-S", "-c", FLOOD, str(over))
    session = viewer.session()
    for _ in range(FLOOD_KILLS):
        known = keepers_marked(home, session)[-1]
        time.sleep(moments.uniform(0, 0.2))
        kill(known)
        home.until(
            lambda known=known: keepers_marked(home, session)[-1] != known, "a mark that it is kept again"
        )
    over.touch()
    assert viewer.end() == 7, viewer.errors()
    log = home.log(session)
    wanted = b"".join(b"%015d\r\n" % number for number in range(int(log[-17:]) + 1))
    gaps = gaps_in(log, wanted)
    print(f"{len(log)} bytes, {FLOOD_KILLS} keepers killed, {gaps} bytes missing")
    assert len(gaps) <= FLOOD_KILLS
    check_painted(viewer.output, log, "what the client showed")
    assert home.end(session)["code"] == 7


@pytest.mark.parametrize("number", [0, signal.SIGTERM])
def test_keeper_killed_without_a_daemon(home: Home, number: int) -> None:
    """The hatchery needs no daemon to replace a keeper, nor to learn how the program ended; the next daemon says so."""
    over = home.path.parent / "over"
    session = home.launch(sys.executable, "-I", "-S", "-c", PROGRAM, str(over), "7")
    program = home.status(session)["pid"]
    killed = home.keeper(session)
    kill(*daemons(home))
    kill(killed)
    length = len(home.log(session))
    home.until(lambda: len(home.log(session)) > length, "the program to go on")
    assert home.keeper(session) != killed
    assert not daemons(home)
    os.kill(program, number) if number else over.touch()
    assert home.end(session).get("signal" if number else "code") == (number or 7)
    assert not daemons(home)
    assert home.status(session)["status"] == f"completed ({128 + number if number else 7})"


def test_keeper_killed_while_no_daemon_looks(home: Home) -> None:
    """A daemon that comes later still finds the session, and marks that it is kept by another."""
    session = home.launch("sh", "-c", "echo ready; read line; echo got $line; exit 3")
    home.until_printed(session, b"ready")
    killed = home.keeper(session)
    kill(*daemons(home))
    kill(killed)
    home.until(lambda: is_kept(home, session), "a successor")
    assert home.status(session)["status"] == "running"
    assert keepers_marked(home, session) == [killed, home.keeper(session)]
    home.cw("send", str(session), "it")
    home.cw("wait", str(session), status=3)
    assert home.log(session) == b"ready\r\nit\r\ngot it\r\n"


def is_kept(home: Home, session: int) -> bool:
    try:
        return home.keeper(session) > 0
    except StopIteration:
        return False


@pytest.mark.slow
def test_hatchery_killed(home: Home, viewers: Viewers) -> None:
    """The hatchery killed alone: every session goes on and new ones can be launched."""
    load = Load(home, viewers, 6)
    keepers = {session: home.keeper(session) for session in load.attached}
    kill(home.hatchery())
    after = home.launch("sh", "-c", "echo new; exit 9")
    home.until_printed(after, b"new")
    assert home.end(after)["code"] == 9
    load.await_more()
    load.check_alive()
    assert {session: home.keeper(session) for session in load.attached} == keepers
    home.cw("remove", str(after))
    load.finish()
    load.check_ended()
    load.check_list()


def test_hatchery_killed_with_an_order_in_hand(home: Home, viewers: Viewers) -> None:
    """The launch is told, and leaves nothing behind; the next one just works."""
    first = home.launch("sleep", "1000")
    hatchery = home.hatchery()
    os.kill(hatchery, signal.SIGSTOP)
    launch = viewers.in_pipe("launch", "--", "sleep", "2000")
    home.until((home.directory(first + 1) / "session.json").exists, "the order to be under way")
    kill(hatchery)
    assert launch.end() == 1
    assert "hatchery went away" in launch.errors()
    assert not home.directory(first + 1).exists()
    assert home.launch("sleep", "1000") == first + 2
    assert [session["status"] for session in home.list()] == ["running", "running"]


@pytest.mark.slow
def test_hatchery_and_keeper_killed(home: Home, viewers: Viewers) -> None:
    """With the hatchery dead as well it is `lost`, honestly: in the list, to those who wait and to those attached."""
    load = Load(home, viewers, 3)
    lost, *others = load.attached
    waiter = viewers.in_pipe("wait", str(lost))
    watch = viewers.in_pipe("watch", "--raw", str(lost))
    watch.until_shown(b"000001 ")
    kill(home.hatchery())
    kill(home.keeper(lost))
    assert waiter.end() == 125, waiter.errors()
    home.cw("wait", str(lost), status=125)
    assert {one["id"]: one["status"] for one in home.list()} == {
        lost: "lost",
        **dict.fromkeys(others, "running"),
    }
    assert [one["id"] for one in home.list("--status", "lost")] == [lost]
    assert "exit_code" not in home.status(lost)
    attached = load.attached.pop(lost)
    assert attached.end() == 125, attached.errors()
    assert "session lost" in attached.errors()
    load.check_shown(lost, attached)
    assert watch.end() == 0
    assert "session lost" in watch.errors()
    load.status_of.pop(lost)
    load.programs.pop(lost)
    load.await_more()
    load.check_alive()
    load.finish()
    load.check_ended()


@pytest.mark.parametrize("how", ["start", "daemon"])
def test_the_daemons_session_and_process_group_killed(home: Home, how: str) -> None:
    """Keepers and hatchery survive the daemon's session and process group being killed, also of a daemon that runs
    in the foreground of somebody's terminal.
    """
    begun = home.begin(how, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    daemon = home.until(
        lambda: daemons(home) and (home.path / "server.sock").exists() and daemons(home), "a daemon"
    )[0]
    session = home.launch("sh", "-c", "echo ready; read line; echo $line; exit 5")
    home.until_printed(session, b"ready")
    kept = {home.keeper(session), home.hatchery(), home.status(session)["pid"]}
    births = {pid: born(pid) for pid in kept}
    group, terminal_session = os.getpgid(daemon), os.getsid(daemon)
    assert os.getsid(0) != terminal_session
    os.killpg(group, signal.SIGKILL)
    kill(*(pid for pid in all_pids() if sid(pid) == terminal_session), daemon)
    begun.wait(10)
    assert {pid: born(pid) for pid in kept} == births
    home.cw("send", str(session), "hello")
    home.cw("wait", str(session), status=5)
    assert home.log(session).endswith(b"hello\r\n")


def sid(pid: int) -> int:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return 0
