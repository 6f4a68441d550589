"""what happened while the link was down is known when it is back"""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from codewire_py.daemon.screen.screen import Screen
from coming_back import Desk, attach, new_desk
from homes import until
from load import same
from own_terminals import new_desk as new_plain_desk
from painted import check_painted
from remotes import Remote, new_remote
from seeing import descriptors
from viewers import COLS, ROWS, Viewer, Viewers, new_viewers

GIVES_UP = "from codewire_py.daemon import limits; limits.PING_SECONDS, limits.PONG_SECONDS, limits.STUCK_SECONDS = 0.3, 1.0, 1.5"
PROGRAM = "echo here; read line; echo got $line; exit 3"


@pytest.fixture
def desk(remote: Remote) -> Iterator[Desk]:
    with new_desk(remote.here) as fresh:
        yield fresh


def go_down(remote: Remote) -> None:
    remote.link.refuse()
    assert remote.link.cut() > 0


def begin(remote: Remote, viewers: Viewers) -> tuple[int, dict[str, Viewer]]:
    """One of each kind that stays, looking at the same session."""
    session = remote.there.launch("sh", "-c", PROGRAM)
    remote.there.until_printed(session, b"here")
    kinds = {
        "attach": viewers.in_terminal("attach", str(session)),
        "read-only": viewers.in_terminal("attach", "-r", str(session)),
        "logs": viewers.in_pipe("logs", "-f", "--raw", str(session)),
        "watch": viewers.in_pipe("watch", "--raw", str(session)),
    }
    for viewer in kinds.values():
        viewer.until_shown(b"here")
    return session, kinds


def test_the_program_ended(remote: Remote, far_viewers: Viewers) -> None:
    """Its last words are shown, and its exit status is told."""
    session, kinds = begin(remote, far_viewers)
    go_down(remote)
    remote.there.cw("send", str(session), "a line")
    remote.there.end(session)
    remote.link.admit()
    for kind, viewer in kinds.items():
        assert viewer.end() == (3 if viewer.is_attached() else 0), (kind, viewer.told())
        assert b"got a line" in viewer.output, kind
        assert ("completed (3)" in viewer.errors()) == (kind != "logs"), (kind, viewer.told())


def test_the_session_was_removed(remote: Remote, far_viewers: Viewers) -> None:
    """Nobody waits for ever; each says in a sentence that there is no such session any more."""
    session, kinds = begin(remote, far_viewers)
    go_down(remote)
    remote.there.cw("kill", str(session))
    remote.there.cw("remove", str(session))
    remote.link.admit()
    for kind, viewer in kinds.items():
        assert viewer.end() != 0, (kind, viewer.told())
        assert f"session {session} not found" in viewer.errors(), (kind, viewer.told())
        assert "Traceback" not in viewer.errors()


@pytest.mark.parametrize("removed", [False, True])
def test_no_notice_is_left_when_it_ended_meanwhile(
    remote: Remote, far_viewers: Viewers, removed: bool
) -> None:
    """It lay over the last row. Nobody paints what was there, and what comes next is not written around it."""
    session = remote.there.launch("sh", "-c", "echo here; read line; exit 3")
    viewer = far_viewers.in_terminal("attach", str(session))
    viewer.until_shown(b"here")
    go_down(remote)
    viewer.until_shown(b"Ctrl+C leaves")
    remote.there.cw("send", str(session), "")
    remote.there.end(session)
    if removed:
        remote.there.cw("remove", str(session))
    remote.link.admit()
    assert viewer.end() == (1 if removed else 3), viewer.told()
    screen = Screen(ROWS, COLS)
    screen.feed(bytes(viewer.output))
    assert "trying again" not in "\n".join([*screen.history_text(99), *screen.text()])


def test_the_token_was_revoked(remote: Remote, far_viewers: Viewers) -> None:
    """Whoever comes back with it is not let in, and is told so."""
    session, kinds = begin(remote, far_viewers)
    go_down(remote)
    token = remote.there.token()
    (remote.there.path / "token").write_text("another-token-altogether")
    remote.link.admit()
    for kind, viewer in kinds.items():
        assert viewer.end() == 1, (kind, viewer.told())
        assert "token" in viewer.errors(), (kind, viewer.told())
    (remote.there.path / "token").write_text(token)
    assert remote.there.status(session)["status"] == "running"


def test_our_terminal_got_another_size(remote: Remote) -> None:
    """The program hears of it when the link is back."""
    session = remote.there.launch("sh", "-c", "trap 'stty size' WINCH; while :; do sleep 0.1; done")
    with new_plain_desk(remote.here) as desk:
        terminal = desk.attach(str(session))
        go_down(remote)
        terminal.resize(33, 99)
        remote.link.admit()
        remote.there.until_printed(session, b"33 99")
        terminal.until_shown(b"33 99")
        terminal.type(b"\x02d")
        assert terminal.end() == 0


def test_a_laptop_slept(remote: Remote, far_viewers: Viewers) -> None:
    """The client was stopped for longer than the link lasted, and goes on where it was."""
    session, kinds = begin(remote, far_viewers)
    for viewer in kinds.values():
        viewer.process.send_signal(signal.SIGSTOP)
    go_down(remote)
    remote.link.admit()
    remote.there.cw("send", str(session), "a line")
    for viewer in kinds.values():
        viewer.process.send_signal(signal.SIGCONT)
    for kind, viewer in kinds.items():
        assert viewer.end() == (3 if viewer.is_attached() else 0), (kind, viewer.told())
        assert b"got a line" in viewer.output, kind


@pytest.mark.slow
def test_the_daemon_gave_them_up() -> None:
    """Who takes nothing, or is stopped, is no peer for ever; when it goes on it calls again and has lost nothing."""
    with new_remote(prepared=GIVES_UP) as remote, new_viewers(remote.here) as viewers:
        code = "input()\nfor number in range(20000): print('%050d' % number)\ninput()"
        session = remote.there.python(code, options=("--rows", "24", "--cols", "80"))
        stuck = [
            viewers.in_pipe("logs", "-f", "--raw", str(session), is_read=False),
            viewers.in_pipe("watch", "--raw", str(session), is_read=False),
            viewers.in_terminal("attach", str(session), is_read=False),
        ]
        stopped = [
            viewers.in_pipe("logs", "-f", "--raw", str(session)),
            viewers.in_pipe("wait", str(session)),
        ]
        until(lambda: len(remote.link.pairs) == 5, "all to call")
        remote.there.cw("send", str(session), "go")
        remote.there.until_printed(session, b"19999\r\n")
        until(lambda: stopped[0].output == remote.there.log(session), "one that reads to have it all")
        open_before = descriptors(remote.there.daemon())
        for viewer in stopped:
            viewer.process.send_signal(signal.SIGSTOP)
        until(lambda: descriptors(remote.there.daemon()) <= open_before - len(stopped), "them to be given up")
        remote.there.cw("send", str(session), "over")
        remote.there.end(session)
        for viewer in stopped:
            viewer.process.send_signal(signal.SIGCONT)
        for viewer in stuck:
            viewers.read(viewer)
        log = remote.there.log(session)
        for viewer in [*stuck, *stopped]:
            assert viewer.end() == 0, viewer.told()
        for viewer in (*stuck[:2], stopped[0]):
            same(viewer.output, log, str(viewer.process.args))
        check_painted(stuck[2].output, log, "a terminal that took nothing")


@pytest.mark.slow
def test_much_was_printed_for_one_who_only_looks(remote: Remote, far_viewers: Viewers) -> None:
    """More than is ever under way at once reaches a viewer that types nothing, and one that may not."""
    code = "input()\nfor number in range(40000): print('%050d' % number)"
    session = remote.there.python(code, options=("--rows", "24", "--cols", "80"))
    lookers = [
        far_viewers.in_terminal("attach", *words, str(session)) for words in ((), ("-r",), ("--no-history",))
    ]
    for viewer in lookers:
        assert viewer.session() == session
    until(lambda: len(remote.link.pairs) == 3, "three conversations")
    remote.there.cw("send", str(session), "go")
    for viewer in lookers:
        assert viewer.end() == 0, viewer.told()
        check_painted(viewer.output, remote.there.log(session), str(viewer.process.args))


@pytest.mark.slow
def test_a_terminal_of_another_size(remote: Remote, desk: Desk) -> None:
    """It is shown paints instead of the log, and the right one when the link is back, as at home."""
    session = remote.there.launch(
        "sh", "-c", "seq 1 200; echo ready; exec cat", options=("--rows", "30", "--cols", "100")
    )
    remote.there.cw("resize", str(session), "30x100")
    pane = desk.shell(19, 70)
    attach(pane, session)
    pane.until_shown("ready")
    go_down(remote)
    pane.until_shown("the connection to there is lost")
    remote.there.cw("send", str(session), "said meanwhile")
    remote.link.admit()
    picture = pane.until_shown("said meanwhile")
    with new_desk(remote.there) as at_home:
        own = at_home.shell(19, 70)
        attach(own, session)
        own.until_same(picture)
        pane.type("typed here")
        pane.until_shown("typed here")
