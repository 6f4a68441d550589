"""`cw stdio` between two pipes and a daemon that the test plays"""

from __future__ import annotations

import os
import select
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from codewire_py.client.transports.ssh import GREETING
from homes import SECONDS, Home


class FakeDaemon:
    """Listens where a daemon would; the test is the daemon."""

    def __init__(self, home: Home) -> None:
        home.path.mkdir(0o700)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(home.path / "server.sock"))
        self.listener.listen()
        self.listener.settimeout(SECONDS)

    def accept(self) -> socket.socket:
        peer, _ = self.listener.accept()
        peer.settimeout(SECONDS)
        return peer


@contextmanager
def standing_in(home: Home) -> Iterator[tuple[subprocess.Popen[bytes], socket.socket]]:
    """`cw stdio` between two pipes and a daemon that the test plays."""
    fake = FakeDaemon(home)
    process = home.begin("stdio", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with fake.listener, fake.accept() as daemon:
        assert process.stdout
        assert read_exactly(process.stdout.fileno(), len(GREETING)) == GREETING
        yield process, daemon


def read_exactly(fd: int, size: int) -> bytes:
    found = b""
    while len(found) < size:
        assert select.select([fd], [], [], SECONDS)[0], f"nothing came after {found[-100:]!r}"
        data = os.read(fd, size - len(found))
        if not data:
            return found
        found += data
    return found


def streams(process: subprocess.Popen[bytes]) -> tuple[int, int]:
    assert process.stdin
    assert process.stdout
    return process.stdin.fileno(), process.stdout.fileno()


def close_input(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin
    process.stdin.close()


def close_output(process: subprocess.Popen[bytes]) -> None:
    assert process.stdout
    process.stdout.close()
