"""sequences about characters of two columns and of none, emoji, and halves of them"""

from __future__ import annotations

from screen.cases import case

HEART, FAMILY, FLAG, WAVE = (
    "\u2764\ufe0f",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\U0001f1e9\U0001f1ea",
    "\U0001f44b\U0001f3fd",
)

WIDE = [
    case("wide characters take two columns", "日本語x"),
    case("fullwidth forms take two columns, halfwidth ones one", "ＡＢｱｲx"),
    case("hangul takes two columns", "한글x"),
    case("ambiguous characters take one column", "±§α→x"),
    case("a wide character that does not fit wraps", "a" * 19 + "日x"),
    case("a wide character that just fits fills the row", "a" * 18 + "日x"),
    case("without autowrap a wide character goes into the last two columns", "\x1b[?7l" + "a" * 20 + "日"),
    case("without autowrap a wide character in the last column", "\x1b[?7l" + "a" * 19 + "日"),
    case("overwriting the first half of a wide character blanks the other", "日本\x1b[1GX"),
    case(
        "overwriting the second half of a wide character blanks the first",
        "日本\x1b[2GX",
        follow="xterm",
        why="half a character cannot be shown; tmux only notices when it draws",
    ),
    case("a wide character over two halves of two others", "日本語\x1b[2G界"),
    case("a wide character over one of them", "日本\x1b[1G界"),
    case(
        "erasing half of a wide character",
        "日本語\x1b[2G\x1b[X",
        follow="xterm",
        why="half a character cannot be shown; tmux only notices when it draws",
    ),
    case(
        "erasing from the second half of a wide character on",
        "日本語\x1b[4G\x1b[K",
        follow="xterm",
        why="half a character cannot be shown; tmux only notices when it draws",
    ),
    case(
        "erasing to the first half of a wide character",
        "日本語\x1b[3G\x1b[1K",
        follow="xterm",
        why="half a character cannot be shown; tmux only notices when it draws",
    ),
    case(
        "deleting half of a wide character",
        "日本語\x1b[2G\x1b[P",
        follow="xterm",
        why="half a character cannot be shown; tmux only notices when it draws",
    ),
    case(
        "deleting the first half of a wide character",
        "日本語\x1b[1G\x1b[P",
        follow="xterm",
        why="half a character cannot be shown; tmux only notices when it draws",
    ),
    case(
        "inserting in the middle of a wide character",
        "日本語\x1b[2G\x1b[@",
        follow="neither",
        why="xterm.js loses a column, tmux notices half a character only when it draws",
        shows=(("   本語",), (0, 1)),
    ),
    case("inserting pushes half of a wide character out", "a" * 17 + "日b\x1b[1G\x1b[@"),
    case(
        "a wide character repeated",
        "日\x1b[3bx",
        follow="xterm",
        why="tmux repeats single bytes only, up to the end of the row",
    ),
    case("the cursor on the second half of a wide character", "日本\x1b[2G"),
    case(
        "back over a wide character",
        "日\bX",
        follow="xterm",
        why="half a character cannot be shown; tmux only notices when it draws",
    ),
    case(
        "a wide character on a screen of one column",
        "日x",
        (3, 1),
        follow="tmux",
        why="xterm.js has no fewer than two columns",
    ),
    case("a row of wide characters, and more", "日" * 11),
    case("an odd row of wide characters", "日" * 6, (4, 5)),
]

COMBINING = [
    case("a combining mark joins the character before", "e\u0301x"),
    case("two marks on one character", "o\u0302\u0301x"),
    case(
        "a mark at the beginning of a row",
        "\u0301x",
        follow="tmux",
        why="there is nothing it could join; xterm.js gives it a column",
    ),
    case(
        "a mark behind a line feed",
        "ab\r\n\u0301x",
        follow="tmux",
        why="there is nothing it could join; xterm.js gives it a column",
    ),
    case("a mark on the last character of a full row", "a" * 20 + "\u0301b"),
    case("a mark on a wide character", "日\u0301x"),
    case(
        "a mark after the cursor has moved joins what is before the cursor",
        "abc\x1b[2D\u0301x",
        follow="tmux",
        why="a mark joins what is left of the cursor; xterm.js loses what is right of it",
    ),
    case(
        "a mark after its character is erased",
        "ab\x1b[1K\u0301x",
        follow="tmux",
        why="there is nothing it could join; xterm.js gives it a column",
    ),
    case(
        "a character with a mark repeated",
        "e\u0301\x1b[2bx",
        follow="xterm",
        why="tmux repeats single bytes only, up to the end of the row",
    ),
    case(
        "a zero width space",
        "a\u200bb",
        follow="tmux",
        why="as wcwidth, which programs count with, it takes no column",
    ),
    case(
        "a word joiner and a direction mark",
        "a\u2060b\u200ec",
        follow="tmux",
        why="as wcwidth, which programs count with, it takes no column",
    ),
    case("thai vowels above and below", "กีกุx"),
    case(
        "devanagari with spacing marks",
        "कीx",
        follow="tmux",
        why="as wcwidth, which programs count with, a spacing mark takes a column",
    ),
    case("hangul jamo compose", "\u1100\u1161\u11a8x"),
    case("arabic with marks", "بِسx"),
]

EMOJI = [
    case("an emoji takes two columns", "\U0001f600x"),
    case("a heart without a selector takes one column", "\u2764x"),
    case(
        "a heart shown as an emoji takes two columns",
        HEART + "x",
        follow="xterm",
        why="as terminals with windows and the agents' interfaces count; tmux 3.3 takes the character's own width",
    ),
    case(
        "a keycap",
        "1\ufe0f\u20e3x",
        follow="xterm",
        why="as terminals with windows and the agents' interfaces count; tmux 3.3 takes the character's own width",
    ),
    case("a text selector leaves the width", "\u231a\ufe0ex"),
    case("an emoji selector on an emoji changes nothing", "\U0001f600\ufe0fx"),
    case(
        "an emoji selector on a letter changes nothing",
        "a\ufe0fx",
        follow="tmux",
        why="a letter is no emoji; xterm.js widens whatever comes before",
    ),
    case(
        "a heart shown as an emoji in the last column",
        "a" * 19 + HEART + "x",
        follow="xterm",
        why="two columns need two columns: it goes to the next row; in tmux 3.3 it takes one",
    ),
    case(
        "a flag in the last column",
        "a" * 19 + FLAG + "x",
        follow="xterm",
        why="a flag is not torn; tmux 3.3 wraps in its middle",
    ),
    case(
        "a heart in the last column without autowrap",
        "\x1b[?7l" + "a" * 19 + HEART + "x",
        follow="xterm",
        why="in tmux 3.3 the selector stays when its heart is overwritten",
    ),
    case(
        "a wide character that does not fit leaves what is in the last column",
        "b" * 20 + "\r" + "a" * 19 + "日x",
        follow="tmux",
        why="it is written on the next row only; xterm.js blanks the last column",
    ),
    case("a family is one character", FAMILY + "x"),
    case("a family that does not fit wraps whole", "a" * 19 + FAMILY + "x"),
    case("a family in the last two columns", "a" * 18 + FAMILY + "x"),
    case("a flag is one character", FLAG + "x"),
    case("two flags", FLAG + FLAG + "x"),
    case("half a flag", "\U0001f1e9x"),
    case(
        "a skin tone joins the hand",
        WAVE + "x",
        follow="xterm",
        why="as terminals with windows and the agents' interfaces count; tmux 3.3 takes the character's own width",
    ),
    case("a skin tone alone", "\U0001f3fdx"),
    case(
        "a rainbow flag",
        "\U0001f3f3\ufe0f\u200d\U0001f308x",
        follow="xterm",
        why="as terminals with windows and the agents' interfaces count; tmux 3.3 takes the character's own width",
    ),
    case("a person at a computer", "\U0001f9d1\u200d\U0001f4bbx"),
    case(
        "a joiner between letters",
        "a\u200db",
        follow="tmux",
        why="only emoji are joined: to letters it means nothing",
    ),
    case(
        "a joiner at the beginning",
        "\u200da",
        follow="tmux",
        why="there is nothing it could join; xterm.js gives it a column",
    ),
    case(
        "overwriting half of a family",
        FAMILY + "\x1b[2GX",
        follow="xterm",
        why="half a character cannot be shown; tmux only notices when it draws",
    ),
    case(
        "erasing a family",
        "ab" + FAMILY + "cd\x1b[3G\x1b[P",
        follow="xterm",
        why="half a character cannot be shown; tmux only notices when it draws",
    ),
    case("spinners and boxes take one column", "⠋⠙│─█▓✓✗●◐⏺⏵x"),
    case(
        "emoji of newer versions",
        "\U0001fae0\U0001fae8x",
        follow="neither",
        why="Unicode reserves these for emoji, two columns wide, before they are named",
        shows=(("🫠\U0001fae8x",), (0, 5)),
    ),
    case("symbols shown as emoji by themselves", "⌚⏩✅❌⭐x"),
    case("symbols that are text by themselves", "☀☁✂✈☎x"),
    case("private use characters of prompts", "\ue0b0\uf113x"),
    case(
        "a family cut by a colour",
        "\U0001f468\u200d\x1b[31m\U0001f469x",
        follow="tmux",
        why="looks do not part what is joined",
    ),
]

CASES = [*WIDE, *COMBINING, *EMOJI]
