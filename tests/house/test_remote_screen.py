"""a link that breaks is spoken of quietly, and leaves no trace on the screen"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from artists import ARTISTS
from coming_back import Desk, Pane, Picture, attach, detach, new_desk
from remotes import Remote

LOST = "the connection to there is lost"
# Prints numbered lines from one to another, and again, as it is told.
PRINT_LINES = """
for words in iter(input, "over"):
    first, last = map(int, words.split())
    for number in range(first, last + 1):
        print(f"\\033[3{number % 8}mline {number}\\033[m of many")
    print("so far", flush=True)
"""


@pytest.fixture
def desk(remote: Remote) -> Iterator[Desk]:
    with new_desk(remote.here) as fresh:
        yield fresh


def lose(remote: Remote, pane: Pane) -> Picture:
    """What it looks like when it is noticed."""
    remote.link.refuse()
    assert remote.link.cut() > 0
    return pane.settled(lambda picture: LOST in picture.text[-1], "a notice")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vim", "htop"])
def test_a_full_screen_program_after_the_link_was_lost(remote: Remote, desk: Desk, name: str) -> None:
    """One row at the bottom says so while it lasts; then the picture is as before, cursor, colours and modes."""
    artist = ARTISTS[name]
    session = remote.there.launch(*artist.command(desk.new_folder("in-cw")))
    pane = desk.shell(*artist.size)
    attach(pane, session)
    before = artist.play(pane)
    noticed = lose(remote, pane)
    assert noticed.rows[:-1] == before.rows[:-1]
    assert noticed.cursor == before.cursor
    remote.link.admit()
    pane.until_same(before)
    detach(pane)


@pytest.mark.slow
@pytest.mark.parametrize("is_noticed", [False, True])
def test_lines_printed_while_the_link_was_lost(remote: Remote, desk: Desk, is_noticed: bool) -> None:
    """They are shown as if nothing had happened: each once, in order, in the own scrollback and on the screen."""
    session = remote.there.python(PRINT_LINES, options=("--rows", "24", "--cols", "80"))
    pane = desk.shell(24, 80)
    attach(pane, session)
    pane.enter("1 60")
    pane.until_shown("line 60 of many")
    if is_noticed:
        lose(remote, pane)
    else:
        remote.link.silence()
    remote.there.cw("send", str(session), "61 150")
    remote.there.until_printed(session, b"line 150")
    remote.link.cut()
    remote.link.heal()
    remote.link.admit()
    pane.until_shown("line 150 of many")
    picture = pane.settled(lambda now: not any(LOST in line for line in now.text), "the notice to go")
    lines = [line for line in pane.text(history=True) if line.startswith("line ")]
    assert lines == [f"line {number} of many" for number in range(1, 151)]
    own = desk.shell(24, 80)
    attach(own, session)
    own.until_same(picture)


@pytest.mark.slow
def test_detaching_while_the_link_is_lost(remote: Remote, desk: Desk) -> None:
    """The own terminal is as it was, without the notice."""
    artist = ARTISTS["vim"]
    session = remote.there.launch(*artist.command(desk.new_folder("in-cw")))
    pane = desk.shell(*artist.size)
    flags = pane.flags()
    attach(pane, session)
    artist.play(pane)
    lose(remote, pane)
    left = detach(pane)
    assert left.flags == flags
    assert not any(LOST in line for line in left.text)
