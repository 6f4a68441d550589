"""what is told about a session, in tables, JSON and sessions.json alike"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import trio

from codewire_py.home.log import Log
from codewire_py.stream.plain import Plain
from codewire_py.wire.frames import MAX_PAYLOAD

if TYPE_CHECKING:
    from codewire_py.daemon.session import Session

SNIPPET_BYTES, SNIPPET_LINES = 8192, 5
LEFT_BYTES = 256 << 10  # of a message, for processes that live on
SEVERAL_BYTES = MAX_PAYLOAD - LEFT_BYTES  # for all of its sessions together
OTHER_BYTES = 450  # of each of them, besides its tags and the texts that may be long
LEAST_BYTES, LONGEST_BYTES = 24, 4096  # of such a text
MORE = "…"
SLICE = 50  # sessions that are described in less than a millisecond


def rfc3339(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def describe(session: Session) -> dict[str, Any]:
    """Fields that say nothing are left out, as they always were."""
    if session.is_running():
        session.has_ended()  # the record is the truth, and may be a moment ahead of the keeper's good-bye
    status = session.status()
    birth, facts, end = session.birth, session.facts, session.end
    length, grown = session.log_stat()
    until = end.at if end and end.at else time.time()
    said = {
        "id": session.number, "name": facts.name, "tags": facts.tags, "prompt": birth.prompt,
        "command": birth.command, "working_dir": birth.directory, "created_at": rfc3339(birth.created_at),
        "status": status, "attached": bool(session.viewers), "attached_count": len(session.viewers),
        "exit_code": session.exit_code(), "completed_at": rfc3339(end.at) if end and end.at else None,
        "pid": facts.pid or None, "rows": facts.rows, "cols": facts.cols, "output_size_bytes": length,
        "sizing": facts.sizing if facts.sizing != "latest" else None,
        "released_bytes": facts.released or None, "duration_ms": int((until - birth.created_at) * 1000),
        "last_output_at": rfc3339(grown) if length else None,
        "idle_seconds": round(max(0.0, time.time() - grown), 1) if session.is_running() else None,
        "paused": session.paused() or None,
    }  # fmt: skip
    return {field: value for field, value in said.items() if value is not None}


async def describe_several(
    sessions: list[Session], make: Callable[[dict[str, Any]], Any] = dict
) -> list[Any]:
    """Briefly, so that they fit into one message. Others have their turn meanwhile. `make`: of each, what is wanted."""
    told = []
    for number, session in enumerate(sessions):
        if number % SLICE == SLICE - 1:
            await trio.lowlevel.checkpoint()
        told.append(make(describe_briefly(session, len(sessions))))
    return told


def describe_briefly(session: Session, count: int) -> dict[str, Any]:
    """One of so many: its long texts are shortened to what there is room for. Its status has all of them."""
    said = describe(session)
    left = SEVERAL_BYTES // count - OTHER_BYTES - sum(map(size, session.facts.tags))
    room = max(LEAST_BYTES, min(LONGEST_BYTES, left // 3))
    return {
        **said, "prompt": shorten(said["prompt"], room), "command": shorten_words(said["command"], room),
        "working_dir": shorten(said["working_dir"], room),
    }  # fmt: skip


def describe_left(processes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What lives on beside the sessions, in the room that they leave in a message."""
    room = max(LEAST_BYTES, LEFT_BYTES // max(1, len(processes)) - OTHER_BYTES // 4)
    return [{**process, "command": shorten(process["command"], room)} for process in processes]


def size(text: str) -> int:
    """Bytes that it takes in a message, or fewer."""
    return 3 + (len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass")))


def shorten(text: str, room: int) -> str:
    """To so many bytes in a message; its end says that there is more."""
    if size(text) <= room:
        return text
    kept = text[:room]
    while (excess := size(kept + MORE) - room) > 0:
        kept = kept[: -(excess // 4 + 1)]  # no character is more than four bytes
    return kept + MORE


def shorten_words(words: list[str], room: int) -> list[str]:
    """As many as there is room for."""
    told: list[str] = []
    left = room - 3
    for number, word in enumerate(words):
        is_last = number == len(words) - 1
        if size(word) > left - (0 if is_last else size(MORE)):
            return [*told, shorten(word, left)] if size(word) > left else [*told, MORE]
        told.append(word)
        left -= size(word)
    return told


def describe_whole(session: Session) -> dict[str, Any]:
    """With what it printed last, and who is left of an ended one."""
    length, _ = session.log_stat()
    said = {**describe(session), "output_size": length, "log": f"{session.path}/output.log"}
    lines = last_output(session.directory, length)
    if lines:
        said["last_output_snippet"] = "\n".join(lines)
    if session.end and session.end.survivors:
        said["survivors"] = session.end.survivors
    if session.end and session.end.unwritten:
        said["unwritten_bytes"] = session.end.unwritten
    return said


def activity_of(session: Session) -> str:
    """What a status line says."""
    if not session.is_running():
        return session.status()
    quiet = time.time() - session.log_stat()[1]
    unit = next((unit for unit in ((3600, "h"), (60, "m"), (10, "0s")) if quiet >= unit[0]), None)
    return session.paused() or (f"quiet for {int(quiet / unit[0])}{unit[1]}" if unit else "active")


def last_output(directory: str, length: int) -> list[str]:
    try:
        log = Log(directory)
    except OSError:
        return []
    plain = Plain()
    text = plain.feed(log.read(max(0, length - SNIPPET_BYTES), SNIPPET_BYTES)) + plain.flush()
    log.close()
    lines = [line.rstrip() for line in text.decode("utf-8", "replace").split("\n")]
    return [line for line in lines if line][-SNIPPET_LINES:]
