"""how busy a process is"""

from __future__ import annotations

import os
import time
from pathlib import Path


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def is_idle(pid: int) -> bool:
    before = cpu_seconds(pid)
    time.sleep(0.2)  # a span to measure in, not to wait for anything
    return cpu_seconds(pid) - before <= 0.02
