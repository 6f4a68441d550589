"""requests to see what sessions show and have shown, and their replies"""

from __future__ import annotations

from codewire_py.wire.declare import Info, Message


class Attach(Message):
    """Look at a session and type into it. An empty `session`: launched last, nobody attached.

    `local`: the viewer reads the log and types by itself (the short way); the conversation then only tells the
    daemon that it is there. Otherwise data frames follow. `offset`: where it was before; -1: it is new, and gets
    a paint, with so many lines of `scrollback`. `rendered`: it wants nothing but paints, on a picture of `rows` and
    `cols`. `agent` and `display`: its SSH_AUTH_SOCK and DISPLAY, which the program is to use from now on. `inside`:
    the session that it runs in itself; from elsewhere with the moment it was `born`, for it may be another home's.

    `viewer`: a name of its own making, by which it is known again when it comes back; `seq`: the last `typed` that it
    knows the fate of. `paced`: it says `seen`, and is sent no more at once than its link takes in a moment.
    """

    session: str = ""
    local: bool = False
    read_only: bool = False
    rows: int = 0
    cols: int = 0
    offset: int = -1
    scrollback: int = 1000
    rendered: bool = False
    agent: str = ""
    display: str = ""
    inside: int = 0
    born: float = 0.0
    viewer: str = ""
    seq: int = 0
    paced: bool = False


class Attached(Message):
    """Show `paint`, then the log from `offset`. `directory` is the session's, for the short way.

    `beside`: the paint leaves what the terminal's main screen shows as it is; it is seen again after leaving.
    `rendered`: its size does not fit, so `painted` follow instead of the log. `foremost`: queries that the daemon
    does not answer are for this viewer. `seq`: the last `typed` of this viewer that the terminal took; -1: this
    daemon does not know it.
    """

    id: int
    name: str
    directory: str
    offset: int
    paint: bytes
    rows: int
    cols: int
    foremost: bool
    rendered: bool = False
    beside: bool = False
    inside: int = 0
    seq: int = -1


class Screen(Message):
    """What a session's screen shows, now or at an `offset` or `time` (-1: now), with lines of `scrollback`."""

    session: str
    offset: int = -1
    time: float = -1.0
    scrollback: int = 0
    ansi: bool = False


class Shown(Message):
    """As in `cw screen --json`; `text`: the lines with their colours, if asked for."""

    screen: Info
    text: bytes = b""


class Resize(Message):
    """Say how large a session is to be: `fixed` at `rows` and `cols`, or as its viewers' terminals are.

    `sizing`: fixed, latest (whoever typed or attached last), smallest or largest.
    """

    session: str
    sizing: str = "fixed"
    rows: int = 0
    cols: int = 0


class Resized(Message):
    """It has this size now."""

    id: int
    name: str
    sizing: str
    rows: int
    cols: int


class Search(Message):
    """Read sessions as lines that people could have read: `found` follow, then `searched`. No session: all of them.

    Only lines that contain `text`; with `ignore_case` those are sent, too, of which case is not easily ignored. The
    asker looks closer, so that a pattern that takes for ever costs nobody else anything.
    """

    text: str = ""
    ignore_case: bool = False
    sessions: list[str] = []
    tags: list[str] = []
    since: float = -1.0
    until: float = -1.0


class Searched(Message):
    """All of them were read: so many sessions."""

    sessions: int


class Logs(Message):
    """Read a log: the last `tail` lines (-1: all that is kept), or from `offset`; `follow`: until the end.

    `since` and `until`: only what was printed between these times. `rendered`: lines as they ended up, as text; with
    `lines`, as `found` instead of data frames. `inside` and `born`: as in `attach`.
    """

    session: str
    local: bool = False
    follow: bool = False
    tail: int = -1
    offset: int = -1
    since: float = -1.0
    until: float = -1.0
    rendered: bool = False
    lines: bool = False
    inside: int = 0
    born: float = 0.0


class Export(Message):
    """Read a session as an asciicast recording, of `version` 2 or 3: data frames, then `ended`."""

    session: str
    version: int = 3


class Reading(Message):
    """Data frames follow from `offset`, unless it is the short way; bytes before `released` are gone.

    `until`: where to stop; -1: at the end.
    """

    id: int
    name: str
    directory: str
    offset: int
    length: int
    released: int
    until: int = -1
