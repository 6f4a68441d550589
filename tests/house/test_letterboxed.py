"""a terminal of another size than the session's sees the part around the cursor, and gets its own screen back"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from coming_back import PROMPT, Desk, attach, detach, last_line, new_desk
from homes import Home, processes

PROGRAM = r"""
import sys, termios
modes = termios.tcgetattr(0)
modes[3] &= ~termios.ECHO
termios.tcsetattr(0, termios.TCSANOW, modes)
print("\x1b[2J", *(f"\x1b[{row}H\x1b[3{row % 8}mrow {row}\x1b[m\x1b[{row};91Hend {row}" for row in range(1, 31)), sep="")
print("\x1b[?1000h\x1b]0;their title\x07\x1b[5;1H", end="", flush=True)
for line in sys.stdin:
    print(f"\x1b[{line.strip()}H", end="", flush=True)
"""


@pytest.fixture
def desk(home: Home) -> Iterator[Desk]:
    with new_desk(home) as fresh:
        yield fresh


@pytest.fixture
def session(home: Home) -> int:
    """30 rows of 100 columns, whoever looks; a line typed into it moves its cursor."""
    id = home.python(PROGRAM, options=("--name", "wide"))
    home.cw("resize", "wide", "30x100")
    home.until_printed(id, b"\x1b[5;1H")
    return id


def test_a_small_terminal_sees_the_part_around_the_cursor(home: Home, desk: Desk, session: int) -> None:
    """At once, and when the cursor leaves it; colours and mouse as set; afterwards the terminal is as before."""
    pane = desk.shell(10, 50)
    before = pane.picture()
    attach(pane, session)
    shown = pane.until_shown("row 5")
    assert [line.strip() for line in shown.text] == [f"row {row}" for row in range(1, 11)]
    assert (shown.cursor, dict(shown.rows[2])["r"]) == ((4, 0), "33")
    assert "1" in shown.flags[1]
    home.cw("send", str(session), "30;100")
    shown = pane.until_shown("end 30")
    assert [line.strip() for line in shown.text[:9]] == [f"end {row}" for row in range(21, 30)]
    assert shown.cursor == (9, 49)
    after = detach(pane)
    shown_there = [line.strip() for line in after.text if line.strip()]
    assert shown_there == [
        f"{PROMPT} cw attach {session}",
        f"[cw] attached to session {session} (Ctrl+B d to detach)",
        f"[cw] detached from session {session}",
        PROMPT,
    ]
    assert after.flags == before.flags


def test_a_large_terminal_sees_where_it_ends(desk: Desk, session: int) -> None:
    """All of it at the top left; dots beyond."""
    pane = desk.shell(32, 110)
    attach(pane, session)
    shown = pane.until_shown("end 30")
    assert shown.text[0].rstrip() == "row 1" + " " * 85 + "end 1" + " " * 5 + "\u00b7" * 10
    assert shown.text[30:] == ["\u00b7" * 110] * 2
    assert shown.cursor == (4, 0)
    detach(pane)


def test_it_fits_again(home: Home, desk: Desk, session: int) -> None:
    """When the session follows its viewers again, the terminal shows the session itself, no part of it."""
    pane = desk.shell(20, 60)
    attach(pane, session)
    pane.until_shown("row 20")
    home.cw("resize", "wide", "latest")
    home.until(lambda: (home.status(session)["rows"], home.status(session)["cols"]) == (20, 60), "the size")
    home.cw("send", str(session), "3;3")
    pane.settled(lambda picture: picture.cursor[1] == 2 and picture.flags[0] == "0", "the session itself")
    detach(pane)


def test_stopped_and_continued(home: Home, desk: Desk, session: int) -> None:
    """The shell has the terminal meanwhile, and the program goes on; then all of the part is there again."""
    pane = desk.shell(10, 50)
    attach(pane, session)
    pane.until_shown("row 5")
    [client] = set(processes(f"attach\0{session}\0")) & set(home.ours())
    os.kill(client, signal.SIGTSTP)
    stopped = pane.settled(
        lambda picture: last_line(picture) == PROMPT and picture.flags[0] == "0", "the shell to go on"
    )
    assert stopped.flags[:2] == ("0", "0")
    for place in ("6;7", "7;8", "8;9"):
        home.cw("send", str(session), place)
    home.until_printed(session, b"\x1b[8;9H")
    pane.enter("fg")
    shown = pane.until_shown("row 5")
    assert [line.strip() for line in shown.text] == [f"row {row}" for row in range(1, 11)]
    assert (shown.flags[:2], shown.cursor) == (("1", "1"), (7, 8))
    detach(pane)
