"""what a process uses: memory, descriptors, processor time"""

from __future__ import annotations

import os
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
MEBIBYTE = 1 << 20


def kibibytes(path: str, field: str) -> int:
    """The number after `field` in one of /proc's tables."""
    row = next(row for row in Path(path).read_text().splitlines() if row.startswith(f"{field}:"))
    return int(row.split()[1])


def rss(pid: int) -> int:
    """Bytes it has in memory."""
    return kibibytes(f"/proc/{pid}/status", "VmRSS") << 10


def pss(pid: int) -> int:
    """The same, where what several processes share is divided among them."""
    return kibibytes(f"/proc/{pid}/smaps_rollup", "Pss") << 10


def descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def seconds_used(pid: int) -> float:
    """Processor time since it began."""
    fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def are_idle(*pids: int) -> bool:
    """None of them used more than 10 ms in half a second. (A paused keeper looks five times a second for room.)"""
    before = [seconds_used(pid) for pid in pids]
    time.sleep(0.5)
    return all(seconds_used(pid) - used <= 0.01 for pid, used in zip(pids, before, strict=True))
