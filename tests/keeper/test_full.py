"""a full disk: programs pause, nothing is lost, and they go on when there is room"""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from keeper.hatching import Hatchery, Session, children, cpu_seconds, is_alive
from keeper.visiting import BELL, DONE, FOREGROUND, FULL, KILL, NOBODY, PROGRAM, SESSION

COUNT = b"".join(b"%d\r\n" % number for number in range(1, 60_001))  # 350 KB
COUNTER = "stty -echo; echo ready; read line; seq 1 60000; read line; exit 5"
ROOM = 200_000  # bytes, less than a count


class Limit:
    """Room is what a limit lets the processes write to one file; anybody may set it."""

    def __init__(self, hatchery: Hatchery) -> None:
        self.pid = hatchery.process.pid

    def take(self, left: int) -> None:
        """Leave so many bytes."""
        self.set(left)

    def give(self) -> None:
        self.set(resource.RLIM_INFINITY)

    def set(self, size: int) -> None:
        """Of the hatchery first: whom it forks meanwhile has its limit."""
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        for pid in children(self.pid):
            with suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


class Small:
    """A file system of half a megabyte under the sessions; only root may mount one."""

    SIZE = 512 << 10

    def __init__(self, hatchery: Hatchery) -> None:
        sessions = hatchery.home / "sessions"
        sessions.mkdir(exist_ok=True)
        options = ["-o", f"size={self.SIZE},mode=700"]
        subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", sessions], check=True)
        hatchery.mounts.append(sessions)
        self.filler = sessions / "filler"

    def take(self, left: int) -> None:
        with self.filler.open("wb", buffering=0) as file:
            while free := os.fstatvfs(file.fileno()).f_bavail:
                file.write(bytes(4096 * free))
            file.truncate(max(0, file.tell() - left) // 4096 * 4096)

    def give(self) -> None:
        self.filler.unlink()


@pytest.fixture(params=[Limit, Small] if os.geteuid() == 0 else [Limit])
def disk(request: pytest.FixtureRequest, hatchery: Hatchery) -> Limit | Small:
    room: Limit | Small = request.param(hatchery)
    return room


@pytest.fixture
def counter(hatchery: Hatchery, disk: Limit | Small) -> Session:
    """A session that counts when a line is typed, and ends after another."""
    session = hatchery.sh(COUNTER)
    session.until_printed(b"ready")
    return session


def fill(counter: Session, disk: Limit | Small) -> None:
    """Have it count until there is no room for more."""
    disk.take(ROOM)
    visit = counter.visit()
    visit.type(b"\n")
    assert visit.until_word(FULL) == FULL
    assert len(counter.log()) < len(COUNT)


def counted(log: bytes) -> bytes:
    return log.removeprefix(b"ready\r\n")


def test_a_full_disk_pauses_the_program_and_loses_nothing(counter: Session, disk: Limit | Small) -> None:
    """Visitors are told, those who come later too; when there is room it goes on, with not a byte missing."""
    quiet = counter.visit()
    quiet.order(b"q\0\0\0")
    fill(counter, disk)
    assert quiet.until_word(FULL) == FULL
    late = counter.visit()
    assert late.greeting == b"\x01" + FULL
    length = len(counter.log())
    assert not late.has_words(0.5)
    assert len(counter.log()) == length
    assert is_alive(counter.program)
    disk.give()
    for visit in (late, quiet):
        assert visit.until_word(BELL) == BELL
    counter.until_printed(b"\n60000\r\n")
    counter.visit().type(b"\n")
    assert counter.end()["code"] == 5
    assert counted(counter.log()) == COUNT


def test_waiting_for_room_is_no_spin(counter: Session, disk: Limit | Small) -> None:
    """The keeper looks now and then, and serves its visitors meanwhile."""
    fill(counter, disk)
    visit = counter.visit()
    before = cpu_seconds(counter.keeper)
    assert not visit.has_words(0.5)
    assert cpu_seconds(counter.keeper) - before < 0.1
    assert visit.signal(signal.SIGWINCH, PROGRAM) == DONE
    assert visit.terminal() >= 0


def test_a_full_disk_costs_only_those_who_print(counter: Session, disk: Limit | Small) -> None:
    """A silent session beside it lives, hears signals, and its end is recorded: room for that was taken before."""
    silent = counter.hatchery.sh("read line; exit 6")
    terminal = silent.visit().terminal()
    assert is_alive(silent.program)
    fill(counter, disk)
    os.write(terminal, b"\4")  # an end of file is not echoed
    assert silent.end()["code"] == 6


def test_an_end_waits_until_its_last_words_are_written(counter: Session, disk: Limit | Small) -> None:
    """A program that dies on a full disk has its end recorded when all it said is in the log."""
    fill(counter, disk)
    os.kill(counter.program, signal.SIGTERM)
    counter.until(lambda: not is_alive(counter.program), "the program to end")
    visit = counter.visit()
    assert visit.greeting == b"\x01" + FULL
    length = len(counter.log())
    assert not visit.has_words(0.5)
    assert not counter.has_ended()
    # A foreground group there is no more; that of the keeper itself is not meant.
    assert visit.signal(KILL, FOREGROUND) == NOBODY
    disk.give()
    assert visit.until_word(BELL) == BELL
    end = counter.end()
    assert end["signal"] == signal.SIGTERM
    assert end["length"] == len(counter.log()) > length
    assert "unwritten" not in end
    assert COUNT.startswith(counted(counter.log()))


def test_a_keeper_killed_while_it_waits_for_room(counter: Session, disk: Limit | Small) -> None:
    """At most the read in hand is lost; its successor waits in its place, even if the program has ended meanwhile."""
    fill(counter, disk)
    counter.kill_keeper()
    visit = counter.visit()
    assert FULL in visit.greeting or visit.until_word(FULL)
    os.kill(counter.program, signal.SIGTERM)
    counter.until(lambda: not is_alive(counter.program), "the program to end")
    os.kill(counter.keeper, signal.SIGKILL)
    visit.until_closed()
    disk.give()
    end = counter.end()
    assert end["signal"] == signal.SIGTERM
    log = counted(counter.log())
    assert end["length"] == len(counter.log())
    assert ROOM // 2 < len(log) < len(COUNT)


def test_an_end_seen_but_not_recorded_is_known_to_a_successor(counter: Session, disk: Limit | Small) -> None:
    """The keeper leaves its program unreaped until the record is there: whoever comes next can still learn how."""
    fill(counter, disk)
    os.kill(counter.program, signal.SIGTERM)
    counter.until(lambda: not is_alive(counter.program), "the program to end")
    visit = counter.visit()
    assert visit.signal(signal.SIGWINCH, SESSION)  # by now the keeper has seen the end
    assert not counter.has_ended()
    os.kill(counter.keeper, signal.SIGKILL)
    visit.until_closed()
    disk.give()
    assert counter.end()["signal"] == signal.SIGTERM


def test_killing_a_session_does_not_wait_for_room(counter: Session, disk: Limit | Small) -> None:
    """SIGKILL for all of it is meant: the end is recorded at once, with how much could not be written."""
    fill(counter, disk)
    assert counter.visit().signal(KILL, SESSION) in (DONE, b"")
    end = counter.end()
    assert end["signal"] == KILL
    assert end["unwritten"] > 0
    assert end["length"] == len(counter.log())


def test_a_launch_without_room_is_refused(hatchery: Hatchery, disk: Limit | Small) -> None:
    """Its end could not be recorded, so it does not begin; with room again it does."""
    (hatchery.home / "sessions/1").mkdir(parents=True)
    disk.take(0)
    answer = hatchery.order("/bin/cat")
    assert answer["errno"] in (errno.ENOSPC, errno.EFBIG), answer
    hatchery.until(lambda: not children(hatchery.process.pid), "every process to be gone")
    disk.give()
    assert hatchery.launch("/bin/true").end()["code"] == 0
    assert Path(hatchery.home / "sessions/2/exit.json").exists()
