"""sequences about the cursor: placing it, regions, the origin, tab stops, saving it"""

from __future__ import annotations

from screen.cases import case

LINES = b"".join(b"%d\r\n" % row for row in range(9)) + b"9"

PLACING = [
    case("placed by row and column, counted from 1", b"\x1b[3;5Hx"),
    case("placed by the older sequence", b"\x1b[3;5fx"),
    case("no parameters, and zeros, are ones", b"ab\x1b[Hx\x1b[0;0Hy\x1b[;3Hz\x1b[3Hw"),
    case(
        "beyond the screen is its edge",
        b"\x1b[99;99Hx\x1b[999999999999;1Hy",
        follow="xterm",
        why="as xterm, too large is as large as there is; tmux forgets the parameter",
    ),
    case("column alone", b"abcdef\x1b[3Gx\x1b[`y\x1b[99Gz"),
    case("row alone keeps the column", b"abc\x1b[4dx\x1b[dy\x1b[99dz"),
    case(
        "relative column and row",
        b"a\x1b[3ab\x1b[2ec\x1b[99ad",
        follow="xterm",
        why="tmux does not know the sequence",
    ),
    case("up and down by lines", b"\x1b[5;5Hx\x1b[2Ey\x1b[3Fz"),
    case("moves stop at the edges", b"\x1b[99Ax\x1b[99By\x1b[99Cz\x1b[99Dw"),
    case("a move of 0 is one of 1", b"\x1b[5;5H\x1b[0Aa\x1b[0Bb\x1b[0Cc\x1b[0Dd"),
    case("columns are kept when moving past the end of text", b"ab\x1b[10Cc\x1b[B\x1b[3Dd"),
    case(
        "too many parameters are left out",
        b"\x1b[" + b"3;" * 40 + b"5Hx",
        follow="xterm",
        why="xterm takes as many parameters as it can; tmux ignores the sequence",
    ),
    case(
        "parameters with colons where none belong",
        b"ab\x1b[2:3Hx",
        follow="xterm",
        why="xterm takes as many parameters as it can; tmux ignores the sequence",
    ),
    case("an empty parameter in the middle", b"\x1b[2;;5Hx"),
    case("many zeros before a number", b"\x1b[0000000000003;0000000005Hx"),
    case(
        "placed on one column by a huge column",
        b"\x1b[4294967297Gx",
        follow="xterm",
        why="as xterm, too large is as large as there is; tmux forgets the parameter",
    ),
    case(
        "a move by a huge count",
        b"ab\x1b[4294967295Cx\x1b[2147483648Dy",
        follow="xterm",
        why="as xterm, too large is as large as there is; tmux forgets the parameter",
    ),
]

REGIONS = [
    case(
        "a line feed at the bottom of a region scrolls it",
        LINES + b"\x1b[3;5r\x1b[5;1H\nx",
        follow="xterm",
        why="as xterm, only what leaves the screen at its top is kept; tmux keeps what leaves a region",
    ),
    case("a line feed below a region does not scroll it", LINES + b"\x1b[3;5r\x1b[10;1H\nx"),
    case("a line feed above a region moves into it", LINES + b"\x1b[3;5r\x1b[2;1H\nx"),
    case("setting a region goes home", b"abc\x1b[3;5rx"),
    case("a region reset goes home", b"abc\x1b[3;5r\x1b[4;4H\x1b[rx"),
    case("a region of one row is none", LINES + b"\x1b[3;3r\x1b[9;1H\n\n\nx"),
    case("a region upside down is none", LINES + b"\x1b[5;3rx\x1b[10;1H\ny"),
    case(
        "a region beyond the screen ends with it",
        LINES + b"\x1b[3;99r\x1b[10;1H\nx",
        follow="xterm",
        why="as xterm, only what leaves the screen at its top is kept; tmux keeps what leaves a region",
    ),
    case(
        "a region's top alone",
        LINES + b"\x1b[3r\x1b[10;1H\nx",
        follow="xterm",
        why="as xterm, only what leaves the screen at its top is kept; tmux keeps what leaves a region",
    ),
    case("a region's bottom alone", LINES + b"\x1b[;3r\x1b[3;1H\nx"),
    case("a region from the top keeps the history", LINES + b"\x1b[1;3r\x1b[3;1H\nx"),
    case(
        "a region not from the top keeps none",
        LINES + b"\x1b[2;4r\x1b[4;1H\n\nx",
        follow="xterm",
        why="as xterm, only what leaves the screen at its top is kept; tmux keeps what leaves a region",
    ),
    case(
        "scroll up within a region",
        LINES + b"\x1b[3;6r\x1b[2Sx",
        follow="xterm",
        why="as xterm, only what leaves the screen at its top is kept; tmux keeps what leaves a region",
    ),
    case("scroll down within a region", LINES + b"\x1b[3;6r\x1b[2Tx"),
    case(
        "scroll up the whole screen",
        LINES + b"\x1b[3Sx",
        follow="tmux",
        why="as xterm, what scrolls off the whole screen is kept, by whatever it scrolls",
    ),
    case("scroll down the whole screen", LINES + b"\x1b[3Tx"),
    case(
        "scroll by more than there is",
        LINES + b"\x1b[3;6r\x1b[99Sx",
        follow="xterm",
        why="as xterm, only what leaves the screen at its top is kept; tmux keeps what leaves a region",
    ),
    case(
        "lines inserted in a region",
        LINES + b"\x1b[3;6r\x1b[4;3H\x1b[2Lx",
        follow="xterm",
        why="as xterm and the VT510, the cursor goes to the first column",
    ),
    case(
        "lines deleted in a region",
        LINES + b"\x1b[3;6r\x1b[4;3H\x1b[2Mx",
        follow="xterm",
        why="as xterm and the VT510, the cursor goes to the first column",
    ),
    case(
        "lines inserted outside a region: nothing",
        LINES + b"\x1b[3;6r\x1b[8;2H\x1b[2Lx",
        follow="xterm",
        why="as xterm and the VT510, nothing happens outside of the region; tmux does it there",
    ),
    case(
        "lines deleted outside a region: nothing",
        LINES + b"\x1b[3;6r\x1b[2;2H\x1b[2Mx",
        follow="xterm",
        why="as xterm and the VT510, nothing happens outside of the region; tmux does it there",
    ),
    case("more lines inserted than there are", LINES + b"\x1b[3;6r\x1b[4;1H\x1b[99Lx"),
    case("more lines deleted than there are", LINES + b"\x1b[3;6r\x1b[4;1H\x1b[99Mx"),
    case("a reverse index at the top of a region", LINES + b"\x1b[3;6r\x1b[3;1H\x1bMx"),
    case("a reverse index above a region", LINES + b"\x1b[3;6r\x1b[1;1H\x1bMx"),
    case("a reverse index below a region stops at nothing", LINES + b"\x1b[3;6r\x1b[7;1H\x1bM\x1bMx"),
    case("cursor up stops at the top of the region it is in", LINES + b"\x1b[3;6r\x1b[5;1H\x1b[9Ax"),
    case("cursor down stops at the bottom of the region it is in", LINES + b"\x1b[3;6r\x1b[5;1H\x1b[9Bx"),
    case("cursor up from above a region", LINES + b"\x1b[3;6r\x1b[2;1H\x1b[9Ax"),
    case("cursor down from below a region", LINES + b"\x1b[3;6r\x1b[8;1H\x1b[9Bx"),
    case("cursor up from below a region stops at its top", LINES + b"\x1b[3;6r\x1b[8;1H\x1b[9Ax"),
    case("cursor down from above a region stops at its bottom", LINES + b"\x1b[3;6r\x1b[1;1H\x1b[9Bx"),
    case(
        "next line at the bottom of a region",
        LINES + b"\x1b[3;6r\x1b[6;3H\x1bEx",
        follow="xterm",
        why="as xterm, only what leaves the screen at its top is kept; tmux keeps what leaves a region",
    ),
    case("up by lines stops at the region", LINES + b"\x1b[3;6r\x1b[5;3H\x1b[9Fx"),
]

ORIGIN = [
    case("origin mode counts rows from the region", LINES + b"\x1b[3;6r\x1b[?6h\x1b[2;2Hx"),
    case("origin mode goes home to the region's top", LINES + b"\x1b[3;6r\x1b[?6hx"),
    case("origin mode off goes home", LINES + b"\x1b[3;6r\x1b[?6h\x1b[2;2H\x1b[?6lx"),
    case(
        "origin mode keeps the cursor inside",
        LINES + b"\x1b[3;6r\x1b[?6h\x1b[99;2Hx\x1b[99Ay",
        follow="tmux",
        why="xterm.js counts the region's top twice",
    ),
    case("origin mode: row alone", LINES + b"\x1b[3;6r\x1b[?6h\x1b[2dx\x1b[99dy"),
    case(
        "origin mode: relative row",
        LINES + b"\x1b[3;6r\x1b[?6h\x1b[1;3H\x1b[2ex\x1b[99ey",
        follow="neither",
        why="xterm.js counts the region's top twice, tmux does not know the sequence",
        shows=(
            (
                "0",
                "1",
                "2",
                "3",
                "4 x",
                "5  y",
                "6",
                "7",
                "8",
                "9",
            ),
            (5, 4),
        ),
    ),
    case(
        "a region set in origin mode goes home to its top",
        LINES + b"\x1b[?6h\x1b[3;6rx",
        follow="xterm",
        why="as xterm, home is the region's first row",
    ),
    case(
        "origin mode is saved with the cursor",
        LINES + b"\x1b[3;6r\x1b[?6h\x1b7\x1b[?6l\x1b8\x1b[1;1Hx",
        follow="tmux",
        why="as xterm and the VT510, the origin is saved; xterm.js does not",
    ),
    case("a saved cursor comes back outside a region", LINES + b"\x1b[9;3H\x1b7\x1b[3;6r\x1b8x"),
]

TABS = [
    case("tab stops every eight columns", b"\ta\tb\tc"),
    case("a tab in the last column stays", b"\x1b[20G\ta"),
    case("a tab stop set", b"\x1b[4G\x1bH\r\ta\tb"),
    case("a tab stop cleared", b"\x1b[9G\x1b[g\r\ta"),
    case("all tab stops cleared", b"\x1b[3g\ta"),
    case(
        "forward and back by tab stops",
        b"\x1b[2Ia\x1b[Zb\x1b[9Zc",
        follow="xterm",
        why="tmux does not know the sequence",
    ),
    case("forward by too many", b"\x1b[99Ia", follow="xterm", why="tmux does not know the sequence"),
    case("a full reset brings tab stops back", b"\x1b[3g\x1bc\ta"),
    case("a soft reset leaves tab stops", b"\x1b[3g\x1b[!p\ta"),
    case("private `W` is not tab clearing that we know", b"\x1b[9G\x1b[?5W\r\ta"),
    case("tabs do not erase", b"abcdefghij\r\tX"),
    case(
        "back by tabs from a full row",
        b"a" * 20 + b"\x1b[Zb",
        follow="tmux",
        why="as xterm, back from the last column; xterm.js stays behind it",
    ),
    case("clear tabs of an unknown kind: nothing", b"\x1b[9G\x1b[1g\x1b[2g\r\ta"),
]

SAVING = [
    case("saved and brought back", b"ab\x1b[1;31m\x1b7\x1b[m\x1b[5;5Hx\x1b8y"),
    case("saved the other way", b"ab\x1b[1;31m\x1b[s\x1b[m\x1b[5;5Hx\x1b[uy"),
    case("brought back without having been saved: home", b"ab\r\ncd\x1b[1m\x1b8x"),
    case("brought back twice", b"ab\x1b7cd\x1b8x\x1b[5;5H\x1b8y"),
    case("both ways save to one place", b"ab\x1b7cd\x1b[sef\x1b8x"),
    case("saved on each screen", b"ab\x1b7\x1b[?47h\x1b[5;5H\x1b7\x1b[?47l\x1b8x\x1b[?47h\x1b8y"),
    case(
        "a saved cursor stays on the screen when what it stood on scrolls away",
        LINES + b"\x1b[5;5H\x1b7\x1b[10;1H\n\n\x1b8x",
        follow="tmux",
        why="as xterm, it is saved by its place on the screen; xterm.js moves it with the text",
    ),
    case("autowrap and insert mode are not saved", b"\x1b[4h\x1b7\x1b[4l\x1b8abc\x1b[1Gx"),
    case("cursor save with parameters is margins, which we have not", b"abc\x1b[5;10sdef\x1b[ux"),
]

CASES = [*PLACING, *REGIONS, *ORIGIN, *TABS, *SAVING]
