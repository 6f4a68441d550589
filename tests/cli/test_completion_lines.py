"""what shells read when they complete: one line, or three, per word, whatever sessions are called"""

from __future__ import annotations

import subprocess

import pytest

from homes import CW, Home

ODD = "sleep 60 # one\nplain\nevil\n_\n\x1b[2J\tnot-a-tab"


def lines(home: Home, shell: str, *words: str) -> list[str]:
    asked = {
        "COMP_WORDS": " ".join(["cw", *words]),
        "COMP_CWORD": words[-1] if shell == "fish" else str(len(words)),
    }
    env = {**home.env, **asked, "_CW_COMPLETE": f"{shell}_complete"}
    done = subprocess.run(CW, env=env, capture_output=True, text=True, check=True, timeout=20)
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.fixture
def odd(home: Home) -> str:
    """The id of a session whose command has lines and tabs in it."""
    home.cw("kill", "--all")
    return str(home.launch("sh", "-c", ODD))


def test_zsh_reads_three_lines_a_word(home: Home, odd: str) -> None:
    """Kind, word, description: a command's own lines add no word, and nothing in it is obeyed."""
    found = lines(home, "zsh", "attach", odd)
    assert found[:2] == ["plain", odd]
    assert len(found) == 3
    assert found[2].startswith("running: sh -c sleep 60 # one")
    assert "\x1b" not in found[2]


def test_fish_reads_a_line_a_word(home: Home, odd: str) -> None:
    """Word and description, with one tab between."""
    [found] = lines(home, "fish", "attach", odd)
    word, description = found.split("\t")
    assert word == f"plain,{odd}"
    assert description.startswith("running: sh -c sleep 60 # one")


def test_bash_reads_a_line_a_word(home: Home, odd: str) -> None:
    """Only the word."""
    assert lines(home, "bash", "attach", odd) == [f"plain,{odd}"]


def test_a_name_of_several_is_one_word(home: Home) -> None:
    """Ended sessions may have had it before; the description is that of the running one, whom the word means."""
    for _ in range(2):
        home.launch("sleep", "60", options=("--name", "again"))
        home.cw("kill", "again")
    home.launch("sleep", "61", options=("--name", "again"))
    assert lines(home, "zsh", "attach", "again") == ["plain", "again", "running: sleep 61"]
