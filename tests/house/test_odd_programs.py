"""promise 10: programs that leave their terminal, or leave others in it, and crowds at a door, harm nobody"""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from homes import Home
from load import seeded
from painted import check_painted
from seeing import are_idle, descriptors, rss, seconds_used
from viewers import Viewers

PROMPT = 4.0  # seconds from a program's end until everybody knows; its children may print for one of them
VISITORS = 500

CLOSES_ALL = """
import os, signal, sys, time
{extra}
print("before")
for descriptor in range(3):
    os.close(descriptor)
while True:
    time.sleep(1000)
"""
LEAVES_CHILD = "trap '' HUP; {child} & echo parent ends; exit 4"
FOREVER = "while sleep 0.01; do echo child; done"
FLOOD = "yes child"
SILENT = "sleep 1000"


def rest(home: Home, *pids: int) -> None:
    home.until(lambda: are_idle(*pids), "them to rest", 10)


# -- programs that close their terminal


@pytest.mark.parametrize(
    "extra",
    ["", "os.setsid() if os.fork() else os._exit(0)", "signal.signal(signal.SIGHUP, signal.SIG_IGN)"],
    ids=["plain", "its first child ended", "ignores SIGHUP"],
)
def test_a_program_that_closes_its_terminal_lives_on(home: Home, viewers: Viewers, extra: str) -> None:
    """Nobody spins, the list says running, attach shows what it printed, kill ends it, and the status is right."""
    if "setsid" in extra:
        extra = "os.fork() or os._exit(0); os.wait()"
    session = home.python(CLOSES_ALL.format(extra=extra))
    viewer = viewers.in_terminal("attach", str(session))
    home.until_printed(session, b"before")
    viewer.until_shown(b"before")
    pid = home.status(session)["pid"]
    home.until(lambda: not list(Path(f"/proc/{pid}/fd").iterdir()), "it to close everything")
    rest(home, home.keeper(session), home.daemon(), home.hatchery(), viewer.process.pid, pid)
    assert home.list()[0]["status"] == "running"
    home.cw("kill", str(session))
    assert viewer.end() == 128 + signal.SIGTERM
    assert home.list()[0]["status"] == "killed"
    assert pid not in home.ours()


def test_a_program_that_closes_its_terminal_and_ends(home: Home) -> None:
    """Its exit status is its own, not what the terminal made of it."""
    session = home.python("import os, time; print('x'); os.closerange(0, 3); time.sleep(0.3); os._exit(9)")
    assert home.cw("wait", str(session), status=9)
    assert home.end(session)["code"] == 9
    assert home.log(session) == b"x\r\n"


# -- programs that leave a child behind


@pytest.mark.parametrize("child", [FOREVER, FLOOD, SILENT], ids=["prints", "floods", "silent"])
def test_the_end_is_the_programs_not_its_childrens(home: Home, viewers: Viewers, child: str) -> None:
    """Attach, watch, `logs -f` and wait end promptly with the program's status; a child of it holds the terminal."""
    session = home.launch("sh", "-c", "read line; " + LEAVES_CHILD.format(child=child))
    attached = viewers.in_terminal("attach", str(session))
    attached.session()
    others = [viewers.in_pipe("watch", str(session)), viewers.in_pipe("logs", "-f", "--raw", str(session))]
    waiting = viewers.in_pipe("wait", str(session))
    keeper = home.keeper(session)
    began = time.monotonic()
    home.cw("send", str(session), "go")
    assert attached.end() == 4
    assert waiting.end() == 4
    assert [other.end() for other in others] == [0, 0]
    assert time.monotonic() - began < PROMPT
    log = home.log(session)
    assert b"parent ends" in log
    assert others[1].output == log
    check_painted(attached.output, log, "what the client showed")
    assert home.end(session)["length"] == len(log)
    assert len(log) < 4 << 20
    assert home.status(session)["status"] == "completed (4)"
    home.until(lambda: keeper not in home.ours(), "its keeper to leave")
    rest(home, home.daemon(), home.hatchery())


def test_the_status_tells_who_is_left(home: Home) -> None:
    """By pid and command; killing an ended session is refused and touches nobody."""
    has_begun = "until grep -q ^sleep /proc/$!/cmdline; do :; done"
    session = home.launch("sh", "-c", f"trap '' HUP; {SILENT} & {has_begun}; echo parent ends; exit 4")
    survivors = home.end(session)["survivors"]
    left = home.until(lambda: home.status(session).get("survivors"), "the daemon to know")
    assert left == survivors
    assert [process["command"] for process in left] == [SILENT]
    pid = left[0]["pid"]
    assert f"{pid} {SILENT}" in home.cw("status", str(session)).stdout
    assert "is not running" in home.cw("kill", str(session), status=1).stderr
    assert pid in home.ours()


def test_kill_ends_the_children_too(home: Home) -> None:
    """Those that ignore SIGHUP and SIGTERM as well, once the grace is over: the whole terminal session."""
    stubborn = "(trap '' HUP TERM; echo ready; while :; do sleep 1000; done) & wait"
    session = home.launch("sh", "-c", stubborn)
    home.until_printed(session, b"ready")
    pids = {pid for pid in home.ours() if session_of(pid) == home.status(session)["pid"]}
    assert len(pids) == 3
    home.cw("kill", "--grace", "0.3", str(session))
    assert home.status(session)["status"] == "killed"
    assert not pids & set(home.ours())


def test_kill_tree_ends_those_that_left(home: Home) -> None:
    """A daemon that the program began is named by `kill`, and ended by `kill --tree`."""
    session = home.launch("sh", "-c", "setsid sleep 1000 & exec sleep 2000")
    home.until(lambda: sleepers(home) == 2, "both to run")
    killed = home.cw("kill", str(session))
    assert f"session {session}: process" in killed.stderr
    assert "lives on: sleep 1000" in killed.stderr
    assert sleepers(home) == 1
    again = home.launch("sh", "-c", "setsid sleep 1000 & exec sleep 2000")
    home.until(lambda: sleepers(home) == 3, "both to run")
    home.cw("kill", "--tree", str(again))
    assert sleepers(home) == 1


def sleepers(home: Home) -> int:
    return sum(words(pid)[:1] == ["sleep"] for pid in home.ours())


def words(pid: int) -> list[str]:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    return []


def session_of(pid: int) -> int:
    with suppress(OSError):
        return os.getsid(pid)
    return 0


# -- a crowd at a door


PRINT_UNTIL = """
import os, sys, time
number = 0
while not os.path.exists(sys.argv[1]):
    number += 1
    print(f"{number:08d}")
    if number % 50 == 0:
        time.sleep(0.01)
print("last", number)
"""


def numbered(log: bytes) -> bytes:
    """What a complete log of PRINT_UNTIL that ends like this one holds."""
    count = int(log.rsplit(b"last ", 1)[1])
    return b"".join(b"%08d\r\n" % number for number in range(1, count + 1)) + b"last %d\r\n" % count


@contextmanager
def crowd(home: Home, session: int) -> Iterator[list[socket.socket]]:
    """Hundreds at the door at once; some babble, some ask for the terminal, none ever reads, some hang up at once."""
    source = seeded()
    with ExitStack() as held:
        came = []
        for number in range(VISITORS):
            visitor = held.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            visitor.settimeout(10)
            home.until(partial(knock, visitor, home.directory(session)), "the door to be free")
            came.append(visitor)
            with suppress(BrokenPipeError, ConnectionResetError):
                if number % 4 == 1:
                    visitor.sendall(b"t\0\0\0" * 3)
                elif number % 4 == 2:
                    visitor.sendall(source.randbytes(50).replace(b"S", b"s"))
                elif number % 4 == 3 and number % 8 == 3:
                    visitor.close()
        yield came


def knock(visitor: socket.socket, directory: Path) -> bool:
    """False: too many wait at the door already."""
    try:
        visitor.connect(str(directory / "keeper.sock"))
    except BlockingIOError:
        return False
    return True


@pytest.mark.slow
def test_five_hundred_visitors_at_one_door(home: Home, viewers: Viewers, tmp_path: Path) -> None:
    """Bounded in the keeper, and who was attached before sees every byte; so does who comes while they are there."""
    over = tmp_path / "over"
    session = home.python(PRINT_UNTIL, str(over))
    early = viewers.in_terminal("attach", str(session))
    early.until_shown(b"00000100")
    keeper, daemon = home.keeper(session), home.daemon()
    files, memory = descriptors(keeper), rss(keeper)
    with crowd(home, session):
        late = viewers.in_pipe("logs", "-f", "--raw", str(session))
        home.until(lambda: len(late.output) > 1000, "who comes late to see something")
        shown = len(early.output)
        home.until(lambda: len(early.output) > shown + 5000, "who came early to see more")
        assert descriptors(keeper) < files + 140
        assert rss(keeper) - memory < 4 << 20
        home.cw("send", str(session), "typed all the same")
        assert home.list()[0]["status"] == "running"
        assert (home.keeper(session), home.daemon()) == (keeper, daemon)
    home.until(lambda: descriptors(keeper) <= files + 1, "the keeper to let go of them")
    over.touch()
    assert early.end() == 0
    assert late.end() == 0
    log = home.log(session)
    assert log.replace(b"typed all the same\r\n", b"") == numbered(log)
    check_painted(early.output, log, "what the early one showed")
    assert late.output == log


@pytest.mark.slow
def test_a_full_house_makes_nobody_spin(home: Home, viewers: Viewers) -> None:
    """A viewer and a daemon that find the door full neither spin nor give up, and come in when it is not."""
    session = home.launch("cat")
    home.cw("stop")
    with crowd(home, session):
        late = viewers.in_pipe("logs", "-f", "--raw", str(session))
        assert home.list()[0]["status"] == "running"
        pids = home.daemon(), late.process.pid, home.keeper(session)
        before = [seconds_used(pid) for pid in pids]
        time.sleep(4)  # a span to count in
        busy = [seconds_used(pid) - used for pid, used in zip(pids, before, strict=True)]
        assert max(busy) < 1, busy
        assert home.list()[0]["status"] == "running"
    home.cw("send", str(session), "two")
    late.until_shown(b"two\r\ntwo\r\n")
    home.cw("kill", str(session))
    assert late.end() == 0
    assert home.list()[0]["status"] == "killed"
