"""a person's own terminal is a tmux pane: type into it, and see exactly what it shows"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from homes import SECONDS, Home

Row = tuple[tuple[str, str], ...]  # of characters and their styles
SEEN_ON_BLANKS = ("ground", "inverse", "underline", "strike", "line colour")
PROMPT = "own$"
LOOKS, PAUSE = 4, 0.05  # a screen that stays the same for so many looks has settled
FLAGS = [
    "alternate_on", "mouse_any_flag", "mouse_sgr_flag", "keypad_flag", "keypad_cursor_flag", "cursor_flag",
    "insert_flag", "origin_flag", "wrap_flag", "scroll_region_upper", "scroll_region_lower",
]  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """All that a person sees, and how the terminal would take the next byte."""

    rows: tuple[Row, ...]
    cursor: tuple[int, int]
    flags: tuple[str, ...]

    @property
    def text(self) -> list[str]:
        return ["".join(char for char, _ in row) for row in self.rows]

    def __str__(self) -> str:
        return "\n".join([*self.text, f"cursor {self.cursor} {self.flags}"])

    def difference(self, other: Picture) -> str:
        rows = [
            f"row {row}:\n  {runs(ours)}\n  {runs(theirs)}"
            for row, (ours, theirs) in enumerate(zip(self.rows, other.rows, strict=False))
            if ours != theirs
        ]
        rest = f"cursor {self.cursor} {other.cursor}\nflags  {self.flags}\n       {other.flags}"
        return "\n".join([*rows, f"rows   {len(self.rows)} {len(other.rows)}", rest])


def runs(row: Row) -> str:
    """For a person who reads a difference."""
    told, last = "", ""
    for char, style in row:
        told += (f"<{style}>" if style != last else "") + char
        last = style
    return repr(told)


def read_rows(captured: str) -> tuple[Row, ...]:
    """What capture-pane -e tells, cell by cell. A blank has no colour of its own but the background's, and at the end
    of a row tmux does not always tell which background it was erased with."""
    style: dict[str, str] = {}
    rows = []
    for line in captured.splitlines():
        row = []
        for parameters, char in re.findall(r"\x1b\[([\d;:]*)m|([^\x0e\x0f])", line):
            if char:
                shown = {key: value for key, value in style.items() if char != " " or key in SEEN_ON_BLANKS}
                row.append((char, " ".join(shown[key] for key in sorted(shown))))
            else:
                change(style, parameters.split(";"))
        while row and is_erased(*row[-1]):
            row.pop()
        rows.append(tuple(row))
    return tuple(rows)


def is_erased(char: str, style: str) -> bool:
    return char == " " and all(code.startswith(("4", "10")) and code != "4" for code in style.split())


def change(style: dict[str, str], parameters: list[str]) -> None:
    """By one SGR sequence; each attribute has a key of its own."""
    while parameters:
        code = parameters.pop(0)
        number = int(code.partition(":")[0] or 0)
        if number in (38, 48, 58) and ":" not in code:
            count = {"5": 2, "2": 4}[parameters[0]]
            code, parameters[:count] = ";".join([code, *parameters[:count]]), []
        if number == 0:
            style.clear()
        elif number in (39, 49, 59):
            style.pop({39: "front", 49: "ground", 59: "line colour"}[number], None)
        else:
            style[key_of(number)] = code


def key_of(number: int) -> str:
    if number in range(30, 39) or number in range(90, 98):
        return "front"
    if number in range(40, 49) or number in range(100, 108):
        return "ground"
    return {58: "line colour", 7: "inverse", 4: "underline", 9: "strike"}.get(number, str(number))


class Pane:
    """One terminal of a person, with a shell of theirs in it or the program they named."""

    def __init__(self, folder: Path, env: dict[str, str], size: tuple[int, int], command: str) -> None:
        self.rows, self.cols = size
        self.env = env
        self.watched = FLAGS
        self.tmux_words = ["tmux", "-u", "-S", str(folder / "tmux"), "-f", "/dev/null"]
        options = ["set", "-g", "status", "off", ";", "set", "-g", "remain-on-exit", "on", ";"]
        new = ["new-session", "-d", "-x", str(self.cols), "-y", str(self.rows), command]
        self.tmux("start-server", ";", *options, *new)

    def tmux(self, *words: str) -> str:
        done = subprocess.run(
            [*self.tmux_words, *words],
            env=self.env,
            capture_output=True,
            text=True,
            check=True,
            timeout=SECONDS,
        )
        return done.stdout

    # -- a person's part

    def type(self, text: str) -> None:
        self.tmux("send-keys", "-l", text)

    def press(self, *keys: str) -> None:
        """By tmux's names of keys."""
        self.tmux("send-keys", *keys)

    def enter(self, command: str) -> None:
        self.type(command)
        self.press("Enter")

    def resize(self, rows: int, cols: int) -> None:
        self.rows, self.cols = rows, cols
        self.tmux("resize-window", "-x", str(cols), "-y", str(rows))

    # -- what there is to see

    def text(self, *, history: bool = False) -> list[str]:
        return self.tmux("capture-pane", "-p", *(("-S", "-") if history else ())).splitlines()

    def flags(self) -> tuple[str, ...]:
        return self.picture().flags

    def picture(self) -> Picture:
        """The screen and the cursor of the same moment: one command to tmux."""
        asked = f"#{{cursor_y}} #{{cursor_x}} {' '.join(f'#{{{flag}}}' for flag in self.watched)}"
        first, _, screen = self.tmux("display", "-p", asked, ";", "capture-pane", "-p", "-e", "-N").partition(
            "\n"
        )
        row, col, *flags = first.split()
        return Picture(read_rows(screen), (int(row), int(col)), tuple(flags))

    def settled(self, is_it: Callable[[Picture], object], what: str, looks: int = LOOKS) -> Picture:
        """The picture that is it and stays the same for a while."""
        deadline = time.monotonic() + SECONDS
        last, seen = self.picture(), 0
        while seen < looks:
            assert time.monotonic() < deadline, f"waited in vain for {what}:\n{last}"
            time.sleep(PAUSE)
            now = self.picture()
            seen = seen + 1 if now == last and is_it(now) else 0
            last = now
        return last

    def until_shown(self, text: str, looks: int = LOOKS) -> Picture:
        return self.settled(lambda picture: any(text in line for line in picture.text), repr(text), looks)

    def until_prompt(self) -> Picture:
        """Its own shell waits, and nothing has been typed into it."""
        return self.settled(lambda picture: last_line(picture) == PROMPT, "an empty prompt")

    def until_same(self, wanted: Picture) -> None:
        """It comes to show that and stays so; else the difference is told."""
        deadline = time.monotonic() + SECONDS / 3
        last, seen = self.picture(), 0
        while seen < LOOKS:
            time.sleep(PAUSE)
            last = self.picture()
            seen = seen + 1 if last == wanted else 0
            assert time.monotonic() < deadline, (
                f"not the same (wanted, shown):\n{wanted.difference(last)}\n{last}"
            )

    def close(self) -> None:
        subprocess.run(
            [*self.tmux_words, "kill-server"], env=self.env, capture_output=True, check=False, timeout=SECONDS
        )


def last_line(picture: Picture) -> str:
    return next((line.strip() for line in reversed(picture.text) if line.strip()), "")


class Desk:
    """The terminals of a test. In their shells `cw` is the command under test."""

    def __init__(self, home: Home, folder: Path) -> None:
        self.home, self.folder = home, folder
        self.panes: list[Pane] = []
        rc = folder / "rc"
        rc.write_text(f"PS1='{PROMPT} '\ncw() {{ {shlex.quote(sys.executable)} -m codewire_py \"$@\"; }}\n")
        kept = {name: value for name, value in home.env.items() if name not in ("TMUX", "TMUX_PANE", "STY")}
        self.env = {**kept, "ENV": str(rc), "LC_ALL": "C.UTF-8", "SHELL": "/bin/sh"}

    def shell(self, rows: int = 24, cols: int = 80) -> Pane:
        pane = self.run("sh", (rows, cols))
        pane.until_prompt()
        return pane

    def run(self, command: str, size: tuple[int, int]) -> Pane:
        pane = Pane(self.new_folder(str(len(self.panes))), self.env, size, command)
        self.panes.append(pane)
        return pane

    def new_folder(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir()
        return folder

    def run_directly(self, command: Sequence[str], size: tuple[int, int]) -> Pane:
        """The program without cw, told the same about its terminal."""
        return self.run(f"TERM=xterm-256color exec env -u TMUX -u TMUX_PANE {shlex.join(command)}", size)


@contextmanager
def new_desk(home: Home) -> Iterator[Desk]:
    with tempfile.TemporaryDirectory(prefix="cw-desk-", ignore_cleanup_errors=True) as folder:
        desk = Desk(home, Path(folder))
        try:
            yield desk
        finally:
            for pane in desk.panes:
                pane.close()
            home.cw("kill", "--all", status=None)  # some write down how they end, in this folder


def attach(pane: Pane, session: int) -> None:
    pane.enter(f"cw attach {session}")


def detach(pane: Pane) -> Picture:
    pane.press("C-b", "d")
    return pane.until_prompt()
