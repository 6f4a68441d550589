"""what an attached client must have shown: a paint of what the log drew before it came, then the log, byte by byte"""

from __future__ import annotations

from codewire_py.client.showing import TITLE_BACK, TO_THE_BOTTOM
from codewire_py.daemon.screen.paint import BEGIN, END
from codewire_py.daemon.screen.screen import Screen
from codewire_py.stream.tabs import reset_stops

ROWS, COLS = 24, 80
SCROLLBACK = 1000  # lines that whoever attaches is shown
ENOUGH = 1 << 20  # bytes of plain lines, of which no screen shows more


def last_words(cols: int = COLS) -> bytes:
    """What leaving writes after a program that left nothing switched on."""
    return b"\x1b7" + reset_stops(cols) + b"\x1b8" + TO_THE_BOTTOM + TITLE_BACK


def after_paint(shown: bytes | bytearray, log: bytes, rows: int = ROWS, cols: int = COLS) -> bytes:
    """What follows the last paint, which is as it must be: it shows what the log drew up to there.

    Of programs that print lines, and no paints of their own.
    """
    paint, end, rest = bytes(shown).rpartition(END)
    assert end, f"no paint: {bytes(shown[:200])!r}"
    rest = rest.removesuffix(last_words(cols))
    at = len(log) - len(rest)
    assert at >= 0, f"{-at} bytes more than the log has were shown"
    there, here = Screen(rows, cols), Screen(rows, cols)
    there.feed(log[log.find(b"\n", at - ENOUGH, at) + 1 : at] if at > ENOUGH else log[:at])
    here.feed(paint[max(0, paint.rfind(BEGIN)) :] if paint.count(BEGIN) > 1 else paint)
    seen, drawn = (here.text(), here.cursor()), (there.text(), there.cursor())
    assert seen == drawn, f"at {at} of {len(log)} it shows {seen}, the log draws {drawn}"
    assert paint.count(BEGIN) > 1 or here.history_text(SCROLLBACK) == there.history_text(SCROLLBACK)
    return rest


def check_painted(
    shown: bytes | bytearray, log: bytes, what: str, size: tuple[int, int] = (ROWS, COLS)
) -> None:
    """No byte of the log is missing and none came twice: those before the paint are in it."""
    rest = after_paint(shown, log, *size)
    assert log.endswith(rest), f"{what}: {rest[-200:]!r} is not the end of {log[-200:]!r}"
