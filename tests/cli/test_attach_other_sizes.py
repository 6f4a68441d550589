"""a viewer whose terminal has another size than the session: it sees pictures, whatever becomes of the daemon"""

from __future__ import annotations

import os
import signal
import sys

import pytest

from codewire_py.home.marks import append_mark
from homes import Home
from own_terminals import Desk, OwnTerminal

SAYS = "import sys\nfor line in sys.stdin: print('says', line.strip(), flush=True)"


def letterboxed(home: Home, desk: Desk) -> tuple[int, OwnTerminal]:
    """A session of a fixed size, and somebody before a smaller terminal."""
    id = home.python(SAYS)
    home.cw("resize", str(id), "20x70")
    viewer = desk.attach(str(id), rows=10, cols=40)
    home.cw("send", str(id), "first")
    viewer.until_shown(b"says first")
    return id, viewer


def crash(home: Home) -> None:
    os.kill(home.daemon(), signal.SIGKILL)


def test_pictures_go_on_with_the_next_daemon(home: Home, desk: Desk) -> None:
    """The daemon crashes; who saw pictures sees them again."""
    id, viewer = letterboxed(home, desk)
    crash(home)
    home.cw("send", str(id), "second")
    viewer.until_shown(b"says second")
    viewer.type(b"\x02d")
    assert viewer.end() == 0


def test_a_size_that_fits_by_then(home: Home, desk: Desk) -> None:
    """The next daemon finds both sizes the same: what was seen in pictures goes on in the log."""
    id, viewer = letterboxed(home, desk)
    append_mark(str(home.directory(id)), "sizing", len(home.log(id)), sizing="fixed", rows=10, cols=40)
    crash(home)
    home.cw("send", str(id), "second")
    viewer.until_shown(b"says second")
    home.cw("send", str(id), "third")
    viewer.until_shown(b"says third")
    viewer.type(b"\x02d")
    assert viewer.end() == 0


@pytest.mark.parametrize("removed", [False, True])
def test_a_session_that_ends_while_there_is_no_daemon(home: Home, desk: Desk, removed: bool) -> None:
    """Who saw pictures hears of the end all the same."""
    id, viewer = letterboxed(home, desk)
    viewer.signal(signal.SIGSTOP)
    crash(home)
    home.cw("kill", str(id))
    if removed:
        home.cw("remove", str(id))
    viewer.signal(signal.SIGCONT)
    assert viewer.end() != 0
    assert b"[cw] session ended" in viewer.shown


def test_a_session_that_ends_after_the_daemon_was_stopped(home: Home, desk: Desk) -> None:
    """A daemon that was stopped stays stopped, and the viewer ends with its session."""
    id, viewer = letterboxed(home, desk)
    program = home.status(id)["pid"]
    home.cw("stop")
    os.kill(program, signal.SIGKILL)
    home.end(id)
    assert viewer.end() != 0
    assert b"[cw] session ended" in viewer.shown
    home.cw("start")


FLOOD = (
    "import sys\nsys.stdin.readline()\nfor n in range(800_000): print(n, 'a line of a flood')\nprint('LAST')"
)


def test_the_end_does_not_come_before_a_paint_that_is_due(home: Home, desk: Desk) -> None:
    """Far behind a flood, with a daemon that is slow: the session's end waits for what it showed last."""
    id = home.launch(sys.executable, "-c", FLOOD)
    viewer = desk.attach(str(id))
    daemon = home.daemon()
    os.kill(daemon, signal.SIGSTOP)
    try:
        viewer.type(b"\r")
        home.end(id)
        while viewer.take(0.5):
            pass
    finally:
        os.kill(daemon, signal.SIGCONT)
    assert viewer.end() == 0
    assert b"LAST" in viewer.shown
