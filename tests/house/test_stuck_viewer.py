"""promise 3: looking never hurts"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from codewire_py.wire.messages import Attach, Attached, Logs, Reading
from homes import Home
from load import same
from painted import check_painted
from viewers import Peer, Viewer, Viewers

MEBIBYTE = 1 << 20
OUTPUT = 64 * MEBIBYTE
BLOCK = b"".join(b"%015d\n" % (number * 16) for number in range(4096))
MOST_GROWTH = 10 * MEBIBYTE
MOST_SLOWER = 3.0
SKIPPED = b" MiB skipped"
PRINTER = """
import os, sys, time
while not os.path.exists(sys.argv[1]):
    time.sleep(0.01)
block = b"".join(b"%015d\\n" % (number * 16) for number in range(4096))
begun = time.monotonic()
sys.stdout.buffer.write(block * int(sys.argv[2]))
sys.stdout.buffer.flush()
with open(sys.argv[1], "w") as file:
    print(time.monotonic() - begun, file=file)
"""


class Printer:
    """A session that prints 64 MiB as fast as its terminal takes them, once it is told to."""

    def __init__(self, home: Home, name: str) -> None:
        self.home = home
        self.go = home.path.parent / f"go-{name}"
        times = str(OUTPUT // len(BLOCK))
        self.session = home.launch(sys.executable, "-I", "-S", "-c", PRINTER, str(self.go), times)

    def print_all(self) -> float:
        """How many seconds the program needed, by its own clock; its end is recorded then."""
        self.go.touch()
        assert self.home.end(self.session)["code"] == 0
        return float(self.go.read_text())


def memory(pid: int, field: str) -> int:
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(row for row in status if row.startswith(field)).split()[1]) * 1024


def follow(viewers: Viewers, session: int, is_read: bool = True) -> list[Viewer]:
    """Each kind of `cw` that goes on looking; returns when they do."""
    terminal = viewers.in_terminal("attach", str(session), is_read=is_read)
    pipe = viewers.in_pipe("logs", str(session), "-f", "--raw", is_read=is_read)
    assert terminal.session() == session
    home = viewers.home
    directory = str(home.directory(session))
    for viewer in (terminal, pipe):
        home.until(
            lambda viewer=viewer: f"{directory}/output.log" in opened(viewer), "a viewer to open the log"
        )
    return [terminal, pipe]


def opened(viewer: Viewer) -> list[str]:
    found = []
    for link in Path(f"/proc/{viewer.process.pid}/fd").iterdir():
        try:
            found.append(str(link.readlink()))
        except OSError:
            continue
    return found


@pytest.mark.slow
@pytest.mark.deadline(150)
def test_a_viewer_that_never_reads(home: Home, viewers: Viewers) -> None:
    """A viewer that never reads, beside one that does: the program finishes at full speed, the daemon grows by less
    than 10 MB, the fast one sees every byte.

    The stuck ones are of every kind: a terminal, a pipe, and two over the protocol, whom the daemon itself serves.
    They were merely behind: when they read after all, logs give them every byte. A terminal that is far behind, the
    fast one as well, is told how much it skips and painted as it is now.
    """
    alone = Printer(home, "alone")
    fast = follow(viewers, alone.session)
    seconds_alone = alone.print_all()
    check_complete(home, alone.session, fast)

    beside = Printer(home, "beside")
    number = str(beside.session)
    stuck = follow(viewers, beside.session, is_read=False)
    stuck_peers = [Peer(home, Attach(session=number)), Peer(home, Logs(session=number, follow=True))]
    assert [type(peer.begun) for peer in stuck_peers] == [Attached, Reading]
    fast = follow(viewers, beside.session)
    daemon = home.daemon()
    before = memory(daemon, "VmRSS")
    Path(f"/proc/{daemon}/clear_refs").write_text("5")  # from here on VmHWM tells the most it ever had
    seconds = beside.print_all()
    check_complete(home, beside.session, fast)
    assert all(viewer.process.poll() is None for viewer in stuck)
    growth = memory(daemon, "VmHWM") - before
    print(
        f"alone {seconds_alone:.2f} s, beside stuck viewers {seconds:.2f} s; the daemon grew by {growth} bytes"
    )
    assert growth < MOST_GROWTH
    assert seconds < MOST_SLOWER * seconds_alone

    for viewer in stuck:
        viewers.read(viewer)
    check_complete(home, beside.session, stuck)
    attached, logged = [peer.read_all() for peer in stuck_peers]
    same(logged, home.log(beside.session), "what a stuck peer read in the end")
    check_painted(attached, home.log(beside.session), "what a stuck peer was shown in the end")
    assert len(attached) < OUTPUT // 2
    assert [SKIPPED in output for output in (attached, stuck[0].output)] == [True, True]
    assert memory(daemon, "VmHWM") - before < MOST_GROWTH
    assert home.daemon() == daemon


def check_complete(home: Home, session: int, viewers: list[Viewer]) -> None:
    log = home.log(session)
    same(log, BLOCK.replace(b"\n", b"\r\n") * (OUTPUT // len(BLOCK)), "the log")
    for viewer in viewers:
        assert viewer.end(60) == 0, viewer.errors()
        what = f"what {viewer.process.args} showed"
        if viewer.is_attached():
            check_painted(viewer.output, log, what)
            assert len(viewer.output) > len(log) or SKIPPED in viewer.output
        else:
            same(viewer.output, log, what)
