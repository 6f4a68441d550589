"""whom a signal reaches: the program's group, the foreground group, or the whole session"""

from __future__ import annotations

import os
import signal

import pytest

from homes import all_pids
from keeper.hatching import Hatchery, Session, is_alive
from keeper.visiting import DONE, FOREGROUND, KILL, NOBODY, PROGRAM, SESSION

# A program with a child in the foreground, one in the background, and one that has left for a session of its own;
# each says whenever SIGUSR1 reaches it, and what it is.
FAMILY = """
import os, signal, time
def wait(name):
    def say(number, frame): os.write(1, (name + " heard %d\\n" % number).encode())
    for number in (signal.SIGUSR1, signal.SIGWINCH): signal.signal(number, say)
    os.write(1, (name + " ready\\n").encode())
    while True: time.sleep(60)
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
for name in ("foreground", "background", "stranger"):
    inlet, outlet = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setsid() if name == "stranger" else os.setpgid(0, 0)
        os.close(outlet)
        os.read(inlet, 1)
        wait(name)
    os.close(inlet)
    if name != "stranger": os.setpgid(pid, pid)
    if name == "foreground": os.tcsetpgrp(0, pid)
    os.close(outlet)
wait("program")
"""
NAMES = {b"program", b"foreground", b"background", b"stranger"}


@pytest.fixture
def family(hatchery: Hatchery) -> Session:
    session = hatchery.python(FAMILY)
    for name in NAMES:
        session.until_printed(name + b" ready")
    return session


@pytest.mark.parametrize(
    ("target", "heard_by"),
    [
        (PROGRAM, {b"program"}),
        (FOREGROUND, {b"foreground"}),
        (SESSION, {b"program", b"foreground", b"background"}),
    ],
)
def test_a_signal_reaches_its_target_alone(family: Session, target: int, heard_by: set[bytes]) -> None:
    """And the answer comes once it has been sent."""
    visit = family.visit()
    assert visit.signal(signal.SIGUSR1, target) == DONE
    for name in heard_by:
        family.until_printed(name + b" heard 10")
    # A later signal has been heard by everybody that it reaches, so what was to be heard before it was heard.
    visit.signal(signal.SIGWINCH, SESSION)
    for name in NAMES - {b"stranger"}:
        family.until_printed(name + b" heard 28")
    assert {line.split()[0] for line in family.log().splitlines() if b"heard 10" in line} == heard_by


def session_of(pid: int) -> int:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return 0


def members(session: Session) -> list[int]:
    return [pid for pid in all_pids() if session_of(pid) == session.program and is_alive(pid)]


def test_a_session_is_killed_with_its_shell_jobs(hatchery: Hatchery) -> None:
    """An interactive shell gives each job a group of its own; none of them survives."""
    script = "set -m; sleep 4321 & (trap '' TERM HUP; sleep 4322; sleep 4322) & sleep 4323 | sleep 4324"
    session = hatchery.launch("/bin/bash", "-c", script)
    session.until(lambda: len(members(session)) >= 6, "the jobs to run")
    assert session.visit().signal(KILL, SESSION) in (DONE, b"")
    end = session.end()
    assert end["signal"] == KILL
    session.until(lambda: not members(session), "every process of the session to end")


def test_killing_reaches_what_is_forked_meanwhile(hatchery: Hatchery) -> None:
    """A program that forks all the time, each fork in a group of its own, leaves nobody behind."""
    script = "set -m; while :; do /bin/sleep 4325 & [ $((i += 1)) -lt 150 ] || wait; done"
    session = hatchery.launch("/bin/bash", "-c", script)
    session.until(lambda: len(members(session)) > 20, "it to fork")
    session.visit().signal(KILL, SESSION)
    assert session.end()["signal"] == KILL
    session.until(lambda: not members(session), "every process of the session to end")


# A program among many that starts another as soon as it hears SIGTERM, and leaves the work to that.
CLEANER = """
import os, signal, time
def clean_up(number, frame):
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        time.sleep(0.3)
        os.write(1, b"cleaned up")
        os._exit(0)
    os.waitpid(pid, 0)
    os._exit(6)
for _ in range(250):
    if os.fork() == 0:
        signal.pause()
signal.signal(signal.SIGTERM, clean_up)
os.write(1, b"ready")
while True: signal.pause()
"""


def test_what_a_gentle_signal_sets_off_may_finish(hatchery: Hatchery) -> None:
    """Whatever a program starts to clean up after SIGTERM is not signalled in its turn."""
    for _ in range(3):
        session = hatchery.python(CLEANER)
        session.until_printed(b"ready")
        session.visit().signal(signal.SIGTERM, SESSION)
        assert session.end()["code"] == 6
        assert b"cleaned up" in session.log()


def test_nobody_in_the_foreground_is_said(hatchery: Hatchery) -> None:
    """Where the foreground group has ended, nobody is signalled; least of all the keeper itself."""
    program = """
import os, signal, time
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
pid = os.fork()
if pid == 0: time.sleep(60)
os.setpgid(pid, pid); os.tcsetpgrp(0, pid); os.kill(pid, 9); os.waitpid(pid, 0)
os.write(1, b"alone")
time.sleep(60)
"""
    session = hatchery.python(program)
    session.until_printed(b"alone")
    visit = session.visit()
    assert visit.signal(KILL, FOREGROUND) == NOBODY
    assert visit.signal(KILL, PROGRAM) in (DONE, b"")
    assert session.end()["signal"] == KILL


def test_a_stopped_program_goes_on(hatchery: Hatchery) -> None:
    """Stopping is not an end, and SIGCONT undoes it."""
    session = hatchery.sh("echo ready; read line; echo got $line; exit 2")
    session.until_printed(b"ready")
    visit = session.visit()
    assert visit.signal(signal.SIGSTOP, SESSION) == DONE
    visit.type(b"word\n")
    session.until_printed(b"word\r\n")
    assert not session.has_ended()
    assert b"got" not in session.log()
    assert visit.signal(signal.SIGCONT, SESSION) == DONE
    assert session.end()["code"] == 2
    assert b"got word" in session.log()
