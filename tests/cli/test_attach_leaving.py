"""however an attach ends, the terminal is given back as it was, and the session goes on"""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from pathlib import Path

import pexpect
import pytest

from codewire_py.daemon.screen.paint import END
from homes import CW, Home, until
from own_terminals import COLS, ROWS, Desk, OwnTerminal
from painted import last_words
from programs import ECHO_LINES, heed

# What a full-screen program switches on, and what each is switched off with.
ON = (
    b"\x1b[?1049h\x1b[?25l\x1b[?2004h\x1b[?1000h\x1b[?1002h\x1b[?1003h\x1b[?1006h\x1b[?1004h\x1b[?1h\x1b=\x1b[>1u\x1b[>4;2m"
    b"\x1b[2;10r\x1b[4 q\x1b[7m"
)
OFF = [
    b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?2004l", b"\x1b[?1000l", b"\x1b[?1002l", b"\x1b[?1003l", b"\x1b[?1006l",
    b"\x1b[?1004l", b"\x1b[?1l", b"\x1b>", b"\x1b[<1u", b"\x1b[>4m", b"\x1b[r", b"\x1b[0 q", b"\x1b[0m",
]  # fmt: skip
FULL_SCREEN = f"""
import sys
sys.stdout.write({ON.decode()!r} + "SHOWN")
sys.stdout.flush()
sys.stdin.readline()
sys.exit(4)
"""


def full_screen(home: Home) -> int:
    """As large as the terminals here: another size would undo the scroll region."""
    id = home.python(FULL_SCREEN, options=("--rows", str(ROWS), "--cols", str(COLS)))
    home.until_printed(id, b"SHOWN")
    return id


def check_given_back(terminal: OwnTerminal) -> None:
    """Its modes are as before, and everything that was switched on was switched off afterwards."""
    assert terminal.is_as_before()
    after = behind_paint(terminal).rpartition(b"SHOWN")[2]
    assert [off for off in OFF if off not in after] == []


def behind_paint(terminal: OwnTerminal) -> bytes:
    _, end, rest = terminal.shown.rpartition(END)
    assert end
    return rest


def leave_by_chord(home: Home, terminal: OwnTerminal, id: int) -> int:
    terminal.type(b"\x02d")
    return 0


def leave_by_end(home: Home, terminal: OwnTerminal, id: int) -> int:
    terminal.type(b"\r")
    return 4


def leave_by_kill(home: Home, terminal: OwnTerminal, id: int) -> int:
    home.cw("kill", str(id))
    return 143


def leave_by_sigterm(home: Home, terminal: OwnTerminal, id: int) -> int:
    terminal.signal(signal.SIGTERM)
    return 143


def leave_by_sigint(home: Home, terminal: OwnTerminal, id: int) -> int:
    terminal.signal(signal.SIGINT)
    return 130


def leave_by_sighup(home: Home, terminal: OwnTerminal, id: int) -> int:
    terminal.signal(signal.SIGHUP)
    return 129


@pytest.mark.parametrize(
    "leave", [leave_by_chord, leave_by_end, leave_by_kill, leave_by_sigterm, leave_by_sigint, leave_by_sighup]
)
def test_the_terminal_is_given_back(home: Home, desk: Desk, leave: object) -> None:
    """Raw mode, alternate screen, cursor, mouse, paste, keyboard, scroll region, colours: undone however it ends."""
    assert callable(leave)
    id = full_screen(home)
    terminal = desk.attach(str(id))
    terminal.until_shown(b"SHOWN")
    status = leave(home, terminal, id)
    assert terminal.end() == status
    check_given_back(terminal)


@pytest.mark.parametrize(
    ("unfinished", "is_shown"),
    [("\x1b[", False), ("\x1b[38;5", False), ("\x1b]0;half a tit", True), ("\x1bPq#0", True)],
)
def test_what_was_switched_on_while_we_looked_counts_as_well(
    home: Home, desk: Desk, unfinished: str, is_shown: bool
) -> None:
    """Also in the middle of a sequence: held until it is whole, or ended, lest it swallow what comes next."""
    id = home.python(
        f"import sys; input(); sys.stdout.write({ON.decode() + 'SHOWN' + unfinished!r}); sys.stdout.flush(); input()",
        options=("--rows", str(ROWS), "--cols", str(COLS)),
    )
    terminal = desk.attach(str(id))
    terminal.type(b"\r")
    terminal.until_shown(b"SHOWN")
    terminal.type(b"\x02d")
    assert terminal.end() == 0
    check_given_back(terminal)
    after = behind_paint(terminal).rpartition(b"SHOWN")[2]
    assert after.startswith(unfinished.encode() + b"\x18\x1b\\\x1b[<1u" if is_shown else b"\x1b[<1u")


def test_what_is_off_again_is_not_undone(home: Home, desk: Desk) -> None:
    """A program that cleaned up, or never did anything, costs no sequence but what a paint may have changed."""
    for program in (
        "print('\\x1b[?1049h\\x1b[?25l x \\x1b[?25h\\x1b[?1049ldone'); input()",
        "print('done'); input()",
    ):
        id = home.python(program)
        home.until_printed(id, b"done")
        terminal = desk.attach(str(id))
        terminal.until_shown(b"done")
        terminal.type(b"\x02d")
        assert terminal.end() == 0
        assert b"\x1b" not in behind_paint(terminal).replace(last_words(COLS), b"", 1)


def test_a_daemon_that_crashes_is_not_even_noticed(home: Home, desk: Desk) -> None:
    """Killed with -9: typing goes on, output goes on, and leaving is as ever."""
    id = full_screen(home)
    terminal, daemon = desk.attach(str(id)), home.daemon()
    os.kill(daemon, signal.SIGKILL)
    until(
        lambda: (
            not Path(f"/proc/{daemon}/cmdline").exists() or not Path(f"/proc/{daemon}/cmdline").read_bytes()
        ),
        "it to die",
    )
    terminal.type(b"typed without a daemon")
    terminal.until_shown(b"typed without a daemon")
    assert not terminal.is_as_before()
    home.until(
        lambda: home.daemon() != daemon and home.status(id)["attached"], "a new daemon that knows the viewer"
    )
    terminal.type(b"\r")
    assert terminal.end() == 4
    check_given_back(terminal)


def test_a_crash_and_a_detach(home: Home, desk: Desk) -> None:
    """Leaving works also while there is no daemon."""
    terminal = desk.attach(str(full_screen(home)))
    os.kill(home.daemon(), signal.SIGKILL)
    terminal.type(b"\x02d")
    assert terminal.end() == 0
    check_given_back(terminal)
    home.cw("list")


def test_a_stopped_daemon_stays_stopped(home: Home, desk: Desk) -> None:
    """Only a new command starts one again; meanwhile the viewer types and sees, and its exit status is right."""
    id = home.python("input(); print('went on'); input(); raise SystemExit(6)")
    terminal = desk.attach(str(id))
    home.cw("stop")
    terminal.type(b"\r")
    terminal.until_shown(b"went on")
    looked_until = time.monotonic() + 1  # three times as long as a crashed one is missed
    while time.monotonic() < looked_until:
        terminal.take(0.05)
        assert not (home.path / "daemon.pid").exists()
    terminal.type(b"\r")
    assert terminal.end() == 6
    assert b"session completed (6)" in terminal.shown
    home.cw("start")


def test_a_restarted_daemon_is_not_noticed(home: Home, desk: Desk) -> None:
    """Nothing is shown twice or lost, and the new daemon knows the viewer."""
    id = home.python(ECHO_LINES)
    terminal = desk.attach(str(id))
    terminal.type(b"before\r")
    terminal.until_shown(b"<before>")
    home.cw("restart")
    terminal.type(b"after\r")
    terminal.until_shown(b"<after>")
    home.until(lambda: home.status(id)["attached"], "the viewer to be known again")
    assert terminal.shown.count(b"<before>") == 1
    terminal.type(b"\x02d")
    assert terminal.end() == 0


def test_a_window_that_is_closed_detaches(home: Home, desk: Desk) -> None:
    """The session neither ends nor hears of it, and no client is left behind."""
    id = home.python(heed(HUP="print('hung up')"))
    terminal = desk.attach(str(id))
    terminal.until_shown(b"ready")
    terminal.hang_up()
    assert terminal.end() in (129, -signal.SIGHUP)
    home.until(lambda: not home.status(id)["attached"], "the daemon to see it leave")
    assert home.status(id)["status"] == "running"
    assert b"hung up" not in home.log(id)


def test_the_end_of_the_input_ends_the_client(home: Home, desk: Desk) -> None:
    """Killed with -9, a client cannot give the terminal back, but the session is unharmed and it is soon forgotten."""
    id = home.launch("cat")
    terminal = desk.attach(str(id))
    terminal.signal(signal.SIGKILL)
    assert terminal.end() == -signal.SIGKILL
    home.until(lambda: not home.status(id)["attached"], "the daemon to see it leave")
    home.cw("send", str(id), "alive")
    home.until_printed(id, b"alive\r\nalive\r\n")


def test_stop_and_continue(home: Home) -> None:
    """As a job of a shell: stopped, the terminal is the shell's again; in the foreground, it is raw and repainted."""
    id = home.python(f"print({ON.decode()!r} + 'full screen')" + ECHO_LINES)
    home.until_printed(id, b"full screen")
    shell = pexpect.spawn(
        "bash",
        ["--norc", "--noprofile", "-i"],
        env={**home.env, "PS1": "shell$ "},
        timeout=20,
        dimensions=(24, 80),
    )
    try:
        shell.expect_exact("shell$ ")
        shell.sendline(" ".join([*CW, "attach", str(id)]))
        shell.expect_exact("to detach)")
        shell.expect_exact("full screen")
        until(lambda: home.status(id)["attached"], "it to be attached")
        client = client_of(home, id)
        os.kill(client, signal.SIGTSTP)
        shell.expect_exact("\x1b[?1049l")
        shell.expect_exact("Stopped")
        shell.expect_exact("shell$ ")
        shell.sendline("stty -a; echo dash-$-")
        shell.expect(r"[^-]icanon.*[^-]echo ")
        shell.expect_exact("shell$ ")
        shell.sendline("fg")
        shell.expect_exact("\x1b[?1049h")
        shell.expect_exact("full screen")
        shell.send("again\r")
        shell.expect_exact("<again>")
        shell.send("\x02d")
        shell.expect_exact("[cw] detached from session")
        shell.expect_exact("shell$ ")
    finally:
        shell.close(force=True)


def client_of(home: Home, id: int) -> int:
    """The pid of the `cw attach` that is there for the session."""
    words = f"attach\0{id}\0".encode()
    return next(
        pid
        for pid in home.ours()
        if Path(f"/proc/{pid}/cmdline").read_bytes().endswith(b"codewire_py\0" + words)
    )


# -- never inside itself


INSIDE = "cannot be followed from inside itself"


@pytest.mark.parametrize("words", [("attach",), ("watch",), ("logs", "-f")])
@pytest.mark.parametrize("hides", [False, True])
def test_a_session_is_not_followed_from_inside_itself(
    home: Home, words: tuple[str, ...], hides: bool
) -> None:
    """Its output would be fed to itself for ever: refused with a hint, also where the environment does not tell."""
    hidden = ("env", "-u", "CODEWIRE_SESSION") if hides else ()
    shell = home.launch(
        "sh", "-c", 'read go; exec "$@"', "sh", *hidden, *CW, *words, "self", options=("--name", "self")
    )
    home.cw("send", str(shell), "go")
    assert home.end(shell)["code"] == 1
    text = home.log(shell).decode()
    assert f"Error: session {shell} {INSIDE}" in text
    assert "run it in a terminal that is not part of that session" in text


def test_nor_through_another_attached_session(home: Home, desk: Desk) -> None:
    """Session 1 shows session 2, and in 2 somebody tries to look at 1; once 1 shows it no more, that is fine."""
    inner = home.launch("sh", "-i", options=("-e", "PS1=inner$ "))
    outer = home.launch("sh", "-i", options=("-e", "PS1=outer$ "))
    home.until_printed(outer, b"outer$ ")
    home.cw("send", str(outer), " ".join([*CW, "attach", str(inner)]))
    home.until(lambda: home.status(inner)["attached"], "outer to show inner")
    for words in (["attach"], ["watch"], ["logs", "-f"]):
        home.cw("send", str(inner), " ".join([*CW, *words, str(outer)]) + f"; echo {words[0]}-$?")
        home.until_printed(inner, f"{words[0]}-1".encode())
    assert home.log(inner).count(b"from inside a session that it follows") == 3
    os.kill(client_of(home, inner), signal.SIGTERM)
    home.until(lambda: not home.status(inner)["attached"], "outer to show it no more")
    home.cw("send", str(inner), " ".join([*CW, "watch", str(outer), "--timeout", "0"]) + "; echo watch-$?")
    home.until_printed(inner, b"watch-0")


def test_without_an_id_oneself_is_never_picked(home: Home) -> None:
    """From inside the only free session there is none."""
    home.cw("kill", "--all", "--grace", "0.1", status=None)
    shell = home.launch("sh", "-c", 'exec "$@"', "sh", *CW, "attach")
    assert home.end(shell)["code"] == 1
    assert b"No unattached running sessions available." in home.log(shell)


def test_others_may_be_looked_at_from_inside(home: Home) -> None:
    """It is only oneself that is refused."""
    other = home.launch("sh", "-c", "echo other; read x; exit 3")
    inside = home.launch(*CW, "attach", str(other))
    home.until_printed(inside, b"other")
    home.cw("send", str(inside), "--enter", "")
    assert home.end(inside)["code"] == 3
    assert re.search(rb"session ended: session completed \(3\)", home.log(inside))
    assert sys.executable in home.status(inside)["prompt"]
