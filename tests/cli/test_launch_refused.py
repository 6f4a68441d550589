"""launches that fail, or are cut off: a clear error, and nothing is left behind"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from homes import CW, Home, until


def count(home: Home) -> tuple[int, list[str]]:
    """What must not change when a launch fails: sessions, and what lies in their folder."""
    return len(home.list("--all")), sorted(os.listdir(home.path / "sessions"))


@pytest.mark.parametrize("name", ["a" * 33, "a_b", "a.b", "a b", "-a", "é", "12", "\udcff", "a\nb"])
def test_bad_names(home: Home, name: str) -> None:
    """Refused with the rule, and nothing is left behind."""
    before = count(home)
    done = home.cw("launch", f"--name={name}", "--", "true", status=1)
    assert "cannot be a session's name" in done.stderr
    assert "1 to 32 letters, digits and hyphens" in done.stderr
    assert count(home) == before


def test_launches_that_fail_leave_nothing_behind(home: Home, tmp_path: Path) -> None:
    """A clear error, exit status 1, no session, no directory, no process."""
    for name, mode in (("text", 0o644), ("broken", 0o755)):
        (tmp_path / name).write_text("#!/no/such/interpreter\n")
        (tmp_path / name).chmod(mode)
    (tmp_path / "folder").mkdir()
    cases = [
        (["no-such-program"], "Command 'no-such-program' not found in PATH"),
        (["./missing"], "Command './missing' does not exist"),
        (["/no/where"], "Command '/no/where' does not exist"),
        (["./text"], "Command './text' is not executable"),
        (["./folder"], "Command './folder' is not executable"),
        (["./broken"], "No such file or directory"),
        (["--dir", "/no/where", "true"], "Working directory '/no/where' does not exist"),
        (["--dir", "text", "true"], f"Working directory '{tmp_path}/text' is not a directory"),
        ([""], "command must not be empty"),
        (["--rows", "0", "true"], "a terminal cannot have 0 rows"),
        (["--cols", "-3", "true"], "a terminal cannot have"),
        (["--cols", "100000", "true"], "a terminal cannot have"),
        (["--cols", "9" * 30, "true"], "too large"),
        (["--tag", "no good", "true"], "'no good' cannot be a session's tag"),
    ]
    before = count(home)
    for words, text in cases:
        done = home.cw("launch", *words, status=1, cwd=tmp_path)
        assert done.stderr.startswith("Error: "), words
        assert text in done.stderr
        assert "a bug" not in done.stderr
        assert done.stdout == ""
    assert count(home) == before
    assert not list(home.path.glob("sessions/*/session.json.new"))


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--"],
        ["--rows", "x", "true"],
        ["--env", "true"],
        ["--env", "NOEQUALS", "true"],
        ["-e", "=x", "true"],
        ["--bogus", "x"],
    ],
)
def test_words_that_make_no_sense(home: Home, words: list[str]) -> None:
    """Exit status 2 for a wrong use; nothing is launched. No words at all is told as it always was."""
    before = count(home)
    done = home.cw("launch", *words, status=None)
    assert done.returncode == (2 if words not in ([], ["--"]) else done.returncode)
    assert done.returncode in (1, 2)
    assert done.stderr
    assert count(home) == before


def test_a_directory_that_is_gone(home: Home, tmp_path: Path) -> None:
    """Launched from a directory that was removed: a sentence, unless --dir says where."""
    gone = tmp_path / "gone"
    gone.mkdir()
    script = f'cd {gone} && rmdir {gone} && exec "$@"'
    run = ["sh", "-c", script, "sh", *CW, "launch"]
    done = subprocess.run(
        [*run, "true"], env=home.env, capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 1
    assert "the current directory does not exist any more" in done.stderr
    gone.mkdir()
    done = subprocess.run(
        [*run, "--dir", "/", "true"], env=home.env, capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 0


def test_a_launch_interrupted_half_way(home: Home) -> None:
    """Whoever kills the client leaves a session or nothing, never half a one."""
    for _ in range(5):
        client = home.begin("launch", "sleep", "61")
        until(
            lambda client=client: client.poll() is not None or Path(f"/proc/{client.pid}/fd/3").exists(),
            "it to connect",
        )
        client.kill()
        client.wait()
    for session in home.list():
        if session["prompt"] == "sleep 61":
            assert session["status"] == "running"
            assert session["pid"] > 0
    ids = {str(session["id"]) for session in home.list("--all")}
    home.until(
        lambda: set(os.listdir(home.path / "sessions")) == {str(s["id"]) for s in home.list("--all")},
        f"only {ids}",
    )


def test_a_launch_is_not_cut_off_by_a_stop(home: Home) -> None:
    """At the same moment: it was launched and said so, or it was not and nothing was left behind."""
    for number in range(3):
        launching, stopping = (
            home.begin("launch", "--name", f"race-{number}", "sleep", "60"),
            home.begin("stop"),
        )
        has_launched = launching.wait(20) == 0
        stopping.wait(20)
        found = [session["status"] for session in home.list() if session["name"] == f"race-{number}"]
        assert found == (["running"] if has_launched else [])
