"""cw attach: the terminal is asked what it looks like, and what it answers is never typed"""

from __future__ import annotations

import sys
import time

from codewire_py.client.asking import QUESTIONS
from homes import SECONDS, Home
from own_terminals import Desk, OwnTerminal
from programs import SHOW_HEX

COLOUR, FENCE = b"\x1b]10;rgb:ffff/ffff/ffff\x1b\\", b"\x1b[?62;22;52c"
ANSWERS = COLOUR + b"\x1b]11;rgb:0000/1111/2222\x07\x1b]12;#abcdef\x1b\\\x1b[6;18;9t\x1b[?1u" + FENCE

# Asks for the background colour when it is typed a question mark, and says how the answer ended.
ASK_BACKGROUND = """
import os, tty
tty.setraw(0)
os.write(1, b"ready")
while (typed := os.read(0, 65536)) != b"q":
    if typed == b"?":
        os.write(1, b"\\x1b]11;?\\x1b\\\\")
        typed = b""
        while not typed.endswith((b"\\\\", b"\\x07")):
            typed += os.read(0, 65536)
    os.write(1, b"<" + typed.replace(b"\\x1b", b"^") + b">")
"""


def asked(desk: Desk, *words: str) -> OwnTerminal:
    """An own terminal that was asked, and has not answered yet."""
    terminal = desk.attach(*words, TERM="xterm-256color")
    terminal.until_shown(b"ready")
    assert terminal.shown.count(QUESTIONS) == 1
    return terminal


def test_what_the_terminal_says_reaches_the_program_that_asks(home: Home, desk: Desk) -> None:
    """The daemon answers with our colour, a new daemon as well; nothing of our own is typed."""
    id = home.python(ASK_BACKGROUND)
    terminal = asked(desk, str(id))
    terminal.type(b"\x1b]11;rgb:1212/3434/5656\x1b\\\x1b[?62;c")
    until_coloured(terminal)
    home.cw("restart")
    home.until(lambda: home.status(id)["attached"], "our terminal to be back")
    until_coloured(terminal)
    assert b"62;c" not in home.log(id)


def until_coloured(terminal: OwnTerminal) -> None:
    """Ask until it is so: what our terminal said may still be on its way to the daemon."""
    deadline = time.monotonic() + SECONDS
    said = b""
    while b"1212/3434/5656" not in said:
        assert time.monotonic() < deadline, f"no answer with our colour: {terminal.shown!r}"
        before = len(terminal.shown)
        terminal.type(b"?")
        terminal.until_shown(b"^\\>", terminal.shown.count(b"^\\>") + 1)
        said = terminal.shown[before:]
        assert said.count(b"11;rgb:") == 1


def test_late_and_broken_answers_are_not_typed(home: Home, desk: Desk) -> None:
    """Keys among them arrive; Escape alone is a key."""
    id = home.python(SHOW_HEX)
    terminal = asked(desk, str(id))
    terminal.type(b"a" + COLOUR + b"b" + FENCE + b"\x1b]11;" + b"\xff" * 500 + b"\x07c")
    terminal.until_shown(b"63>")
    terminal.type(b"\x1b")
    terminal.until_shown(b"1b>")
    terminal.type(ANSWERS + b"d")
    terminal.until_shown(b"64>")
    assert (
        bytes.fromhex(home.log(id).replace(b"ready", b"").replace(b"><", b"")[1:-1].decode()) == b"abc\x1bd"
    )


def test_a_reader_asks_nothing(home: Home, desk: Desk) -> None:
    """What its terminal is like concerns nobody; nor is a simple terminal asked."""
    id = home.python(SHOW_HEX)
    reader = desk.attach(str(id), "--read-only", TERM="xterm-256color")
    console = desk.attach(str(id), TERM="linux")
    for terminal in (reader, console):
        terminal.until_shown(b"ready")
        assert QUESTIONS not in terminal.shown


SHELL = """
%s -m codewire_py launch -a -- true
printf "left%%s" .
read -r line
echo "<$line>"
"""


def test_an_answer_that_comes_as_we_leave_is_not_typed_at_the_shell(home: Home, desk: Desk) -> None:
    """The terminal is given back once it has answered."""
    known = {session["id"] for session in home.list("--all")}
    terminal = desk.run(["sh", "-c", SHELL % sys.executable], TERM="xterm-256color")
    terminal.until_shown(QUESTIONS)
    (id,) = {session["id"] for session in home.list("--all")} - known
    home.until(lambda: "detached" in {mark["kind"] for mark in home.marks(id)}, "it to leave")
    terminal.type(ANSWERS)
    terminal.until_shown(b"left.")
    terminal.type(b"next\r")
    terminal.until_shown(b"<next>")
