"""sequences about how characters look: flags, underlines, colours in every way to say them"""

from __future__ import annotations

from typing import Any

from screen.cases import Case, case


def looks(name: str, *parameters: str, **more: Any) -> Case:
    """One letter in each look, and one in none."""
    said = "".join(
        f"\x1b[{said}m{letter}" for said, letter in zip(parameters, "abcdefghijklmnop", strict=False)
    )
    return case(name, said + "\x1b[mz", **more)


CASES = [
    looks("each flag by itself", "1", "0;2", "0;3", "0;4", "0;5", "0;7", "0;8", "0;9", "0;53"),
    looks("each flag off again", "1;2;3;4;5;7;8;9;53", "22", "23", "24", "25", "27", "28", "29", "55"),
    looks("bold and dim together", "1;2", "22", "1", "2"),
    looks("no parameter resets", "1;31", "", "32", "0"),
    looks("empty parameters are zeros", "1;31", ";32", "1;", "31;;1"),
    looks("the eight colours", "30", "31", "37", "39", "40", "47", "49"),
    looks("the eight bright colours", "90", "97", "39", "100", "107", "49"),
    looks("256 colours by semicolons", "38;5;0", "38;5;9", "38;5;255", "48;5;16", "48;5;231"),
    looks("256 colours by colons", "38:5:0", "38:5:9", "38:5:255", "48:5:16"),
    looks("true colour by semicolons", "38;2;1;2;3", "48;2;255;0;128", "38;2;0;0;0"),
    looks("true colour by colons, with the colour space", "38:2::1:2:3", "48:2::9:8:7", "38:2:1:4:5:6"),
    looks(
        "true colour by colons, without the colour space",
        "38:2:1:2:3",
        "48:2:9:8:7",
        follow="tmux",
        why="as xterm, both forms are understood: many programs leave the colour space out",
    ),
    looks("colours and flags in one", "1;38;5;9;4;48;2;1;2;3;7", "22;39"),
    looks("a flag after a colour by colons", "38:5:9;1", "38:2::1:2:3;4"),
    looks("underline styles", "4:1", "4:2", "4:3", "4:4", "4:5", "4:0"),
    looks("double underline by 21", "21", "24"),
    looks("underline 4:3 off by 24", "4:3", "24"),
    looks("an underline replaces another", "4:3", "4", "4:2", "4"),
    looks(
        "an underline style beyond those there are",
        "4:9",
        "24",
        "1",
        follow="xterm",
        why="an underline of a kind unknown is an underline",
    ),
    looks("an underline's colour does not colour the text", "4;58;5;9", "58:2::1:2:3", "59", "58;2;1;2;3;1"),
    looks("rapid blink is blink", "6", "25", follow="tmux", why="a blink is better than nothing"),
    looks("unknown codes are passed over", "1;10;11;20;26;50;66;99;150;31"),
    looks("code 8 hides, 28 shows", "8", "28"),
    looks(
        "too large a colour number",
        "31",
        "38;5;256",
        "38;5;999",
        follow="neither",
        why="a colour there is not is none: it changes nothing",
        shows=(("abcz",), (0, 4)),
        looks=("31", "31", "31"),
    ),
    looks(
        "too large a part of a true colour",
        "31",
        "38;2;256;0;0",
        "48;2;0;300;0",
        follow="neither",
        why="a colour there is not is none: it changes nothing",
        shows=(("abcz",), (0, 4)),
        looks=("31", "31", "31"),
    ),
    looks(
        "a colour cut short",
        "31",
        "38;5",
        "32",
        "38;2;1;2",
        "33",
        "38",
        follow="xterm",
        why="as xterm, what is missing is 0; tmux takes the rest for flags",
    ),
    looks(
        "an unknown kind of colour",
        "31",
        "38;1;5",
        "32",
        "38;9;1;2;3",
        follow="tmux",
        why="as xterm, what follows an unknown kind is read on its own",
    ),
    looks(
        "a colour cut short by colons",
        "31",
        "38:5",
        "38:2:1",
        follow="neither",
        why="a colour there is not is none: it changes nothing",
        shows=(("abcz",), (0, 4)),
        looks=("31", "31", "31"),
    ),
    looks(
        "missing numbers in a colour are zeros",
        "38;5;;1",
        "38;2;;;",
        "48;2;1;;3",
        follow="xterm",
        why="as xterm, what is missing is 0; tmux takes the rest for flags",
    ),
    looks("more parameters than a terminal counts", ";".join(["1"] * 20 + ["31"])),
    looks("numbers beyond all measure", "99999999999", "31", "18446744073709551617"),
    looks("a control sequence with an intermediate is not SGR", "31", "1 ", "4!"),
    looks("a private SGR is none: keyboard settings", "31", ">4;2", "?4", ">4", "<1", "=1"),
    case("looks do not survive a full reset", b"\x1b[1;31ma\x1bcb"),
    case(
        "looks do not survive a soft reset",
        b"\x1b[1;31ma\x1b[!pb",
        follow="xterm",
        why="a soft reset resets it in xterm; in tmux it does not",
    ),
    case("looks survive a line feed and a move", b"\x1b[1;31ma\r\nb\x1b[5;5Hc"),
    case("looks survive the alternate screen", b"\x1b[1;31ma\x1b[?47hb\x1b[?47lc"),
    case(
        "wide characters have one look",
        "\x1b[31m日\x1b[32m\x1b[2GX",
        follow="xterm",
        why="half a character cannot be shown; tmux only notices when it draws",
    ),
    case(
        "a mark does not change the look of its character",
        "\x1b[31me\x1b[32m\u0301x",
        follow="tmux",
        why="looks do not part what is joined",
    ),
    case("looks written over others", b"\x1b[31mabc\x1b[1G\x1b[32mx\x1b[my"),
    case("inverse is a flag, not swapped colours", b"\x1b[31;42;7mab\x1b[27mc"),
    case("a link does not show", b"\x1b]8;;http://x\x1b\\ab\x1b]8;;\x1b\\c"),
    looks("a link may be underlined by its program", "4", "4:3\x1b]8;;http://x\x1b\\", "24"),
    case("a pushed and popped look, which we have not", b"\x1b[31m\x1b[#{\x1b[32ma\x1b[#}b"),
    case("reverse video of the whole screen changes no cell", b"\x1b[?5hab"),
    case("protected characters are erased all the same", b'\x1b[1"qab\x1b[0"qcd\x1b[1G\x1b[K'),
]
