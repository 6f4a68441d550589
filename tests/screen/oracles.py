"""run bytes through tmux, xterm.js and our own screen: what each of them shows then"""

from __future__ import annotations

import base64
import json
import os
import re
import select
import shutil
import subprocess
import tempfile
import time
import tty
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from codewire_py.daemon.screen.screen import Screen
from screen.shown import PLAIN, Cell, Look, Picture, changed

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".tools"
SECONDS = 60.0
PROGRAM = ("sleep", "300")  # its server ends with it, should the tests be killed
AT_ONCE = 40  # commands for one run of tmux
GRAPHICS = dict(zip("`abcdefghijklmnopqrstuvwxyz{|}~", "◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·", strict=True))
ASK, ANSWER = b"\x1b\\\x1b[5n", b"\x1b[0n"  # behind the end of whatever string is open


@dataclass(frozen=True)
class Play:
    """Bytes for a terminal of that size, in pieces."""

    rows: int
    cols: int
    pieces: tuple[bytes, ...]


class Unprepared(Exception):
    """What the oracles need is not there: not skipped, for a test that does not run proves nothing."""


def ours(play: Play) -> Picture:
    screen = Screen(play.rows, play.cols)
    for piece in play.pieces:
        screen.feed(piece)
    cells = [[cell_of(screen, row, col) for col in range(play.cols)] for row in range(play.rows)]
    return Picture(screen.text(), screen.cursor(), screen.is_alternate, screen.history_text(10_000), cells)


def cell_of(screen: Screen, row: int, col: int) -> Cell:
    char, style = screen.cell(row, col)
    return char, changed(PLAIN, style.sgr_text[4:-1])


# -- xterm.js


def xterm(plays: Sequence[Play]) -> list[Picture]:
    node = shutil.which("node")
    if node is None or not (TOOLS / "node_modules/@xterm/headless").is_dir():
        raise Unprepared("xterm.js is missing (node, and @xterm in .tools): run scripts/setup")
    lines = [json.dumps(order(play)) for play in plays]
    done = subprocess.run(
        [node, str(Path(__file__).with_name("xterm.mjs")), str(TOOLS)],
        input="\n".join(lines) + "\n", capture_output=True, encoding="utf-8", timeout=SECONDS, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise Unprepared(f"xterm.js does not run: run scripts/setup\n{done.stderr}")
    return [told(json.loads(line)) for line in done.stdout.splitlines()]


def order(play: Play) -> dict[str, object]:
    pieces = [base64.b64encode(piece).decode() for piece in play.pieces]
    return {"rows": play.rows, "cols": play.cols, "pieces": pieces}


def told(answer: dict[str, list[list[tuple[str, list[str]]]]]) -> Picture:
    cells = [[(char, look_of(*look)) for char, look in row] for row in answer["cells"]]
    row, col = answer["cursor"]
    history = [str(line).rstrip(" ") for line in answer["history"]]
    return Picture([text_of(row) for row in cells], (row, col), bool(answer["isAlternate"]), history, cells)  # type: ignore[arg-type]


def look_of(flags: str, underline: str, foreground: str, background: str) -> Look:
    return Look(frozenset(int(code) for code in flags.split()), underline, foreground, background)


def text_of(cells: list[Cell]) -> str:
    return "".join(char for char, _ in cells).rstrip(" ")


# -- tmux


def tmux(plays: Sequence[Play]) -> list[Picture]:
    if shutil.which("tmux") is None:
        raise Unprepared("tmux is missing: run scripts/setup")
    with Tmux() as server:
        server.open(plays)
        terminals = server.terminals()
        for play, terminal in zip(plays, terminals, strict=True):
            terminal.write(b"".join(play.pieces))
        return server.pictures(plays)


def tmux_version() -> str:
    return subprocess.run(["tmux", "-V"], capture_output=True, text=True, check=True).stdout.split()[-1]


class Tmux:
    """A server of its own, with one session per play; what the programs in them would print, we print."""

    def __enter__(self) -> Self:
        self.folder = tempfile.mkdtemp(prefix="cw-tmux-")
        self.opened: list[Terminal] = []
        return self

    def __exit__(self, *_: object) -> None:
        for terminal in self.opened:
            terminal.close()
        self.run(["kill-server"])
        shutil.rmtree(self.folder)

    def run(self, commands: list[str]) -> str:
        words = ["tmux", "-u", "-S", self.folder + "/s", "-f", "/dev/null", *commands]
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}
        environment.pop("TMUX", None)
        done = subprocess.run(words, capture_output=True, env=environment, timeout=SECONDS, check=True)
        return done.stdout.decode()

    def open(self, plays: Sequence[Play]) -> None:
        # `scroll-on-clear` is a kindness of tmux alone: what is cleared goes to the history first.
        options = ("status off", "history-limit 5000", "scroll-on-clear off", "escape-time 0")
        commands = ["new-session", "-d", "-s", "first", *PROGRAM]
        for option in options:
            commands += [";", "set-option", "-gq", *option.split()]
        self.run(commands)
        for part in parts(list(enumerate(plays))):
            commands = []
            for index, play in part:
                size = ["-x", str(play.cols), "-y", str(play.rows)]
                commands += ["new-session", "-d", "-s", f"p{index}", *size, *PROGRAM, ";"]
            self.run(commands[:-1])

    def terminals(self) -> list[Terminal]:
        listed = [
            line.split()
            for line in self.run(["list-panes", "-a", "-F", "#{session_name} #{pane_tty}"]).splitlines()
        ]
        paths = {name: path for name, path in listed if name != "first"}
        self.opened = [Terminal(paths[f"p{index}"]) for index in range(len(paths))]
        return self.opened

    def pictures(self, plays: Sequence[Play]) -> list[Picture]:
        found = []
        for part in parts(list(enumerate(plays))):
            commands = []
            for index, _ in part:
                where = ["-t", f"p{index}:"]
                commands += [
                    "display-message",
                    *where,
                    "-p",
                    "\x01#{cursor_x} #{cursor_y} #{alternate_on}",
                    ";",
                ]
                commands += ["capture-pane", *where, "-peN", "-S", "-", ";"]
            answers = self.run(commands[:-1]).split("\x01")[1:]
            found += [captured(answer, play) for answer, (_, play) in zip(answers, part, strict=True)]
        return found


def parts(things: list[tuple[int, Play]]) -> Iterator[list[tuple[int, Play]]]:
    for start in range(0, len(things), AT_ONCE):
        yield things[start : start + AT_ONCE]


class Terminal:
    """The slave end of a pane."""

    def __init__(self, path: str) -> None:
        self.file = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self.file)

    def write(self, data: bytes) -> None:
        """Returns when tmux has acted on all of it: it answers a question that comes last."""
        until = time.monotonic() + SECONDS
        left = data + ASK
        heard = b""
        while left or ANSWER not in heard:
            readable, writable, _ = select.select(
                [self.file], [self.file] if left else [], [], until - time.monotonic()
            )
            if not (readable or writable):
                raise TimeoutError(f"tmux did not take {data[-100:]!r}")
            heard = (heard + os.read(self.file, 4096) if readable else heard)[-4096:]
            if writable:
                left = left[os.write(self.file, left[:4096]) :]

    def close(self) -> None:
        os.close(self.file)


def captured(answer: str, play: Play) -> Picture:
    state, _, drawn = answer.partition("\n")
    col, row, alternate = (int(word) for word in state.split())
    lines = cells_of(drawn.removesuffix("\n"))
    screen = lines[-play.rows :]
    history = [text_of(line) for line in lines[: -play.rows]]
    cursor = row, min(col, play.cols - 1)
    return Picture([text_of(line) for line in screen], cursor, bool(alternate), history, screen)


def cells_of(drawn: str) -> list[list[Cell]]:
    """Rows as `capture-pane -e` draws them: how one looks at its end, the next begins."""
    rows: list[list[Cell]] = [[]]
    look, is_graphic = PLAIN, False
    for match in re.finditer(r"\x1b\[([0-9;:]*)m|\x1b\]8;[^\x1b]*\x1b\\|([\x0e\x0f])|(\n)|(.)", drawn):
        if match[1] is not None:
            look = changed(look, re.sub(r"(^|;)5:3(?=;|$)", r"\g<1>53", match[1]))  # so 3.3 says 53
        elif match[2]:
            is_graphic = match[2] == "\x0e"
        elif match[3]:
            rows.append([])
        elif match[4]:
            rows[-1].append((GRAPHICS.get(match[4], match[4]) if is_graphic else match[4], look))
    return rows
