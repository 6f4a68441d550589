"""cw start, and every other first command: one daemon, in a session of its own, that inherits nothing"""

from __future__ import annotations

import os
import re
import select
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from homes import CW, Home, new_home, until


@pytest.fixture
def home() -> Iterator[Home]:
    """Without a daemon."""
    with new_home() as fresh:
        yield fresh


def test_it_starts_one(home: Home) -> None:
    """And says so once; a second time it says that it runs."""
    assert re.fullmatch(r"\[cw\] daemon started \(pid \d+\)\n", home.cw("start").stderr)
    daemon = home.daemon()
    assert home.cw("start").stderr == "[cw] daemon is running\n"
    assert home.daemon() == daemon


def test_two_first_commands_at_once_start_one(home: Home) -> None:
    """Eight, even; every one does its work."""
    clients = [
        home.begin("launch", "sleep", "60", stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(8)
    ]
    texts = [client.communicate(timeout=30) for client in clients]
    assert [client.returncode for client in clients] == [0] * 8, texts
    assert sum(b"daemon started" in errors for _, errors in texts) == 1
    assert sorted(session["id"] for session in home.list()) == list(range(1, 9))
    assert home.journal().count("serves") == 1


def test_it_belongs_to_no_terminal_and_no_session(home: Home) -> None:
    """A session of its own, so that no hang-up reaches it; nothing of its starter's is held open."""
    outlet, inlet = os.pipe()
    home.cw(
        "start", env={**home.env, "CODEWIRE_SESSION": "7", "CODEWIRE_SESSION_NAME": "x"}, pass_fds=(inlet,)
    )
    os.close(inlet)
    daemon = home.daemon()
    assert os.getsid(daemon) == daemon
    assert os.readlink(f"/proc/{daemon}/cwd") == str(home.path)
    assert select.select([outlet], [], [], 5)[0], "the daemon holds what its starter had open"
    os.close(outlet)
    environ = Path(f"/proc/{daemon}/environ").read_bytes()
    assert b"CODEWIRE_SESSION" not in environ
    assert os.readlink(f"/proc/{daemon}/fd/0") == "/dev/null"


def test_its_files(home: Home) -> None:
    """Ours alone: the home 0700, everything in it without a bit for others; the pid without a line end."""
    home.cw("launch", "sleep", "60")
    home.until((home.path / "sessions.json").exists, "the index")
    assert stat.S_IMODE(home.path.stat().st_mode) == 0o700
    for path in home.path.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert stat.S_IMODE((home.path / "server.sock").stat().st_mode) == 0o600
    assert (home.path / "daemon.pid").read_text() == str(home.daemon())
    assert re.fullmatch(r"\w{32}", (home.path / "token").read_text())
    assert (home.path / "sessions/1/output.log").exists()


def test_what_a_crash_left_is_no_obstacle(home: Home) -> None:
    """A socket nobody listens at, a pid file of a daemon that is gone, or of somebody else."""
    home.cw("start")
    daemon = home.daemon()
    os.kill(daemon, signal.SIGKILL)
    assert (home.path / "server.sock").exists()
    (home.path / "daemon.pid").write_text("1")
    assert "daemon started" in home.cw("list").stderr
    assert home.daemon() not in (1, daemon)


def test_one_that_cannot_start_says_why(home: Home) -> None:
    """Its last words, not only that it failed."""
    home.path.mkdir(mode=0o700)
    (home.path / "daemon.lock").mkdir()
    done = home.cw("list", status=1)
    assert done.stderr.startswith("Error: daemon failed to start: ")
    assert "daemon.lock" in done.stderr


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_a_home_that_others_may_write_in(home: Home, mode: int) -> None:
    """Is refused by every command, with what to do about it."""
    home.path.mkdir()
    home.path.chmod(mode)
    for words in (("list",), ("start",), ("launch", "true"), ("daemon",)):
        done = home.cw(*words, status=1)
        assert f"Error: others may write in the home directory {home.path}" in done.stderr
        assert "chmod 700" in done.stderr
    assert list(home.path.iterdir()) == []


def test_a_home_that_cannot_be(home: Home) -> None:
    """A file, or below one: a sentence that names it."""
    home.path.write_text("")
    assert f"the home {home.path} is not a directory" in home.cw("list", status=1).stderr
    env = {**home.env, "CODEWIRE_HOME": f"{home.path}/below"}
    assert f"{home.path}/below" in home.cw("list", status=1, env=env).stderr
    neither = {name: value for name, value in home.env.items() if name not in ("CODEWIRE_HOME", "HOME")}
    assert "neither CODEWIRE_HOME nor HOME is set" in home.cw("list", status=1, env=neither).stderr


def test_without_codewire_home_it_is_in_home(home: Home, tmp_path: Path) -> None:
    """~/.codewire."""
    env = {name: value for name, value in home.env.items() if name != "CODEWIRE_HOME"} | {
        "HOME": str(tmp_path)
    }
    assert home.cw("config", env=env).stdout.startswith(f'home = "{tmp_path}/.codewire"\n')


def test_a_long_home(tmp_path: Path) -> None:
    """Longer than a socket's address can be: everything works all the same."""
    home = Home(tmp_path / ("x" * 100) / ("y" * 100) / "home")
    try:
        id = home.launch("cat")
        home.cw("send", str(id), "far away")
        home.until_printed(id, b"far away\r\nfar away\r\n")
        assert home.cw("watch", str(id), "--timeout", "0").stdout == "far away\nfar away\n"
        home.cw("restart")
        home.cw("kill", str(id))
        assert home.status(id)["status"] == "killed"
    finally:
        home.close()


# -- in the foreground


def test_daemon_is_the_daemon(home: Home) -> None:
    """In the foreground, its journal on standard error; Ctrl+C is a clean stop. `start --foreground` is the same."""
    for words in (("daemon",), ("start", "--foreground"), ("start", "-f")):
        daemon = home.begin(*words, stderr=subprocess.PIPE)
        home.until((home.path / "server.sock").exists, "it to listen")
        home.cw("list")
        assert home.daemon() == daemon.pid
        daemon.send_signal(signal.SIGINT)
        assert daemon.wait(20) == 0
        assert daemon.stderr
        text = daemon.stderr.read().decode()
        assert f"serves {home.path} as pid {daemon.pid}" in text
        assert "leaving: stop" in text


def test_there_is_only_one(home: Home) -> None:
    """A second one says that one is running, and the first serves on."""
    home.cw("start")
    first = home.daemon()
    done = home.cw("daemon", status=1)
    assert "a daemon is running already" in done.stderr
    assert home.daemon() == first
    home.cw("list")


@pytest.mark.parametrize("words", [("daemon", "--help"), ("start", "--help"), ("daemon", "-h")])
def test_help_starts_nothing(home: Home, words: tuple[str, ...]) -> None:
    """It only explains."""
    assert "Usage: cw " in home.cw(*words).stdout
    assert not home.path.exists()


@pytest.mark.parametrize("words", [("daemon", "--bogus"), ("daemon", "extra"), ("start", "extra")])
def test_words_that_make_no_sense(home: Home, words: tuple[str, ...]) -> None:
    """Exit status 2, and nothing is started."""
    assert "Usage" in home.cw(*words, status=2).stderr
    assert not (home.path / "daemon.pid").exists()


def test_a_client_that_is_killed_while_it_starts_one(home: Home) -> None:
    """The next command works; there is one daemon in the end."""
    for _ in range(3):
        client = subprocess.Popen([*CW, "start"], env=home.env, stderr=subprocess.DEVNULL)
        until(
            lambda client=client: client.poll() is not None or (home.path / "starting.lock").exists(),
            "it to begin",
        )
        client.kill()
        client.wait()
    home.cw("list")
    home.until(lambda: daemons(home) == [home.daemon()], "one daemon")


def daemons(home: Home) -> list[int]:
    """Also one that only begins."""
    return [pid for pid in home.ours() if b"\0daemon\0" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_restarting_leaves_nothing_open(home: Home) -> None:
    """Ten times in a row, and the daemon has no more descriptors than after the first."""
    home.cw("launch", "sleep", "60")
    home.cw("restart")
    before = len(os.listdir(f"/proc/{home.daemon()}/fd"))
    for _ in range(10):
        home.cw("restart")
    home.until(lambda: len(os.listdir(f"/proc/{home.daemon()}/fd")) <= before, "descriptors to be as before")


@pytest.mark.parametrize(("words", "is_taken"), [(("list",), False), (("start",), True)])
def test_a_token_for_elsewhere_lets_nobody_in_here(
    home: Home, words: tuple[str, ...], is_taken: bool
) -> None:
    """CODEWIRE_TOKEN is the first token of a daemon that is started on purpose, not of one that is merely missing."""
    home.env["CODEWIRE_TOKEN"] = "what-gpu-box-knows"
    home.cw(*words)
    assert ((home.path / "token").read_text() == "what-gpu-box-knows") is is_taken
