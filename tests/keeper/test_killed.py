"""what remains when a keeper or the hatchery is killed with -9, alone, in turn or together"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from itertools import pairwise

import pytest

from keeper.hatching import Hatchery, Session, children, is_alive, status_field
from keeper.visiting import BELL, DONE, KILL, PROGRAM, SESSION, Visit

ECHO = "stty -echo; echo ready; while read line; do echo got $line; [ $line != bye ] || exit 7; done"
COUNT = "seq 1 400000; read line; exit 5"
READ_IN_HAND = 32768  # a terminal gives 4 KiB at a time, and up to 19 where it is refilled meanwhile


@pytest.fixture
def echo(hatchery: Hatchery) -> Session:
    session = hatchery.sh(ECHO)
    session.until_printed(b"ready")
    return session


def test_a_successor_keeps_the_program(echo: Session) -> None:
    """Same program, same terminal, the log goes on where it was, and the end is known."""
    before = echo.log()
    echo.kill_keeper()
    visit = echo.visit()
    assert visit.greeting == b"\x01"
    visit.type(b"one\n")
    assert echo.until_printed(b"got one\r\n") == before + b"got one\r\n"
    assert BELL in visit.hear()
    assert visit.signal(signal.SIGWINCH, SESSION) == DONE
    visit.type(b"bye\n")
    visit.until_closed()
    assert echo.end(0.001)["code"] == 7
    echo.until(lambda: echo.hatchery.ask(echo) == {"known": False}, "the hatchery to forget it")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGUSR1])
def test_how_it_was_killed_is_known_to_a_successor(echo: Session, number: int) -> None:
    """A signal is told from an exit code, though another process saw the end."""
    echo.kill_keeper()
    echo.visit().signal(number, PROGRAM)
    assert echo.end()["signal"] == number


def test_the_hatchery_names_the_successor(echo: Session) -> None:
    """Whoever asks learns who keeps the session now, and that the program is the same."""
    keeper = echo.kill_keeper()
    answer = echo.hatchery.ask(echo)
    assert answer == {"known": True, "keeper": keeper, "program": echo.program}


def test_successors_are_killed_too(echo: Session) -> None:
    """One after the other; each time the next one takes over."""
    for number in range(4):
        echo.kill_keeper()
        visit = echo.visit()
        visit.type(b"%d\n" % number)
        echo.until_printed(b"got %d\r\n" % number)
    visit.type(b"bye\n")
    assert echo.end()["code"] == 7
    assert echo.log() == b"ready\r\n" + b"".join(b"got %d\r\n" % n for n in range(4)) + b"got bye\r\n"


def test_a_terminal_that_was_handed_out_stays_good(echo: Session) -> None:
    """Whoever types need not even notice that the keeper was replaced."""
    visit = echo.visit()
    terminal = os.dup(visit.terminal())
    echo.kill_keeper()
    os.write(terminal, b"through the old one\n")
    os.close(terminal)
    echo.until_printed(b"got through the old one\r\n")


def numbers(log: bytes) -> list[int]:
    """Every whole line of a count."""
    return [int(line) for line in log.split(b"\r\n") if line.isdigit()]


@pytest.mark.slow
def test_a_keeper_killed_twice_under_load_loses_at_most_the_reads_in_hand(hatchery: Hatchery) -> None:
    """Everything before and after is there, in order, once."""
    session = hatchery.sh(COUNT)
    for part in (b"\n50000\r", b"\n200000\r"):
        session.until_printed(part)
        session.kill_keeper()
    session.until_printed(b"\n400000\r\n")
    session.visit().type(b"\n")
    end = session.end()
    expected = sum(len(b"%d\r\n" % number) for number in range(1, 400_001)) + len(b"\r\n")
    assert end["code"] == 5
    assert expected - 2 * READ_IN_HAND <= end["length"] <= expected
    assert end["length"] == len(session.log())
    found = numbers(session.log())
    torn = [after for before, after in pairwise(found) if after != before + 1]
    assert len(torn) <= 4  # a cut line may read as a number, before and after


def bytes_in_hand(pid: int) -> int:
    """What a process has read and not yet written, beside what it always had."""
    with open(f"/proc/{pid}/io", encoding="ascii") as file:
        counts = dict(line.split(": ") for line in file)
    return int(counts["rchar"]) - int(counts["wchar"])


def test_what_is_read_is_written_before_more_is_read(hatchery: Hatchery) -> None:
    """Wherever a kill hits, all but the read in hand is in the log."""
    session = hatchery.sh("stty -echo; echo ready; read line; exec seq 1 100000000")
    session.until_printed(b"ready")
    before = bytes_in_hand(session.keeper)
    session.visit().type(b"\n")
    session.until_printed(b"\r\n1000\r\n")
    for _ in range(100):
        os.kill(session.keeper, signal.SIGSTOP)
        session.until(lambda: status_field(session.keeper, "State")[0] == "T", "the keeper to stop")
        assert bytes_in_hand(session.keeper) - before <= READ_IN_HAND
        os.kill(session.keeper, signal.SIGCONT)


def test_a_program_that_ends_with_its_keeper_is_known(hatchery: Hatchery) -> None:
    """Both killed in one breath: the record is the successor's, and right."""
    for _ in range(10):
        session = hatchery.launch("/bin/cat")
        session.visit()
        os.kill(session.keeper, signal.SIGSTOP)
        os.kill(session.program, signal.SIGTERM)
        os.kill(session.keeper, signal.SIGKILL)
        assert session.end()["signal"] == signal.SIGTERM


def test_a_keeper_killed_before_its_door_was_ever_used(hatchery: Hatchery) -> None:
    """As soon as a launch is answered, the session survives its keeper."""
    for _ in range(5):
        session = hatchery.sh("read line; exit 6")
        os.kill(session.keeper, signal.SIGKILL)
        session.until(lambda session=session: session.visit().keeper() != session.keeper, "a successor")
        session.visit().type(b"\n")
        assert session.end()["code"] == 6


def test_a_keeper_that_is_lost_again_and_again_is_given_up(echo: Session) -> None:
    """What kills every successor is not fed for ever: the program is hung up, and nothing is recorded."""
    hatchery = echo.hatchery
    while is_alive(echo.program):
        for pid in children(hatchery.process.pid) - {echo.program}:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    hatchery.until(lambda: not hatchery.ask(echo)["known"], "the hatchery to give up")
    hatchery.until(lambda: not children(hatchery.process.pid), "every process to be gone")
    assert not echo.has_ended()
    assert hatchery.launch("/bin/true").end()["code"] == 0


def test_sigterm_is_no_way_to_end_a_session_through_its_keeper(echo: Session) -> None:
    """However a keeper ends, if it is not by its program's end, another takes over."""
    for number in (signal.SIGTERM, signal.SIGABRT):
        echo.kill_keeper(number)
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE):
        os.kill(echo.keeper, number)
    echo.visit().type(b"bye\n")
    assert echo.end()["code"] == 7


def test_the_hatchery_killed_alone_costs_nothing(echo: Session) -> None:
    """Its keepers go on, and record; a new hatchery takes new orders, and knows of no other's sessions."""
    hatchery = echo.hatchery
    hatchery.kill()
    visit = echo.visit()
    visit.type(b"one\n")
    echo.until_printed(b"got one\r\n")
    hatchery.start()
    assert hatchery.ask(echo) == {"known": False}
    assert hatchery.launch("/bin/true").end()["code"] == 0
    visit.type(b"bye\n")
    visit.until_closed()
    assert echo.end(0.001)["code"] == 7


def test_hatchery_then_keeper_killed_hangs_the_program_up(echo: Session) -> None:
    """Nobody holds the terminal any more: the program hears SIGHUP, and nothing claims to know how it ended."""
    echo.hatchery.kill()
    os.kill(echo.keeper, signal.SIGKILL)
    echo.until(lambda: not is_alive(echo.program), "the program to be hung up")
    assert not echo.has_ended()
    with pytest.raises(ConnectionRefusedError):
        Visit(echo.door)


def test_keeper_then_hatchery_killed_ends_with_an_unknown_code(echo: Session) -> None:
    """The successor is not the program's parent: it sees that it ended, and says that nobody can know how."""
    echo.kill_keeper()
    echo.hatchery.kill()
    visit = echo.visit()
    visit.type(b"one\n")
    echo.until_printed(b"got one\r\n")
    visit.type(b"bye\n")
    end = echo.end()
    assert end["code"] is None
    assert "signal" not in end
    assert echo.log().endswith(b"got bye\r\n")


def test_the_others_are_untouched(hatchery: Hatchery) -> None:
    """One keeper killed, among many: nobody else's door even closes."""
    sessions = [hatchery.sh(ECHO) for _ in range(6)]
    visits = [session.visit() for session in sessions]
    sessions[2].kill_keeper()
    for session, visit in zip(sessions, visits, strict=True):
        if session is not sessions[2]:
            assert visit.signal(signal.SIGWINCH, PROGRAM) == DONE
            assert visit.keeper() == session.keeper


def test_keepers_and_hatchery_outlive_their_starters_group(echo: Session) -> None:
    """Each leads a session of its own: whoever kills a process group, or hangs a terminal up, misses them."""
    for pid in (echo.keeper, echo.hatchery.process.pid):
        assert os.getsid(pid) == os.getpgid(pid) == pid
        os.kill(pid, signal.SIGHUP)
    assert echo.visit().signal(signal.SIGWINCH, PROGRAM) == DONE
    assert echo.kill()["signal"] == KILL
