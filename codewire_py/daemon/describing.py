"""what is told about a session, in tables, JSON and sessions.json alike"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from codewire_py.home.log import Log
from codewire_py.stream.plain import Plain

if TYPE_CHECKING:
    from codewire_py.daemon.session import Session

SNIPPET_BYTES, SNIPPET_LINES = 8192, 5


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
