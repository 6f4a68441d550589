"""the bytes that make a terminal show what a screen shows, whatever state it was in"""

from __future__ import annotations

from typing import TYPE_CHECKING

from codewire_py.daemon.screen.row import NO_LINK, Row
from codewire_py.daemon.screen.style import LINK, Style
from codewire_py.daemon.screen.width import ZWJ
from codewire_py.stream.tabs import reset_stops, set_stops, usual_stops

if TYPE_CHECKING:
    from codewire_py.daemon.screen.canvas import Canvas
    from codewire_py.stream.modes import Modes

# An unfinished sequence is cancelled, an unfinished string ended. The region and the origin are reset where the
# cursor is: on a terminal that somebody has used, the picture is to begin below what is there.
CANCEL = b"\x18\x1b\\\x1b[?2026l\x1b[?47l"
UNLIMIT = b"\x1b7\x1b[r\x1b[?6l\x1b8"
# G2 and G3 are left alone: who can use them is rare, and a Linux console would print their names.
UNSTYLE = b"\x0f\x1b(B\x1b)B\x1b[4l\x1b[20l\x1b[?7h\x1b[m" + NO_LINK.encode()
BEGIN, END = b"\x1b[?2026h", b"\x1b[?2026l"
HOME = b"\x1b[?6l\x1b[H"
# Not all of it at once: tmux, for one, keeps a whole screen that is erased among the lines above.
CLEAR = HOME + b"\x1b[2H\x1b[J\x1b[H\x1b[K"
NO_KEYBOARD = b"\x1b[<99u\x1b[=0u"


def paint(canvas: Canvas, modes: Modes, scrollback: int, afresh: bool, note: str) -> bytes:
    """`afresh`: over what was painted before. Else below what the terminal shows, which goes up and stays.

    `note`: a line of ours, before those of the scrollback.
    """
    parts = [CANCEL, UNLIMIT, UNSTYLE, modes.unset()]
    if afresh or note or not leaves_main_alone(canvas):
        parts += draw_above(canvas, scrollback, afresh, note)
        parts += [BEGIN, HOME, b"\x1b[J", *draw_main(canvas, modes)]
    if canvas.is_alternate:
        parts += enter_alternate(canvas, modes)
    parts += finish(canvas, modes)
    return b"".join(parts)


def leaves_main_alone(canvas: Canvas) -> bool:
    """There is nothing to be seen on the main screen but the alternate one: what a terminal shows may stay below."""
    is_blank = not canvas.scrollback.rows and not any(row.used(canvas.plain) for row in canvas.main)
    return canvas.alternate == 1049 and is_blank


def draw_above(canvas: Canvas, scrollback: int, afresh: bool, note: str) -> list[bytes]:
    """The lines before the screen, and whatever else there was on the terminal, go up."""
    lines = canvas.scrollback.last(scrollback) if scrollback > 0 else []
    parts = [CLEAR if afresh else b"\x1b[J", note.encode() + b"\r\n" if note else b"", *lines]
    if lines and not lines[-1].endswith(b"\n"):
        parts.append(b"\r\n")
    if lines or note or not afresh:
        parts.append(b"\r\n" * (canvas.height - 1))
    return parts


def draw(lines: list[Row], plain: Style) -> list[bytes]:
    """Each row at its place; one that runs on into the next is left to the terminal to break."""
    parts: list[bytes] = []
    runs_on = False
    for index, row in enumerate(lines):
        row.look_at(lines[min(index + 1, len(lines) - 1)])
        drawn = row.encode(plain)
        if runs_on:
            parts.append(drawn or b" ")
        elif drawn:
            parts.append(b"\x1b[%dH%b" % (index + 1, drawn))
        runs_on = row.wraps
    return parts


def draw_main(canvas: Canvas, modes: Modes) -> list[bytes]:
    """Entered by 1049, the alternate screen has the terminal remember where it was: it is put there last."""
    main, alternate = modes.keyboards
    parts = draw(canvas.main, canvas.plain)
    parts.append(NO_KEYBOARD + main.enter())
    is_needed_later = canvas.saved.get(True) is not None or alternate.flags != [0]
    if not canvas.is_alternate and is_needed_later:
        parts += [b"\x1b[?47h", *keep_alternate(canvas, modes), b"\x1b[?47l"]
    parts.append(recall(canvas, False, b"" if canvas.alternate == 1049 else b"\x1b7"))
    return parts


def recall(canvas: Canvas, of_alternate: bool, then: bytes) -> bytes:
    """Bring the terminal where DECSC remembers it, and have it remember that."""
    saved = canvas.saved.get(of_alternate)
    if saved is None:
        return UNSTYLE + HOME + then
    lines = canvas.other if of_alternate else canvas.main
    parts = [b"\x1b[?6h" if saved.origin else b""]
    parts.append(place(lines, saved.y, saved.x, canvas.plain))
    parts += [charsets(saved.charsets, saved.shift), pen(saved.pen), then]
    parts.append(UNSTYLE + HOME if then else b"")
    return b"".join(parts)


def keep_alternate(canvas: Canvas, modes: Modes) -> list[bytes]:
    """What the alternate screen has of its own, beside what is drawn on it."""
    _, alternate = modes.keyboards
    return [UNSTYLE, HOME, recall(canvas, True, b"\x1b7"), NO_KEYBOARD, alternate.enter()]


def enter_alternate(canvas: Canvas, modes: Modes) -> list[bytes]:
    parts = [
        b"\x1b[?%dh" % canvas.alternate,
        BEGIN,
        UNSTYLE,
        HOME,
        b"\x1b[J",
        *draw(canvas.other, canvas.plain),
    ]
    return parts + keep_alternate(canvas, modes)


def finish(canvas: Canvas, modes: Modes) -> list[bytes]:
    """What holds from here on: settings, limits, cursor, pen."""
    parts = [modes.settings()]
    parts.append(b"\x1b]2;%b\x1b\\" % canvas.title.encode() if canvas.title else b"")
    parts.append(tabs(canvas))
    if (canvas.top, canvas.bottom) != (0, canvas.height - 1):
        parts.append(b"\x1b[%d;%dr" % (canvas.top + 1, canvas.bottom + 1))
    parts.append(b"\x1b[?6h" if canvas.origin else b"")
    parts.append(place(canvas.lines, canvas.y, canvas.x, canvas.plain, canvas.top if canvas.origin else 0))
    parts.append(b"\x1b[4h" if canvas.insert else b"")
    parts.append(b"\x1b[20h" if canvas.returns else b"")
    parts.append(b"" if canvas.autowrap else b"\x1b[?7l")
    parts += [charsets(canvas.charsets, canvas.shift), pen(canvas.pen), END]
    return parts


def place(lines: list[Row], y: int, x: int, plain: Style, above: int = 0) -> bytes:
    """Where the cursor is to be. About to wrap, or to be joined, the character before it has just been written."""
    row = lines[min(y, len(lines) - 1)]
    cols = len(row.chars)
    before = x - 1
    while before > 0 and not row.chars[before]:
        before -= 1
    waits = x > 0 and row.chars[before].endswith(ZWJ)
    if x < cols and not waits:
        return b"\x1b[%d;%dH" % (y - above + 1, x + 1)
    drawn = row.draw(before, min(x, cols), plain)
    return b"\x1b[%d;%dH" % (y - above + 1, before + 1) + (drawn + ZWJ.encode() if waits else drawn)


def pen(style: Style) -> bytes:
    return style.sgr_bytes + (style.link_text.encode() if style.key[LINK] else b"")


def charsets(slots: list[str], shift: int) -> bytes:
    named = "".join(f"\x1b{slot}{name}" for slot, name in zip("()*+", slots, strict=True) if name != "B")
    if shift > 1 and slots[shift] == "B":
        named += f"\x1b{'()*+'[shift]}B"
    return named.encode() + (b"", b"\x0e", b"\x1bn", b"\x1bo")[shift]


def tabs(canvas: Canvas) -> bytes:
    stops = [col for col in sorted(canvas.tabs) if col < canvas.cols]
    return reset_stops(canvas.cols) if stops == [*usual_stops(0, canvas.cols)] else set_stops(stops)
