"""what cw stdio is run on: pipes that others share, files, terminals, nothing"""

from __future__ import annotations

import os
import pty
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from codewire_py.client.transports.ssh import GREETING
from homes import CW, SECONDS, Home, new_home
from stdios import FakeDaemon, read_exactly


@pytest.fixture
def bare() -> Iterator[Home]:
    """A home whose daemon the test plays."""
    with new_home() as fresh:
        yield fresh


def test_it_gives_its_descriptors_back_as_they_were(bare: Home) -> None:
    """They may be shared with others, who do not expect them not to block."""
    fake = FakeDaemon(bare)
    reading, writing = os.pipe()
    taking, giving = os.pipe()
    process = bare.begin("stdio", stdin=reading, stdout=giving)
    with fake.listener, fake.accept() as daemon:
        assert read_exactly(taking, len(GREETING)) == GREETING
        os.write(writing, b"x")
        assert daemon.recv(1) == b"x"
        assert not os.get_blocking(reading)
    assert process.wait(SECONDS) == 0
    assert os.get_blocking(reading)
    assert os.get_blocking(giving)
    for fd in (reading, writing, taking, giving):
        os.close(fd)


def test_a_file_as_input_and_output(bare: Home, tmp_path: Path) -> None:
    """Files are always ready: to their end."""
    fake = FakeDaemon(bare)
    said = tmp_path / "said"
    said.write_bytes(os.urandom(100_000))
    with said.open("rb") as reading, (tmp_path / "heard").open("wb") as writing:
        process = bare.begin("stdio", stdin=reading, stdout=writing)
    with fake.listener, fake.accept() as daemon:
        assert daemon.recv(200_000, socket.MSG_WAITALL) == said.read_bytes()
        daemon.sendall(b"heard")
    assert process.wait(SECONDS) == 0
    assert (tmp_path / "heard").read_bytes() == GREETING + b"heard"


@pytest.mark.parametrize("which", ["stdin", "stdout"])
def test_a_terminal_is_told_what_it_is_for(bare: Home, which: str) -> None:
    """One sentence, status 2, and no daemon is started for it."""
    master, slave = pty.openpty()
    try:
        both = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, which: slave}
        done = subprocess.run(
            [*CW, "stdio"], check=False, stderr=subprocess.PIPE, env=bare.env, timeout=SECONDS, **both
        )
    finally:
        os.close(master)
        os.close(slave)
    assert done.returncode == 2
    assert b"cw stdio talks to programs" in done.stderr
    assert not bare.path.exists()


@pytest.mark.parametrize("closed", ["<&-", ">&-"])
def test_without_input_or_output(bare: Home, closed: str) -> None:
    """The daemon's own connection is never taken for either."""
    command = 'exec "$@" ' + closed
    done = subprocess.run(
        ["sh", "-c", command, "sh", *CW, "stdio"], check=False, capture_output=True, env=bare.env, timeout=SECONDS,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 1
    assert b"Bad file descriptor" in done.stderr
    assert not bare.path.exists()


def test_it_is_about_this_machine(bare: Home) -> None:
    """Whatever server is the default; and it cannot be asked of another."""
    done = bare.cw("--server", "ws://127.0.0.1:9/ws", "stdio", status=2)
    assert "cw stdio is about this machine" in done.stderr
