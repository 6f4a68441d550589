"""what a command loads: the interpreter's own start is most of its time, and is to stay so"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from homes import Home
from own_terminals import Desk

# `cw` as it is run, except that it tells what it has loaded in the moment it leaves.
TELLING = """
import os, sys
def leave(status, really=os._exit):
    told = '\\n'.join(sys.modules).encode()
    file = os.open(os.environ['LOADED'], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.write(file, told)
    really(status)
os._exit = leave
"""
RUN = f"{TELLING}\nfrom codewire_py.__main__ import main\nmain()"
NOTHING = f"{TELLING}\nleave(0)"

NEVER = {"trio", "asyncio", "websockets", "click", "rich", "ssl", "importlib.metadata", "concurrent.futures"}
SLOW = {
    "re",
    "socket",
    "typing",
    "dataclasses",
    "logging",
    "enum",
    "pathlib",
    "json",
    "subprocess",
    "inspect",
}


def read(path: Path) -> set[str]:
    found = set(path.read_text().split("\n"))
    assert "sys" in found
    return found


def loaded(home: Home, place: Path, *words: str, **variables: str) -> set[str]:
    """The modules a command has loaded when it is done, those aside that every interpreter has here."""
    env = {**home.env, **variables}
    sets = []
    for code in (RUN, NOTHING):
        done = subprocess.run(
            [sys.executable, "-c", code, *words], env={**env, "LOADED": str(place / "loaded")}, check=False,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        sets.append(read(place / "loaded"))
    found = sets[0] - sets[1]
    assert "codewire_py.cli.fast" in found
    return found


@pytest.fixture
def session(home: Home) -> str:
    """One that reads, and has printed something."""
    id = home.launch("sh", "-c", "echo ready; exec cat")
    home.until_printed(id, b"ready")
    return str(id)


@pytest.mark.parametrize("words", ["list", "status SESSION", "send SESSION text"])
def test_hot_commands_load_next_to_nothing(home: Home, session: str, tmp_path: Path, words: str) -> None:
    """Asking and typing: none of the modules that cost milliseconds, neither ours nor the standard library's."""
    found = loaded(home, tmp_path, *words.replace("SESSION", session).split())
    assert sorted(found & (NEVER | SLOW)) == []


@pytest.mark.parametrize(
    "words",
    [
        "launch -- true", "launch --name fast --tag a -- true", "logs SESSION", "logs SESSION --tail 3", "wait DONE",
        "watch DONE", "kill SESSION", "list --json", "status SESSION --json", "rename SESSION quick", "resize SESSION 40x120", "remove DONE",
        "prune --dry-run", "config", "start", "restart", "stop --json",
    ],
)  # fmt: skip
def test_no_command_loads_what_only_the_daemon_needs(
    home: Home, session: str, tmp_path: Path, words: str
) -> None:
    """No trio, asyncio, websockets; and no click while the words are plain."""
    done = home.launch("true")
    home.cw("wait", str(done))
    plain = words.replace("SESSION", session).replace("DONE", str(done)).split()
    try:
        assert sorted(loaded(home, tmp_path, *plain) & NEVER) == []
    finally:
        home.cw("start")


def test_attach_loads_none_of_it(home: Home, desk: Desk, session: str, tmp_path: Path) -> None:
    """From its start to the detach chord."""
    home.env["LOADED"] = str(tmp_path / "loaded")
    try:
        terminal = desk.run([sys.executable, "-c", RUN, "attach", session])
    finally:
        del home.env["LOADED"]
    terminal.attached()
    terminal.until_shown(b"ready")
    terminal.type(b"\x02d")
    assert terminal.end() == 0
    found = read(tmp_path / "loaded")
    assert "codewire_py.client.attach" in found
    assert sorted(found & (NEVER | {"logging", "dataclasses"})) == []


def test_a_config_file_costs_only_those_that_need_it(home: Home, session: str, tmp_path: Path) -> None:
    """TOML brings `re`: `list`, `status` and `send` never open config.toml."""
    file = home.path / "config.toml"
    file.write_text("[kill]\ngrace = 1\n")
    try:
        for words in ("list", f"status {session}", f"send {session} text"):
            assert sorted(loaded(home, tmp_path, *words.split()) & {"tomllib", "re"}) == []
        assert "tomllib" in loaded(home, tmp_path, "kill", session)
    finally:
        file.unlink()


def test_the_measure_sees_what_is_loaded(home: Home, tmp_path: Path) -> None:
    """Help pages are click's, and JSON is json's: both are seen."""
    assert "json.encoder" in loaded(home, tmp_path, "list", "--json")
    assert {"click", "re"} <= loaded(home, tmp_path, "list", "--help")


def test_saved_servers_cost_only_those_that_go_there(home: Home, session: str, tmp_path: Path) -> None:
    """A command for this machine looks whether there may be a default, and parses nothing."""
    file = home.path / "servers.toml"
    file.write_text('[servers.gpu]\nurl = "ws://gpu:9100"\ntoken = "t"\n')
    try:
        for words in ("list", f"status {session}", f"send {session} text"):
            assert sorted(loaded(home, tmp_path, *words.split()) & (NEVER | SLOW | {"tomllib"})) == []
        assert "tomllib" in loaded(home, tmp_path, "server", "default")
    finally:
        file.unlink()
