"""leaving gives the own terminal back as it was: in tmux and in GNU screen, however the leaving came about"""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from artists import ARTISTS
from coming_back import FLAGS, PROMPT, Desk, Pane, attach, detach, new_desk
from homes import Home, processes

# Every mode that a program can leave behind: keys, keypad, cursor, insert, origin, no wrap, region, mouse, paste,
# focus, keyboard protocols, colours, another character set, cursor shape, title, tab stops.
DIRT = (
    "\x1b]2;theirs\x07\x1b[3g\x1b[5G\x1bH\r"
    "\x1b[?1h\x1b=\x1b[?25l\x1b[4h\x1b[3;10r\x1b[?6h\x1b[?7l\x1b[?1003h\x1b[?1006h\x1b[?2004h\x1b[?1004h"
    "\x1b[>1u\x1b[>4;2m\x1b[?2026h\x1b[1;3;31;44mdirty here\x1b(0lqqk\x1b[4 q"
)
OURS = [*FLAGS, "pane_title", "s/^0,//:pane_tabs"]  # a stop at the first column is none
DIRTY = "import sys; sys.stdout.write(sys.argv[1]); sys.stdout.flush(); sys.stdin.read(1)"


@pytest.fixture
def desk(home: Home) -> Iterator[Desk]:
    with new_desk(home) as fresh:
        yield fresh


def assert_is_plain(pane: Pane) -> None:
    """Nothing is typed into the shell; what it prints is plain text on lines of its own, and scrolls the whole screen."""
    pane.until_prompt()
    pane.enter("printf '%s\\n' one-plain-lqqk-line-$((6*7))")
    picture = pane.until_shown("one-plain-lqqk-line-42")
    rows = [row for row in picture.rows if "".join(char for char, _ in row) == "one-plain-lqqk-line-42"]
    assert len(rows) == 1, picture
    assert {style for _, style in rows[0]} == {""}, picture
    assert picture.text[picture.cursor[0]].rstrip() == PROMPT, picture
    assert picture.cursor[1] == len(PROMPT) + 1
    pane.enter("seq 1 99")
    picture = pane.until_shown("99")
    first = 99 - pane.rows + 2
    assert [line.strip() for line in picture.text] == [*(str(number) for number in range(first, 100)), PROMPT]


def leave(how: str, home: Home, pane: Pane, session: int) -> None:
    if how == "detached":
        pane.press("C-b", "d")
    elif how == "ended":
        pane.press("Enter")
    elif how == "killed":
        home.cw("kill", str(session))
    else:
        (client,) = set(processes(f"codewire_py\0attach\0{session}")).intersection(home.ours())
        home.until(lambda: home.status(session)["attached"], "it to be attached")
        subprocess.run(["kill", f"-{signal.SIGTERM.value}", str(client)], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["detached", "ended", "killed", "terminated"])
@pytest.mark.parametrize("screen", ["first", "alternate"])
def test_every_mode_is_undone(home: Home, desk: Desk, screen: str, how: str) -> None:
    """A program that sets everything and cleans nothing up, on either screen, seen live and painted."""
    dirt = DIRT if screen == "first" else "\x1b[?1049h" + DIRT
    session = home.python(DIRTY, dirt)
    home.until_printed(session, b"lqqk")
    pane = desk.shell()
    pane.watched = OURS
    flags = pane.flags()
    attach(pane, session)
    pane.settled(lambda picture: "dirty here" in "\n".join(picture.text), "the dirt")
    assert pane.flags() != flags
    leave(how, home, pane, session)
    pane.until_prompt()
    assert pane.flags() == flags
    assert_is_plain(pane)


def test_what_was_on_the_own_screen_is_in_its_scrollback(home: Home, desk: Desk) -> None:
    """Once, above what cw says."""
    session = home.python(DIRTY, "\x1b[?1049h" + DIRT)
    home.until_printed(session, b"lqqk")
    pane = desk.shell()
    pane.enter("echo something of before")
    pane.settled(lambda picture: "something of before" in picture.text, "the echo")
    attach(pane, session)
    pane.settled(lambda picture: "dirty here" in "\n".join(picture.text), "the dirt")
    detach(pane)
    lines = [line for line in pane.text(history=True) if line]
    assert lines[:3] == [
        f"{PROMPT} echo something of before",
        "something of before",
        f"{PROMPT} cw attach {session}",
    ]
    assert lines.count("something of before") == 1
    assert "dirty here" not in "\n".join(lines)


@pytest.mark.slow
@pytest.mark.parametrize("screen", ["first", "alternate"])
def test_a_part_of_a_larger_screen_is_left_behind_as_well(home: Home, desk: Desk, screen: str) -> None:
    """Where the session keeps its size and the own terminal is smaller; there the own screen is seen again."""
    session = home.python(DIRTY, DIRT if screen == "first" else "\x1b[?1049h" + DIRT)
    home.until_printed(session, b"lqqk")
    home.cw("resize", str(session), "50x132")
    pane = desk.shell()
    pane.watched = OURS
    pane.enter("echo something of before")
    pane.settled(lambda picture: "something of before" in picture.text, "the echo")
    flags = pane.flags()
    attach(pane, session)
    pane.settled(lambda picture: "dirty here" in "\n".join(picture.text), "the dirt")
    left = detach(pane)
    assert left.flags == flags
    assert "something of before" in left.text
    assert_is_plain(pane)


# -- in GNU screen, in a tmux pane


def screen_info(desk: Desk, name: str) -> str:
    """How screen says its window takes the next byte, but for where the cursor is."""
    done = subprocess.run(
        ["screen", "-S", name, "-p", "0", "-Q", "info"], env=desk.env, capture_output=True, text=True, check=True,
        timeout=10,
    )  # fmt: skip
    return re.sub(r"^\(\d+,\d+\)", "", done.stdout)


@contextmanager
def in_screen(desk: Desk, altscreen: str) -> Iterator[tuple[Pane, str]]:
    name = desk.folder.name
    sockets = desk.new_folder("sockets")
    sockets.chmod(0o700)
    settings = desk.folder / "screenrc"
    settings.write_text(
        f"startup_message off\ndefutf8 on\ndefscrollback 1000\nshell sh\naltscreen {altscreen}\n"
    )
    desk.env["SCREENDIR"] = str(sockets)
    pane = desk.shell()
    pane.watched = ["cursor_flag"]  # screen keeps the others to itself
    pane.enter(f"screen -U -c {settings} -S {name}")
    pane.settled(lambda picture: picture.text[0].strip() == PROMPT, "screen to start")
    try:
        yield pane, name
    finally:
        subprocess.run(
            ["screen", "-S", name, "-X", "quit"], env=desk.env, capture_output=True, check=False, timeout=10
        )


@pytest.mark.slow
@pytest.mark.parametrize("altscreen", ["off", "on"])
def test_in_gnu_screen(home: Home, desk: Desk, altscreen: str) -> None:
    """A full-screen program looks the same after coming back; the window takes text as it did before."""
    artist = ARTISTS["vim"]
    session = home.launch(*artist.command(desk.new_folder("in-cw")))
    with in_screen(desk, altscreen) as (pane, name):
        info = screen_info(desk, name)
        attach(pane, session)
        first = artist.play(pane)
        detach(pane)
        assert screen_info(desk, name) == info
        attach(pane, session)
        pane.until_same(first)
        detach(pane)
        assert screen_info(desk, name) == info
        assert_is_plain(pane)


@pytest.mark.slow
def test_a_status_line_is_gone_without_an_alternate_screen(home: Home, desk: Desk) -> None:
    """It was drawn over what was there: that cannot come back, but nothing of ours stays."""
    session = home.python("print('theirs', end='', flush=True); input()")
    with in_screen(desk, "off") as (pane, _):
        pane.enter(f"cw attach {session} --status-line")
        pane.settled(lambda picture: picture.text[-1].startswith(f"[cw] {session}"), "the status line")
        left = detach(pane)
        assert [line for line in left.text if line.strip()] == [
            f"[cw] detached from session {session}",
            PROMPT,
        ]
        assert_is_plain(pane)


@pytest.mark.slow
@pytest.mark.parametrize("altscreen", ["off", "on"])
@pytest.mark.parametrize("screen", ["first", "alternate", "larger"])
def test_every_mode_is_undone_in_gnu_screen(home: Home, desk: Desk, screen: str, altscreen: str) -> None:
    """As in tmux; by default it has no alternate screen, and then the prompt comes below what the program drew."""
    session = home.python(DIRTY, DIRT if screen == "first" else "\x1b[?1049h" + DIRT)
    home.until_printed(session, b"lqqk")
    if screen == "larger":
        home.cw("resize", str(session), "50x132")
    with in_screen(desk, altscreen) as (pane, name):
        info = screen_info(desk, name)
        attach(pane, session)
        pane.settled(lambda picture: "dirty here" in "\n".join(picture.text), "the dirt")
        assert screen_info(desk, name) != info
        detach(pane)
        assert_is_plain(pane)
        assert screen_info(desk, name) == info
