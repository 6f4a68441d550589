"""cw attach: look at a session and type into it, and leave the terminal as it was"""

from __future__ import annotations

import signal
import sys

import pytest

from codewire_py.stream.quiet import Quiet
from homes import Home
from own_terminals import Desk
from programs import ECHO_LINES, SHOW_HEX, heed

CHORD = b"\x02d"


def test_what_is_typed_arrives_and_what_is_printed_is_shown(home: Home, desk: Desk) -> None:
    """In raw mode; the note says how to leave; Ctrl+B d leaves with status 0 and the session runs on."""
    id = home.python(ECHO_LINES)
    terminal = desk.cw("attach", str(id))
    assert terminal.attached() == id
    assert f"[cw] attached to session {id} (Ctrl+B d to detach)\r\n".encode() in terminal.shown
    terminal.type(b"hello\r")
    terminal.until_shown(b"<hello>")
    assert home.status(id)["attached"] is True
    terminal.type(CHORD)
    assert terminal.end() == 0
    assert terminal.shown.endswith(f"\r\n[cw] detached from session {id}\r\n".encode())
    assert terminal.is_as_before()
    home.until(lambda: not home.status(id)["attached"], "the daemon to see it leave")
    assert home.status(id)["status"] == "running"


def test_recent_output_is_shown_on_attach(home: Home, desk: Desk) -> None:
    """Before anything new comes."""
    id = home.python("print('from before'); input()")
    home.until_printed(id, b"from before")
    desk.attach(str(id)).until_shown(b"from before")


@pytest.mark.parametrize(
    ("command", "status", "word"),
    [
        ("print('the last line', end=''); input(); sys.exit(0)", 0, "completed (0)"),
        ("input(); print('the last line', end=''); sys.exit(7)", 7, "completed (7)"),
        (
            "input(); print('the last line', end='', flush=True); os.kill(os.getpid(), 9)",
            137,
            "completed (137)",
        ),
    ],
)
def test_it_exits_as_the_program_did(home: Home, desk: Desk, command: str, status: int, word: str) -> None:
    """Every byte first, then how it ended; 128 + the signal."""
    id = home.python(f"import os, sys; {command}")
    terminal = desk.attach(str(id))
    terminal.type(b"\r")
    assert terminal.end() == status
    assert b"the last line" in terminal.shown
    assert terminal.shown.endswith(f"\r\n[cw] session ended: session {word}\r\n".encode())
    assert terminal.is_as_before()


def test_killed_meanwhile(home: Home, desk: Desk) -> None:
    """Whoever looks on sees that it was killed, and has a good terminal."""
    id = home.launch("sleep", "60")
    terminal = desk.attach(str(id))
    home.cw("kill", str(id))
    assert terminal.end() == 143
    assert b"[cw] session ended: session killed" in terminal.shown
    assert terminal.is_as_before()


def test_without_an_id_the_last_free_one(home: Home, desk: Desk) -> None:
    """Launched last and nobody attached: the second then gets the one before; an ended one is none."""
    first, second, ended = home.launch("sleep", "60"), home.launch("sleep", "60"), home.launch("true")
    home.end(ended)
    one, two = desk.cw("attach"), None
    assert one.attached() == second
    assert f"attached to session {second} (auto-selected) (Ctrl+B d to detach)".encode() in one.shown
    two = desk.cw("attach")
    assert two.attached() == first
    for terminal in (one, two):
        terminal.type(CHORD)
        assert terminal.end() == 0
    home.cw("kill", "--all")
    none = desk.cw("attach")
    assert none.end() == 1
    assert (
        b"No unattached running sessions available.\r\n\r\nUse 'cw list' to see all sessions or 'cw launch'"
        in none.shown
    )


def test_a_session_by_its_name(home: Home, desk: Desk) -> None:
    """Also written with @."""
    id = home.launch("sleep", "60", options=("--name", "by-name"))
    assert desk.cw("attach", "by-name").attached() == id
    assert desk.cw("attach", "@by-name").attached() == id


def test_help_says_what_may_be_left_out(home: Home) -> None:
    """The words that scripts look for."""
    assert "omit to auto-select" in home.cw("attach", "--help").stdout


# -- what goes wrong


def test_no_terminal_is_a_clear_error(home: Home) -> None:
    """Nothing is attached, and the hint says what to use instead."""
    id = home.launch("sleep", "60")
    done = home.cw("attach", str(id), status=1)
    assert done.stderr.startswith(
        "Error: attach needs a terminal for its input and output\n\nwithout a terminal use: "
    )
    assert done.stdout == ""
    assert "attached" not in [mark["kind"] for mark in home.marks(id)]


@pytest.mark.parametrize(
    ("words", "status", "text"),
    [
        (["9999"], 1, "Error: session 9999 not found\r\n\r\nUse 'cw list' to see active sessions"),
        (["nobody"], 1, 'Error: no session named "nobody"'),
        ([""], 1, "Error: "),
        (["-1"], 2, "No such option"),
        (["1" * 400], 1, "not found"),
        (["1", "2"], 2, "unexpected extra argument"),
        (["1", "--detach-keys", "nonsense"], 1, "nonsense"),
        (["1", "--detach-keys", "ctrl-c d"], 1, "ctrl-c"),
        (["1", "--frobnicate"], 2, "No such option"),
    ],
)
def test_bad_words(desk: Desk, words: list[str], status: int, text: str) -> None:
    """Told in a sentence; the terminal was never raw."""
    terminal = desk.cw("attach", *words)
    assert terminal.end() == status
    assert text.lower() in terminal.shown.decode().lower()
    assert terminal.is_as_before()


def test_an_ended_session_cannot_be_attached_to(home: Home, desk: Desk) -> None:
    """It says so, and how to see more."""
    id = home.launch("true")
    home.end(id)
    terminal = desk.cw("attach", str(id))
    assert terminal.end() == 1
    assert (
        f"Error: session {id} is not running\r\n\r\nUse 'cw status <id>' to check session status".encode()
        in terminal.shown
    )


# -- the keys


def test_ctrl_b_twice_sends_one(home: Home, desk: Desk) -> None:
    """And Ctrl+B with another key sends both; a paste that contains the chord does not detach."""
    id = home.python(SHOW_HEX)
    terminal = desk.attach(str(id))
    terminal.until_shown(b"ready")
    terminal.type(b"\x02\x02")
    terminal.until_shown(b"<02>")
    terminal.type(b"\x02x")
    terminal.until_shown(b"<0278>")
    terminal.type(b"\x1b[200~a\x02db\x1b[201~")
    terminal.until_shown(b"61026462")
    terminal.type(b"\x1b[98;5u\x1b[100u")
    assert terminal.end() == 0


def test_detach_keys_can_be_chosen(home: Home, desk: Desk) -> None:
    """On the command line; the note shows them, and Ctrl+B d is typed like anything else."""
    id = home.python(SHOW_HEX)
    terminal = desk.cw("attach", str(id), "--detach-keys", "ctrl-a q")
    terminal.until_shown(b"(Ctrl+A q to detach)")
    terminal.until_shown(b"ready")
    terminal.attached()
    terminal.type(CHORD)
    terminal.until_shown(b"<0264>")
    terminal.type(b"\x01q")
    assert terminal.end() == 0


def test_detach_keys_from_the_configuration(home: Home, desk: Desk) -> None:
    """The file says which; the command line wins."""
    id = home.launch("sleep", "60")
    (home.path / "config.toml").write_text('[attach]\ndetach_keys = "ctrl-t z"\n')
    try:
        terminal, other = desk.attach(str(id)), desk.attach(str(id), "--detach-keys", "ctrl-y y")
        assert b"(Ctrl+T z to detach)" in terminal.shown
        terminal.type(b"\x14z")
        other.type(b"\x19y")
        assert (terminal.end(), other.end()) == (0, 0)
    finally:
        (home.path / "config.toml").unlink()


# -- sizes


def test_the_program_has_the_size_of_the_terminal(home: Home, desk: Desk) -> None:
    """On attach, and whenever it changes."""
    id = home.python(heed(WINCH="print(os.get_terminal_size(), flush=True)"))
    home.until_printed(id, b"ready")
    terminal = desk.attach(str(id), rows=31, cols=97)
    terminal.until_shown(b"columns=97, lines=31")
    terminal.resize(33, 101)
    terminal.until_shown(b"columns=101, lines=33")
    described = home.status(id)
    assert (described["rows"], described["cols"]) == (33, 101)


# -- several viewers


def test_several_look_at_once_and_all_can_type(home: Home, desk: Desk) -> None:
    """What one types, all see; when one leaves, the others stay."""
    id = home.python(ECHO_LINES)
    viewers = [desk.attach(str(id)) for _ in range(3)]
    home.until(lambda: home.status(id)["attached_count"] == 3, "three viewers")
    for number, viewer in enumerate(viewers):
        viewer.type(f"from {number}\r".encode())
        for other in viewers:
            other.until_shown(f"<from {number}>".encode())
    viewers[0].type(CHORD)
    assert viewers[0].end() == 0
    viewers[1].type(b"still here\r")
    viewers[2].until_shown(b"<still here>")


def test_a_reader_only_reads(home: Home, desk: Desk) -> None:
    """What it types goes nowhere, its size is its own affair, and the chord still leaves."""
    id = home.python(ECHO_LINES, options=("--rows", "30", "--cols", "90"))
    reader = desk.attach(str(id), "--read-only")
    reader.until_shown(b"ready")
    reader.type(b"nothing\r")
    home.cw("send", str(id), "something")
    reader.until_shown(b"<something>")
    assert b"nothing" not in home.log(id)
    described = home.status(id)
    assert (described["rows"], described["cols"], described["attached"]) == (30, 90, True)
    reader.type(CHORD)
    assert reader.end() == 0
    assert reader.is_as_before()


# Asks something that the daemon answers, and something that it does not, whenever it is typed a digit.
ASKING = """
import os, tty
tty.setraw(0)
os.write(1, b"ready")
while data := os.read(0, 4096):
    if data[:1].isdigit():
        os.write(1, b"\\x1b[c\\x1b[6n\\x1b]99;i=1:p=?;\\x1b\\\\asked " + data[:1])
"""
KNOWN, UNKNOWN = (b"\x1b[c", b"\x1b[6n"), b"\x1b]99;i=1:p=?;\x1b\\"


def test_only_the_one_that_attached_last_is_asked(home: Home, desk: Desk) -> None:
    """What the daemon does not answer goes to one terminal, or it would be answered twice; then to the one before.

    What the daemon answers goes to none.
    """
    id = home.python(ASKING)
    first = desk.attach(str(id))
    second = desk.attach(str(id))
    reader = desk.attach(str(id), "-r")
    home.cw("send", str(id), "1")
    for terminal in (first, second, reader):
        terminal.until_shown(b"asked 1")
    assert [terminal.shown.count(UNKNOWN) for terminal in (first, second, reader)] == [0, 1, 0]
    second.type(CHORD)
    assert second.end() == 0
    home.until(lambda: home.status(id)["attached_count"] == 2, "the second to be gone")
    home.cw("send", str(id), "2")
    for terminal in (first, reader):
        terminal.until_shown(b"asked 2")
    assert [terminal.shown.count(UNKNOWN) for terminal in (first, second, reader)] == [1, 1, 0]
    assert not [
        terminal for terminal in (first, second, reader) for known in KNOWN if known in terminal.shown
    ]


def test_old_questions_are_not_asked_again(home: Home, desk: Desk) -> None:
    """What the program asked before we came was for others, or is answered already: the paint holds no query."""
    text = f"\x1b[6n\x1b]11;?\x07{UNKNOWN.decode()}before \x1b[1mbold"
    id = home.python(f"print({text!r}); input()")
    home.until_printed(id, b"bold")
    home.until_printed(id, b"]11;rgb:")
    terminal = desk.attach(str(id))
    terminal.until_shown(b"before")
    terminal.until_shown(b"bold")
    terminal.type(CHORD)
    assert terminal.end() == 0
    assert Quiet().feed(terminal.shown) == terminal.shown
    assert home.log(id).count(b"]11;rgb:") == 1


# -- one step


def test_launch_and_attach_in_one_step(home: Home, desk: Desk) -> None:
    """The program is shown from its first byte, in the size of this terminal."""
    terminal = desk.cw(
        "launch",
        "-a",
        "--",
        sys.executable,
        "-c",
        "import os; print(os.get_terminal_size()); input(); exit(5)",
        rows=20,
        cols=70,
    )
    terminal.until_shown(b"columns=70, lines=20")
    terminal.type(b"\r")
    assert terminal.end() == 5


def test_launch_and_attach_needs_a_terminal_first(home: Home) -> None:
    """Without one nothing is launched."""
    before = home.list()
    assert "needs a terminal" in home.cw("launch", "-a", "--", "sleep", "60", status=1).stderr
    assert [s["id"] for s in home.list()] == [s["id"] for s in before]


def test_the_exit_of_a_launch_is_the_programs(home: Home, desk: Desk) -> None:
    """Also of one that ends before anybody could look."""
    terminal = desk.cw("launch", "-a", "--", "sh", "-c", "printf quick; exit 3")
    assert terminal.end() == 3
    assert b"quick" in terminal.shown


def test_what_it_is_called_on_the_way(home: Home, desk: Desk) -> None:
    """A signal that ends the client is its exit status: 143 for SIGTERM."""
    id = home.launch("sleep", "60")
    terminal = desk.attach(str(id))
    terminal.signal(signal.SIGTERM)
    assert terminal.end() == 143
