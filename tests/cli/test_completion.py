"""cw completion: bash, zsh and fish complete commands, options, ids and names"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pexpect
import pytest

from homes import CW, Home, new_home
from shells import each

SHELLS = each("bash", "zsh", "fish")
# As one starts that knows nothing yet, and what its user writes into its settings (as `cw completion --help` says).
STARTS = {
    "bash": (["--norc", "--noprofile", "-i"], 'eval "$(cw completion bash)"'),
    "zsh": (["-f", "-i"], 'eval "$(cw completion zsh)"'),
    "fish": (["--no-config", "-i"], "cw completion fish | source"),
}


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


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_for_each_shell(home: Home, shell: str) -> None:
    """One that its shell accepts."""
    script = home.cw("completion", shell).stdout
    assert "_CW_COMPLETE" in script
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


@pytest.mark.parametrize("name", SHELLS)
def test_in_a_real_shell(home: Home, tmp_path: Path, name: str) -> None:
    """Tab after a name's beginning completes it, in a shell that has no settings but ours."""
    home.launch("sleep", "60", options=("--name", f"{name}-by-tab"))
    (tmp_path / "cw").write_text("#!/bin/sh\nexec " + " ".join(CW) + ' "$@"\n')
    (tmp_path / "cw").chmod(0o755)
    env = {**home.env, "PATH": f"{tmp_path}:{home.env['PATH']}", "HOME": str(tmp_path), "TERM": "dumb"}
    options, setting = STARTS[name]
    shell = pexpect.spawn(name, options, env=env, timeout=20, dimensions=(24, 200))
    try:
        shell.sendline(f"{setting}; echo done-'now'")
        shell.expect_exact("done-now")
        shell.send(f"cw status {name}-by\t")
        shell.expect_exact(f"cw status {name}-by-tab")
    finally:
        shell.close(force=True)
