"""what the strings in a stream mean to a screen: its title, and links"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from codewire_py.daemon.screen.style import LONGEST_LINK

if TYPE_CHECKING:
    from codewire_py.daemon.screen.canvas import Canvas

LONGEST_TITLE = 4096
_UNSHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def obey(canvas: Canvas, sequence: str) -> None:
    """Only operating system commands; device control strings and the like are passed over."""
    if sequence[1] != "]" or not sequence.endswith(("\x07", "\x1b\\")):
        return
    code, _, said = sequence[2:].removesuffix("\x1b\\").removesuffix("\x07").partition(";")
    if code in ("0", "2"):
        canvas.title = _UNSHOWN.sub("", said)[:LONGEST_TITLE]
    elif code == "8":
        link = _UNSHOWN.sub("", said)
        is_link = bool(said.partition(";")[2]) and len(link) <= LONGEST_LINK
        canvas.pen = canvas.styles.linked(canvas.pen, link if is_link else "")
