"""leave out a part of a stream: the screen goes on behind it, in the modes that hold there"""

from __future__ import annotations

from typing import TYPE_CHECKING

from codewire_py.stream.scan import Pieces

if TYPE_CHECKING:
    from codewire_py.daemon.screen.screen import Screen
    from codewire_py.stream.modes import Modes


def jump(screen: Screen, modes: Modes) -> None:
    """What was drawn stays until it is drawn over; on the main screen, what was left out has scrolled by."""
    screen.pieces = Pieces()
    screen.decoder.reset()
    screen.modes = modes.copy()
    screen.reset_softly()
    screen.show(modes.alternate)
    screen.x, screen.y = 0, 0 if modes.alternate else screen.height - 1
    screen.insert, screen.returns = bool(modes.is_on(4, private=False)), bool(modes.is_on(20, private=False))
    screen.autowrap, screen.origin = modes.is_on(7) is not False, bool(modes.is_on(6))
    limit(screen, modes.region)
    for slot, name in modes.charsets.items():
        if slot in (b"(", b")", b"*", b"+") and len(name) == 1:
            screen.charsets[b"()*+".index(slot)] = name.decode("ascii", "replace")
    screen.shift = int(modes.is_shifted)
    screen.graphics = screen.charsets[screen.shift] == "0"


def limit(screen: Screen, region: bytes) -> None:
    top, _, bottom = region.partition(b";")
    first = int(top) - 1 if top.isdigit() else 0
    last = int(bottom) - 1 if bottom.isdigit() else screen.height - 1
    if 0 <= first < last < screen.height:
        screen.top, screen.bottom = first, last
