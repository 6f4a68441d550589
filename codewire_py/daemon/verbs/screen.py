"""tell what a session's screen shows, now or at a past moment"""

from __future__ import annotations

import trio

from codewire_py.daemon.depicting import Depiction, depict
from codewire_py.daemon.limits import PAST_FLOOD_BYTES, SHOWN_LINES
from codewire_py.daemon.screen.screen import Screen
from codewire_py.daemon.screen.scrollback import END
from codewire_py.daemon.session import Session
from codewire_py.daemon.talk import Talk
from codewire_py.errors import CodewireError
from codewire_py.home.times import Times
from codewire_py.stream.modes import Modes
from codewire_py.wire import messages

MICE = {1003: "any-event", 1002: "button-event", 1000: "normal", 9: "x10"}
SHAPES = {b"": "default", b"1": "blinking-block", b"2": "block", b"3": "blinking-underline", b"4": "underline",
          b"5": "blinking-bar", b"6": "bar"}  # fmt: skip


async def handle(request: messages.Screen, talk: Talk) -> messages.Shown:
    session = talk.sessions.find(request.session)
    offset = place(request, session)
    if offset < 0:
        depiction = await session.attending.depict()
        return show(depiction, request)
    past: list[Depiction] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(talk.notice_leaving, nursery.cancel_scope)
        past.append(await look_back(session, offset))
        nursery.cancel_scope.cancel()
    if not past:
        raise trio.ClosedResourceError
    return show(past[0], request)


def place(request: messages.Screen, session: Session) -> int:
    """The offset that is meant; -1: now."""
    offset, (length, _) = request.offset, session.log_stat()
    if request.time >= 0:
        times = Times(session.directory)
        offset = times.end_at(request.time)
        times.close()
    if offset > length:
        raise CodewireError(
            f"session {session.number} has printed only {length} bytes",
            f"seconds since 1970 begin with an @; the latest: cw screen {session.number}",
        )
    if 0 <= offset < session.facts.released:
        raise CodewireError(
            f"what session {session.number} showed there is gone: all before offset {session.facts.released} was "
            "released",
            "how much is kept: log.max_bytes in config.toml",
        )  # fmt: skip
    return -1 if offset == length else offset


async def look_back(session: Session, offset: int) -> Depiction:
    depiction = depict(session.directory, session.birth, before=offset)
    depiction.passed = session.attending.passed
    await depiction.reach(offset, flood=PAST_FLOOD_BYTES)
    return depiction


def show(depiction: Depiction, request: messages.Screen) -> messages.Shown:
    screen, lines = depiction.screen, min(max(0, request.scrollback), SHOWN_LINES)
    info: dict[str, object] = {
        "size": [screen.rows, screen.cols], "lines": screen.text(), "cursor": list(screen.cursor()),
        "title": screen.title, "modes": modes_of(screen, screen.modes), "alternate": screen.is_alternate,
        "offset": depiction.offset,
    }  # fmt: skip
    if lines:
        info["scrollback"] = screen.history_text(lines)
    return messages.Shown(screen=info, text=draw(screen, lines) if request.ansi else b"")


def draw(screen: Screen, lines: int) -> bytes:
    """One line for each row, with its colours."""
    above = [row.removesuffix(END) for row in screen.scrollback.last(lines)] if lines else []
    return b"\n".join([*above, *map(screen.draw_row, range(screen.rows))])


def modes_of(screen: Screen, modes: Modes) -> dict[str, object]:
    """What decides how keys and the mouse are told, and how the next byte is drawn."""
    return {
        "application_cursor": modes.is_on(1), "autowrap": screen.autowrap, "bracketed_paste": modes.is_on(2004),
        "cursor_shape": SHAPES.get(modes.shape, "default"), "cursor_visible": modes.is_on(25),
        "focus": modes.is_on(1004), "insert": screen.insert, "keyboard": modes.keyboard_flags,
        "keypad": modes.is_keypad_on, "mouse": next((name for mode, name in MICE.items() if modes.is_on(mode)), None),
        "origin": screen.origin, "synchronized": modes.is_on(2026),
    }  # fmt: skip
