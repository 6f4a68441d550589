"""whatever a viewer, or who asks what a session showed, says: it hurts nobody else, and not the daemon"""

from __future__ import annotations

import math
import os
import shutil
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgpack
import pytest

from codewire_py.wire.codec import decode
from codewire_py.wire.frames import CONTROL, DATA, frame
from codewire_py.wire.messages import (
    PROTOCOL,
    Attach,
    Attached,
    Detach,
    Detached,
    Ended,
    Failed,
    Hello,
    Looks,
    Measured,
    Painted,
    Repaint,
    Screen,
    Shown,
    Took,
    Typed,
)
from homes import Home, new_home
from peers import Peer
from seeing import MEBIBYTE, pss

NUMBERS = [-1, 0, 1, 1 << 31, 1 << 62, (1 << 63) - 1, 1 << 63, (1 << 64) - 1, -(1 << 63)]
TIMES = [-1.0, 0.0, 1e-300, 1e11, 1e308, math.inf, -math.inf, math.nan, 1 << 63]
TEXTS = ["", "ff;rm", "\0", "\n\x1b[c", "\udcff\udcfe", "9" * 40, "f" * (1 << 20), "../../etc", "²"]
WRONG: list[Any] = [None, [], {}, [[]], b"\xff", True, 1.5, "x", {"a": 1}, -3]
HOSTILE = {
    "int": NUMBERS,
    "float": TIMES,
    "str": TEXTS,
    "list[str]": [["1"] * 10_000, ["\0"], ["\udcff"], [""]],
    "bool": [True, False],
}


@pytest.fixture(scope="module")
def home(shared_home: Home) -> Home:
    """Session 1 runs, session 2 has ended; both printed something."""
    assert shared_home.launch("sh", "-c", "stty raw -echo; seq 100; exec cat > /dev/null") == 1
    assert shared_home.launch("seq", "100") == 2
    shared_home.cw("wait", "2")
    return shared_home


def check_unharmed(home: Home) -> None:
    """Nothing in the journal that nobody had thought of, and session 1 is served as before."""
    assert [session["status"] for session in home.list()][:2] == ["running", "completed (0)"]
    assert "lines" in home.cw("screen", "1", "--json").stdout
    home.cw("send", "1", "still there?")
    for trouble in ("Traceback", "a conversation failed", "not attended", "bug"):
        assert trouble not in home.journal()


def bytes_of(kind: str, fields: dict[str, Any]) -> bytes:
    return frame(CONTROL, msgpack.packb({"type": kind, **fields}, unicode_errors="surrogateescape"))


def values(kind: str) -> list[Any]:
    return [*HOSTILE.get(kind, []), *WRONG]


def speak(home: Home, *said: bytes) -> list[str]:
    """Say it all and hear what comes, up to the end; no refusal may be of the kind that nobody had thought of."""
    heard = []
    with Peer(home) as peer:
        peer.say(Hello(version=PROTOCOL)).say_raw(b"".join(said))
        peer.peer.shutdown(socket.SHUT_WR)
        while (found := peer.next()) is not None:
            message = None if found[0] == DATA else decode(found[1])
            heard.append(type(message).type if message else "data")
            if isinstance(message, Failed):
                assert "bug" not in message.message, (said, message)
    return heard


REQUESTS = {
    "attach": {"session": "1", "rows": 24, "cols": 80}, "screen": {"session": "1"}, "resize": {"session": "2"}, "export": {"session": "2"},
    "search": {"text": "9", "sessions": ["2"]}, "logs": {"session": "2"}, "logs rendered": {"session": "2", "rendered": True, "tail": 3},
    "logs followed": {"session": "1", "follow": True, "rendered": True},
}  # fmt: skip
KINDS: dict[str, type[Any]] = {cls.type: cls for cls in (Attach, Screen, Measured, Looks, Repaint)}


def fields_of(word: str) -> dict[str, str]:
    from codewire_py.wire.messages import MESSAGES

    return {field: kind for field, (kind, _) in MESSAGES[word].fields.items()}


@pytest.mark.parametrize("name", REQUESTS)
def test_requests_with_impossible_values(home: Home, name: str) -> None:
    """Huge, negative, not a number, of another type, not UTF-8, with NUL: refused, or taken for the nearest sense."""
    word = name.split(maxsplit=1)[0]
    for field, kind in fields_of(word).items():
        for value in values(kind):
            assert "hello" in speak(home, bytes_of(word, {**REQUESTS[name], field: value}))
    check_unharmed(home)


@pytest.mark.parametrize("rendered", [False, True])
@pytest.mark.parametrize("word", ["measured", "looks", "repaint"])
def test_viewers_that_say_impossible_things(home: Home, word: str, rendered: bool) -> None:
    """Whatever one says of its terminal, and however wrong its type."""
    begin = bytes_of("attach", {"session": "1", "rows": 20, "cols": 70, "rendered": rendered})
    usual = {"measured": {"rows": 20, "cols": 70}}.get(word, {})
    for field, kind in fields_of(word).items():
        for value in values(kind):
            assert "attached" in speak(
                home, begin, bytes_of(word, {**usual, field: value}), bytes_of("detach", {})
            )
    check_unharmed(home)


def test_nobody_keeps_a_novel_in_the_daemon(home: Home) -> None:
    """Looks that no terminal has are not remembered, however large they are."""
    novel = Looks(
        foreground="a" * (5 * MEBIBYTE), background="b" * (5 * MEBIBYTE), cursor="c" * (5 * MEBIBYTE)
    )
    sessions = [home.launch("cat") for _ in range(5)]
    sizes = []
    for session in sessions:
        with Peer(home) as peer:
            peer.ask(Attach(session=str(session))).hear(Attached)
            peer.say(novel, Detach()).hear(Detached)
        sizes.append(pss(home.daemon()))
    assert (
        sizes[-1] - sizes[0] < 30 * MEBIBYTE
    )  # what was needed to take in the first is there again for the last
    home.cw("kill", *map(str, sessions))


@pytest.mark.parametrize("rendered", [False, True])
@pytest.mark.parametrize(
    "message", [Repaint(scrollback=1000), Looks(foreground="102030"), Measured(rows=10, cols=20)]
)
def test_ten_thousand_wishes(home: Home, message: Any, rendered: bool) -> None:
    """They are not queued up: what the viewer types next is taken at once, and the daemon is as large as before."""
    before = pss(home.daemon())
    with Peer(home) as peer:
        peer.ask(Attach(session="1", rows=20, cols=70, rendered=rendered)).hear(Attached)
        peer.say(*[message] * 10_000, Typed(seq=7, data=b"x"))
        assert peer.hear(Took).seq == 7
        assert len(peer.paints) < 1000
    assert pss(home.daemon()) - before < 24 * MEBIBYTE
    home.cw("resize", "1", "latest")
    check_unharmed(home)


HURRIED = """
import runpy, sys
from codewire_py.daemon import limits
limits.REPLY_SECONDS = 0.5
sys.argv[1:] = ["daemon", "--background"]
runpy.run_module("codewire_py", run_name="__main__", alter_sys=True)
"""
FLICKER = """
import os, sys, time
while True:
    for number in range(100, 1000):
        row = b"".join(b"\\x1b[38;2;%d;%d;%dmx" % (number % 256, col, col + number & 255) for col in range(200))
        os.write(1, b"\\x1b[H" + row * 20)
        time.sleep(0.05)
"""


def test_a_viewer_that_never_reads_is_shown_out() -> None:
    """One that wants pictures and takes none: it costs no memory, holds up nobody, and loses its conversation."""
    with new_home() as home, ExitStack() as stuck:
        daemon = subprocess.Popen([sys.executable, "-c", HURRIED], env=home.env, stderr=subprocess.DEVNULL)
        home.started.append(daemon)
        home.until((home.path / "server.sock").exists, "the daemon to listen")
        id = str(home.python(FLICKER))
        home.until(lambda: home.log(int(id)), "it to draw")
        before = pss(home.daemon())
        for _ in range(5):
            peer = stuck.enter_context(Peer(home))
            peer.peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            peer.say(Hello(version=PROTOCOL), Attach(session=id, rows=50, cols=200, rendered=True))
        home.until(lambda: home.status(id)["attached_count"] == 5, "all of them to be there", 10)
        with Peer(home) as other:
            other.ask(Attach(session=id, rows=30, cols=90, rendered=True)).hear(Attached)
            for _ in range(20):
                other.hear(Painted)
        home.until(lambda: not home.status(id)["attached"], "them to be shown out", 10)
        assert pss(home.daemon()) - before < 24 * MEBIBYTE
        assert "Traceback" not in home.journal()


@pytest.mark.slow
def test_two_hundred_want_pictures(home: Home) -> None:
    """Each of another size: all of them see the last line, in no more memory than their pictures need."""
    id = home.launch(
        "sh", "-c", "stty raw -echo; echo ready; read line; seq 1000; printf 'the end'; read line"
    )
    home.until_printed(id, b"ready")
    before = pss(home.daemon())
    with ExitStack() as there:
        peers = [there.enter_context(Peer(home)) for _ in range(200)]
        for number, peer in enumerate(peers):
            peer.ask(
                Attach(
                    session=str(id), rows=10 + number % 50, cols=40 + number, rendered=True, read_only=True
                )
            ).hear(Attached)
        home.cw("send", str(id), "go")
        for peer in peers:
            while not any(b"the end" in painted.paint for painted in peer.paints):
                peer.hear(Painted)
        assert pss(home.daemon()) - before < 200 * MEBIBYTE
    home.cw("kill", str(id))
    check_unharmed(home)


# -- peers of other versions


def test_a_client_that_knows_nothing_new(home: Home) -> None:
    """It says where and how large, is painted like any other, and what it types arrives."""
    with Peer(home) as peer:
        peer.say(Hello(version=PROTOCOL)).say_raw(
            bytes_of("attach", {"session": "1", "local": False, "rows": 24, "cols": 80})
        )
        peer.hear(Hello)
        begun = peer.hear(Attached)
        assert b"100" in begun.paint
        assert not begun.rendered
        assert (begun.rows, begun.cols) == (24, 80)
        peer.say_raw(bytes_of("typed", {"data": b"x"}))
        assert peer.hear(Took).size == 1


def test_a_client_that_knows_more_than_we_do(home: Home) -> None:
    """Fields and messages of later versions are passed over."""
    more = {"hologram": True, "depth": 3, "": None, "paint": b"\x1b[c"}
    with Peer(home) as peer:
        peer.say(Hello(version=PROTOCOL)).say_raw(
            bytes_of("attach", {"session": "1", "rows": 24, "cols": 80, **more})
        )
        peer.hear(Hello)
        peer.hear(Attached)
        peer.say_raw(
            bytes_of("looks", {"background": "102030", **more})
            + bytes_of("gestured", more)
            + bytes_of("repaint", more)
        )
        peer.hear(Painted)
        peer.say_raw(bytes_of("typed", {"seq": 3, "data": b"x", **more}))
        assert peer.hear(Took).seq == 3
    with Peer(home) as peer:
        peer.say(Hello(version=PROTOCOL)).say_raw(
            bytes_of("screen", {"session": "2", "scrollback": 5, **more})
        )
        peer.hear(Hello)
        assert len(peer.hear(Shown).screen["scrollback"]) == 5  # type: ignore[arg-type]
    check_unharmed(home)


def test_one_who_leaves_while_it_is_painted(home: Home) -> None:
    """In the middle of anything: nothing of it is left."""
    for word in ("attach", "screen", "search", "export", "logs"):
        for _ in range(5):
            with Peer(home) as peer:
                peer.say(Hello(version=PROTOCOL)).say_raw(
                    bytes_of(word, {"session": "1", "rendered": True, "rows": 9, "cols": 9, "follow": True})
                )
    home.until(lambda: not home.status(1)["attached"], "them to be gone")
    check_unharmed(home)


# -- what is lent


def agent_of(home: Home, session: int) -> str | None:
    link = home.directory(session) / "agent"
    return os.readlink(link) if os.path.lexists(link) else None


def test_only_a_socket_of_ours_is_lent(home: Home, tmp_path: Path) -> None:
    """Not another user's, also not behind a link; no file, no device, none of what only the daemon sees."""
    with socket.socket(socket.AF_UNIX) as ours, socket.socket(socket.AF_UNIX) as foreign:
        ours.bind(str(tmp_path / "ours"))
        foreign.bind(str(tmp_path / "foreign"))
        (tmp_path / "link").symlink_to(tmp_path / "foreign")
        bad = [
            "/dev/null",
            "/proc/self/mem",
            "/proc/self/cwd",
            "/proc/self/fd/0",
            *(f"/proc/self/fd/{number}" for number in range(3, 12)),
            "\udcff",
            "a\0b",
        ]
        if os.geteuid() == 0:
            shutil.chown(tmp_path / "foreign", 65534)
            bad += [str(tmp_path / "foreign"), str(tmp_path / "link")]
        attach(home, str(tmp_path / "ours"), ":1")
        assert agent_of(home, 1) == str(tmp_path / "ours")
        for agent in bad:
            attach(home, agent, "\x1b[c\n")
            assert agent_of(home, 1) == str(tmp_path / "ours"), agent
    assert (home.directory(1) / "display").read_text() == ":1\n"
    check_unharmed(home)


def attach(home: Home, agent: str, display: str) -> None:
    with Peer(home) as peer:
        peer.ask(Attach(session="1", agent=agent, display=display)).hear(Attached)
        peer.say(Detach())
        peer.hear(Detached)


def test_an_ended_session_has_no_viewers(home: Home) -> None:
    """Who comes back to one is told how it ended, whatever offset it names."""
    for offset in (1, 1 << 62, (1 << 64) - 1):
        with Peer(home) as peer:
            peer.ask(Attach(session="2", offset=offset, rows=9, cols=9)).hear(Attached)
            assert peer.hear(Ended).session["exit_code"] == 0
