"""what is said within a stream: between a viewer, or whoever types, and the daemon"""

from __future__ import annotations

from codewire_py.wire.declare import Info, Message


class Typed(Message):
    """Viewer: bytes for the terminal, its `seq`th. Without bytes: it typed by the short way.

    The daemon takes each `seq` of a `viewer` (see attach) once, in order: what is not yet known to be taken may be
    sent again after coming back.
    """

    seq: int = 0
    data: bytes = b""


class Took(Message):
    """Daemon: the terminal took all up to and including `seq`, which had `size` bytes, and `part` of the next one."""

    seq: int
    size: int = 0
    part: int = 0


class Seen(Message):
    """Viewer: it has taken so many bytes of data frames and paints since it was told `attached`."""

    size: int


class Measured(Message):
    """Viewer: its own terminal has this size now."""

    rows: int
    cols: int


class Detach(Message):
    """Viewer: it leaves."""


class Detached(Message):
    """Daemon: good-bye."""


class Looks(Message):
    """Viewer: what its own terminal said of itself; what it did not say is left out.

    Colours as `rrggbb`; the size of a cell in pixels; `keyboard`: 1 if it speaks kitty's keyboard protocol, 0 if
    it does not, -1 if nobody knows.
    """

    foreground: str = ""
    background: str = ""
    cursor: str = ""
    cell_height: int = 0
    cell_width: int = 0
    keyboard: int = -1


class Repaint(Message):
    """Viewer: it wants to be painted afresh: it is far behind, or its terminal was somebody else's meanwhile.

    `offset`: how far it has come; `scrollback`: how many lines of what it missed.
    """

    offset: int = -1
    scrollback: int = 0


class Painted(Message):
    """Daemon: show `paint`. Then the log goes on from `offset`; if `rendered`, the next `painted` does instead.

    One that begins with CAN (0x18) can be shown over anything; any other only over the one before it.
    `skipped`: how many bytes of the log the viewer was not sent. `name` and `activity`: what a status line may say.
    """

    paint: bytes
    offset: int = 0
    rendered: bool = False
    skipped: int = 0
    name: str = ""
    activity: str = ""


class Foremost(Message):
    """Daemon: from here on, the queries that it does not answer itself are (or are not) for this viewer."""

    yes: bool


class Found(Message):
    """Daemon: lines of one session, each `{offset, time, line}`; by that offset it read so."""

    id: int
    name: str
    lines: list[Info]


class Ended(Message):
    """Daemon: the program has ended and every byte was sent."""

    session: Info


class Leaving(Message):
    """Daemon: it goes, to `stop` or to `restart`; the session goes on. Whoever hears it hangs up."""

    why: str
