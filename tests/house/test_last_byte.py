"""promise 4: the last byte, then the end"""

from __future__ import annotations

import pytest

from codewire_py.wire.messages import Attach, Logs
from homes import Home
from load import same
from painted import check_painted
from viewers import Peer, Viewer, Viewers

TIMES = 100
AT_ONCE = 4
# Its last byte ends no line. One in five ends at once; the others before, while or after a viewer comes: each time a
# little later, and with more that nobody has read yet.
PROGRAM = "[ $3 = 0 ] || { sleep 0.0$2; seq $3; }; printf 'the last of %s' $1; exit $1"
LINES_MORE = 40


def program(number: int) -> tuple[str, ...]:
    return ("sh", "-c", PROGRAM, "sh", str(number), f"{number % 34 * 3:02}", str(lines_of(number)))


def lines_of(number: int) -> int:
    return number * LINES_MORE if number % 5 else 0


def printed(number: int) -> bytes:
    lines = [b"%d\r\n" % line for line in range(1, lines_of(number) + 1)]
    return b"".join([*lines, b"the last of %d" % number])


@pytest.mark.slow
def test_attached(home: Home, viewers: Viewers) -> None:
    """A session that ends right after printing: attach shows its last byte, then its end."""
    waiting: list[tuple[int, Viewer]] = []
    for number in range(1, TIMES + 1):
        viewer = viewers.in_terminal("launch", "-a", "--name", f"number-{number}", "--", *program(number))
        waiting.append((number, viewer))
        if len(waiting) >= AT_ONCE:
            check_attached(*waiting.pop(0))
    for number, viewer in waiting:
        check_attached(number, viewer)
    ended = {session["name"]: session["status"] for session in home.list()}
    assert ended == {f"number-{number}": f"completed ({number})" for number in range(1, TIMES + 1)}


def check_attached(number: int, viewer: Viewer) -> None:
    assert viewer.end() == number, viewer.errors()
    check_painted(viewer.output, printed(number), f"what {viewer.process.args} showed")
    assert viewer.errors().endswith(f"\r\n[cw] session ended: session completed ({number})\n")


@pytest.mark.slow
def test_watched_and_logged(home: Home, viewers: Viewers) -> None:
    """A session that ends right after printing: watch and logs show its last byte, then its end; so does the
    daemon to those whom it serves itself.
    """
    waiting: list[Look] = []
    for number in range(1, TIMES + 1):
        waiting.append(Look(home, viewers, number))
        if len(waiting) >= AT_ONCE:
            waiting.pop(0).check()
    for look in waiting:
        look.check()


class Look:
    """A session, and everybody who looks at it; `logs` comes as soon as the end is recorded."""

    def __init__(self, home: Home, viewers: Viewers, number: int) -> None:
        self.home, self.viewers, self.number = home, viewers, number
        self.session = str(home.launch(*program(number)))
        self.watch = viewers.in_pipe("watch", "--raw", self.session)
        self.follow = viewers.in_pipe("logs", "-f", "--raw", self.session)
        attach, logs = Attach(session=self.session, offset=0), Logs(session=self.session, follow=True)
        self.peers = [Peer(home, attach), Peer(home, logs)]

    def check(self) -> None:
        text = printed(self.number)
        assert self.home.end(int(self.session))["length"] == len(text)
        logs = self.viewers.in_pipe("logs", "--raw", self.session)
        late = Attach(session=self.session, offset=1)  # whoever knows where it was is not sent away
        attached, logged, came_back = [peer.read_all() for peer in (*self.peers, Peer(self.home, late))]
        check_painted(attached, text, "what the daemon sent a viewer", (40, 120))
        assert (logged, came_back) == (text, text[1:])
        all_three = (self.watch, self.follow, logs)
        assert [(viewer.end(), bytes(viewer.output)) for viewer in all_three] == [(0, text)] * 3
        assert self.watch.errors() == f"\n[cw] session completed ({self.number})\n"


@pytest.mark.parametrize("words", ["attach", "watch --raw", "logs -f --raw"])
def test_read_late(home: Home, viewers: Viewers, words: str) -> None:
    """The same when the session has ended long before its viewer's terminal or pipe takes any more."""
    session = home.launch("sh", "-c", "read line; seq 200000; printf 'the last'; exit 9")
    if words == "attach":
        viewer = viewers.in_terminal(*words.split(), str(session), is_read=False)
        assert viewer.session() == session
    else:
        viewer = viewers.in_pipe(*words.split(), str(session), is_read=False)
    home.cw("send", str(session), "go")
    home.end(session)
    viewers.read(viewer)
    assert viewer.end() == (9 if words == "attach" else 0)
    check = check_painted if words == "attach" else same
    check(viewer.output, home.log(session), f"what {words} showed")
    assert home.log(session).endswith(b"\r\n200000\r\nthe last")
