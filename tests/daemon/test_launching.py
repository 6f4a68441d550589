"""what a launch means, decided before anything is started: program, directory, environment, name"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from codewire_py.daemon import limits
from codewire_py.daemon.launching import (
    NESTING,
    OURS_ALONE,
    check_directory,
    check_launch,
    check_name,
    environment,
    find_program,
    remembered,
)
from codewire_py.errors import BadName, CannotLaunch, CodewireError, LimitReached
from codewire_py.wire.messages import Launch


def launch(**fields: Any) -> Launch:
    return Launch(**{"request": "r", "command": ["x"], "directory": "/", "env": {"HOME": "/h"}, **fields})


# -- names


@pytest.mark.parametrize("name", ["a", "A", "a-1", "1a", "a" * 32, "x-", "0-0"])
def test_good_names(name: str) -> None:
    """1 to 32 letters, digits and hyphens."""
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "a" * 33, "a_b", "a.b", "a b", "-a", "-", "ä", "٣", "a\n", "a\0", "a/b", "@a", "\udcff", "１"],
)
def test_bad_names(name: str) -> None:
    """Anything else, also letters and digits that only look like some."""
    with pytest.raises(BadName, match=r"cannot be a session's name"):
        check_name(name)
    with pytest.raises(BadName, match=r"cannot be a session's tag"):
        check_name(name, "tag")


def test_digits_alone_are_an_id() -> None:
    """So no name; a tag is never taken for an id."""
    with pytest.raises(BadName, match="would be taken for an id"):
        check_name("42")
    assert check_name("42", "tag") == "42"


# -- the request


@pytest.mark.parametrize(
    ("fields", "error", "text"),
    [
        ({"command": []}, CannotLaunch, "command must not be empty"),
        ({"command": [""]}, CannotLaunch, "command must not be empty"),
        ({"command": ["x\0y"]}, CannotLaunch, "NUL"),
        ({"directory": "/\0"}, CannotLaunch, "NUL"),
        ({"env": {"A": "\0"}}, CannotLaunch, "NUL"),
        ({"env": {"\0": "a"}}, CannotLaunch, "NUL"),
        ({"overrides": {"A": "\0"}}, CannotLaunch, "NUL"),
        ({"overrides": {"": "a"}}, CannotLaunch, "name of an environment variable"),
        ({"env": {"A=B": "a"}}, CannotLaunch, "name of an environment variable"),
        ({"name": "no no"}, BadName, "'no no'"),
        ({"tags": ["fine", ""]}, BadName, "tag"),
        ({"tags": ["t"] * (limits.TAGS + 1)}, LimitReached, f"{limits.TAGS} tags"),
        ({"command": ["x"] * (limits.COMMAND_WORDS + 1)}, LimitReached, "too long"),
        ({"command": ["x" * (limits.COMMAND_BYTES + 1)]}, LimitReached, "too long"),
        ({"rows": 0}, CannotLaunch, "0 rows"),
        ({"rows": -1}, CannotLaunch, "-1 rows"),
        ({"cols": 10_000}, CannotLaunch, "10000 columns"),
        ({"cols": 2**63}, CannotLaunch, "columns"),
    ],
)
def test_a_launch_that_cannot_be(fields: dict[str, Any], error: type[CodewireError], text: str) -> None:
    """Refused with a sentence that names what is wrong."""
    with pytest.raises(error, match=text):
        check_launch(launch(**fields))


def test_a_launch_at_the_limits() -> None:
    """What the limits say is still allowed."""
    check_launch(launch(command=["x"] * limits.COMMAND_WORDS, tags=["t"] * limits.TAGS, rows=9999, cols=1))
    check_launch(launch(command=["x" * limits.COMMAND_BYTES], name="n" * 32))


# -- the directory


def test_directories(tmp_path: Path) -> None:
    """One that is there; what is missing or is none is said to be, in the words that users know."""
    assert check_directory(str(tmp_path)) == str(tmp_path)
    (tmp_path / "file").touch()
    missing, file = f"{tmp_path}/missing", f"{tmp_path}/file"
    with pytest.raises(CannotLaunch, match=f"^Working directory '{missing}' does not exist$"):
        check_directory(missing)
    with pytest.raises(CannotLaunch, match=f"^Working directory '{file}' is not a directory$"):
        check_directory(file)
    with pytest.raises(CannotLaunch, match="cannot be used: File name too long"):
        check_directory("/" + "x" * 5000)
    with pytest.raises(CannotLaunch, match=r"file/below' cannot be used"):
        check_directory(f"{file}/below")


# -- the program


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Programs in bin and in here, and some files that are none."""
    for name, mode in {"bin/tool": 0o755, "bin/locked": 0o644, "bin2/locked": 0o755, "here/mine": 0o755,
                       "here/text": 0o644, "bin2/tool": 0o755}.items():  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(mode)
    (tmp_path / "bin/folder").mkdir()
    return tmp_path


def test_a_word_is_looked_up_in_the_callers_path(place: Path) -> None:
    """In its order; a directory or a locked file of that name is passed over."""
    search = f"{place}/bin:{place}/bin2"
    assert find_program("tool", "/", search) == f"{place}/bin/tool"
    assert find_program("locked", "/", search) == f"{place}/bin2/locked"


def test_a_path_with_a_slash_is_taken_from_the_sessions_directory(place: Path) -> None:
    """./mine is what it is in a shell there, wherever the daemon runs."""
    assert os.path.samefile(find_program("./mine", f"{place}/here", ""), place / "here/mine")
    assert os.path.samefile(find_program("../bin/tool", f"{place}/here", ""), place / "bin/tool")
    assert find_program(f"{place}/bin/tool", "/", "") == f"{place}/bin/tool"


def test_an_empty_or_relative_part_of_the_path_is_the_directory(place: Path) -> None:
    """As for a shell in that directory, not for the daemon in its own."""
    assert os.path.samefile(find_program("mine", f"{place}/here", ":/nowhere"), place / "here/mine")
    assert os.path.samefile(find_program("tool", f"{place}", "bin"), place / "bin/tool")


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("nothing", "^Command 'nothing' not found in PATH$"),
        ("folder", "^Command 'folder' not found in PATH$"),
        ("./nothing", "^Command './nothing' does not exist$"),
        ("./text", "^Command './text' is not executable$"),
        ("./", "^Command './' is not executable$"),
        ("/dev/null/x", "^Command '/dev/null/x' does not exist$"),
        ("x" * 300, "not found in PATH"),
        ("./" + "x" * 5000, "does not exist"),
        ("a\udcffb", "not found in PATH"),
    ],
)
def test_a_program_that_cannot_run(place: Path, word: str, text: str) -> None:
    """Is told apart: not there, not in PATH, not executable."""
    with pytest.raises(CannotLaunch, match=text):
        find_program(word, f"{place}/here", f"{place}/bin:{place}/bin2")


def test_a_locked_program_is_named_with_its_remedy(place: Path) -> None:
    """Found, but not executable: the file and chmod."""
    with pytest.raises(CannotLaunch, match="bin/locked' is not executable") as refused:
        find_program("locked", "/", f"{place}/bin")
    assert refused.value.hint == f"chmod +x {place}/bin/locked"


# -- the environment


def test_the_caller_s_environment_goes_with_the_program() -> None:
    """Every variable, PATH and all, plus the session's own; PWD is where it runs."""
    env = environment(
        launch(env={"HOME": "/h", "PATH": "/p", "X": "1"}, directory="/d", name="api"), "/h/.codewire", 7
    )
    assert (env["PATH"], env["X"], env["PWD"]) == ("/p", "1", "/d")
    assert (env["CODEWIRE_SESSION"], env["CODEWIRE_SESSION_NAME"]) == ("7", "api")


@pytest.mark.parametrize(
    "name",
    ["CLAUDECODE", "CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CODE_SSE_PORT", "TMUX", "TMUX_PANE", "STY", "LINES", "COLUMNS",
     "CODEWIRE_SESSION_NAME"],
)  # fmt: skip
def test_what_says_that_one_is_inside_something_else_is_left_out(name: str) -> None:
    """Agents refuse to nest, and a program in a session is in no tmux; others of the kind stay."""
    env = environment(
        launch(env={"HOME": "/h", name: "1", "CLAUDE_CODE_USE_BEDROCK": "1", "TMUX_TMPDIR": "/t"}),
        "/h/.codewire",
        7,
    )
    assert name not in env
    assert (env["CLAUDE_CODE_USE_BEDROCK"], env["TMUX_TMPDIR"]) == ("1", "/t")


@pytest.mark.parametrize(
    ("said", "term"),
    [
        (None, "xterm-256color"), ("", "xterm-256color"), ("dumb", "xterm-256color"), ("screen", "xterm-256color"),
        ("xterm", "xterm"), ("xterm-256color", "xterm-256color"), ("vt100", "xterm-256color"),
    ],
)  # fmt: skip
def test_term_is_sane(said: str | None, term: str) -> None:
    """What a session's terminal is, not what the caller happens to sit at."""
    env = environment(
        launch(env={"HOME": "/h"} if said is None else {"HOME": "/h", "TERM": said}), "/h/.codewire", 1
    )
    assert (env["TERM"], env["COLORTERM"]) == (term, "truecolor")


def test_what_is_set_with_env_wins_over_everything() -> None:
    """Also over what would have been left out or set by us."""
    chosen = {
        "TERM": "dumb",
        "CLAUDECODE": "1",
        "COLORTERM": "no",
        "CODEWIRE_SESSION": "x",
        "PWD": "/odd",
        "A": "",
    }
    env = environment(
        launch(env={"HOME": "/h", "A": "1", "COLORTERM": "24bit"}, overrides=chosen), "/h/.codewire", 1
    )
    assert chosen.items() <= env.items()
    assert (
        environment(launch(env={"HOME": "/h", "COLORTERM": "24bit"}), "/h/.codewire", 1)["COLORTERM"]
        == "24bit"
    )


@pytest.mark.parametrize(
    ("said", "home", "told"),
    [
        ({"HOME": "/h"}, "/h/.codewire", None),
        ({"HOME": "/h", "CODEWIRE_HOME": "/c"}, "/c", "/c"),
        ({"HOME": "/other"}, "/c", "/c"),
        ({}, "/c", "/c"),
        ({"HOME": "/h", "CODEWIRE_HOME": "c"}, "/c", "/c"),
    ],
)
def test_cw_within_a_session_finds_its_own_home(said: dict[str, str], home: str, told: str | None) -> None:
    """Told only where it would not find it by itself."""
    assert environment(launch(env=said), home, 1).get("CODEWIRE_HOME") == told


def test_only_what_is_no_secret_is_written_down() -> None:
    """A few well-known names."""
    assert remembered({"PATH": "/p", "TOKEN": "s", "HOME": "/h"}) == {"PATH": "/p", "HOME": "/h"}


def test_the_page_names_every_variable_that_is_left_out() -> None:
    """docs/config.md says what a program does not find."""
    page = (Path(__file__).parents[2] / "docs/config.md").read_text().partition("## What a program finds")[2]
    assert sorted(name for name in NESTING | OURS_ALONE if f"`{name}`" not in page) == []
