"""what is typed elsewhere arrives once, in order; or the person is told what may not have arrived"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from homes import Home
from links import CLOSE, RESET
from load import same, seeded
from remotes import IMPATIENT, Remote, new_remote
from viewers import Viewer, Viewers, new_viewers

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
CUTS = 15
ROUNDS = 10
ALL = b"\x04"
TOLD = re.compile(rb"(\d+) typed bytes may not have arrived")


class Typist:
    """A session that records what it reads, and an attached client that is typed into."""

    def __init__(self, there: Home, viewers: Viewers) -> None:
        self.there = there
        self.recorded = Path(tempfile.mkdtemp(dir=there.path.parent)) / "recorded"
        self.session = there.python(RECORDER, str(self.recorded))
        self.viewer: Viewer = viewers.in_terminal("attach", str(self.session))
        self.viewer.until_shown(b"ready")
        self.typed = b""

    def type(self, data: bytes) -> None:
        self.typed += data
        self.viewer.type(data)

    def type_lines(self, moments: Random, *, wait: bool = True) -> None:
        """In pieces as they come from a keyboard or a paste; until the program has read some of the last of them."""
        first = self.typed.count(b"\r")
        text = b"".join(b"%05d is a line that somebody types\r" % (first + line) for line in range(LINES))
        while text:
            size = moments.choice([1, 2, 7, 40, 400, 4000])
            self.type(text[:size])
            text = text[size:]
        if wait:
            self.until_recorded(self.typed[-LINES:])

    def until_recorded(self, wanted: bytes) -> None:
        self.there.until(
            lambda: self.has_recorded(wanted) or TOLD.search(self.viewer.output),
            f"{wanted[-40:]!r} to be read by the program, or given up",
        )

    def has_recorded(self, wanted: bytes) -> bool:
        return self.recorded.exists() and wanted in self.recorded.read_bytes()

    def check(self, *, may_be_told: bool = False) -> None:
        """All of it, once, in order."""
        self.type(ALL)
        assert self.viewer.end(40) == 0, self.viewer.told()
        self.check_recorded(may_be_told=may_be_told)

    def check_recorded(self, *, may_be_told: bool = False) -> None:
        recorded = self.recorded.read_bytes()
        told = [int(count) for count in TOLD.findall(self.viewer.output)] if may_be_told else []
        if not told:
            same(recorded, self.typed, "what the program read")
            return
        lines = recorded.split(b"\r")
        assert len(self.typed) - len(recorded) <= max(told)
        assert all(before < after for before, after in pairwise(lines[:-1]) if len(before) == len(after))


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
    """The daemon is replaced five times meanwhile: every byte arrives once, in order."""
    moments = seeded()
    typist = Typist(remote.there, far_viewers)
    for _ in range(5):
        restarting = remote.there.begin("restart", stderr=subprocess.DEVNULL)
        while restarting.poll() is None:
            typist.type_lines(moments)
        assert restarting.returncode == 0
    typist.check()


@pytest.mark.slow
@pytest.mark.deadline(120)
def test_one_trouble_after_another() -> None:
    """Links cut in odd places, slow, late, gone or silent, the daemon replaced and the client stopped, in any order:
    what the program read is what was typed, once and in order; only what the person was told of may be missing.
    """
    moments = seeded()
    with new_remote(prepared=IMPATIENT) as remote, new_viewers(remote.here) as viewers:
        typist = Typist(remote.there, viewers)
        logs = viewers.in_pipe("logs", "-f", "--raw", str(typist.session))
        logs.until_shown(b"ready")
        for _ in range(ROUNDS):
            moments.choice(TROUBLES)(remote, typist, moments)
            typist.type_lines(moments, wait=moments.random() < 0.5)
        remote.link.renew()
        typist.type(ALL)
        assert typist.viewer.end(40) == 0, typist.viewer.told()
        typist.check_recorded(may_be_told=True)
        assert logs.end() == 0
        same(logs.output, remote.there.log(typist.session), "the log across all troubles")


def cut_somewhere(remote: Remote, typist: Typist, moments: Random) -> None:
    way = moments.choice([remote.link.up, remote.link.down])
    remote.link.cut_after(
        way, *(moments.randrange(1, 6000) for _ in range(3)), how=moments.choice([RESET, CLOSE])
    )


def be_slow(remote: Remote, typist: Typist, moments: Random) -> None:
    for way in (remote.link.up, remote.link.down):
        way.rate, way.delay = moments.choice([0, 50_000, 1_000_000]), moments.choice([0, 0.01, 0.1])
        way.room = moments.choice([2000, 1 << 16, 1 << 20])


def be_gone(remote: Remote, typist: Typist, moments: Random) -> None:
    moments.choice([remote.link.refuse, remote.link.silence])()
    remote.link.cut()
    time.sleep(moments.random())
    remote.link.admit()
    remote.link.heal()
    remote.link.cut()


def restart(remote: Remote, typist: Typist, moments: Random) -> None:
    remote.there.cw("restart")


def stop_the_client(remote: Remote, typist: Typist, moments: Random) -> None:
    typist.viewer.process.send_signal(signal.SIGSTOP)
    time.sleep(moments.random() / 2)
    typist.viewer.process.send_signal(signal.SIGCONT)


TROUBLES = [cut_somewhere, cut_somewhere, be_slow, be_gone, restart, restart, stop_the_client]


def test_the_daemon_dies_with_bytes_in_its_hands(remote: Remote, far_viewers: Viewers) -> None:
    """Nobody knows whether they arrived: they are not typed again, the person is told how many, and typing goes on.

    Ctrl+C, too: that notice does not offer to leave.
    """
    typist = Typist(remote.there, far_viewers)
    typist.type(b"before")
    typist.viewer.until_shown(b"<6>")
    remote.there.until(lambda: b"took" in remote.link.down.tail, "it to be told that they were taken")
    daemon = remote.there.daemon()
    os.kill(daemon, signal.SIGSTOP)
    passed = remote.link.up.passed
    typist.type(b"in between")
    remote.there.until(lambda: remote.link.up.passed >= passed + 10, "the bytes to be under way")
    os.kill(daemon, signal.SIGKILL)
    typist.typed = b"before"
    remote.there.cw("start")
    typist.viewer.until_shown(b"10 typed bytes may not have arrived")
    typist.type(b"\x03after")
    typist.until_recorded(b"\x03after")
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
