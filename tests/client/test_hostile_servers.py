"""servers that mean harm: nothing that they say is obeyed by the terminal, the shell or the exit status of who asks"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from codewire_py.cli import show
from codewire_py.client.servers import Server
from codewire_py.client.transports import ssh
from codewire_py.wire import messages
from codewire_py.wire.codec import encode
from codewire_py.wire.declare import Message
from homes import Done, Home, new_home
from listeners import Listener, listening
from webs import frame

ACCEPTS = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
ODD = "\x1b]0;title\x07\x9b31m\x1b[2J\r\x08\u202e"
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")
SESSION = {
    "id": 1, "name": ODD, "status": "running", "prompt": ODD, "tags": [ODD], "created_at": ODD, "attached": False,
    "activity": ODD, "session": 1, "pid": 1, "command": ODD,
}  # fmt: skip
TOKEN = {
    "name": ODD, "scope": ODD, "sessions": [ODD], "created_at": ODD, "expires_at": ODD, "last_used_at": None,
    "last_from": ODD, "status": ODD,
}  # fmt: skip


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    with new_home() as home:
        home.path.mkdir(mode=0o700)
        yield home


def head_of(peer: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        head += peer.recv(1 << 16)
    return head


def saying(*replies: Message) -> Callable[[socket.socket], bytes]:
    """A WebSocket that begins with these, whatever it is asked."""

    def serve(peer: socket.socket) -> bytes:
        head = head_of(peer)
        [key] = re.findall(rb"(?i)sec-websocket-key: *(\S+)", head)
        accept = base64.b64encode(hashlib.sha1(key + ACCEPTS).digest())
        peer.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        for message in (messages.Hello(version=1, software=ODD), *replies):
            peer.sendall(frame(encode(message), mask=False))
        while peer.recv(1 << 16):
            pass
        return head

    return serve


def refusing(status: str, body: bytes) -> Callable[[socket.socket], bytes]:
    def serve(peer: socket.socket) -> bytes:
        head = head_of(peer)
        peer.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode("latin-1") + body)
        return head

    return serve


def ask(home: Home, listener: Listener, *words: str, status: int | None = 0) -> Done:
    env = {**home.env, "CODEWIRE_SERVER": f"ws://127.0.0.1:{listener.port}", "CODEWIRE_TOKEN": "cw_of-mine-1"}
    return home.cw(*words, status=status, env=env)


LINES: list[messages.Info] = [{"offset": 1, "time": 1.0, "line": ODD}]
SAID = {
    "list": [messages.Listed(sessions=[SESSION])],
    "wait 1": [messages.Waited(sessions=[{**SESSION, "exit_code": 0}])],
    "remove 1": [messages.Removed(sessions=[SESSION])],
    "rename 1 x": [messages.Renamed(id=1, name=ODD)],
    "resize 1 5x5": [messages.Resized(id=1, name=ODD, sizing=ODD, rows=1, cols=1)],
    "screen 1": [messages.Shown(screen={"lines": [ODD], "size": [1, 1]})],
    "search t": [messages.Found(id=1, name=ODD, lines=LINES), messages.Searched(sessions=1)],
    "token create x": [messages.Tokens(tokens=[TOKEN], secret=ODD, url=ODD, fingerprint=ODD)],
    "launch true": [messages.Launched(id=1, name=ODD, pid=1, command=ODD)],
    "status 1": [messages.Failed(code="no-such-session", message=ODD, hint=ODD)],
}


@pytest.mark.parametrize("words", SAID)
def test_a_terminal_obeys_nothing_that_a_server_calls_things(home: Home, words: str) -> None:
    """Names, sentences, secrets, lines: shown, and no more than that."""
    with listening(saying(*SAID[words])) as listener:
        done = ask(home, listener, *words.split(), status=None)
    assert done.returncode in (0, 1), done
    assert "31m" in done.stdout + done.stderr
    assert not OBEYED.findall(done.stdout + done.stderr)


@pytest.mark.parametrize("code", [-1, 256, 1 << 40])
def test_an_exit_status_that_cannot_be_is_none(home: Home, code: int) -> None:
    """Least of all a success."""
    ended = {**SESSION, "status": f"completed ({code})", "exit_code": code}
    with listening(saying(messages.Waited(sessions=[ended]))) as listener:
        assert ask(home, listener, "wait", "1", status=None).returncode == 70


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("status 1", messages.Described(session={})),
        ("kill 1", messages.Killed(sessions=[{}])),
        ("list", messages.Listed(sessions=[{"id": []}])),
        ("token list", messages.Tokens(tokens=[{"name": 7}])),
    ],
)
def test_an_answer_that_makes_no_sense_is_told_as_what_it_is(home: Home, words: str, said: Message) -> None:
    """It may come from another version of cw, too: whoever looks for the bug looks there as well."""
    with listening(saying(said)) as listener:
        assert (
            "an answer of the server that makes no sense: "
            in ask(home, listener, *words.split(), status=70).stderr
        )


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        ("403 No", b"[" * 200_000, "403"),
        ("403 \x9b31m", json.dumps({"error": "x", "message": 7}).encode(), "31m"),
        ("301 Moved\r\nLocation: http://127.0.0.1:1/ws", b"", "301"),
    ],
    ids=["deep", "odd", "redirect"],
)
def test_an_odd_refusal_is_told_as_what_it_is(home: Home, status: str, body: bytes, told: str) -> None:
    """It is no bug of ours, and nobody is sent elsewhere with a token."""
    with listening(refusing(status, body)) as listener:
        done = ask(home, listener, "list", status=1)
    assert told in done.stderr
    assert "bug" not in done.stderr
    assert not OBEYED.findall(done.stderr)
    assert len(listener.heard) == 1


def test_a_shell_is_offered_only_what_can_be_a_name(home: Home) -> None:
    """What is completed is part of a command line, and the shell would run some of it."""
    names = ["good-1", "$(touch x)", "`id`", "a;b", "a\nplain\nb", "*", "é", "--help"]
    there = [{**SESSION, "id": 7 + at, "name": name} for at, name in enumerate(names)]
    there.append({**SESSION, "id": "$(id)", "name": ""})
    with listening(saying(messages.Listed(sessions=there))) as listener:
        home.env |= {"_CW_COMPLETE": "bash_complete", "COMP_WORDS": "cw status ", "COMP_CWORD": "2"}
        try:
            done = ask(home, listener)
        finally:
            for name in ("_CW_COMPLETE", "COMP_WORDS", "COMP_CWORD"):
                del home.env[name]
    words = {line.partition(",")[2] for line in done.stdout.splitlines()}
    assert words == {*map(str, range(7, 7 + len(names))), "good-1"}


def test_what_is_said_beside_ssh_fills_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For as long as one is attached, the other side may say as much there as it likes; its end is enough."""
    program = tmp_path / "ssh"
    program.write_text(
        f"#!{sys.executable}\nimport os\nfor _ in range(200): os.write(2, b'x' * 65536)\n"
        "os.write(1, b'cw stdio 1\\n%d' % os.fstat(2).st_size)\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("CODEWIRE_SSH", str(program))
    with ssh.dial(Server("box", "ssh://box"), 20, may_ask=False) as peer:
        assert int(peer.recv(100)) < 1 << 20


def test_who_trusts_a_certificate_says_nothing_without_one(home: Home) -> None:
    """servers.toml may have been mended by hand: a pinned server is never spoken to in the clear."""
    with listening(saying(messages.Listed(sessions=[]))) as listener:
        home.server("pinned", f"ws://127.0.0.1:{listener.port}/ws", "cw_of-mine-1", "sha256:" + "ab" * 32)
        done = home.cw("--server", "pinned", "list", status=1)
    assert "wss://" in done.stderr
    assert listener.heard == []


def test_what_we_say_ourselves_comes_through() -> None:
    """Colours, tabs, line ends of either kind; a return alone would write over what was said."""
    ours = "\x1b[1;31mred\x1b[0m\ta\r\nb\n"
    assert show.harmless(ours) == ours
    assert show.harmless("good\rbad\r\n") == "good\\x0dbad\r\n"
