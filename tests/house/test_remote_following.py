"""whoever follows a session elsewhere comes back by itself, and misses nothing"""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable

import pytest

from codewire_py.client.showing import CLEAR_ROW, TITLE_BACK
from homes import until
from links import CLOSE, RESET
from load import Load, daemons, kill_daemon, same
from remotes import IMPATIENT, Remote, new_remote
from seeing import descriptors
from viewers import Viewer, Viewers, new_viewers

FOLLOWERS = ["logs -f --raw", "watch --raw", "wait"]
GREETING = 200  # bytes: more than a listener's answer, less than that and the daemon's hello
AT_ONCE = 5.0  # seconds, on a busy machine; a call that nobody answers is waited for twice as long
PRINTING = "echo here; read line; echo $line; exit 3"


def cut(remote: Remote) -> None:
    assert remote.link.cut(RESET) > 0


def hang_up(remote: Remote) -> None:
    assert remote.link.cut(CLOSE) > 0


def go_away(remote: Remote) -> None:
    """For longer than nobody would notice."""
    remote.link.refuse()
    remote.link.cut()
    time.sleep(1.5)
    remote.link.admit()


def be_silent(remote: Remote) -> None:
    """Nobody hangs up; all notice, and call again, and are not answered either."""
    everybody = remote.link.connections + len(remote.link.pairs)
    remote.link.silence()
    until(lambda: remote.link.connections >= everybody, "all to notice the silence")
    remote.link.heal()
    remote.link.cut()


def kill_and_start(remote: Remote) -> None:
    kill_daemon(remote.there, after=0)
    remote.there.cw("start")


def restart(remote: Remote) -> None:
    remote.there.cw("restart")


TROUBLES: list[Callable[[Remote], None]] = [
    cut,
    kill_and_start,
    hang_up,
    be_silent,
    restart,
    go_away,
    cut,
    cut,
]


@pytest.mark.slow
@pytest.mark.deadline(150)
def test_through_everything() -> None:
    """Links cut, silent and gone, the daemon killed and replaced: each follower's output is byte-identical to the log,
    every attached terminal's from its last paint on, exit statuses right, nobody helped by hand.
    """
    with new_remote(prepared=IMPATIENT) as remote, new_viewers(remote.here) as viewers:
        load = Load(remote.there, viewers, 3)
        first, second, third = load.attached
        lookers = {
            first: viewers.in_terminal("attach", str(first), "--read-only"),
            second: viewers.in_pipe("logs", str(second), "-f", "--raw"),
            third: viewers.in_pipe("watch", str(third), "--raw"),
        }
        for viewer in lookers.values():
            viewer.until_shown(b" session ")
        waiter = begin_waiting(remote, viewers, third, first)
        for disturb in TROUBLES:
            disturb(remote)
            until_all_show(load, {session: [load.attached[session], lookers[session]] for session in lookers})
        load.check_alive()
        load.finish()
        load.check_ended()
        for session, viewer in lookers.items():
            assert viewer.end() == (load.status_of[session] if viewer.is_attached() else 0), viewer.told()
            load.check_shown(session, viewer)
        assert waiter.end() == load.status_of[third], waiter.errors()


def until_all_show(load: Load, viewers: dict[int, list[Viewer]]) -> None:
    """What their programs print from now on."""
    wanted = {session: last_number(load.home.log(session)) + 30 for session in viewers}
    for session, several in viewers.items():
        for viewer in several:
            shown = viewer.output
            until(
                lambda session=session, shown=shown: last_number(shown[-4000:]) >= wanted[session],
                "a viewer to go on",
                told=viewer.told,
            )


def last_number(output: bytes | bytearray) -> int:
    return max(map(int, re.findall(rb"\b(\d{6}) ", output)), default=0)


@pytest.mark.parametrize("words", FOLLOWERS)
def test_interrupted_while_it_tries_again(remote: Remote, far_viewers: Viewers, words: str) -> None:
    """Ctrl+C ends it at once, with 130, also where calls are taken and never answered."""
    for is_silent in (False, True):
        viewer = begin_following(remote, far_viewers, words)
        interrupt_calls(remote, viewer, is_silent=is_silent)
        begun = time.monotonic()
        viewer.process.send_signal(signal.SIGINT)
        assert viewer.end() == 130, viewer.told()
        assert time.monotonic() - begun < AT_ONCE
        assert "Traceback" not in viewer.errors()
        remote.link.heal()
        remote.link.admit()


def interrupt_calls(remote: Remote, viewer: Viewer, *, is_silent: bool) -> None:
    """When this returns it is in the middle of a call that nobody answers, or has met nobody to call."""
    calls, files = remote.link.connections, descriptors(viewer.process.pid)
    if is_silent:
        remote.link.silence()
        remote.link.cut()
        until(lambda: remote.link.connections > calls, "it to call again", told=viewer.told)
    else:
        remote.link.refuse()
        remote.link.cut()
        until(lambda: descriptors(viewer.process.pid) < files, "it to lose the link", told=viewer.told)


def begin_following(remote: Remote, viewers: Viewers, words: str) -> Viewer:
    session = remote.there.launch("sh", "-c", PRINTING)
    remote.there.until_printed(session, b"here")
    if words == "wait":
        return begin_waiting(remote, viewers, session)
    viewer = viewers.in_pipe(*words.split(), str(session))
    viewer.until_shown(b"here")
    return viewer


def begin_waiting(remote: Remote, viewers: Viewers, *sessions: int) -> Viewer:
    """When this returns it has called twice, first to know who is meant, and been greeted: it waits."""
    calls = remote.link.connections
    viewer = viewers.in_pipe("wait", *map(str, sessions))

    def is_greeted() -> bool:
        last = remote.link.pairs[-1:]
        return remote.link.connections >= calls + 2 and any(pair.flows[1].passed >= GREETING for pair in last)

    until(is_greeted, "it to be greeted", told=viewer.told)
    return viewer


def test_the_daemon_is_killed_under_remote_clients(remote: Remote, far_viewers: Viewers) -> None:
    """Programs go on, nobody elsewhere begins a daemon, all come back to the one that somebody begins."""
    attached = begin_attached(remote, far_viewers)
    session = attached.session()
    followers = {words: far_viewers.in_pipe(*words.split(), str(session)) for words in FOLLOWERS[:2]}
    for viewer in followers.values():
        viewer.until_shown(b"here")
    followers["wait"] = begin_waiting(remote, far_viewers, session)
    kill_daemon(remote.there, after=0)
    attached.until_shown(b"trying again")
    assert daemons(remote.there) == []
    remote.there.cw("start")
    remote.there.until(lambda: remote.there.status(session)["attached"], "it to come back")
    remote.there.cw("send", str(session), "go on")
    for viewer in [attached, *followers.values()]:
        assert viewer.end() == (3 if viewer in (attached, followers["wait"]) else 0), viewer.told()
    log = remote.there.log(session)
    assert log.endswith(b"go on\r\n")
    for words in ("logs -f --raw", "watch --raw"):
        same(followers[words].output, log, words)


def begin_attached(remote: Remote, viewers: Viewers) -> Viewer:
    attached = viewers.in_terminal("launch", "-a", "--", "sh", "-c", PRINTING)
    attached.until_shown(b"here")
    return attached


def test_leaving_while_the_link_is_down(remote: Remote, far_viewers: Viewers) -> None:
    """In attach the detach keys work at once, and Ctrl+C once the notice says so; the session gets neither.

    The notice goes, and a line says what became of the session.
    """
    for keys, status, is_noticed in ((b"\x02d", 0, False), (b"\x02d", 0, True), (b"\x03", 130, True)):
        viewer = begin_attached(remote, far_viewers)
        session = viewer.session()
        remote.link.refuse()
        remote.link.cut()
        if is_noticed:
            viewer.until_shown(b"Ctrl+C leaves")
        begun = time.monotonic()
        viewer.type(keys)
        assert viewer.end() == status, viewer.told()
        assert time.monotonic() - begun < AT_ONCE
        assert ("left session" if status else "detached from session") in viewer.errors()
        assert viewer.output.endswith(CLEAR_ROW + TITLE_BACK) is is_noticed
        remote.link.admit()
        assert remote.there.status(session)["status"] == "running"
        assert b"^" not in remote.there.log(session)


def test_a_wait_ends_in_time_where_nobody_answers(remote: Remote) -> None:
    """Its time is over before it would give up the link: that is what it says, and how it exits."""
    session = remote.there.launch("sleep", "60")
    remote.link.silence()
    done = remote.here.cw("wait", str(session), "--timeout", "0.5", status=124)
    assert done.stderr.startswith("Error: wait timed out; there (ws://")
