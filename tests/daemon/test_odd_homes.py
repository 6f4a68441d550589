"""whatever a crash, an editor or a person made of the files in a home: it costs what was in them, and no more"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from codewire_py.home import records
from homes import Home
from load import daemons

DEEP = b"[" * 100_000
ASK_AS = """
import os, socket, sys
from codewire_py.wire.codec import encode
from codewire_py.wire.messages import FEATURES, PROTOCOL, Hello, List
os.setuid(int(sys.argv[2]))
peer = socket.socket(socket.AF_UNIX)
peer.connect(sys.argv[1])
peer.settimeout(20)
try:
    peer.sendall(encode(Hello(version=PROTOCOL, software="", features=FEATURES)) + encode(List()))
    print(peer.recv(100))
except (BrokenPipeError, ConnectionResetError):
    print(b"")
"""


def set_aside(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.name}.corrupt.*"))


@pytest.mark.parametrize("name", ["sessions.json", "last_id"])
@pytest.mark.parametrize("kind", ["nested", "directory", "unreadable"])
def test_what_cannot_be_read_is_set_aside(home: Home, name: str, kind: str) -> None:
    """However it cannot: the daemon starts, its journal names the file and where it is now; it writes a good one."""
    id = home.launch("true")
    home.end(id)
    home.cw("stop")
    path = home.path / name
    path.unlink()
    if kind == "directory":
        path.mkdir()
    elif kind == "nested":
        path.write_bytes(DEEP)
    else:
        path.symlink_to(name)  # to itself
    assert home.launch("true") == id + 1
    [aside] = set_aside(path)
    assert f"{name} is corrupt, set aside as {aside.name}" in home.journal()
    home.cw("stop")
    assert path.is_file()
    assert not path.is_symlink()


def test_two_corrupt_files_in_one_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second is set aside beside the first, not over it."""
    monkeypatch.setattr("codewire_py.home.records.time.strftime", lambda _: "now")
    path = tmp_path / "exit.json"
    for raw in (b"first", b"second", b"third"):
        path.write_bytes(raw)
        records.set_aside(str(path))
    assert not path.exists()
    assert sorted(aside.read_bytes() for aside in set_aside(path)) == [b"first", b"second", b"third"]


def test_a_mistake_in_the_configuration(home: Home) -> None:
    """The daemon starts with the defaults, and its journal names the file and the line; a command that needs the
    configuration says the same; the file is a person's, and stays where it is.
    """
    home.path.mkdir(mode=0o700)
    file = home.path / "config.toml"
    file.write_text("[send]\ntimeout = 3\n\n[kill]\ngrace = 'soon'\n")
    id = home.launch("cat")
    home.cw("send", str(id), "hello")
    assert f"kill.grace in {file}, line 5: not a time" in home.journal()
    assert "the defaults are in force" in home.journal()
    assert f"kill.grace in {file}, line 5: not a time" in home.cw("config", status=1).stderr
    assert file.read_text().startswith("[send]")
    file.unlink()
    home.cw("restart")
    assert home.journal().count("the defaults are in force") == 1


def test_lines_of_marks_that_are_none_are_named(home: Home) -> None:
    """The journal says in which file, once per daemon."""
    id, other = home.launch("sleep", "60"), home.launch("sleep", "60")
    home.cw("stop")
    with (home.directory(id) / "marks.jsonl").open("ab") as file:
        file.write(b"\xff\xfe rubbish\n" + b'{"kind": "name", "na')
    home.cw("rename", str(id), "whole")
    assert home.status("whole")["id"] == id
    [line] = [line for line in home.journal().splitlines() if "marks.jsonl" in line]
    assert f"sessions/{id}/marks.jsonl" in line
    assert f"sessions/{other}/" not in home.journal()


def test_a_session_whose_folder_is_gone(home: Home) -> None:
    """Somebody removed it by hand: it is listed as what it was, and can be forgotten; the others are unharmed."""
    ended, other = home.launch("true"), home.launch("sleep", "60")
    home.cw("wait", str(ended))
    shutil.rmtree(home.directory(ended))
    assert [session["id"] for session in home.list()] == [ended, other]
    assert home.status(ended)["status"] == "completed (0)"
    assert home.cw("logs", str(ended), status=None).returncode in (0, 1)
    assert home.cw("remove", str(ended)).stdout == f"Session {ended} removed: true\n1 session(s), 0 bytes.\n"
    assert [session["id"] for session in home.list()] == [other]


def test_a_lost_session_can_be_forgotten(home: Home) -> None:
    """Keeper and hatchery are gone, nobody knows how it ended: `prune` removes it all the same."""
    id = home.launch("sleep", "60")
    program, keeper, hatchery = home.status(id)["pid"], home.keeper(id), home.hatchery()
    for pid in (hatchery, keeper, program):
        with suppress(ProcessLookupError):  # the program is hung up once nobody keeps its terminal
            os.kill(pid, signal.SIGKILL)
    home.until(lambda: home.status(id)["status"] == "lost", "it to be known as lost")
    assert home.cw("prune").stdout.startswith(f"Session {id} removed: sleep 60\n")
    assert not home.directory(id).exists()
    assert home.list() == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_nobody_else_is_heard(home: Home) -> None:
    """Every accept checks whose process it is, also when the files' modes would let anybody in."""
    home.cw("start")
    socket = home.path / "server.sock"
    home.path.parent.chmod(0o711)
    home.path.chmod(0o711)
    socket.chmod(0o666)
    command = [sys.executable, "-c", ASK_AS, str(socket)]
    try:
        theirs = subprocess.run([*command, "65534"], capture_output=True, text=True, check=False, timeout=30)
        ours = subprocess.run([*command, "0"], capture_output=True, text=True, check=False, timeout=30)
    finally:
        home.path.chmod(0o700)
    assert theirs.stdout == "b''\n", theirs.stderr
    assert "refused a peer of user 65534" in home.journal()
    assert "hello" in ours.stdout


# -- leaving


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_a_clean_stop(home: Home, number: signal.Signals) -> None:
    """The same as `cw stop`: what is running goes on, nothing is left that says a daemon runs, sessions.json is
    current; also with somebody who looks on and a request under way.
    """
    id = home.launch(
        "sh", "-c", "trap '' TERM; echo here; while :; do sleep 1; done", options=("--name", "on")
    )
    home.until_printed(id, b"here")
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    watcher = home.begin("watch", "on", **pipes)
    assert watcher.stdout
    assert watcher.stdout.readline() == b"here\n"
    killing = home.begin("kill", "on", "--grace", "0.3", **pipes)
    home.until(lambda: any(mark["kind"] == "killed" for mark in home.marks(id)), "the kill to begin")
    other = home.launch("sleep", "60")
    daemon = home.daemon()
    os.kill(daemon, number)
    assert killing.communicate(timeout=30)[0] == b"Session %d killed.\n" % id
    home.until(lambda: daemons(home) == [], "the daemon to be gone")
    assert (
        sorted(path.name for path in home.path.iterdir() if path.name in ("server.sock", "daemon.pid")) == []
    )
    assert home.journal().rstrip().endswith("leaving: stop")
    text = (home.path / "sessions.json").read_text()
    assert '"status": "killed"' in text
    assert '"status": "running"' in text
    assert home.status(other)["status"] == "running"
    assert watcher.communicate(timeout=30)[1].endswith(b"[cw] session killed\n")
