"""every message there is, declared once

A request opens a conversation after both sides said hello; it gets one reply or `failed`. Attach, logs and send
turn the conversation into a stream. docs/protocol.md is derived from this file by `scripts/protocol`.
"""

from __future__ import annotations

from codewire_py.wire.declare import Info, Message
from codewire_py.wire.looking import (
    Attach,
    Attached,
    Export,
    Logs,
    Reading,
    Resize,
    Resized,
    Screen,
    Search,
    Searched,
    Shown,
)  # fmt: skip
from codewire_py.wire.streaming import (
    Detach,
    Detached,
    Ended,
    Foremost,
    Found,
    Leaving,
    Looks,
    Measured,
    Painted,
    Repaint,
    Seen,
    Took,
    Typed,
)  # fmt: skip

PROTOCOL = 1
FEATURES = ["sessions", "short-way", "screen", "resume"]


class Hello(Message):
    """Both sides, first: who speaks which version of the protocol, and what it can do."""

    version: int
    software: str = ""
    features: list[str] = []


class Failed(Message):
    """Daemon: the request was refused or went wrong; `code` names the error."""

    code: str
    message: str
    hint: str = ""


class Unknown(Message):
    """Never sent: what a message of a type we do not know is decoded to."""

    name: str


# -- requests, each followed by its reply


class Launch(Message):
    """Start a program in a new session. `request` makes a repeated launch happen once.

    `env` is the caller's whole environment, `overrides` what `--env` sets: that wins over everything. `elsewhere`: the
    caller is on another machine. The daemon's environment holds, with `env` over it, and a relative `directory` is
    below the home directory of the daemon's user.
    """

    request: str
    command: list[str]
    directory: str
    env: dict[str, str]
    overrides: dict[str, str] = {}
    rows: int = 40
    cols: int = 120
    name: str = ""
    tags: list[str] = []
    umask: int = 0o22
    nofile: int = 1024
    elsewhere: bool = False


class Launched(Message):
    """The program runs."""

    id: int
    name: str
    pid: int
    command: str


class List(Message):
    """The sessions there are. `status`: running, ended, lost or all; `old`: also those that ended long ago."""

    status: str = "all"
    tags: list[str] = []
    old: bool = False


class Listed(Message):
    """Each as in `cw list --json`: of long texts the beginning. `described` has all of them."""

    sessions: list[Info]


class Status(Message):
    """Everything about one session."""

    session: str


class Described(Message):
    """As in `cw status --json`."""

    session: Info


class Send(Message):
    """Type into a session. `more`: further `typed` messages follow, the last one empty."""

    session: str
    data: bytes
    more: bool = False


class Sent(Message):
    """The terminal took the bytes."""

    id: int
    size: int


class Kill(Message):
    """End sessions. `signal` other than 0 only sends that one signal; `tree`: also those that left the session."""

    sessions: list[str] = []
    tags: list[str] = []
    everything: bool = False
    signal: int = 0
    grace: float = 5.0
    tree: bool = False


class Killed(Message):
    """Their ends are recorded. `left`: processes of theirs that live on elsewhere."""

    sessions: list[Info]
    left: list[Info] = []


class Wait(Message):
    """Until all of them have ended, or any."""

    sessions: list[str] = []
    tags: list[str] = []
    any: bool = False
    timeout: float = -1.0


class Waited(Message):
    """Those that have ended, as in `cw status --json`; `timed_out`: not enough of them did.

    `ids`: all that it was about, in the order asked for. Names may be others' by the time that one asks again.
    """

    sessions: list[Info]
    timed_out: bool = False
    ids: list[int] = []


class Remove(Message):
    """Forget ended sessions and their logs."""

    sessions: list[str] = []
    tags: list[str] = []


class Prune(Message):
    """Forget every session that ended at least so many seconds ago."""

    older: float = 0.0
    dry_run: bool = False


class Removed(Message):
    """They are gone."""

    sessions: list[Info]
    size: int = 0


class Rename(Message):
    """Give a session another name; empty takes it away."""

    session: str
    name: str


class Renamed(Message):
    """It has that name now."""

    id: int
    name: str


class Stop(Message):
    """The daemon leaves; its sessions go on, unless `kill`."""

    kill: bool = False


class Stopping(Message):
    """It is leaving now. `running`: how many sessions go on."""

    pid: int
    running: int
    killed: int = 0


class Restart(Message):
    """The daemon replaces itself by what `python` has installed; empty: what it runs by itself."""

    python: str = ""


class Restarting(Message):
    """It has checked that the other one works, and becomes it now."""

    pid: int


class Token(Message):
    """Who may come in from elsewhere. `action`: create, list, revoke or pair.

    `scope`: observe, send, control or admin; `sessions`: it is for these ids or names alone; `expires`: in so many
    seconds (0: never). A pair is a code that can be exchanged for such a token once, soon.
    """

    action: str = "list"
    name: str = ""
    scope: str = "control"
    sessions: list[str] = []
    expires: float = 0.0


class Tokens(Message):
    """Those it is about, as in `cw token list --json`. `secret`: the new token or code, told this once.

    `url` and `fingerprint`: where others reach the listener, as far as the daemon knows. `trouble`: why they do not,
    though there is to be one. `waits`: for how many seconds the code is good.
    """

    tokens: list[Info]
    secret: str = ""
    url: str = ""
    fingerprint: str = ""
    trouble: str = ""
    waits: float = 0.0


REQUESTS: dict[str, type[Message]] = {
    cls.type: cls
    for cls in (
        Launch, List, Status, Attach, Screen, Resize, Logs, Search, Export, Send, Kill, Wait, Remove, Prune, Rename,
        Stop, Restart, Token,
    )
}  # fmt: skip
REPLIES: dict[str, type[Message]] = {
    cls.type: cls
    for cls in (
        Hello, Failed, Launched, Listed, Described, Attached, Shown, Resized, Reading, Searched, Sent, Killed, Waited,
        Removed, Renamed, Stopping, Restarting, Tokens,
    )
}  # fmt: skip
STREAM: dict[str, type[Message]] = {
    cls.type: cls
    for cls in (
        Typed, Took, Measured, Seen, Looks, Repaint, Painted, Detach, Detached, Foremost, Found, Ended, Leaving,
    )
}  # fmt: skip
MESSAGES: dict[str, type[Message]] = {**REQUESTS, **REPLIES, **STREAM, Unknown.type: Unknown}
