"""a screen on a terminal of another size: the part around the cursor, exactly, and nothing left behind"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codewire_py.daemon.screen.screen import Screen
from codewire_py.daemon.screen.view import View

RECORDINGS = sorted((Path(__file__).parent / "recordings").glob("*.rec"))
SECONDS = 20.0
DOT = ("\u00b7", b"2")
INPUT_MODES = (1, 5, 9, 25, 66, 1000, 1002, 1003, 1004, 1005, 1006, 1007, 1015, 1016, 2004, 2031)
Cells = list[list[tuple[str, bytes]]]
Size = tuple[int, int]
Step = tuple[bytes, Size | None, Size | None]

DRAWING = st.one_of(
    st.text("abc xyz\u00e9", max_size=30).map(str.encode),
    st.text("語あ한😀e\u0301", max_size=9).map(str.encode),
    st.sampled_from(
        [b"\r\n", b"\r", b"\n", b"\b", b"\t", b"\x1bM", b"\x1bD", b"\x1b7", b"\x1b8", b"\x1b[K", b"\x1b[1K", b"\x1b[J",
         b"\x1b[2J", b"\x1b[L", b"\x1b[M", b"\x1b[2P", b"\x1b[3@", b"\x1b[4X", b"\x1b[3;7r", b"\x1b[r", b"\x1b(0", b"\x1b(B",
         b"\x0e", b"\x1b]8;;http://a\x1b\\", b"\x1b]8;;\x07", b"\x1b[!p", b"\x1bc", b"\x1b[", b"\x1b]", b"\xe8\xaa"]
    ),
    st.sampled_from([b"", b"1", b"31", b"44", b"1;38;5;99", b"48;2;1;2;3", b"4:3"]).map(lambda code: b"\x1b[%bm" % code),
    st.tuples(st.integers(1, 60), st.integers(1, 60)).map(lambda at: b"\x1b[%d;%dH" % at),
)  # fmt: skip
SETTING = st.one_of(
    st.sampled_from([b"\x1b=", b"\x1b>", b"\x1b[>5u", b"\x1b[<u", b"\x1b[=3u", b"\x1b[4 q", b"\x1b[>4;2m"]),
    st.tuples(st.sampled_from([1, 5, 6, 7, 25, 1000, 1002, 1004, 1006, 1049, 2004, 2026]), st.sampled_from(b"hl"))
    .map(lambda mode: b"\x1b[?%d%c" % mode),
)  # fmt: skip
NAMING = st.sampled_from(
    [b"\x1b]2;title\x07", b"\x1b]0;\x1b\\", b"\x1b[22;0t", b"\x1b[23;0t", b"\x1b]11;#123456\x07", b"\x1b]111\x07",
     b"\x1b]4;1;red;2;blue\x07", b"\x1b]104\x07"]
)  # fmt: skip
STREAMS = st.lists(DRAWING | SETTING | NAMING, max_size=12).map(b"".join)
DIRT = st.lists(DRAWING | SETTING, max_size=12).map(b"".join)  # a person's own colours and title are not dirt
OWN_SIZES = st.tuples(st.integers(1, 14), st.integers(1, 14))
SIZES = st.tuples(st.integers(1, 14), st.integers(2, 14))  # in one column, no wide character stands


def cells(screen: Screen) -> Cells:
    at = [[screen.cell(row, col) for col in range(screen.cols)] for row in range(screen.rows)]
    return [[(char, style.sgr_bytes[4:-1]) for char, style in row] for row in at]


def part(screen: Screen, view: View) -> Cells:
    """What is to be seen: the part, characters that are cut blank, dots where the screen ends."""
    shown = []
    for row in cells(screen)[view.top : view.top + view.rows]:
        cut = row[view.left : view.left + view.cols]
        if not cut[0][0]:
            cut[0] = (" ", cut[0][1])
        if view.left + view.cols < screen.cols and not row[view.left + view.cols][0]:
            cut[-1] = (" ", cut[-1][1])
        shown.append(cut + [DOT] * (view.cols - len(cut)))
    return shown + [[DOT] * view.cols] * (view.rows - len(shown))


def check_shown(terminal: Screen, screen: Screen, view: View) -> None:
    """The picture, the cursor, and everything the program has set that is not drawn."""
    assert cells(terminal) == part(screen, view)
    row, col = screen.cursor()
    assert terminal.cursor() == (row - view.top, col - view.left)
    assert terminal.is_alternate
    assert terminal.title == screen.title
    ours, theirs = terminal.modes, screen.modes
    assert [ours.is_on(mode) for mode in INPUT_MODES] == [theirs.is_on(mode) for mode in INPUT_MODES]
    assert (ours.shape, ours.colours, ours.keyboard_flags) == (
        theirs.shape,
        theirs.colours,
        theirs.keyboard_flags,
    )
    assert not ours.is_on(2026)


def shown_by(view: View, screen: Screen) -> Screen:
    terminal = Screen(view.rows, view.cols)
    terminal.feed(view.draw(screen))
    check_shown(terminal, screen, view)
    return terminal


def filled(rows: int, cols: int) -> Screen:
    """Every cell tells where it is."""
    screen = Screen(rows, cols)
    for row in range(rows):
        line = "".join(chr(97 + (row + col) % 26) for col in range(cols))
        screen.feed(b"\x1b[%dH%b" % (row + 1, line.encode()))
    return screen


# -- the part


@pytest.mark.parametrize(
    "size", [(10, 20), (5, 20), (10, 7), (4, 6), (1, 1), (12, 20), (10, 23), (40, 90), (3, 50)]
)
def test_any_size_of_terminal(size: Size) -> None:
    """Smaller, larger, of another shape: what fits is shown, wherever the cursor is."""
    screen, view = filled(10, 20), View(*size)
    for row, col in ((1, 1), (10, 20), (5, 11), (1, 20), (10, 1)):
        screen.feed(b"\x1b[%d;%dH" % (row, col))
        terminal = shown_by(View(*size), screen)
        drawn = view.draw(screen)
        terminal.feed(drawn)
        check_shown(terminal, screen, view)


@pytest.mark.parametrize("size", [(0, 0), (-5, 1 << 40), (1 << 40, -5)])
def test_sizes_that_no_terminal_has(size: Size) -> None:
    """Something is drawn, and not much."""
    assert 0 < len(View(*size).draw(filled(10, 20))) < 100_000


def test_the_part_moves_as_little_as_it_can() -> None:
    """A cursor inside moves nothing; beyond an edge, the edge goes with it; lines show their beginning if they can."""
    screen, view = filled(10, 20), View(4, 8)
    corners = []
    for row, col in ((1, 1), (4, 8), (5, 9), (2, 9), (3, 16), (1, 9), (10, 20), (8, 14), (7, 8)):
        screen.feed(b"\x1b[%d;%dH" % (row, col))
        view.draw(screen)
        corners.append((view.top, view.left))
    assert corners == [(0, 0), (0, 0), (1, 1), (1, 1), (1, 8), (0, 8), (6, 12), (6, 12), (6, 0)]


def test_no_room_is_wasted() -> None:
    """When the terminal grows or the session shrinks, no dots are where the screen could be."""
    screen, view = filled(10, 20), View(4, 8)
    view.draw(screen)
    view.resize(8, 15)
    view.draw(screen)
    assert (view.top, view.left) == (2, 5)
    screen.resize(5, 10)
    view.draw(screen)
    assert (view.top, view.left) == (0, 0)


def test_wide_characters_at_the_edges() -> None:
    """Half of one is shown as a blank, in its colours."""
    screen, view = Screen(2, 10), View(1, 4)
    screen.feed("\x1b[41m語語語語語\x1b[1;6H".encode())
    terminal = shown_by(view, screen)
    assert (view.left, terminal.text()) == (2, ["語語"])
    screen.feed(b"\x1b[1;7H")
    terminal.feed(view.draw(screen))
    assert (view.left, terminal.text()) == (3, [" 語"])
    assert [style.sgr_bytes for _, style in (terminal.cell(0, 0), terminal.cell(0, 3))] == [b"\x1b[0;41m"] * 2


# -- over what was drawn last


def test_only_what_differs_is_drawn() -> None:
    """Nothing for nothing; a move for a move; a row for a character."""
    screen, view = filled(10, 20), View(8, 15)
    screen.feed(b"\x1b[H")
    assert view.draw(screen)
    assert view.draw(screen) == b""
    screen.feed(b"\x1b[4;5H")
    moved = view.draw(screen)
    assert moved
    assert len(moved) < 20
    view.draw(screen)
    screen.feed(b"!")
    assert b"!" in (drawn := view.draw(screen))
    assert drawn.count(b"\x1b[K") == 1
    assert len(drawn) < 80
    view.resize(8, 15)
    assert view.draw(screen) == b""


def test_it_is_drawn_at_once() -> None:
    """In one synchronised update, the cursor out of sight until it is where it belongs."""
    screen, view = filled(3, 9), View(3, 9)
    assert view.draw(screen).startswith(b"\x18\x1b\\"), "a sequence that was begun is not ours"
    screen.feed(b"\x1b[2;2Hx\x1b[?25l")
    drawn = view.draw(screen)
    assert drawn.startswith(b"\x1b[?2026h\x1b[?25l")
    assert drawn.endswith(b"\x1b[2;3H\x1b[?25l\x1b[?2026l")
    screen.feed(b"\x1b[?25h")
    assert view.draw(screen) == b"\x1b[2;3H\x1b[?25h"


STEPS = st.tuples(STREAMS, st.none() | SIZES, st.none() | OWN_SIZES)


def test_a_terminal_that_counts_otherwise() -> None:
    """A character that is wider there spoils the end of its row; nothing runs over into the next, or scrolls."""
    screen, view, terminal = filled(4, 10), View(4, 10), Screen(4, 9)
    terminal.feed(view.draw(screen))
    assert [line[:8] for line in terminal.text()] == [line[:8] for line in screen.text()]


@settings(max_examples=250)
@given(DIRT, SIZES, OWN_SIZES, st.lists(STEPS, min_size=1, max_size=4))
def test_it_always_shows_the_part(dirt: bytes, size: Size, own: Size, steps: list[Step]) -> None:
    """From any state of the terminal, whatever the program prints, and whoever resizes what."""
    screen, view, terminal = Screen(*size), View(*own), Screen(*own)
    terminal.feed(dirt)
    for stream, resized, measured in steps:
        if resized:
            screen.resize(*resized)
        if measured:
            view.resize(*measured)
            terminal.resize(*measured)
        screen.feed(stream)
        terminal.feed(view.draw(screen))
        check_shown(terminal, screen, view)
        assert view.draw(screen) == b""


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.stem)
@pytest.mark.parametrize("own", [(10, 30), (60, 200)], ids=str)
def test_real_programs(recording: Path, own: Size) -> None:
    """On a small and on a large terminal, all the way."""
    facts = json.loads(recording.with_suffix(".json").read_text())
    screen, view, terminal = Screen(facts["rows"], facts["cols"]), View(*own), Screen(*own)
    stream = recording.read_bytes()
    step = max(500, len(stream) // 16)
    for at in range(0, len(stream), step):
        screen.feed(stream[at : at + step])
        terminal.feed(view.draw(screen))
        check_shown(terminal, screen, view)


# -- gone without trace


@given(STREAMS, STREAMS, OWN_SIZES)
def test_the_terminal_is_given_back(before: bytes, stream: bytes, own: Size) -> None:
    """Its own screen, title, cursor and settings are as they were, and nothing has scrolled."""
    screen, view, terminal = Screen(8, 10), View(*own), Screen(*own)
    terminal.feed(b"ls\r\nls\x1b]2;shell\x07")
    text, cursor = terminal.text(), terminal.cursor()
    for piece in (before, stream):
        screen.feed(piece)
        terminal.feed(view.draw(screen))
    terminal.feed(view.leave())
    assert (terminal.text(), terminal.cursor(), terminal.is_alternate) == (text, cursor, False)
    fresh = Screen(*own)
    assert [terminal.modes.is_on(mode) for mode in INPUT_MODES] == [
        fresh.modes.is_on(mode) for mode in INPUT_MODES
    ]
    assert (terminal.modes.shape, terminal.modes.colours, terminal.modes.keyboard_flags) == (b"", {}, 0)
    assert terminal.modes.settings() == b""
    assert terminal.modes.undo() == b""
    assert view.leave() == b""


def test_it_can_come_back() -> None:
    """After it has left, or after the terminal was somebody else's, everything is drawn anew."""
    screen, view = filled(6, 12), View(4, 9)
    screen.feed(b"\x1b[?1000h\x1b[?25l\x1b]2;name\x07")
    terminal = shown_by(view, screen)
    terminal.feed(view.leave() + view.draw(screen))
    check_shown(terminal, screen, view)
    terminal.feed(b"\x1bcgarbage")
    view.forget()
    terminal.feed(view.draw(screen))
    check_shown(terminal, screen, view)


# -- tmux as the terminal


class Pane:
    """A terminal in tmux that shows what it is sent."""

    def __init__(self, folder: Path, rows: int, cols: int) -> None:
        self.socket, self.sent = str(folder / "tmux"), folder / "sent"
        self.sent.touch()
        show = f"stty raw -echo; exec tail -c +1 -f --sleep-interval=0.02 {self.sent}"
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(cols), "-y", str(rows), show)
        self.tmux("set", "-g", "status", "off")
        self.tmux("resize-window", "-x", str(cols), "-y", str(rows))

    def tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", self.socket, "-u", *words],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=True,
        )
        return done.stdout

    def send(self, data: bytes) -> None:
        with self.sent.open("ab") as file:
            file.write(data)

    def picture(self) -> tuple[list[str], str]:
        facts = "#{cursor_y},#{cursor_x} #{alternate_on}#{cursor_flag}#{mouse_any_flag}#{keypad_flag}"
        lines = self.tmux("capture-pane", "-p").split("\n")[:-1]
        return [line.rstrip(" ") for line in lines], self.tmux("display-message", "-p", facts).strip()

    def until(self, picture: tuple[list[str], str]) -> None:
        deadline = time.monotonic() + SECONDS
        while (found := self.picture()) != picture:
            assert time.monotonic() < deadline, f"{found}\nis not\n{picture}"
            time.sleep(0.02)


@pytest.fixture
def pane(tmp_path: Path) -> Iterator[Pane]:
    made = Pane(tmp_path, 10, 40)
    yield made
    made.tmux("kill-server")


@pytest.mark.parametrize("name", ["htop", "claude", "vim"])
def test_tmux_shows_the_same(pane: Pane, name: str) -> None:
    """A real terminal agrees: rows, cursor, modes; and has its own screen back afterwards."""
    recording = Path(__file__).parent / f"recordings/{name}.rec"
    facts = json.loads(recording.with_suffix(".json").read_text())
    pane.send(b"$ cw attach\r\n")
    own = (["$ cw attach", *[""] * 9], "1,0 0100")
    pane.until(own)
    screen, view = Screen(facts["rows"], facts["cols"]), View(10, 40)
    stream = recording.read_bytes()
    for at in range(0, len(stream), len(stream) // 3):
        screen.feed(stream[at : at + len(stream) // 3])
        pane.send(view.draw(screen))
        text = ["".join(char for char, _ in row).rstrip(" ") for row in part(screen, view)]
        row, col = screen.cursor()
        is_on = [screen.modes.is_on(mode) for mode in (25, 1000, 1002, 1003, 66)]
        flags = f"1{is_on[0]:d}{any(is_on[1:4]):d}"
        shown = f"{row - view.top},{col - view.left} {flags}"
        deadline = time.monotonic() + SECONDS
        while (found := pane.picture())[0] != text or not found[1].startswith(shown):
            assert time.monotonic() < deadline, f"{found}\nis not\n{text, shown}"
            time.sleep(0.02)
    pane.send(view.leave())
    pane.until(own)
