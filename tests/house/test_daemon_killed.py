"""promise 1: the daemon may be killed at any moment"""

from __future__ import annotations

import pytest

from homes import Home
from load import Load, daemons, kill_daemon, seeded
from viewers import Viewers

KILLS = 10


@pytest.mark.slow
@pytest.mark.deadline(120)
def test_killed_ten_times_under_load(home: Home, viewers: Viewers) -> None:
    """20 sessions print numbered lines, clients attached; the daemon is killed with -9 ten times at random
    moments: every program alive, every log complete and in order, each attached client's output byte-identical
    to the log, exit statuses right, no client restarted by hand.
    """
    moments = seeded()
    load = Load(home, viewers, 20)
    first, second, third, fourth, *_ = load.attached
    lookers = {
        first: viewers.in_terminal("attach", str(first)),
        second: viewers.in_terminal("attach", str(second), "--read-only"),
        third: viewers.in_pipe("logs", str(third), "-f", "--raw"),
        fourth: viewers.in_pipe("watch", str(fourth), "--raw"),
    }
    waiter = viewers.in_pipe("wait", str(fourth), str(first))
    for _ in range(KILLS):
        kill_daemon(home, after=moments.uniform(0, 0.8))
    load.await_more()
    load.check_alive()
    load.finish()
    load.check_ended()
    for session, viewer in lookers.items():
        load.check_shown(session, viewer)
    load.check_list()
    assert waiter.end() == load.status_of[fourth], waiter.errors()


@pytest.mark.parametrize("words", ["attach", "attach -r", "logs -f", "watch", "wait"])
def test_one_client_is_enough(home: Home, viewers: Viewers, words: str) -> None:
    """Any client that stays brings a killed daemon back by itself, also one that was killed while it began; after
    that it is in nobody's way: the daemon can be stopped, and a new command starts another at once.
    """
    session = home.launch("sh", "-c", "echo here; exec sleep 1000")
    viewer = viewers.in_terminal(*words.split(), str(session))
    if words != "wait":
        viewer.until_shown(b"here")
    for _ in range(3):
        kill_daemon(home, after=0)
    home.until(lambda: daemons(home), "the client to bring a daemon back")
    home.cw("status", str(session))
    home.cw("stop")
    assert home.status(session)["status"] == "running"
    assert viewer.process.poll() is None, viewer.errors()
