"""one row below the screen: which session this is, what it is doing, and which keys leave it"""

from __future__ import annotations

REVERSED, DEFAULT = b"\x1b[7m", b"\x1b[m"
SAVE, RESTORE = b"\x1b7", b"\x1b8"
GAP = 2  # columns, at least, between what is left and what is right
EMOJI = "\ufe0f"  # after a character it may widen it, but not on every terminal


def status_text(session: int, name: str, activity: str, keys: str) -> tuple[str, str]:
    """What stands on the left and on the right."""
    facts = " ".join(filter(None, (f"[cw] {session}", name)))
    return " \u00b7 ".join(filter(None, (facts, activity))), f"{keys} to detach"


def status_row(rows: int, cols: int, left: str, right: str, has_colours: bool) -> bytes:
    """Draw the bottom row, if there is another; the cursor, and what the terminal draws with, are as before."""
    if rows < 2 or cols < 1:
        return b""
    line = lay_out(cols, printable(left), printable(right)).encode()
    if has_colours:
        line = REVERSED + line + DEFAULT
    return b"%b\x1b[%dH\x1b[m\x0f\x1b[K%b%b" % (SAVE, rows, line, RESTORE)


def lay_out(cols: int, left: str, right: str) -> str:
    """Exactly so many columns. What is on the right is shown whole or not at all."""
    room = cols - width(left) - width(right)
    if room >= GAP:
        return left + " " * room + right
    left = cut(left, cols)
    return left + " " * (cols - width(left))


def printable(text: str) -> str:
    """Activities and names are other people's text: nothing that a terminal would act on."""
    return "".join(char for char in text if char.isprintable() and char != EMOJI)


def width(text: str) -> int:
    return len(text) if text.isascii() else sum(map(columns, text))


def columns(char: str) -> int:
    """Marks share the column of what they stand on; ideographs and emoji take two."""
    from unicodedata import category, east_asian_width

    if category(char) in ("Mn", "Me"):
        return 0
    return 2 if east_asian_width(char) in "WF" else 1


def cut(text: str, cols: int) -> str:
    """As much of its beginning as fits."""
    shown, room = "", cols
    for char in text:
        room -= columns(char)
        if room < 0:
            break
        shown += char
    return shown
