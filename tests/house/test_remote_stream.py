"""what is shown elsewhere is what the program printed, however often the link is cut"""

from __future__ import annotations

import mmap
import sys
import time
from itertools import pairwise
from random import Random

import pytest

from codewire_py.daemon.screen.paint import END
from homes import Home, until
from links import CLOSE, RESET, Link
from load import kill_daemon, same, seeded
from painted import last_words
from remotes import Remote
from viewers import Viewers

MEBIBYTE = 1 << 20
LINES, LINE = 1024, 64  # in a block, and bytes of each in the log
AHEAD = 2 * MEBIBYTE  # of what is seen: a viewer that is 4 MiB behind would be painted afresh
CUTS = 20
STATUS = 7
PIECE = MEBIBYTE  # compared at once
# Once it is told to begin it prints numbered lines, and never more than so much ahead of what somebody has seen.
PRINTER = f"""
import mmap, sys, time
with open(sys.argv[1], "r+b") as file:
    shared = mmap.mmap(file.fileno(), 9)
while not shared[8]:
    time.sleep(0.01)
printed = number = 0
while printed < int(sys.argv[2]):
    while printed - int.from_bytes(shared[:8], "little") > {AHEAD}:
        time.sleep(0.002)
    lines = [b"%015d %s\\n" % (line, b"x" * {LINE - 18}) for line in range(number, number + {LINES})]
    sys.stdout.buffer.write(b"".join(lines))
    sys.stdout.buffer.flush()
    number += {LINES}
    printed += {LINES * LINE}
sys.exit({STATUS})
"""


class Stream:
    """A session that prints so much, and one viewer of it from the beginning on, compared byte by byte as it goes."""

    def __init__(self, there: Home, viewers: Viewers, size: int) -> None:
        self.path = there.path.parent / "seen"
        self.path.write_bytes(bytes(9))
        with self.path.open("r+b") as file:
            self.shared = mmap.mmap(file.fileno(), 9)
        command = (sys.executable, "-I", "-S", "-c", PRINTER, str(self.path), str(size))
        self.session = there.launch(*command, options=("--rows", "24", "--cols", "80"))
        self.size, self.seen = size, 0
        self.viewer = viewers.in_terminal("attach", str(self.session))
        until(lambda: self.viewer.output.count(END) == 2, "a whole paint", told=self.viewer.told)
        del self.viewer.output[: self.viewer.output.rindex(END) + len(END)]
        self.log = (there.directory(self.session) / "output.log").open("rb")
        self.shared[8] = 1

    def check_more(self) -> bool:
        """Whether there was any; the program goes on as far as that allows."""
        shown = bytes(self.viewer.output[: min(PIECE, self.size - self.seen)])
        same(shown, self.log.read(len(shown)), f"what was shown from {self.seen} on")
        del self.viewer.output[: len(shown)]
        self.seen += len(shown)
        self.shared[:8] = self.seen.to_bytes(8, "little")
        return bool(shown)

    def check_until(self, place: int, seconds: float = 40) -> None:
        deadline = time.monotonic() + seconds
        while self.seen < place:
            assert time.monotonic() < deadline, f"{self.seen} bytes in {seconds} s; {self.viewer.told()}"
            if not self.check_more():
                time.sleep(0.002)

    def is_waiting(self) -> bool:
        """Whether the program has printed as much as it may."""
        printed = self.path.with_name("home") / f"sessions/{self.session}/output.log"
        return printed.stat().st_size > self.seen + AHEAD

    def check_end(self) -> None:
        """Nothing but the last byte of the log came last, and the program's exit status."""
        assert self.viewer.end() == STATUS, self.viewer.told()
        assert bytes(self.viewer.output).removesuffix(last_words()) == self.log.read() == b""
        assert f"completed ({STATUS})" in self.viewer.errors()

    def close(self) -> None:
        self.shared.close()
        self.log.close()


def cut_often(link: Link, moments: Random, within: int, how: str) -> None:
    """Before so many bytes have passed; mostly in the middle of a frame."""
    places = sorted(moments.sample(range(1, within), CUTS))
    link.cut_after(link.down, *(after - before for before, after in pairwise([0, *places])), how=how)


@pytest.mark.slow
@pytest.mark.deadline(150)
def test_two_hundred_megabytes_over_a_link_that_is_cut_twenty_times(
    remote: Remote, far_viewers: Viewers
) -> None:
    """What the terminal was sent after the first paint is the log, byte by byte, and the exit status is the program's."""
    stream = Stream(remote.there, far_viewers, 200 * MEBIBYTE)
    cut_often(remote.link, seeded(), 190 * MEBIBYTE, RESET)
    begun = time.monotonic()
    stream.check_until(stream.size, 120)
    print(f"{stream.size / MEBIBYTE / (time.monotonic() - begun):.1f} MiB/s, {remote.link.connections} calls")
    stream.check_end()
    assert remote.link.cuts == CUTS
    stream.close()


@pytest.mark.slow
def test_good_byes_restarts_and_deaths(remote: Remote, far_viewers: Viewers) -> None:
    """The same where the other end hangs up each time, and the daemon is replaced and dies meanwhile."""
    stream = Stream(remote.there, far_viewers, 24 * MEBIBYTE)
    cut_often(remote.link, seeded(), 20 * MEBIBYTE, CLOSE)
    for disturb in (lambda: remote.there.cw("restart"), lambda: kill_and_start(remote.there)):
        stream.check_until(stream.seen + 6 * MEBIBYTE)
        disturb()
    stream.check_until(stream.size)
    stream.check_end()
    assert remote.link.cuts == CUTS
    stream.close()


def kill_and_start(there: Home) -> None:
    kill_daemon(there, after=0)
    there.cw("start")


@pytest.mark.slow
def test_cut_while_our_own_terminal_takes_nothing(remote: Remote, far_viewers: Viewers) -> None:
    """What had come by the link before and was not shown is shown, and then all that comes by the next ones."""
    stream = Stream(remote.there, far_viewers, 24 * MEBIBYTE)
    for calls in (2, 3):
        stream.check_until(stream.seen + 8 * MEBIBYTE)  # by now much may be on its way at once
        far_viewers.poll.unregister(stream.viewer.source)
        until(stream.is_waiting, "the program to be far enough ahead")
        until(lambda: is_still(remote.link), "no more to come")
        remote.link.cut()
        until(lambda calls=calls: remote.link.connections == calls, "it to call again")
        far_viewers.read(stream.viewer)
    stream.check_until(stream.size)
    stream.check_end()
    stream.close()


def is_still(link: Link) -> bool:
    passed = link.down.passed
    time.sleep(0.1)  # a span to look at
    return link.down.passed == passed
