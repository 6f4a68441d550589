"""pretend that a session printed its log long ago"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from codewire_py.home.times import RECORD, TIMES, TimesWriter
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
    be_born(directory, now - (max(hours.values()) + 1) * 3600)


def be_born(directory: Path, created: float) -> None:
    birth = json.loads((directory / "session.json").read_text())
    (directory / "session.json").write_text(json.dumps({**birth, "created_at": created}))


def grow_old(directory: Path, seconds: float) -> None:
    """While there is no daemon: all that was noted of it was so much earlier."""
    times = directory / TIMES
    records = [(offset, time - seconds) for offset, time in RECORD.iter_unpack(times.read_bytes())]
    times.write_bytes(b"".join(RECORD.pack(*record) for record in records))
    os.utime(times, (records[-1][1], records[-1][1]))
    be_born(directory, records[0][1])
