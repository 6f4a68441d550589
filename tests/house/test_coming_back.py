"""coming back is exact: after detaching, after kill -9 of the daemon, on a terminal of another size"""

from __future__ import annotations

import json
import os
import shlex
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from artists import ARTISTS
from coming_back import Desk, Pane, Picture, attach, detach, new_desk
from homes import Home

RECORDINGS = Path(__file__).resolve().parent.parent / "screen" / "recordings"
# An own terminal that prints a recording by itself; under cw it waits for a key, so that somebody looks on.
PRINT = 'stty raw -echo; [ "$2" = now ] || head -c 1 >/dev/null; cat "$0"; : > "$1"; exec sleep 1000'
PRINT_LINES = 'i=1; while [ $i -le 300 ]; do printf "\\033[3%dmline %d\\033[m of many\\n" $((i % 8)) $i; i=$((i+1)); done'


@pytest.fixture
def desk(home: Home) -> Iterator[Desk]:
    with new_desk(home) as fresh:
        yield fresh


def kill_daemon(home: Home) -> None:
    os.kill(home.daemon(), signal.SIGKILL)


def assert_same(shown: Picture, wanted: Picture) -> None:
    assert shown == wanted, f"not the same (wanted, shown):\n{wanted.difference(shown)}\n{wanted}\n{shown}"


def come_back(home: Home, pane: Pane, session: int, wanted: Picture) -> None:
    """Twice: by itself and after the daemon was killed. Between, the own terminal is as it was."""
    for disturb in (lambda: None, lambda: kill_daemon(home)):
        detach(pane)
        disturb()
        attach(pane, session)
        pane.until_same(wanted)


@pytest.mark.slow
@pytest.mark.deadline(240)
@pytest.mark.parametrize("name", ARTISTS)
def test_a_program_looks_as_it_drew_itself(home: Home, desk: Desk, name: str) -> None:
    """The same before and after detach/attach and after kill -9 of the daemon; on a terminal of another size, and
    back on the first, as without cw in a terminal that is resized so. Text, colours, cursor, modes."""
    artist = ARTISTS[name]
    alone = desk.run_directly(artist.command(desk.new_folder("alone")), artist.size)
    session = home.launch(*artist.command(desk.new_folder("in-cw")))
    pane = desk.shell(*artist.size)
    attach(pane, session)
    first = artist.play(pane)
    assert_same(first, artist.play(alone))
    come_back(home, pane, session, first)
    detach(pane)

    other = desk.shell(*artist.other_size)
    attach(other, session)
    alone.resize(*artist.other_size)
    resized = artist.rests(alone)
    assert_same(artist.rests(other), resized)
    come_back(home, other, session, resized)
    detach(other)
    attach(pane, session)
    alone.resize(*artist.size)
    assert_same(artist.rests(pane), artist.rests(alone))


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(path.stem for path in RECORDINGS.glob("*.rec")))
def test_what_was_printed_is_shown_without_asking_the_program(home: Home, desk: Desk, name: str) -> None:
    """A program that never draws again looks on coming back as it did in a terminal it printed to directly."""
    about = json.loads((RECORDINGS / f"{name}.json").read_text())
    size = about["rows"], about["cols"]
    printing = ["sh", "-c", PRINT, str(RECORDINGS / f"{name}.rec")]
    has_printed, has_printed_alone = desk.folder / "printed", desk.folder / "printed-alone"
    alone = desk.run_directly([*printing, str(has_printed_alone), "now"], size)
    home.until(has_printed_alone.exists, "the recording to be printed")
    wanted = alone.settled(lambda _: True, "it to rest")

    rows, cols = (str(number) for number in size)
    session = home.launch(*printing, str(has_printed), options=("--rows", rows, "--cols", cols))
    pane = desk.shell(*size)
    attach(pane, session)
    pane.settled(lambda picture: picture.text[-1] != "own$", "it to attach")
    home.until(lambda: home.status(session)["attached"], "somebody to look on")
    pane.type("x")
    home.until(has_printed.exists, "the recording to be printed under cw")
    pane.until_same(wanted)
    come_back(home, pane, session, wanted)


@pytest.mark.slow
@pytest.mark.parametrize("is_killed", [False, True])
def test_earlier_output_is_in_the_own_scrollback(home: Home, desk: Desk, is_killed: bool) -> None:
    """Each line once, in order, with its colour, above the screen it led to; also when the daemon is a new one."""
    session = home.launch(
        "sh", "-c", f"{PRINT_LINES}; exec sleep 1000", options=("--rows", "24", "--cols", "80")
    )
    home.until(lambda: home.log(session).count(b"of many\r\n") == 300, "every line to be printed")
    if is_killed:
        kill_daemon(home)
    pane = desk.shell(24, 80)
    attach(pane, session)
    picture = pane.until_shown("line 300 of many")
    assert picture.text[:-1] == [f"line {number} of many" for number in range(278, 301)]
    assert picture.text[-1] == ""
    assert picture.cursor == (23, 0)
    everything = [line for line in pane.text(history=True) if line.startswith("line ")]
    assert everything == [f"line {number} of many" for number in range(1, 301)]
    coloured = pane.tmux("capture-pane", "-p", "-e", "-S", "-")
    assert "\x1b[33mline 3\x1b[39m of many" in coloured


@pytest.mark.slow
def test_a_shell_is_as_it_was_left(home: Home, desk: Desk) -> None:
    """A prompt of two lines with text at the right, half a command typed, the cursor in its middle; it is typed on."""
    rc = desk.folder / "bashrc"
    prompt = r"\n\[\e[s\e[999C\e[9D\e[38;5;244m\]12:34\[\e[u\]\[\e[48;5;24;97m\] ⌂ shop \[\e[0m\]\n\[\e[1;35m\]❯\[\e[0m\] "
    rc.write_text(f"PS1={shlex.quote(prompt)}\nHISTFILE=\n")
    session = home.launch("bash", "--noprofile", "--rcfile", str(rc), "-i")
    pane = desk.shell(24, 80)
    attach(pane, session)
    pane.until_shown("❯")
    pane.enter("seq 1 40; echo 緑茶; ls --color=always -d /tmp /etc/passwd")
    pane.until_shown("/etc/passwd")
    pane.type("echo abcdef 緑茶")
    pane.press("Left", "Left", "Left")
    picture = pane.until_shown("❯ echo abcdef 緑茶")
    come_back(home, pane, session, picture)
    pane.type("XYZ")
    pane.until_shown("❯ echo abcdefXYZ 緑茶")
    pane.press("Enter")
    pane.settled(lambda now: "abcdefXYZ 緑茶" in now.text, "the echo")
    pane.enter("exit")
    home.end(session)


def test_killing_the_daemon_is_not_seen(home: Home, desk: Desk) -> None:
    """Whoever is attached keeps the picture and goes on typing."""
    artist = ARTISTS["vim"]
    session = home.launch(*artist.command(desk.new_folder("in-cw")))
    pane = desk.shell(*artist.size)
    attach(pane, session)
    picture = pane.until_shown("Top")
    kill_daemon(home)
    pane.until_same(picture)
    pane.type(":set number?")
    pane.press("Enter")
    pane.until_shown("  number")
    pane.until_same(pane.picture())


@pytest.mark.slow
def test_two_terminals_at_once(home: Home, desk: Desk) -> None:
    """Whoever attached or typed last has the program at their size; it is the other's again when they leave or that
    one types, and what was drawn for another size leaves nothing behind."""
    artist = ARTISTS["vim"]
    alone = desk.run_directly(artist.command(desk.new_folder("alone")), artist.size)
    session = home.launch(*artist.command(desk.new_folder("in-cw")))
    one, two = desk.shell(*artist.size), desk.shell(*artist.other_size)
    attach(one, session)
    artist.play(one)
    artist.play(alone)
    attach(two, session)
    alone.resize(*artist.other_size)
    two.until_same(artist.rests(alone))
    one.press("Right")
    alone.press("Right")
    alone.resize(*artist.size)
    one.until_same(artist.rests(alone))
    two.press("Right")
    alone.press("Right")
    alone.resize(*artist.other_size)
    two.until_same(artist.rests(alone))
    detach(two)
    alone.resize(*artist.size)
    one.until_same(artist.rests(alone))
