"""processes that have left their session: found by their environment, signalled only if they are still the same"""

from __future__ import annotations

import os
import signal
from typing import Any

from codewire_py.errors import HomeError
from codewire_py.home.paths import home_path, number_of


def start_of(pid: int) -> int:
    """When it began, in clock ticks; 0 when it is gone or a zombie."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] == b"Z" else int(fields[19])


def terminal_session_of(pid: int) -> int:
    """The pid of the leader of the terminal session it is in."""
    try:
        return os.getsid(pid)
    except OSError:
        return 0


def signal_same(pid: int, start: int, number: int) -> bool:
    """Signal the process that began at `start`, never one that has its pid now."""
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        if not start or start_of(pid) != start:
            return False
        signal.pidfd_send_signal(handle, number)
        return True
    except OSError:
        return False
    finally:
        os.close(handle)


def environment_of(pid: int) -> dict[str, str]:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            pairs = [pair.partition(b"=") for pair in file.read().split(b"\0")]
    except OSError:
        return {}
    return {os.fsdecode(name): os.fsdecode(value) for name, _, value in pairs if value}


def origin_of(environ: dict[str, str], home: str) -> int:
    """The session of this home that it was started in, if any."""
    number = number_of(environ.get("CODEWIRE_SESSION", ""))
    try:
        return number if number and home_path(environ) == home else 0
    except HomeError:
        return 0


def started_in(home: str, numbers: set[int]) -> list[dict[str, Any]]:
    """Every living process that was started in one of the sessions, wherever it is now."""
    try:
        pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []
    origins = [(pid, origin_of(environment_of(pid), home)) for pid in pids if pid != os.getpid()]
    return [
        {"pid": pid, "start": start, "command": command_of(pid), "session": origin}
        for pid, origin in origins
        if origin in numbers and (start := start_of(pid))
    ]


def command_of(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read(400).replace(b"\0", b" ").decode("utf-8", "replace").strip()
    except OSError:
        return ""
