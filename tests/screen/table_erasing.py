"""sequences about erasing, inserting, deleting, repeating, and with which background"""

from __future__ import annotations

from screen.cases import case

GRID = b"\r\n".join(bytes([97 + row]) * 20 for row in range(10))
BLUE = b"\x1b[44m"

CASES = [
    case("erase to the end of the row", GRID + b"\x1b[5;10H\x1b[Kx"),
    case("erase to the beginning of the row, with the cursor's column", GRID + b"\x1b[5;10H\x1b[1Kx"),
    case("erase the row", GRID + b"\x1b[5;10H\x1b[2Kx"),
    case("erase in row of an unknown kind: nothing", GRID + b"\x1b[5;10H\x1b[3K\x1b[9K"),
    case("erase below", GRID + b"\x1b[5;10H\x1b[Jx"),
    case("erase above, with the cursor's column", GRID + b"\x1b[5;10H\x1b[1Jx"),
    case("erase all, the cursor stays", GRID + b"\x1b[5;10H\x1b[2Jx"),
    case("erase the history only", GRID + b"\r\n\n\n\x1b[3Jx"),
    case("erase in display of an unknown kind: nothing", GRID + b"\x1b[5;10H\x1b[4J\x1b[22J"),
    case(
        "selective erase erases",
        GRID + b"\x1b[5;10H\x1b[?K\x1b[8;1H\x1b[?J",
        follow="xterm",
        why="tmux does not know the sequence",
    ),
    case("erase with several parameters", GRID + b"\x1b[5;10H\x1b[0;1Kx"),
    case("erase all of the screen does not fill the history", GRID + b"\x1b[2J\x1b[Hx"),
    case("clear as `clear` does", GRID + b"\r\n\x1b[H\x1b[2J\x1b[3Jx"),
    case("erased rows take the background", GRID + BLUE + b"\x1b[5;10H\x1b[K\x1b[7;1H\x1b[2K"),
    case("erased screens take the background", b"ab" + BLUE + b"\x1b[2J\x1b[Hx"),
    case(
        "erased above and below take the background", GRID + BLUE + b"\x1b[5;10H\x1b[1J\x1b[mx\x1b[42m\x1b[J"
    ),
    case("erased characters take the background", GRID + BLUE + b"\x1b[5;10H\x1b[3X"),
    case(
        "inserted and deleted characters leave the background",
        GRID + BLUE + b"\x1b[2;5H\x1b[3@\x1b[3;5H\x1b[3P",
    ),
    case("inserted and deleted lines take the background", GRID + BLUE + b"\x1b[3H\x1b[2L\x1b[8H\x1b[M"),
    case(
        "scrolled in lines take the background",
        GRID + BLUE + b"\x1b[2S\x1b[T",
        follow="tmux",
        why="as xterm, what scrolls off the whole screen is kept, by whatever it scrolls",
    ),
    case("lines that a line feed scrolls in take the background", GRID + BLUE + b"\n\r\x1bD"),
    case("a reverse index takes the background", GRID + BLUE + b"\x1b[H\x1bM"),
    case(
        "erasing takes no underline, bold or inverse",
        GRID + b"\x1b[1;4;7;31;44m\x1b[5;10H\x1b[K\x1b[6;1H\x1b[5X",
    ),
    case("erasing with true colour", GRID + b"\x1b[48;2;1;2;3m\x1b[5;10H\x1b[K"),
    case("erasing in inverse with no background", GRID + b"\x1b[7m\x1b[5;10H\x1b[K"),
    case("a blank written in inverse shows", b"\x1b[7m   \x1b[mx"),
    case("blanks written with a background", b"\x1b[44m   \x1b[mx"),
    case("characters inserted", b"abcdef\x1b[3G\x1b[2@xy"),
    case(
        "more characters inserted than there is room for",
        b"abcdef\x1b[3G\x1b[99@x",
        follow="xterm",
        why="more than there is room for is as much as there is",
    ),
    case("characters deleted", b"abcdef\x1b[3G\x1b[2Px"),
    case("more characters deleted than there are", b"abcdef\x1b[3G\x1b[99Px"),
    case("characters erased, the cursor stays", b"abcdef\x1b[3G\x1b[2Xx"),
    case("more characters erased than there are", b"abcdef\x1b[3G\x1b[99Xx"),
    case("a count of 0 is 1", b"abcdef\x1b[3G\x1b[0P\x1b[0@x\x1b[0Xy"),
    case("deleting brings in blanks at the end", b"a" * 19 + b"z\x1b[1G\x1b[2Px"),
    case("a row that wrapped, erased at its end, and written again", b"a" * 25 + b"\x1b[1;15H\x1b[Kb"),
    case("repeat", b"ab\x1b[3bc"),
    case("repeat without a count", b"ab\x1b[bc"),
    case(
        "repeat wraps",
        b"ab\x1b[30bc",
        follow="xterm",
        why="tmux repeats single bytes only, up to the end of the row",
    ),
    case(
        "repeat with looks of now",
        b"a\x1b[31m\x1b[2bc",
        follow="neither",
        why="ECMA-48 says nothing of a repeat that does not follow its character: what stands left of the cursor is repeated, and a paint needs no memory of it",
        shows=(("aaac",), (0, 4)),
    ),
    case("repeat with nothing before it", b"\x1b[5bx"),
    case(
        "repeat after the cursor moved",
        b"ab\x1b[3;3H\x1b[2bc",
        follow="neither",
        why="ECMA-48 says nothing of a repeat that does not follow its character: what stands left of the cursor is repeated, and a paint needs no memory of it",
        shows=(
            (
                "ab",
                "",
                "    c",
            ),
            (2, 5),
        ),
    ),
    case("repeat after a line feed", b"ab\r\n\x1b[2bc"),
    case(
        "repeat twice",
        b"a\x1b[2b\x1b[2bc",
        follow="neither",
        why="ECMA-48 says nothing of a repeat that does not follow its character: what stands left of the cursor is repeated, and a paint needs no memory of it",
        shows=(("aaaaac",), (0, 6)),
    ),
    case(
        "repeat at the end of a full row",
        b"a" * 20 + b"\x1b[2b",
        follow="xterm",
        why="tmux repeats single bytes only, up to the end of the row",
    ),
    case(
        "a repeat by most of the screen",
        b"ab\x1b[190bc",
        follow="xterm",
        why="tmux repeats single bytes only, up to the end of the row",
    ),
    case("fill with E", b"ab\x1b[5;5H\x1b#8x"),
    case(
        "fill with E forgets the region and the looks",
        b"\x1b[3;5r\x1b[1;44m\x1b#8\x1b[m\x1b[10;1H\nx",
        follow="tmux",
        why="as xterm, it forgets the region",
    ),
    case("double height and width lines are not shown", b"\x1b#3ab\r\n\x1b#4cd\r\n\x1b#6ef\x1b#5"),
    case(
        "columns inserted and deleted, which we have not",
        b"abcdef\r\nghijkl\x1b[1;3H\x1b[2'}\x1b[4'~",
        follow="tmux",
        why="hardly a program sends it, and few terminals obey",
    ),
    case(
        "scroll left and right, which we have not",
        b"abcdef\x1b[2 @\x1b[1 A",
        follow="tmux",
        why="hardly a program sends it, and few terminals obey",
    ),
    case("a rectangle filled, which we have not", b"abcdef\x1b[88;1;1;3;3$x\x1b[1;1;2;2$z"),
]
