"""the end of a program: its last words, its record, and what is left behind"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from keeper.hatching import Hatchery, children, cpu_seconds, is_alive


@pytest.mark.parametrize("code", [0, 1, 7, 125, 255])
def test_the_exit_code_is_recorded(hatchery: Hatchery, code: int) -> None:
    """As the program gave it."""
    end = hatchery.sh(f"exit {code}").end()
    assert end["code"] == code
    assert "signal" not in end


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV, 40])
def test_the_signal_is_recorded(hatchery: Hatchery, number: int) -> None:
    """A program that was ended by a signal has no exit code."""
    end = hatchery.sh(f"ulimit -c 0; kill -{number} $$").end()
    assert end["signal"] == number
    assert "code" not in end


def test_the_record_says_when_and_how_much(hatchery: Hatchery) -> None:
    """`ended_at` in seconds since the epoch, `length` of the log, and nobody who survived."""
    began = time.time()
    session = hatchery.sh("echo four; exit 3")
    end = session.end()
    assert began <= end.pop("ended_at") <= time.time()
    assert end == {"code": 3, "length": len(session.log()), "survivors": []}


def test_the_record_comes_before_the_door_closes(hatchery: Hatchery) -> None:
    """Whoever hears the end at the door finds it recorded, the log whole, and the door gone."""
    for _ in range(5):
        session = hatchery.sh("read line; echo last")
        visit = session.visit()
        visit.type(b"\n")
        visit.until_closed()
        assert session.end(0.001)["code"] == 0
        assert session.log().endswith(b"last\r\n")
        assert not session.door.exists()
        assert {path.name for path in session.directory.iterdir()} == {"exit.json", "output.log"}


def test_last_words_are_whole(hatchery: Hatchery) -> None:
    """A program prints 1 MB and exits: all of it is in the log before its end is recorded."""
    words = b"".join(b"%d\r\n" % number for number in range(1, 150_001))
    assert len(words) > 1 << 20
    for code in range(4):
        session = hatchery.sh(f"seq 1 150000; exit {code}")
        end = session.end()
        assert (end["code"], end["length"]) == (code, len(words))
        assert session.log() == words


def test_the_last_word_is_never_missed(hatchery: Hatchery) -> None:
    """A program that says one word and is gone, again and again."""
    for number in range(40):
        session = hatchery.launch("/bin/echo", "-n", f"word {number}")
        assert session.end()["code"] == 0
        assert session.log() == b"word %d" % number


@pytest.mark.parametrize("how", ["exec <&- >&- 2>&-", "exec </dev/null >/dev/null 2>&1"])
def test_a_program_that_closes_its_terminal_lives_on(hatchery: Hatchery, how: str) -> None:
    """Its end is its exit, not the closing; and the keeper does not spin meanwhile."""
    gone = hatchery.home / "gone"
    session = hatchery.sh(f"echo hello; trap 'exit 9' USR1; {how}; : > {gone}; while :; do sleep 0.05; done")
    hatchery.until(gone.exists, "the program to close its terminal")
    visit = session.visit()
    assert visit.greeting == b"\x01"
    before = cpu_seconds(session.keeper)
    assert not visit.has_words(0.5)
    assert cpu_seconds(session.keeper) - before < 0.1
    assert not session.has_ended()
    assert visit.signal(signal.SIGUSR1, 0)
    assert session.end()["code"] == 9
    assert session.log() == b"hello\r\n"


def test_a_program_that_leaves_its_terminal_to_nobody_can_take_it_up_again(hatchery: Hatchery) -> None:
    """The terminal stays a terminal: what is written to it by name later is logged."""
    script = "t=$(tty); exec <&- >&- 2>&-; setsid true; echo again > $t; sleep 0.1; echo and again > $t"
    session = hatchery.sh(script)
    session.end()
    assert session.log() == b"again\r\nand again\r\n"


@pytest.mark.parametrize("printer", ["while :; do echo tick; done", "exec yes tick"])
def test_a_background_child_that_prints_for_ever_cannot_put_off_the_end(
    hatchery: Hatchery, printer: str
) -> None:
    """The end is the program's: recorded within about a second, with those of its session that live on."""
    session = hatchery.sh(f"echo; (trap '' HUP; {printer}) & echo child $!; sleep 0.1; exit 3")
    hatchery.until(lambda: not is_alive(session.program), "the program to end")
    ended = time.monotonic()
    end = session.end()
    assert time.monotonic() - ended < 3
    assert end["code"] == 3
    assert end["length"] == len(session.log())
    (survivor,) = end["survivors"]
    assert b"child %d\r\n" % survivor["pid"] in session.log().replace(b"tick\r\n", b"")
    assert "tick" in survivor["command"]


# A keeper whose terminal always has more, and whose log takes it all.
ENDLESS = """
import os, socket, sys, time
from codewire_py.keeper import keeper
keeper.LAST_WORDS = float(sys.argv[1]), int(sys.argv[2])
ours, theirs = socket.socketpair()
kept = keeper.Keeper(ours)
kept.terminal, kept.log, kept.status = os.open("/dev/zero", os.O_RDONLY), os.open("/dev/null", os.O_WRONLY), {"code": 0}
assert kept.end()
assert 0 < kept.length < int(sys.argv[2]) + keeper.READS * keeper.BUFFER
"""


@pytest.mark.parametrize(("seconds", "size"), [(0.05, 1 << 60), (60, 1 << 20)])
def test_last_words_are_bounded(tmp_path: Path, seconds: float, size: int) -> None:
    """Where there is always more to read, by time and by size: either is enough."""
    command = [sys.executable, "-c", ENDLESS, str(seconds), str(size)]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=10)
    assert (tmp_path / "exit.json").exists()


def test_a_quiet_background_child_is_not_waited_for(hatchery: Hatchery) -> None:
    """It holds the terminal open for as long as it likes; the end is recorded all the same, with it as a survivor."""
    wait_for_it = 'while [ "$(cat /proc/$!/comm)" != sleep ]; do :; done'
    session = hatchery.sh(f"(trap '' HUP; exec sleep 4326) & {wait_for_it}; exit 2")
    hatchery.until(lambda: not is_alive(session.program), "the program to end")
    (survivor,) = session.end()["survivors"]
    assert survivor["command"] == "sleep 4326"
    stat = Path(f"/proc/{survivor['pid']}/stat").read_text()
    assert int(stat.rpartition(")")[2].split()[19]) == survivor["start"]


# A child that ignores SIGHUP and reads the terminal; it writes down what became of its last read.
READER = """
import os, signal, sys, time
if os.fork():
    time.sleep(0.2)
    os._exit(0)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
try: last = repr(os.read(0, 1))
except OSError as error: last = error.strerror
with open(sys.argv[1] + ".new", "w") as file: file.write(last)
os.rename(sys.argv[1] + ".new", sys.argv[1])
"""


def test_the_end_hangs_up(hatchery: Hatchery) -> None:
    """Who still runs in the foreground hears SIGHUP; who ignores it finds the terminal gone."""
    told, read = hatchery.home / "told", hatchery.home / "read"
    hatchery.sh(f"(trap ': > {told}; exit' HUP; while :; do sleep 0.05; done) & sleep 0.2; exit 0").end()
    hatchery.until(told.exists, "the child to be told")
    hatchery.python(READER, str(read)).end()
    hatchery.until(read.exists, "the child's read to return")
    assert read.read_text() in ("b''", "Input/output error")


def test_orphans_are_reaped(hatchery: Hatchery) -> None:
    """What sessions leave behind, and what left its session, never piles up as zombies."""
    session = hatchery.sh("(setsid sleep 0.02 &); (sleep 0.01 &); echo left; read line")
    visit = session.visit()
    session.until_printed(b"left")
    hatchery.until(lambda: children(session.keeper) == {session.program}, "the keeper to have one child")
    visit.type(b"\n")
    for _ in range(5):
        hatchery.sh("(trap '' HUP; setsid sleep 0.05) & setsid sleep 0.1 & sleep 0.02 & exit 0").end()
    hatchery.until(lambda: not children(hatchery.process.pid), "the hatchery to have no children left")


def test_a_session_whose_directory_is_removed_still_ends(hatchery: Hatchery) -> None:
    """There is nothing left to record; nobody stays behind to try."""
    session = hatchery.sh("read line; exit 1")
    visit = session.visit()
    visit.terminal()
    shutil.rmtree(session.directory)
    visit.type(b"\n")
    visit.until_closed()
    hatchery.until(lambda: not is_alive(session.keeper), "the keeper to leave")
    assert not session.directory.exists()
    assert hatchery.launch("/bin/true").end()["code"] == 0


def test_a_visitor_that_keeps_the_terminal_does_not_put_off_the_end(hatchery: Hatchery) -> None:
    """Whoever has the terminal should close it at the end; one that does not delays nothing."""
    session = hatchery.sh("read line; exit 8")
    visit = session.visit()
    terminal = os.dup(visit.terminal())
    visit.type(b"\n")
    visit.until_closed()
    assert session.end(0.001)["code"] == 8
    os.close(terminal)
