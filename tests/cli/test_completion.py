"""cw completion: bash, zsh and fish complete commands, options, ids and names"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pexpect
import pytest

from homes import CW, Home, new_home


def complete(home: Home, *words: str) -> list[str]:
    """What bash would be told for the last word."""
    env = {
        **home.env,
        "_CW_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(["cw", *words]),
        "COMP_CWORD": str(len(words)),
    }
    done = subprocess.run(CW, env=env, capture_output=True, text=True, check=True, timeout=20)
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_for_each_shell(home: Home, shell: str) -> None:
    """One that its shell accepts."""
    script = home.cw("completion", shell).stdout
    assert "_CW_COMPLETE" in script
    if shutil.which(shell):
        check = [shell, "--no-execute"] if shell == "fish" else [shell, "-n"]
        assert subprocess.run(check, input=script, text=True, capture_output=True, check=True).stderr == ""


@pytest.mark.parametrize(("words", "status"), [(["tcsh"], 2), ([""], 2), ([], 2), (["bash", "zsh"], 2)])
def test_other_shells(home: Home, words: list[str], status: int) -> None:
    """Are refused with those there are."""
    done = home.cw("completion", *words, status=status)
    assert done.stdout == ""
    assert "bash, zsh, fish" in done.stderr or "Usage" in done.stderr


def test_commands_and_options(home: Home) -> None:
    """All of them, or those that begin so."""
    commands = complete(home, "")
    assert {"launch", "list", "attach", "kill", "completion"} <= set(commands)
    assert complete(home, "wa") == ["watch", "wait"] or set(complete(home, "wa")) == {"watch", "wait"}
    assert "--timeout" in complete(home, "watch", "--")
    assert set(complete(home, "list", "--status", "")) == {"running", "ended", "lost", "all"}


@pytest.mark.parametrize(
    "command",
    ["attach", "export", "kill", "logs", "watch", "send", "status", "wait", "remove", "rename", "resize"],
)
def test_ids_and_names(home: Home, command: str) -> None:
    """For every command that takes a session."""
    id = home.launch("sleep", "60", options=("--name", f"for-{command}"))
    assert f"for-{command}" in complete(home, command, "for-")
    assert str(id) in complete(home, command, "")


def test_the_tab_key_starts_nothing() -> None:
    """Without a daemon there is nothing to complete, and none is started for it."""
    with new_home() as home:
        assert complete(home, "attach", "") == []
        assert not home.path.exists()


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash")
def test_in_a_real_shell(home: Home, tmp_path: Path) -> None:
    """Tab after a name's beginning completes it."""
    home.launch("sleep", "60", options=("--name", "completed-by-tab"))
    (tmp_path / "cw").write_text("#!/bin/sh\nexec " + " ".join(CW) + ' "$@"\n')
    (tmp_path / "cw").chmod(0o755)
    env = {**home.env, "PATH": f"{tmp_path}:{home.env['PATH']}", "PS1": "shell$ "}
    shell = pexpect.spawn("bash", ["--norc", "--noprofile", "-i"], env=env, timeout=20, dimensions=(24, 200))
    try:
        shell.expect_exact("shell$ ")
        shell.sendline('eval "$(cw completion bash)"; echo done-$?')
        shell.expect_exact("done-0")
        shell.expect_exact("shell$ ")
        shell.send("cw status completed-by\t")
        shell.expect_exact("cw status completed-by-tab")
    finally:
        shell.close(force=True)
