"""pretend that a session printed its log long ago"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from codewire_py.home.times import TIMES, TimesWriter
from homes import until


def pretend(directory: Path, hours: dict[int, float]) -> None:
    """At each offset, so many hours ago; it was launched an hour before the first.

    The daemon has noted its own times by then: it would write over ours.
    """
    until((directory / TIMES).exists, "the daemon to note when that was printed")
    now = time.time()
    (directory / TIMES).unlink()
    (directory / "marks.jsonl").write_bytes(b"")
    writer = TimesWriter(str(directory))
    for offset, ago in hours.items():
        writer.note(offset, now - ago * 3600)
    writer.close()
    last = now - min(hours.values()) * 3600
    os.utime(directory / "output.log", (last, last))
    birth = json.loads((directory / "session.json").read_text())
    created = now - (max(hours.values()) + 1) * 3600
    (directory / "session.json").write_text(json.dumps({**birth, "created_at": created}))
