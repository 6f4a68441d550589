"""cw kill: the whole terminal session ends, nothing else is touched, and the reply comes when the end is recorded"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from homes import Home, until
from programs import heed

STUBBORN = heed(TERM="", HUP="")
DETACHED = f"""
import os, subprocess, sys, time
child = subprocess.Popen([{sys.executable!r}, '-c', 'import time; time.sleep(77)'], start_new_session=True)
print('child', child.pid, flush=True)
time.sleep(60)
"""


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] != b"Z"
    except OSError:
        return False


def number_after(home: Home, id: int, word: str) -> int:
    home.until(
        lambda: any(line.startswith(word.encode()) for line in home.log(id).split(b"\n")[:-1]),
        f"it to print {word}",
    )
    return int(next(line for line in home.log(id).split(b"\n") if line.startswith(word.encode())).split()[1])


def test_it_is_over_when_it_says_so(home: Home) -> None:
    """The process is gone, its end recorded, the status killed; and killed it stays."""
    id = home.launch("sleep", "60")
    pid = home.status(id)["pid"]
    assert home.cw("kill", str(id)).stdout == f"Session {id} killed.\n"
    assert not is_alive(pid)
    assert (home.directory(id) / "exit.json").exists()
    assert (home.status(id)["status"], home.status(id)["exit_code"]) == ("killed", 143)
    home.cw("restart")
    assert home.status(id)["status"] == "killed"


def test_a_program_that_ends_well_was_killed_all_the_same(home: Home) -> None:
    """It handled SIGTERM and exited with 0: killed, with its own status."""
    id = home.python(heed(TERM="sys.exit(0)"))
    home.until_printed(id, b"ready")
    home.cw("kill", str(id))
    assert (home.status(id)["status"], home.status(id)["exit_code"]) == ("killed", 0)


def test_shell_jobs_end_with_their_shell(home: Home) -> None:
    """Every process of the terminal session, in whatever process group."""
    id = home.launch("bash", "--norc", "-ic", "sleep 71 & sleep 72 & echo jobs $(jobs -p | xargs); fg %1")
    home.until_printed(id, b"jobs ")
    found = home.until(lambda: two_jobs(home), "both jobs")
    home.cw("kill", str(id), "--grace", "1")
    assert not [pid for pid in found if is_alive(pid)]


def test_whoever_outlives_the_program_in_its_session(home: Home) -> None:
    """Is ended as well, by SIGKILL once the grace is over: it ignores SIGTERM and the hang-up."""
    id = home.launch("sh", "-c", '"$@" & echo child $!; wait', "sh", sys.executable, "-c", STUBBORN)
    home.until_printed(id, b"ready")
    stubborn = number_after(home, id, "child")
    home.cw("kill", str(id), "--grace", "0.3")
    assert not is_alive(stubborn)


def two_jobs(home: Home) -> list[int]:
    found = [pid for pid in home.ours() if command(pid) in ("sleep 71", "sleep 72")]
    return found if len(found) == 2 else []


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except OSError:
        return ""


def test_a_stopped_program_can_end(home: Home) -> None:
    """SIGTERM and SIGCONT: it would not notice the one without the other."""
    id = home.python(heed(TERM="sys.exit(3)"))
    home.until_printed(id, b"ready")
    pid = home.status(id)["pid"]
    os.kill(pid, signal.SIGSTOP)
    until(lambda: b" T " in Path(f"/proc/{pid}/stat").read_bytes(), "it to stop")
    started = time.monotonic()
    home.cw("kill", str(id))
    assert time.monotonic() - started < 4
    assert home.status(id)["exit_code"] == 3


def test_a_stubborn_program_is_ended_after_the_grace(home: Home) -> None:
    """SIGKILL, not before the grace is over; --grace 0 at once."""
    for grace in ("0.4", "0"):
        id = home.python(STUBBORN)
        home.until_printed(id, b"ready")
        started = time.monotonic()
        home.cw("kill", str(id), "--grace", grace)
        assert float(grace) <= time.monotonic() - started < float(grace) + 4
        assert (home.status(id)["status"], home.status(id)["exit_code"]) == ("killed", 137)


def test_the_grace_is_in_the_configuration(home: Home) -> None:
    """kill.grace; the command line wins."""
    (home.path / "config.toml").write_text("kill.grace = 0.1\n")
    try:
        id = home.python(STUBBORN)
        home.until_printed(id, b"ready")
        started = time.monotonic()
        home.cw("kill", str(id))
        assert time.monotonic() - started < 4
    finally:
        (home.path / "config.toml").unlink()


def test_an_ended_session_is_not_killed_again(home: Home) -> None:
    """An error that says so, no signal to anybody, and its status stays."""
    id = home.launch("sh", "-c", "exit 3")
    home.end(id)
    done = home.cw("kill", str(id), status=1)
    assert (
        done.stderr == f"Error: session {id} is not running\n\nUse 'cw status <id>' to check session status\n"
    )
    assert home.status(id)["status"] == "completed (3)"
    running = home.launch("sleep", "60")
    assert home.cw("kill", str(running), str(id), status=1).stdout == ""
    assert home.status(running)["status"] == "running"
    assert "killed" not in [mark["kind"] for mark in home.marks(running)]


def test_all(home: Home) -> None:
    """Every running one, and how many; with none there are 0; it wins over ids."""
    home.cw("kill", "--all", "--grace", "0.2")
    ids = [home.launch("sleep", "60") for _ in range(2)]
    assert home.cw("kill", "--all").stdout == "Killed 2 session(s).\n"
    assert {home.status(id)["status"] for id in ids} == {"killed"}
    assert home.cw("kill", "--all").stdout == "Killed 0 session(s).\n"
    last = home.launch("sleep", "60")
    assert home.cw("kill", "--all", "9999").stdout == "Killed 1 session(s).\n"
    assert home.status(last)["status"] == "killed"


def test_by_tag(home: Home) -> None:
    """Two of three; the untagged one runs on; ended ones of the tag are no obstacle."""
    tagged = [home.launch("sleep", "60", options=("-t", "doomed")) for _ in range(2)]
    ended, other = home.launch("true", options=("-t", "doomed")), home.launch("sleep", "60")
    home.end(ended)
    assert home.cw("kill", "--tag", "doomed").stdout == "Killed 2 session(s).\n"
    assert {home.status(id)["status"] for id in tagged} == {"killed"}
    assert home.status(ended)["status"] == "completed (0)"
    assert home.status(other)["status"] == "running"
    assert "is running" in home.cw("kill", "--tag", "doomed", status=1).stderr
    assert "no session is tagged 'nobody'" in home.cw("kill", "--tag", "nobody", status=1).stderr


def test_several_by_id_and_name(home: Home) -> None:
    """Each once, each with its line."""
    one, two = home.launch("sleep", "60"), home.launch("sleep", "60", options=("--name", "second"))
    done = home.cw("kill", str(one), "second", str(two))
    assert done.stdout == f"Session {one} killed.\nSession {two} killed.\n"


def test_nobody_said_who(home: Home) -> None:
    """The words that users know, exit status 1."""
    done = home.cw("kill", status=1)
    assert done.stderr == (
        "Error: Must specify either a session ID or --all to kill all sessions.\n\n"
        "Usage: cw kill <ID> or cw kill --all\n"
    )


def test_another_signal_is_only_sent(home: Home) -> None:
    """By name or number; the session runs on and is not marked killed."""
    id = home.python(heed(USR1="print('USR1', flush=True)", INT="print('INT', flush=True)"))
    home.until_printed(id, b"ready")
    for word in ("USR1", "SIGINT", "10"):
        assert home.cw("kill", str(id), "--signal", word).stdout == f"Signal sent to session {id}.\n"
    home.until(lambda: home.log(id).count(b"USR1") + home.log(id).count(b"INT") >= 2, "the signals")
    assert home.status(id)["status"] == "running"
    for word in ("NONSENSE", "999", "-3"):
        assert f"there is no signal '{word}'" in home.cw("kill", str(id), f"--signal={word}", status=2).stderr
    home.cw("kill", str(id), "--signal", "KILL")
    assert (home.status(id)["status"], home.status(id)["exit_code"]) == ("killed", 137)


def test_what_has_left_the_session_is_listed(home: Home) -> None:
    """Found by its environment; it lives on unless --tree is given."""
    id = home.python(DETACHED)
    child = number_after(home, id, "child")
    done = home.cw("kill", str(id))
    assert done.stdout == f"Session {id} killed.\n"
    assert (
        f"[cw] session {id}: process {child} lives on: {sys.executable} -c import time; time.sleep(77)\n"
        in done.stderr
    )
    assert "cw kill --tree" in done.stderr
    assert is_alive(child)
    os.kill(child, signal.SIGKILL)


def test_tree_ends_them_too(home: Home) -> None:
    """And leaves alone what only looks like one: another session's, another home's, a stranger's."""
    id, neighbour = home.python(DETACHED), home.python(DETACHED)
    child, neighbours = number_after(home, id, "child"), number_after(home, neighbour, "child")
    environs = [
        {**os.environ, "CODEWIRE_SESSION": str(id)},
        {**os.environ, "CODEWIRE_SESSION": str(id), "CODEWIRE_HOME": "/elsewhere"},
    ]
    strangers = [subprocess.Popen(["sleep", "60"], env=env) for env in environs]
    try:
        done = home.cw("kill", str(id), "--tree")
        assert done.stderr == ""
        assert not is_alive(child)
        assert is_alive(neighbours)
        assert [stranger.poll() for stranger in strangers] == [None, None]
    finally:
        for stranger in strangers:
            stranger.kill()
            stranger.wait()
        home.cw("kill", str(neighbour), "--tree")


def test_json(home: Home) -> None:
    """Those that were killed, and who is left."""
    id = home.python(DETACHED)
    child = number_after(home, id, "child")
    told = json.loads(home.cw("kill", str(id), "--json").stdout)
    assert [(s["id"], s["status"]) for s in told["sessions"]] == [(id, "killed")]
    assert [(left["session"], left["pid"]) for left in told["left"]] == [(id, child)]
    os.kill(child, signal.SIGKILL)


@pytest.mark.parametrize(
    ("words", "status", "text"),
    [
        (["9999"], 1, "Error: session 9999 not found"),
        ([""], 1, "no session named"),
        (["@"], 1, "no session named"),
        (["²"], 1, "no session named"),
        (["--grace", "nan", "1"], 2, "nan is not between"),
        (["--grace", "-1", "1"], 2, "-1 is not between"),
        (["--grace", "soon", "1"], 2, "'soon' is not a number of seconds"),
        (["--bogus"], 2, "No such option"),
    ],
)
def test_bad_words(home: Home, words: list[str], status: int, text: str) -> None:
    """Nothing is killed by a word that names nobody."""
    id = home.launch("sleep", "60")
    done = home.cw("kill", *words, status=status)
    assert text in done.stderr
    assert home.status(id)["status"] == "running"
