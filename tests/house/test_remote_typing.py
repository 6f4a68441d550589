"""what is typed elsewhere arrives once, in order; or the person is told what may not have arrived"""

from __future__ import annotations

import os
import signal
import subprocess
from random import Random

import pytest

from homes import Home
from links import CLOSE, RESET
from load import same, seeded
from remotes import Remote
from viewers import Viewer, Viewers

# Writes down every byte that it reads, and shows how many came at once, until one of them says that it was all.
RECORDER = """
import os, sys, tty
tty.setraw(0)
file = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
os.write(1, b"ready")
data = b""
while b"\\x04" not in data:
    data = os.read(0, 65536)
    os.write(file, data)
    os.write(1, b"<%d>" % len(data))
os.write(1, b"that was all")
"""
LINES = 200
CUTS = 25
ALL = b"\x04"


class Typist:
    """A session that records what it reads, and an attached client that is typed into."""

    def __init__(self, there: Home, viewers: Viewers) -> None:
        self.there = there
        self.recorded = there.path.parent / "recorded"
        self.session = there.python(RECORDER, str(self.recorded))
        self.viewer: Viewer = viewers.in_terminal("attach", str(self.session))
        self.viewer.until_shown(b"ready")
        self.typed = b""

    def type(self, data: bytes) -> None:
        self.typed += data
        self.viewer.type(data)

    def type_lines(self, moments: Random) -> None:
        """In pieces as they come from a keyboard or a paste; until the program has read them all."""
        first = self.typed.count(b"\r")
        text = b"".join(b"%05d is a line that somebody types\r" % (first + line) for line in range(LINES))
        while text:
            size = moments.choice([1, 2, 7, 40, 400, 4000])
            self.type(text[:size])
            text = text[size:]
        self.until_recorded(self.typed[-LINES:])

    def until_recorded(self, wanted: bytes) -> None:
        self.there.until(lambda: self.has_recorded(wanted), f"{wanted[-40:]!r} to be read by the program")

    def has_recorded(self, wanted: bytes) -> bool:
        return self.recorded.exists() and wanted in self.recorded.read_bytes()

    def check(self) -> None:
        """All of it, once, in order."""
        self.type(ALL)
        assert self.viewer.end(40) == 0, self.viewer.told()
        same(self.recorded.read_bytes(), self.typed, "what the program read")


@pytest.mark.slow
@pytest.mark.parametrize("how", [RESET, CLOSE])
@pytest.mark.parametrize("direction", ["up", "down"])
def test_cut_while_typing(remote: Remote, far_viewers: Viewers, direction: str, how: str) -> None:
    """The link is cut in the middle of frames and between them, on the way there and where the answers come back:
    every byte arrives once, in order.
    """
    moments = seeded()
    typist = Typist(remote.there, far_viewers)
    way = remote.link.up if direction == "up" else remote.link.down
    most = 8000 if direction == "up" else 1500
    too_few = [1, 100, 300] if direction == "up" else [1, 60]  # for a conversation to begin
    sizes = [moments.choice([moments.randrange(1, most)] * 9 + too_few) for _ in range(CUTS)]
    remote.link.cut_after(way, *sizes, how=how)
    while remote.link.cuts < CUTS:
        typist.type_lines(moments)
    typist.check()


@pytest.mark.slow
def test_restarted_while_typing(remote: Remote, far_viewers: Viewers) -> None:
    """The daemon is replaced five times meanwhile: nothing is lost, nothing doubled."""
    moments = seeded()
    typist = Typist(remote.there, far_viewers)
    for _ in range(5):
        restarting = remote.there.begin("restart", stderr=subprocess.DEVNULL)
        while restarting.poll() is None:
            typist.type_lines(moments)
        assert restarting.returncode == 0
    typist.check()


def test_the_daemon_dies_with_bytes_in_its_hands(remote: Remote, far_viewers: Viewers) -> None:
    """Nobody knows whether they arrived: they are not typed again, the person is told how many, and typing goes on."""
    typist = Typist(remote.there, far_viewers)
    typist.type(b"before")
    typist.viewer.until_shown(b"<6>")  # before that it was told that they were taken
    daemon = remote.there.daemon()
    os.kill(daemon, signal.SIGSTOP)
    passed = remote.link.up.passed
    typist.type(b"in between")
    remote.there.until(lambda: remote.link.up.passed >= passed + 10, "the bytes to be under way")
    os.kill(daemon, signal.SIGKILL)
    typist.typed = b"before"
    remote.there.cw("start")
    typist.viewer.until_shown(b"10 typed bytes may not have arrived")
    typist.type(b"after")
    typist.until_recorded(b"after")
    typist.check()


def test_typed_while_the_link_is_down(remote: Remote, far_viewers: Viewers) -> None:
    """What was never sent is sent when the link is back; also what was sent into silence."""
    typist = Typist(remote.there, far_viewers)
    remote.link.refuse()
    remote.link.cut()
    typist.type(b"into the dark")
    remote.link.admit()
    typist.until_recorded(b"into the dark")
    remote.link.silence()
    typist.type(b" and silence")
    remote.link.cut()
    remote.link.heal()
    typist.until_recorded(b" and silence")
    typist.check()
