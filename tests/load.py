"""sessions that print numbered lines until they are told to finish, and a client attached to each"""

from __future__ import annotations

import os
import random
import re
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from homes import Home, all_pids, until
from painted import check_painted
from viewers import Viewer, Viewers

LINES, PAUSE = 10, 0.05  # so many at once, so often: 200 lines a second from each
PROGRAM = f"""
import os, sys, time
over, status = sys.argv[1], int(sys.argv[2])
number = 0
while not os.path.exists(over):
    for number in range(number + 1, number + {LINES} + 1):
        sys.stdout.write(f"{{number:06d}} \\x1b[3{{number % 8}}m session {{status}} \\u2713 \\x1b[0m\\n")
    sys.stdout.flush()
    time.sleep({PAUSE})
sys.stdout.write(f"{{number}} was the last")
sys.stdout.flush()
sys.exit(status)
"""
LAST = re.compile(rb"(\d+) was the last$")


def line(number: int, status: int) -> bytes:
    return f"{number:06d} \x1b[3{number % 8}m session {status} ✓ \x1b[0m\r\n".encode()


class Load:
    """Session k, named load-k, exits with status k."""

    def __init__(self, home: Home, viewers: Viewers, count: int) -> None:
        self.home, self.viewers = home, viewers
        self.over = home.path.parent / "over"
        attached = {status: self.launch(status) for status in range(1, count + 1)}
        self.status_of = {viewer.session(): status for status, viewer in attached.items()}
        self.attached = {session: attached[status] for session, status in self.status_of.items()}
        self.programs = {session: born(self.pid(session)) for session in self.attached}

    def launch(self, status: int) -> Viewer:
        """As everybody does: launched and attached in one step, so the client shows the log from its beginning."""
        command = (sys.executable, "-I", "-S", "-c", PROGRAM, str(self.over), str(status))
        return self.viewers.in_terminal("launch", "-a", "--name", f"load-{status}", "--", *command)

    def pid(self, session: int) -> int:
        return int(next(mark["pid"] for mark in self.home.marks(session) if mark["kind"] == "launched"))

    def check_alive(self) -> None:
        """Every program is the process that was launched."""
        assert {session: born(self.pid(session)) for session in self.attached} == self.programs

    def await_more(self) -> None:
        """Every program goes on printing, every client showing it."""
        lengths = {session: len(self.home.log(session)) for session in self.attached}
        for session, length in lengths.items():
            self.home.until(
                lambda session=session, length=length: len(self.attached[session].output) > length,
                f"the viewer of session {session} to show more",
            )

    def finish(self) -> None:
        self.over.touch()

    def check_ended(self) -> None:
        """Each client ended by itself as its program did, and showed what the log holds, which is complete."""
        for session, viewer in self.attached.items():
            assert viewer.end() == self.status_of[session], viewer.errors()
            assert f"completed ({self.status_of[session]})" in viewer.errors()
            same(self.home.log(session), self.complete(session), f"the log of session {session}")
            self.check_shown(session, viewer)

    def complete(self, session: int) -> bytes:
        """What a log that ends as this one does must hold."""
        last = LAST.search(self.home.log(session))
        assert last, f"session {session} ends {self.home.log(session)[-100:]!r}"
        lines = [line(number, self.status_of[session]) for number in range(1, int(last[1]) + 1)]
        return b"".join([*lines, last[0]])

    def check_shown(self, session: int, viewer: Viewer) -> None:
        what = f"what {viewer.process.args} showed"
        if viewer.is_attached():
            check_painted(viewer.output, self.home.log(session), what)
        else:
            same(viewer.output, self.home.log(session), what)

    def check_list(self) -> None:
        listed = {one["id"]: (one["status"], one["exit_code"]) for one in self.home.list()}
        assert listed == {number: (f"completed ({k})", k) for number, k in self.status_of.items()}


def same(found: bytes | bytearray, wanted: bytes, what: str) -> None:
    """Equal; of two that are not, only the place where they part is worth a look."""
    if found == wanted:
        return
    at = parting(found, wanted)
    near = slice(max(0, at - 60), at + 120)
    raise AssertionError(
        f"{what}: {len(found)} bytes, not {len(wanted)}; they part at {at}:\n"
        f"{bytes(found[near])!r}\nis not\n{wanted[near]!r}"
    )


def parting(found: bytes | bytearray, wanted: bytes) -> int:
    """How many bytes they have in common from the beginning."""
    low, high = 0, min(len(found), len(wanted))
    one, other = memoryview(found), memoryview(wanted)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[low:middle] == other[low:middle] else (low, middle - 1)
    return low


# -- daemons


def seeded() -> random.Random:
    """Random moments that a failed run can repeat, as far as moments can be repeated."""
    seed = int(os.environ.get("HOUSE_SEED") or random.randrange(1 << 20))
    print(f"HOUSE_SEED={seed}")
    return random.Random(seed)


def daemons(home: Home) -> list[int]:
    """Every daemon process of this home, also one that only begins; not what a daemon forks to run something else."""
    found = {pid: parent for pid in all_pids() if (parent := parent_of_daemon(home, pid))}
    return [pid for pid, parent in found.items() if parent not in found]


def parent_of_daemon(home: Home, pid: int) -> int:
    """0 if it is no daemon of this home."""
    with suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if b"codewire_py" in words and b"daemon" in words and b"--check" not in words:
            environ = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            parent = int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[1])
            return parent if f"CODEWIRE_HOME={home.path}".encode() in environ else 0
    return 0


def kill_daemon(home: Home, after: float) -> None:
    """Once there is one, so many seconds later; waits for nothing but its death."""
    home.until(lambda: daemons(home), "the clients to bring a daemon back")
    time.sleep(after)
    kill(*daemons(home))


def kill(*pids: int) -> None:
    """With -9; returns when they are dead."""
    births = [born(pid) for pid in pids]
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for pid, birth in zip(pids, births, strict=True):
        until(lambda pid=pid, birth=birth: not birth or born(pid) != birth, f"process {pid} to die")


def born(pid: int) -> tuple[int, int]:
    """(pid, start): the same process, or nothing once it is dead."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        if fields[0] not in b"ZX":
            return pid, int(fields[19])
    return ()  # type: ignore[return-value]
