"""cw restart: the installed version takes the place of the running daemon"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import codewire_py.version
from codewire_py.version import VERSION
from homes import Home
from load import daemons

# As if `cw` were installed with another Python.
WITH_PYTHON = "import sys; sys.executable = sys.argv.pop(1); from codewire_py.__main__ import main; main()"


@pytest.fixture(autouse=True)
def running(home: Home) -> None:
    """Each test begins with a daemon and without sessions that run."""
    home.cw("start")
    home.cw("kill", "--all")


def installed_elsewhere(folder: Path, version: str) -> Path:
    """A Python whose `codewire_py` is a copy that says it is of that version."""
    package = Path(codewire_py.version.__file__).parent
    shutil.copytree(package, folder / "codewire_py", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "codewire_py/version.py").write_text(f'"""the version"""\n\nVERSION = "{version}"\n')
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={folder} exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    return python


def test_it_says_what_runs_now(home: Home) -> None:
    """Pid, version, and how many sessions kept running; on standard error."""
    home.launch("sleep", "60")
    home.launch("sleep", "60")
    home.end(home.launch("true"))
    done = home.cw("restart")
    assert done.stdout == ""
    assert done.stderr == (
        f"[cw] daemon restarted (PID {home.daemon()}, version {VERSION}); 2 session(s) kept running\n"
    )
    assert daemons(home) == [home.daemon()]


def test_json(home: Home) -> None:
    """The same for scripts."""
    home.launch("sleep", "60")
    told = json.loads(home.cw("restart", "--json").stdout)
    assert told == {"pid": home.daemon(), "version": VERSION, "running": 1}


def test_the_installed_version_takes_over(home: Home, tmp_path: Path) -> None:
    """What serves afterwards is the version that was installed meanwhile; names, tags and programs are as before."""
    id = home.launch("sh", "-c", "read x; exit 7", options=("--name", "kept", "--tag", "one"))
    before = home.status("kept")
    python = installed_elsewhere(tmp_path, "99.1")
    command = [sys.executable, "-c", WITH_PYTHON, str(python), "restart"]
    done = subprocess.run(command, env=home.env, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr
    served = re.findall(r"daemon (\S+) serves .* as pid (\d+)", home.journal())
    assert served[-1] == ("99.1", str(home.daemon()))
    words = Path(f"/proc/{home.daemon()}/environ").read_bytes().split(b"\0")
    assert f"PYTHONPATH={tmp_path}".encode() in words
    after = home.status("kept")
    assert {key: after[key] for key in ("id", "pid", "tags", "status", "created_at")} == {
        key: before[key] for key in ("id", "pid", "tags", "status", "created_at")
    }
    home.cw("send", "kept", "now")
    assert home.cw("wait", str(id), status=7).stdout == "Session kept completed (7)\n"
    home.cw("stop")


def test_there_is_none(home: Home) -> None:
    """Then one is started, and finds the sessions there are."""
    home.launch("sleep", "60")
    home.cw("stop")
    told = json.loads(home.cw("restart", "--json").stdout)
    assert told == {"pid": home.daemon(), "version": VERSION, "running": 1}


def test_after_a_crash(home: Home) -> None:
    """Its socket and pid file still lie there; they are in nobody's way."""
    os.kill(home.daemon(), signal.SIGKILL)
    home.until(lambda: daemons(home) == [], "the daemon to be gone")
    assert json.loads(home.cw("restart", "--json").stdout)["pid"] == home.daemon()
    assert daemons(home) == [home.daemon()]


def test_the_configuration_is_read_again(home: Home) -> None:
    """What was changed in config.toml is in force."""
    id = home.launch("sh", "-c", "stty raw -echo; echo deaf; sleep 60")
    home.until_printed(id, b"deaf")
    (home.path / "config.toml").write_text("[send]\ntimeout = 0.2\n")
    try:
        home.cw("restart")
        done = home.cw("send", str(id), "--stdin", input="x" * 100_000, status=1, seconds=9)
        assert "Error: " in done.stderr
    finally:
        (home.path / "config.toml").unlink()


def test_twice_at_once(home: Home) -> None:
    """Both come true: there is one daemon, and the sessions are its."""
    id = home.launch("sleep", "60")
    both = [home.begin("restart", stderr=subprocess.PIPE) for _ in range(2)]
    said = [one.communicate(timeout=30)[1] for one in both]
    assert [one.returncode for one in both] == [0, 0], said
    assert daemons(home) == [home.daemon()]
    assert home.status(id)["status"] == "running"
