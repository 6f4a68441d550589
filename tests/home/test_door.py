"""a visitor at a keeper's door: what it hears, what it orders, and that it never blocks"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from codewire_py.errors import ProtocolError
from codewire_py.home.door import Door, visit


class Keeper:
    """The other end of a visit, played by the test."""

    def __init__(self) -> None:
        self.peer, theirs = socket.socketpair()
        self.peer.settimeout(5)
        self.door = Door(theirs)  # type: ignore[arg-type]

    def hear(self, words: bytes) -> bytes:
        self.peer.sendall(words)
        return self.door.hear()


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    keeper = Keeper()
    yield keeper
    keeper.peer.close()
    keeper.door.close()


def test_a_visit_begins_with_the_contracts_version(keeper: Keeper) -> None:
    """One byte; what follows are words. Nothing said yet is no end."""
    assert keeper.door.hear() == b""
    assert keeper.door.is_open
    keeper.hear(b"\x01")
    assert (keeper.door.version, keeper.door.is_open) == (1, True)
    assert keeper.hear(b".") == b"."


@pytest.mark.parametrize("version", [b"\x02", b"\xff"])
def test_a_contract_we_do_not_know_is_refused(keeper: Keeper, version: bytes) -> None:
    """Better a sentence than orders that mean something else there."""
    with pytest.raises(ProtocolError, match="speaks version"):
        keeper.hear(version)


def test_a_full_disk_is_heard_until_a_bell(keeper: Keeper) -> None:
    """Paused with `!`, also when that comes with the version; a bell says that it goes on."""
    keeper.hear(b"\x01!")
    assert keeper.door.is_paused
    keeper.hear(b"+")
    assert keeper.door.is_paused
    keeper.hear(b".")
    assert not keeper.door.is_paused
    keeper.hear(b"..!")
    assert keeper.door.is_paused
    keeper.hear(b"!.")
    assert not keeper.door.is_paused


def test_the_keeper_leaves(keeper: Keeper) -> None:
    """End of file closes the door, and orders then are no error."""
    keeper.hear(b"\x01")
    keeper.peer.close()
    assert keeper.door.hear() == b""
    assert not keeper.door.is_open
    keeper.door.ask_terminal()
    keeper.door.send_signal(15, 2)


def test_orders_are_four_bytes(keeper: Keeper) -> None:
    """The terminal; a signal and whom it is for."""
    keeper.door.ask_terminal()
    keeper.door.send_signal(15, 2)
    assert keeper.peer.recv(100) == b"t\0\0\0" + b"S\x0f\x02\0"


def test_the_terminal_is_handed_over_and_closed_with_the_visit(keeper: Keeper) -> None:
    """A descriptor of our own for the same terminal, not inherited by what we run."""
    master, slave = os.openpty()
    keeper.peer.sendall(b"\x01")
    keeper.door.hear()
    socket.send_fds(keeper.peer, [b"t"], [master])
    keeper.door.ask_terminal()
    keeper.door.hear()
    terminal = keeper.door.terminal
    assert os.fstat(terminal).st_rdev == os.fstat(master).st_rdev
    assert not os.get_inheritable(terminal)
    keeper.door.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(terminal)
    for descriptor in (master, slave):
        os.close(descriptor)


def test_a_keeper_that_does_not_read_blocks_nobody(keeper: Keeper) -> None:
    """Orders that it has no room for close the door; we go on."""
    for _ in range(1_000_000):
        keeper.door.send_signal(0, 0)
        if not keeper.door.is_open:
            return
    raise AssertionError("a million orders were taken")


def test_who_keeps_it(keeper: Keeper) -> None:
    """The process at the other end is known by its pid."""
    assert keeper.door.keeper() == os.getpid()


def test_nobody_at_home(tmp_path_factory: pytest.TempPathFactory) -> None:
    """No door, and a door that nobody keeps any more."""
    folder = tmp_path_factory.mktemp("d")
    with pytest.raises(FileNotFoundError):
        visit(str(folder))
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(folder / "keeper.sock"))
    with pytest.raises(ConnectionRefusedError):
        visit(str(folder))
