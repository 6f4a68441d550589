"""a keeper of a later version, left behind by a cw that was replaced by an older one"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from homes import Home


@contextmanager
def greeting_as(path: Path, version: int) -> Iterator[None]:
    """A door whose keeper speaks that version, and lets everybody in."""
    door = socket.socket(socket.AF_UNIX)
    door.bind(str(path))
    door.listen()
    guests = []

    def let_in() -> None:
        while True:
            try:
                guest, _ = door.accept()
            except OSError:
                return
            guest.sendall(bytes((version,)))
            guests.append(guest)

    waiter = threading.Thread(target=let_in)
    waiter.start()
    try:
        yield
    finally:
        door.shutdown(socket.SHUT_RDWR)
        waiter.join(20)
        for end in (door, *guests):
            end.close()
        path.unlink()


def test_a_newer_keeper_costs_a_warning(home: Home) -> None:
    """The daemon starts, serves the others, and says in its journal what it does not understand."""
    mine, strange = home.launch("cat"), home.launch("true")
    home.end(strange)
    home.cw("stop")
    (home.directory(strange) / "exit.json").unlink()
    with greeting_as(home.directory(strange) / "keeper.sock", 9):
        try:
            assert [session["status"] for session in home.list()] == ["running", "running"]
            home.cw("send", str(mine), "hello")
            home.until_printed(mine, b"hello")
            home.until(lambda: "a keeper speaks version 9" in home.journal(), "the journal to name it")
        finally:
            home.cw("stop")
