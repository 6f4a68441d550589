"""the row at the bottom tells what is so, and only as long as there is room for it"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from coming_back import Desk, Pane, Picture, new_desk
from homes import Home


@pytest.fixture
def desk(home: Home) -> Iterator[Desk]:
    with new_desk(home) as fresh:
        yield fresh


def attach(pane: Pane, session: int) -> None:
    pane.enter(f"cw attach {session} --status-line")
    until_last_row(pane, f"[cw] {session}")


def until_last_row(pane: Pane, start: str) -> Picture:
    return pane.settled(lambda picture: picture.text[-1].startswith(start), f"{start!r} in the last row")


def test_a_new_name_is_told(home: Home, desk: Desk) -> None:
    """Nothing is printed, and nothing typed: it is told all the same, soon."""
    session = home.python("input()")
    pane = desk.shell()
    attach(pane, session)
    home.cw("rename", str(session), "otter")
    until_last_row(pane, f"[cw] {session} otter")


def test_a_terminal_of_one_row_is_the_programs(home: Home, desk: Desk) -> None:
    """When there is another row again, the line is in it, and nowhere else."""
    session = home.python("print('theirs', end='', flush=True); input()")
    pane = desk.shell()
    attach(pane, session)
    pane.resize(1, 80)
    pane.settled(lambda picture: picture.text == ["theirs"], "the program's row")
    pane.resize(2, 80)
    assert until_last_row(pane, f"[cw] {session}").text[0] == "theirs"


def test_a_picture_that_is_old_says_so(home: Home, desk: Desk) -> None:
    """The daemon draws it: when that was stopped, keys still arrive, and what they do is seen when there is one again."""
    session = home.python("while True: print('got', input())")
    pane = desk.shell()
    attach(pane, session)
    home.cw("stop")
    until_last_row(pane, "[cw] the daemon was stopped")
    pane.resize(20, 70)
    until_last_row(pane, "[cw] the daemon was stopped")
    pane.enter("word")
    home.until_printed(session, b"got word")
    home.cw("start")
    assert "got word" in until_last_row(pane, f"[cw] {session}").text
