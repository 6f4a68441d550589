"""commands whose standard input, output or error is closed"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from homes import CW, SECONDS, Home, new_home


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    """With a daemon: what it is told comes from the commands of a test alone."""
    with new_home() as fresh:
        fresh.cw("start")
        yield fresh


def closed(home: Home, which: str, *words: str) -> tuple[int, str, str]:
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {which}', "sh", *CW, *words], stdin=subprocess.DEVNULL, capture_output=True,
        check=False, env=home.env, timeout=SECONDS, text=True,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("words", ["list", "list --json", "config", "--help", "list --help", "--version"])
def test_what_cannot_be_told_is_an_error(home: Home, words: str) -> None:
    """As with a full disk: a sentence and a status, no traceback."""
    assert closed(home, ">&-", *words.split()) == (1, "", "Error: Bad file descriptor\n")
    assert closed(home, ">&- 2>&-", *words.split())[0] == 1
    assert closed(home, "<&- >&- 2>&-", *words.split())[0] == 1


@pytest.mark.parametrize("which", ["<&-", "2>&-", "<&- 2>&-"])
def test_what_is_not_needed_is_not_missed(home: Home, which: str) -> None:
    """Remarks go nowhere; the daemon's socket, which is opened meanwhile, gets none of them."""
    assert closed(home, which, "list", "--status", "lost") == (0, "No sessions.\n", "")
    assert closed(home, which, "prune")[0] == 0
    assert closed(home, which, "status", "99")[0] == 1
    assert closed(home, which, "list", "--no-such-option")[0] == 2


def test_no_input_is_not_empty_input(home: Home) -> None:
    """Whoever asks for what is typed is told that nothing can be read."""
    id = home.launch("cat")
    status, _, stderr = closed(home, "<&-", "send", str(id), "--stdin")
    assert (status, stderr) == (1, "Error: cannot read the input: Bad file descriptor\n")


@pytest.mark.parametrize("which", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_the_daemon_does_not_mind(which: str) -> None:
    """In the foreground it serves, is replaced and leaves as ever."""
    with new_home() as home:
        command = ["sh", "-c", f'exec "$@" {which}', "sh", *CW, "daemon"]
        daemon = subprocess.Popen(command, env=home.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        home.started.append(daemon)
        home.until(lambda: " serves " in home.journal(), "it to serve")
        home.cw("restart")
        assert home.daemon() == daemon.pid
        home.cw("stop")
        assert daemon.wait(SECONDS) == 0
