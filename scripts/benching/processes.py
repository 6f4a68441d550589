"""find the processes of this run, read what they cost, and end them"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

MARK = "CW_BENCH"
NAMES = (
    "tmux",
    "screen",
    "dtach",
    "python",
    "cw",
    "sh",
)  # found by their command line, whatever their environment
SECONDS_TO_END = 20.0
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class Work(NamedTuple):
    milliseconds: float
    wakeups: int


def find_marked(directory: Path) -> list[int]:
    """The processes started under `directory`: their environment says so, or their command names it."""
    mark = f"{MARK}={directory}/".encode()
    inside = f"{directory}/".encode()
    found = []
    for pid in list_pids():
        arguments = read_bytes(pid, "cmdline")
        if mark in read_bytes(pid, "environ") or (
            inside in arguments and name_of(arguments).startswith(NAMES)
        ):
            found.append(pid)
    return found


def list_pids() -> list[int]:
    ourselves = os.getpid()
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != ourselves]


def read_bytes(pid: int, file: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{file}").read_bytes()
    except OSError:  # it has ended, or it is not ours to look at
        return b""


def name_of(arguments: bytes) -> str:
    """The program's name; screen's server calls itself SCREEN."""
    first = arguments.split(b"\0", 1)[0].decode(errors="replace")
    return os.path.basename(first).lower()


def is_below(pid: int, ancestor: int) -> bool:
    while pid > 1 and pid != ancestor:
        pid = parent_of(pid)
    return pid == ancestor


def parent_of(pid: int) -> int:
    fields = read_bytes(pid, "stat").rpartition(b")")[2].split()
    return int(fields[1]) if fields else 0


def sweep(directory: Path) -> None:
    """End every process started under `directory`; some start others while they are being ended."""
    end = time.monotonic() + SECONDS_TO_END  # past the budget, too
    quiet = 0
    while quiet < 2 and time.monotonic() < end:
        found = find_marked(directory)
        quiet = 0 if found else quiet + 1
        for pid in found:
            end_process(pid)
        time.sleep(0.01)


def end_process(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def memory(pids: Iterable[int]) -> float:
    """MiB held by the processes, what they share counted once (PSS)."""
    kilobytes = 0
    for pid in pids:
        for line in read_bytes(pid, "smaps_rollup").splitlines():
            if line.startswith(b"Pss:"):
                kilobytes += int(line.split()[1])
    return kilobytes / 1024


def work(pids: Iterable[int]) -> Work:
    """Processor time and context switches of the processes so far, all their threads counted."""
    milliseconds, wakeups = 0.0, 0
    for pid in pids:
        fields = read_bytes(pid, "stat").rpartition(b")")[2].split()
        if fields:
            milliseconds += (int(fields[11]) + int(fields[12])) * 1000 / TICKS_PER_SECOND
        wakeups += sum(count_switches(task) for task in Path(f"/proc/{pid}/task").glob("*/status"))
    return Work(milliseconds, wakeups)


def count_switches(status: Path) -> int:
    try:
        lines = status.read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if "ctxt_switches" in line)
