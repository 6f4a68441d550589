"""docs/architecture.md names everything that lies in a home, and everything there is its user's alone"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from homes import Home, new_home
from viewers import new_viewers

PAGE = (Path(__file__).parents[2] / "docs/architecture.md").read_text()


def listed(heading: str) -> list[str]:
    """The names in the first column of that table; a star stands for what differs."""
    table = re.search(rf"^\| {heading} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    assert table, heading
    firsts = [row.split("|")[1] for row in table[1].splitlines()]
    return [name.rstrip("/") for first in firsts for name in re.findall(r"`([^`]+)`", first)]


@pytest.fixture(scope="module")
def lived_in() -> Iterator[Home]:
    """Where most of what cw can do was done once, and a session runs beside one that has ended."""
    with new_home() as home:
        running = home.launch("cat")
        home.launch("true")
        home.cw("wait", "2")
        with new_viewers(home) as viewers:
            viewer = viewers.in_terminal("attach", str(running))
            viewer.until_shown(b"\x1b")
            viewer.type(b"hello\r")
            home.until_printed(running, b"hello")
        home.cw("screen", str(running))
        home.server("box", "ws://127.0.0.1:1/ws", "x" * 20)
        home.cw("server", "rename", "box", "crate")
        home.cw("token", "create", "laptop")
        home.cw("server", "cert")
        yield home


def test_whatever_lies_in_a_home_is_listed(lived_in: Home) -> None:
    """No name that nobody has explained."""
    known = [*listed("In the home"), "*.corrupt.*"]
    assert [n for n in os.listdir(lived_in.path) if not any(fnmatch(n, one) for one in known)] == []


def test_whatever_a_session_has_is_listed(lived_in: Home) -> None:
    """While it runs and when it has ended."""
    known = listed("In a session's directory")
    there = {path.name for session in (1, 2) for path in lived_in.directory(session).iterdir()}
    assert {"output.log", "exit.json", "times", "keeper.sock"} <= there
    assert sorted(there - set(known)) == []


def test_everything_in_a_home_is_its_users_alone(lived_in: Home) -> None:
    """Directories are 0700 and files 0600."""
    for folder, _, names in os.walk(lived_in.path):
        assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700, folder
        for name in names:
            found = os.lstat(f"{folder}/{name}")
            assert stat.S_ISLNK(found.st_mode) or stat.S_IMODE(found.st_mode) == 0o600, name
