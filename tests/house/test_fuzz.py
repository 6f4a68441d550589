"""promise 9: whatever arrives at the socket, the daemon stays up, serves others, and grows no larger"""

from __future__ import annotations

import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

import pytest

from codewire_py.daemon import limits
from codewire_py.errors import ProtocolError
from codewire_py.wire.codec import decode, encode
from codewire_py.wire.frames import CONTROL, MAX_PAYLOAD, Frames, frame
from codewire_py.wire.messages import Failed, List, Listed
from homes import Home
from house.babble import Babbler, hello
from load import seeded
from seeing import MEBIBYTE, descriptors, rss
from sources import names_used
from viewers import Viewers

SPEECHES = 2800
IDLERS = 1000
PROMPT = 5.0  # seconds that a command may take beside all that, on a busy machine; alone it takes 0.05
LIMITS = sorted(name for name in vars(limits) if name.isupper())
DOCS = Path(__file__).resolve().parents[2] / "docs"
UNSHAKEN = "stty raw -echo; exec cat > /dev/null"  # nothing that is typed can end it
LIMITED = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), int(sys.argv[1])))
os.execv(sys.executable, [sys.executable, "-m", "codewire_py", "daemon", "--background"])
"""
FEW = 256


@pytest.fixture
def home(home: Home) -> Home:
    """Session 1 runs, session 2 has ended."""
    assert home.launch("sh", "-c", UNSHAKEN, options=("--name", "victim")) == 1
    assert home.launch("true") == 2
    home.cw("wait", "2")
    return home


def call(home: Home) -> socket.socket:
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    peer.settimeout(20)
    peer.connect(str(home.path / "server.sock"))
    return peer


def speak(home: Home, said: bytes, *, hangs_up: bool) -> bytes:
    """What the daemon answers until it closes; nothing when the peer hangs up without listening."""
    answer = b""
    with call(home) as peer:
        try:
            peer.sendall(said)
            if hangs_up:
                return answer
            peer.shutdown(socket.SHUT_WR)
            while data := peer.recv(65536):
                answer += data
        except (BrokenPipeError, ConnectionResetError):
            pass  # it had heard enough
    return answer


def check_answer(name: str, said: bytes, answer: bytes) -> None:
    """Well-formed, and if it is a refusal, one that was thought of."""
    frames = Frames()
    for kind, payload in frames.feed(answer):
        message = decode(payload) if kind == CONTROL else None
        if isinstance(message, Failed):
            assert "bug" not in message.message, (name, said[:600], message)
    assert not frames._unread, (name, said[:600], answer[-200:])


def check_unharmed(home: Home, daemon: int) -> None:
    """The same daemon, nothing in its journal that nobody had thought of, and session 1 as it was."""
    assert home.daemon() == daemon
    assert home.status(1)["status"] == "running"
    home.cw("send", "1", "still there?")
    for trouble in ("Traceback", "a conversation failed", "cannot accept"):
        assert trouble not in home.journal()


def babble(home: Home, babbler: Babbler, count: int) -> None:
    for name, said in babbler.speeches(count):
        hangs_up = babbler.random.random() < 0.2
        check_answer(name, said, speak(home, said, hangs_up=hangs_up))


@pytest.mark.slow
@pytest.mark.deadline(150)
def test_nonsense_is_refused_or_overheard(home: Home) -> None:
    """Noise, cut and huge and forged frames, wrong types, odd values: an answer that was thought of, or none."""
    babbler, daemon = Babbler(seeded()), home.daemon()
    for _ in range(
        3
    ):  # what is loaded for the first refusals or kept ready for the largest frames is no leak
        check_answer(
            "largest", b"", speak(home, hello() + frame(CONTROL, bytes(MAX_PAYLOAD)), hangs_up=False)
        )
        babble(home, babbler, SPEECHES // 10)
    home.until(lambda: at_rest(home), "everything to be answered")
    memory, files = rss(daemon), descriptors(daemon)
    babble(home, babbler, SPEECHES)
    home.until(lambda: at_rest(home), "everything to be answered")
    check_unharmed(home, daemon)
    home.until(
        lambda: descriptors(daemon) <= files + 1, "the daemon to close what it opened"
    )  # session 1's terminal
    assert rss(daemon) - memory < 24 * MEBIBYTE


def at_rest(home: Home) -> bool:
    """Nobody is attached, and what the babble launched has ended."""
    listed = home.list()
    return [session["id"] for session in listed if session["status"] == "running"] == [1] and not any(
        session["attached"] for session in listed
    )


def test_a_frame_arrives_byte_by_byte(home: Home) -> None:
    """However it is cut, it is understood."""
    with call(home) as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
        for byte in hello() + encode(List()):
            peer.sendall(bytes((byte,)))
        answer = b"".join(iter(lambda: peer.recv(65536), b""))
    said = [decode(payload) for _, payload in Frames().feed(answer)]
    assert isinstance(said[-1], Listed)
    assert [session["id"] for session in said[-1].sessions] == [1, 2]


@pytest.mark.parametrize("size", [MAX_PAYLOAD + 1, (1 << 32) - 1])
def test_a_frame_that_would_be_too_large_is_not_waited_for(home: Home, size: int) -> None:
    """Its length is enough to refuse it; nothing is kept ready for the rest."""
    memory = rss(home.daemon())
    with call(home) as peer:
        peer.sendall(hello() + bytes((CONTROL,)) + size.to_bytes(4, "big"))
        answer = b"".join(iter(lambda: peer.recv(65536), b""))
    refused = [decode(payload) for _, payload in Frames().feed(answer)][-1]
    assert isinstance(refused, Failed)
    assert (refused.code, str(size) in refused.message) == (ProtocolError.code, True)
    assert rss(home.daemon()) - memory < MEBIBYTE


@pytest.mark.parametrize("version", [0, -1, "1", None])
def test_no_such_version(home: Home, version: object) -> None:
    """A peer that cannot be spoken with is told so, and loses its conversation."""
    answer = speak(home, hello(version), hangs_up=False)
    refused = [decode(payload) for _, payload in Frames().feed(answer)]
    assert isinstance(refused[-1], Failed)
    assert refused[-1].code == ProtocolError.code


@pytest.mark.parametrize("word", ["", "@", "²", "٣", "-1", "0", "01x"])
def test_what_names_no_session_finds_none(home: Home, word: str) -> None:
    """Above all not one that has no name: `cw kill "$UNSET"` kills nobody."""
    home.cw("rename", "victim", "")
    for verb in ("status", "kill", "remove", "logs"):
        assert "session" in home.cw(verb, "--", word, status=1).stderr
    assert home.status(1)["status"] == "running"


# -- many


@contextmanager
def many_descriptors() -> Iterator[None]:
    """For the test itself: as many as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def promptly(home: Home, viewers: Viewers) -> None:
    """Everybody else is served: list, launch, attach, send, kill."""
    began = time.monotonic()
    assert [session["id"] for session in home.list("--status", "running")] == [1]
    session = home.launch("cat")
    viewer = viewers.in_terminal("attach", str(session))
    assert viewer.session() == session
    home.cw("send", str(session), "hello")
    viewer.until_shown(b"hello\r\nhello\r\n")
    home.cw("kill", str(session))
    assert viewer.end() == 128 + 15
    home.cw("remove", str(session))
    assert time.monotonic() - began < PROMPT


@pytest.mark.slow
@pytest.mark.parametrize("word", [b"", hello(), hello() + b"\0\xff"], ids=["silent", "greeted", "in a frame"])
def test_a_thousand_idle_connections_are_in_nobodys_way(home: Home, viewers: Viewers, word: bytes) -> None:
    """Held open while others work; let go, they leave nothing in the daemon."""
    daemon = home.daemon()
    promptly(home, viewers)
    memory, files = rss(daemon), descriptors(daemon)
    with many_descriptors(), ExitStack() as held:
        for _ in range(IDLERS):
            held.enter_context(call(home)).sendall(word)
        home.until(lambda: descriptors(daemon) > IDLERS, "all of them to be let in")
        promptly(home, viewers)
        assert descriptors(daemon) > IDLERS  # they were there all the time
        assert rss(daemon) - memory < 40 * MEBIBYTE
    home.until(lambda: descriptors(daemon) <= files, "the daemon to let go of them")
    assert rss(daemon) - memory < 25 * MEBIBYTE
    check_unharmed(home, daemon)


@pytest.mark.slow
def test_who_says_nothing_is_shown_out(home: Home) -> None:
    """A peer has so many seconds to say hello and ask for something."""
    files = descriptors(home.daemon())
    began = time.monotonic()
    with call(home) as silent, call(home) as greeted:
        greeted.sendall(hello())
        assert silent.recv(1) == b""
        while greeted.recv(65536):
            pass
    assert limits.HELLO_SECONDS - 1 < time.monotonic() - began < limits.HELLO_SECONDS + 5
    home.until(lambda: descriptors(home.daemon()) <= files, "the daemon to let go of them")


@pytest.mark.slow
def test_more_connections_than_descriptors(home: Home, viewers: Viewers) -> None:
    """With few descriptors allowed, who has not said hello makes room for others."""
    home.cw("stop")
    daemon = subprocess.Popen(
        [sys.executable, "-c", LIMITED, str(FEW)], env=home.env, stderr=subprocess.DEVNULL
    )
    home.started.append(daemon)
    home.until((home.path / "server.sock").exists, "the daemon to listen")
    promptly(home, viewers)
    with many_descriptors(), ExitStack() as held:
        for _ in range(2 * FEW):
            held.enter_context(call(home))
        promptly(home, viewers)
        promptly(home, viewers)
    check_unharmed(home, daemon.pid)


# -- the one place of limits


@pytest.mark.parametrize("name", LIMITS)
def test_every_limit_is_documented_and_asked_for(name: str) -> None:
    """docs/protocol.md has a row for each, and the daemon's code uses each, beyond importing it."""
    rows = (DOCS / "protocol.md").read_text().partition("\n## Limits\n")[2].partition("\n## ")[0].splitlines()
    assert [row for row in rows if row.startswith(f"| `{name}` |")], f"docs/protocol.md has no row for {name}"
    assert name in used_by_the_daemon(), f"nothing keeps to {name}"


@cache
def used_by_the_daemon() -> set[str]:
    source = DOCS.parent / "codewire_py" / "daemon"
    texts = [path.read_text() for path in source.rglob("*.py") if path.name != "limits.py"]
    return set().union(*map(names_used, texts))
