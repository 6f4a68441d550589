"""sequences about the alternate screen, resets, and modes that move things"""

from __future__ import annotations

from screen.cases import case

LINES = b"".join(b"%d\r\n" % row for row in range(9)) + b"9"

CASES = [
    case("47: the other screen, the cursor stays", b"ab\x1b[?47hcd"),
    case("47: and back, the cursor stays where it went", b"ab\x1b[?47hcd\r\nef\x1b[?47lx"),
    case("47: what was there before is seen again", b"ab\x1b[?47hcd\x1b[?47l\x1b[?47hx"),
    case("1047: the other screen, blank", b"ab\x1b[?1047hcd\x1b[?1047l\x1b[?1047hx"),
    case("1047: and back", b"ab\x1b[?1047hcd\r\nef\x1b[?1047lx"),
    case(
        "1048: saves and brings back the cursor only",
        b"ab\x1b[?1048hcd\r\nef\x1b[?1048lx",
        follow="xterm",
        why="tmux does not know the mode",
    ),
    case("1049: the other screen, blank, the cursor stays", b"ab\x1b[?1049hcd"),
    case("1049: and back, with the cursor", b"ab\x1b[?1049h\x1b[5;5Hcd\x1b[?1049lx"),
    case("1049 twice is once", b"ab\x1b[?1049h\x1b[5;5Hcd\x1b[?1049h\x1b[7;7Hef\x1b[?1049lx"),
    case(
        "1049 left without having been entered",
        b"ab\x1b[5;5H\x1b[?1049lx",
        follow="xterm",
        why="as xterm, it brings back the saved cursor, or home; tmux does nothing",
    ),
    case("1049 is blank each time", b"\x1b[?1049h\x1b[Habc\x1b[?1049l\x1b[?1049hx"),
    case(
        "1049 entered with a background",
        b"ab\x1b[44m\x1b[?1049hx",
        follow="xterm",
        why="as xterm, it is cleared with the background; tmux without",
    ),
    case("1049 brings the looks back", b"\x1b[31mab\x1b[?1049h\x1b[m\x1b[?1049lx"),
    case(
        "1049 when the row was full",
        b"a" * 20 + b"\x1b[?1049h\x1b[Hx\x1b[?1049lb",
        follow="neither",
        why="as xterm and the VT510, a saved cursor remembers it",
        shows=(
            (
                "aaaaaaaaaaaaaaaaaaaa",
                "b",
            ),
            (1, 1),
        ),
    ),
    case("the alternate screen keeps no history", b"\x1b[?1049h" + LINES + b"\r\nx\r\ny\x1b[?1049lz"),
    case(
        "scrolling in the alternate screen keeps the main one's history",
        LINES + b"\r\na\r\nb\x1b[?1049h" + LINES + b"\r\nx",
    ),
    case(
        "the region outlives the alternate screen",
        LINES + b"\x1b[?1049h\x1b[3;5r\x1b[?1049l\x1b[5;1H\nx",
        follow="neither",
        why="as xterm, there is one region, which both screens share; xterm.js has two, tmux keeps what leaves it",
        shows=(
            (
                "0",
                "1",
                "3",
                "4",
                "x",
                "5",
                "6",
                "7",
                "8",
                "9",
            ),
            (4, 1),
        ),
    ),
    case(
        "a reset in the alternate screen leaves it",
        b"ab\x1b[?1049hcd\x1bcx",
        follow="xterm",
        why="as xterm, a full reset shows the main screen",
    ),
    case("a soft reset in the alternate screen stays in it", b"ab\x1b[?1049hcd\x1b[!px"),
    case("erase in the alternate screen leaves the main one", b"ab\x1b[?1049h\x1b[2J\x1b[?1049lx"),
    case(
        "the history is erased from within the alternate screen",
        LINES + b"\r\na\r\nb\x1b[?1049h\x1b[3J\x1b[?1049lx",
        follow="tmux",
        why="as xterm, the history is erased from wherever",
    ),
    case("several modes in one sequence", b"ab\x1b[?25;1049;7hcd"),
    case(
        "a saved cursor is the alternate screen's own after 1049",
        b"ab\x1b7\x1b[5;5H\x1b[?1049h\x1b8x",
        follow="xterm",
        why="as xterm, each screen has its own saved cursor",
    ),
    case("a full reset", LINES + b"\x1b[1m\x1b[3;5r\x1b[?6h\x1b[4h\x1b[?7l\x1bcx\x1b[10;1H\r\ny"),
    case("a full reset forgets the saved cursor", b"\x1b[5;5H\x1b7\x1bc\x1b8x"),
    case("a full reset brings autowrap back", b"\x1b[?7l\x1bc" + b"a" * 22),
    case("a full reset ends insert mode", b"\x1b[4habc\x1bcdef\x1b[1Gx"),
    case(
        "a soft reset leaves the screen and the cursor",
        LINES + b"\x1b[5;5H\x1b[1m\x1b[!px",
        follow="xterm",
        why="a soft reset resets it in xterm; in tmux it does not",
    ),
    case(
        "a soft reset forgets the region",
        LINES + b"\x1b[3;5r\x1b[5;1H\x1b[!p\nx",
        follow="xterm",
        why="a soft reset resets it in xterm; in tmux it does not",
    ),
    case(
        "a soft reset ends insert mode and the origin",
        LINES + b"\x1b[3;5r\x1b[?6h\x1b[4h\x1b[!p\x1b[1;1Hx",
        follow="xterm",
        why="a soft reset resets it in xterm; in tmux it does not",
    ),
    case(
        "a soft reset and autowrap",
        b"\x1b[?7l\x1b[!p" + b"a" * 22,
        follow="xterm",
        why="a soft reset resets it in xterm; in tmux it does not",
    ),
    case(
        "a soft reset forgets the saved cursor",
        b"\x1b[5;5H\x1b7\x1b[!p\x1b8x",
        follow="xterm",
        why="a soft reset resets it in xterm; in tmux it does not",
    ),
    case(
        "132 columns are not obeyed",
        b"ab\x1b[?3hcd",
        follow="xterm",
        why="as xterm unless told to, the width stays; tmux clears the screen",
    ),
    case(
        "80 columns are not obeyed",
        b"ab\r\ncd\x1b[?3lef",
        follow="xterm",
        why="as xterm unless told to, the width stays; tmux clears the screen",
    ),
    case("left and right margins are not obeyed", b"\x1b[?69h\x1b[5;10s\x1b[Habcdefghijklmnop"),
    case(
        "reverse wrap is not obeyed",
        b"\x1b[?45h" + b"a" * 20 + b"b\b\b\bx",
        follow="neither",
        why="the old mode of xterm; hardly a program sends it",
        shows=(
            (
                "aaaaaaaaaaaaaaaaaaaa",
                "x",
            ),
            (1, 1),
        ),
    ),
    case("synchronized output shows all the same", b"\x1b[?2026hab\x1b[?2026lcd"),
    case("a hidden cursor is still where it is", b"ab\x1b[?25lcd"),
    case("modes without the question mark are others", b"ab\x1b[47h\x1b[1049h\x1b[7l\x1b[6hcd"),
    case("insert mode with a question mark is none", b"abc\x1b[?4h\x1b[1Gx\x1b[?20h\ny"),
    case("mode save and restore, which we have not", b"ab\x1b[?7s\x1b[?7l\x1b[?7r" + b"c" * 22),
]
