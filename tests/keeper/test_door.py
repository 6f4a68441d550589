"""what a visitor finds at a keeper's door, and what it cannot do to the session"""

from __future__ import annotations

import fcntl
import os
import resource
import socket
import struct
import termios
from contextlib import suppress

import pytest

from keeper.hatching import Hatchery, Session, cpu_seconds, descriptors, is_alive, status_field
from keeper.visiting import BELL, DONE, TERMINAL, Visit

AT_ONCE = 128
MEBIBYTE = 1 << 20
PRINTER = "stty -echo; echo ready; while read n; do head -c $n /dev/zero | tr '\\0' x; echo; done"


@pytest.fixture
def printer(hatchery: Hatchery) -> Session:
    """A session that prints so many bytes, and a line's end, for each number typed."""
    session = hatchery.sh(PRINTER)
    session.until_printed(b"ready")
    return session


def have_printed(session: Session, visit: Visit, size: int) -> None:
    before = len(session.log())
    visit.type(b"%d\n" % size)
    session.until(lambda: len(session.log()) == before + size + 2, f"{size} bytes to be in the log")


def test_the_first_byte_is_the_version(printer: Session) -> None:
    """A visitor is greeted with the version of the contract, and hears nothing more while nothing is printed."""
    visit = printer.visit()
    assert visit.greeting == b"\x01"
    assert not visit.has_words(0.1)


def test_the_door_is_its_owners_alone(printer: Session) -> None:
    """Nobody else may even knock: the socket is 0600, and so are the files beside it."""
    modes = {path.name: path.stat().st_mode & 0o777 for path in printer.directory.iterdir()}
    assert modes.pop("keeper.sock") == 0o600
    assert set(modes.values()) == {0o600}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_somebody_elses_process_is_closed_at_once(printer: Session) -> None:
    """Even through a door that stands open, another user hears nothing, and the session goes on."""
    for path in (printer.hatchery.home, printer.directory.parent, printer.directory):
        path.chmod(0o755)
    printer.door.chmod(0o666)
    pid = os.fork()
    if pid == 0:
        os.setuid(65534)
        with suppress(BaseException):
            heard = Visit(printer.door).hear()
            os._exit(0 if heard == b"" else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert printer.visit().greeting == b"\x01"


def test_the_bell_rings_when_the_log_has_grown(printer: Session) -> None:
    """By the time a bell is heard, what it rang for is in the log; and each growth is heard of."""
    visit, hand = printer.visit(), printer.visit()
    for size in (1, 10, 5000):
        before = len(printer.log())
        have_printed(printer, hand, size)
        assert set(visit.hear()) == set(BELL)
        assert len(printer.log()) > before


def test_at_most_one_bell_waits(printer: Session) -> None:
    """However much is printed meanwhile, a visitor that is busy finds one byte."""
    visit, hand = printer.visit(), printer.visit()
    for _ in range(30):
        have_printed(printer, hand, 3)
    assert visit.unread() == 1
    assert visit.hear() == BELL
    have_printed(printer, hand, 3)
    assert visit.hear() == BELL


def test_quiet_visitors_hear_no_bell(printer: Session) -> None:
    """`q` 0: never again. `q` n: not before the log has grown by n MiB, then as ever, until the next `q`."""
    never, later, hand = printer.visit(), printer.visit(), printer.visit()
    never.order(b"q\0\0\0")
    later.order(b"q\0\0\1")
    settle(printer, never, later)
    have_printed(printer, hand, MEBIBYTE // 2)
    assert not later.has_words(0.1)
    have_printed(printer, hand, MEBIBYTE // 2 + 1)
    assert later.until_word(BELL) == BELL
    have_printed(printer, hand, 1)
    assert later.until_word(BELL) == BELL
    later.order(b"q\0\0\1")
    settle(printer, later)
    have_printed(printer, hand, 1)
    assert not later.has_words(0.1)
    assert never.unread() == 0


def settle(session: Session, *visits: Visit) -> None:
    """Orders of one visitor are obeyed in turn: after an answer, whatever it ordered before is in force."""
    for visit in visits:
        assert visit.signal(28, 0) == DONE  # SIGWINCH


def test_who_asks_gets_the_terminal(printer: Session) -> None:
    """The terminal travels as a descriptor: typing, sizes and modes need nothing more of the keeper."""
    visit = printer.visit()
    terminal = visit.terminal()
    visit.type(b"7\n")
    printer.until_printed(b"xxxxxxx\r\n")
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 132, 0, 0))
    again = printer.visit().terminal()
    assert struct.unpack("HHHH", fcntl.ioctl(again, termios.TIOCGWINSZ, b"\0" * 8))[:2] == (50, 132)
    assert not os.get_blocking(terminal)
    assert not os.get_blocking(again)


def test_orders_come_in_any_portions(printer: Session) -> None:
    """Four bytes are an order, however they are cut or joined on the way."""
    visit = printer.visit()
    for byte in b"t\0\0\0":
        visit.order(bytes([byte]))
        visit.until_taken()
    assert visit.until_word(TERMINAL) == TERMINAL
    assert len(visit.terminals) == 1
    visit.order(b"S\x1c\0\0" * 3)
    heard = b""
    while heard.count(DONE) < 3:
        heard += visit.hear()


@pytest.mark.parametrize(
    "order",
    [
        b"\t\t\t\t", b"GET ", b"T\0\0\0", b"s\x0f\0\0", b"\0\0\0\0", b"\xff\xff\xff\xff", b"S\0\0\0", b"S\x0f\x03\0",
        b"S\x41\0\0", b"S\xff\xff\xff",
    ],
)  # fmt: skip
def test_a_foreign_order_closes_only_its_visitor(printer: Session, order: bytes) -> None:
    """A stray byte must not be a signal: whoever says what is no order is shown out, and nothing else happens."""
    other, stray = printer.visit(), printer.visit()
    stray.order(order + b"S\x09\x02\0")
    assert stray.until_closed() == b""
    assert other.signal(28, 0) == DONE
    assert is_alive(printer.program)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 255, 256, 257, 1 << 16])
def test_foreign_sizes_harm_nobody(printer: Session, size: int) -> None:
    """Too short is no order yet; too long is none that is known. The others are served all the while."""
    stray, other = printer.visit(), printer.visit()
    with suppress(BrokenPipeError, ConnectionResetError):
        stray.order(b"\x1b" * size)
    assert other.signal(28, 0) == DONE
    if size >= 4:
        assert stray.until_closed() == b""
    else:
        assert not stray.has_words(0.05)
    assert is_alive(printer.program)


def test_a_bare_connect_disturbs_nobody(printer: Session) -> None:
    """Whoever only looks whether the door opens, and leaves without a word, leaves no trace."""
    visit = printer.visit()
    before = descriptors(printer.keeper)
    for _ in range(300):
        Visit(printer.door).close()
    assert visit.signal(28, 0) == DONE
    printer.until(lambda: descriptors(printer.keeper) == before, "the keeper to forget its visitors")
    assert visit.unread() == 0


def test_a_burst_of_visitors_is_bounded(printer: Session) -> None:
    """Of 500 at once 128 are let in, the others closed at once without a word; the session is unharmed."""
    first = printer.visit()
    burst = [Visit(printer.door) for _ in range(500)]
    greetings = [visit.hear() for visit in burst]
    assert greetings.count(b"\x01") == AT_ONCE - 1
    assert greetings.count(b"") == 500 - (AT_ONCE - 1)
    have_printed(printer, first, 1000)
    assert first.until_word(BELL) == BELL
    for visit in burst:
        visit.close()
    assert printer.visit().greeting == b"\x01"
    assert is_alive(printer.program)


def test_a_visitor_that_never_reads_holds_nothing_up(printer: Session) -> None:
    """The program prints at its speed, the keeper grows no memory, others hear everything."""
    deaf, hand = printer.visit(), printer.visit()
    have_printed(printer, hand, 1000)
    before = int(status_field(printer.keeper, "VmRSS").split()[0])
    have_printed(printer, hand, 8 * MEBIBYTE)
    assert int(status_field(printer.keeper, "VmRSS").split()[0]) - before < 512
    assert deaf.unread() == 1
    assert hand.signal(28, 0) == DONE


def test_a_visitor_that_asks_and_never_reads_is_dismissed(printer: Session) -> None:
    """Answers nobody takes are not kept: that visitor is closed once its socket is full."""
    greedy, other = printer.visit(), printer.visit()
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        greedy.order(b"S\x1c\0\0" * 1_000_000)
    assert other.signal(28, 0) == DONE
    assert is_alive(printer.program)


def test_half_a_goodbye_is_one(printer: Session) -> None:
    """A visitor that will say nothing more has left."""
    visit = printer.visit()
    visit.peer.shutdown(socket.SHUT_WR)
    assert visit.until_closed() == b""


def test_no_visitor_keeps_the_keeper_awake(printer: Session) -> None:
    """With visitors inside, some of them in mid-order, a silent session costs nothing."""
    for order in (b"", b"t", b"S\x1c\0", b"q\0\0\0"):
        printer.visit().order(order)
    settle(printer, printer.visit())
    before = cpu_seconds(printer.keeper)
    assert not printer.visit().has_words(0.5)
    assert cpu_seconds(printer.keeper) - before < 0.1


def test_no_room_for_another_visitor_is_no_spin(printer: Session) -> None:
    """When the keeper may open no more descriptors, visitors are turned away, and it goes to sleep again."""
    visit = printer.visit()
    soft, hard = resource.prlimit(printer.keeper, resource.RLIMIT_NOFILE)
    resource.prlimit(printer.keeper, resource.RLIMIT_NOFILE, (max(descriptors(printer.keeper)) + 1, hard))
    assert printer.try_visit() is None
    before = cpu_seconds(printer.keeper)
    assert not visit.has_words(0.5)
    assert cpu_seconds(printer.keeper) - before < 0.1
    assert visit.terminal() >= 0
    resource.prlimit(printer.keeper, resource.RLIMIT_NOFILE, (soft, hard))
    assert printer.visit().greeting == b"\x01"
