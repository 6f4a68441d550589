"""what processes there are, and how to signal one without hitting another that took its pid"""

from __future__ import annotations

import _signal
import os

LOOKS = 5  # at most, so that killing what forks for ever comes to an end


def look_at(pid: int) -> tuple[int, bytes, int] | None:
    """Its session, state and start; None when it is gone, or where there is no /proc."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return int(fields[3]), fields[0], int(fields[19])


def in_session(leader: int) -> list[tuple[int, int]]:
    """(pid, start) of every process in the terminal session that `leader` began."""
    try:
        pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []
    looks = [(pid, look_at(pid)) for pid in pids]
    return [(pid, look[2]) for pid, look in looks if look and look[0] == leader and look[1] != b"Z"]


def signal_session(leader: int, number: int) -> bool:
    """Each process of the session once. False: nobody is there.

    Killing looks again, for whom they forked meanwhile; what a gentler signal makes them start is to finish its work.
    """
    told: set[tuple[int, int]] = set()
    for _ in range(LOOKS if number == _signal.SIGKILL else 1):
        found = set(in_session(leader)) - told
        if not found:
            break
        for pid, start in sorted(found):
            send_exactly(pid, start, number)
        told |= found
    return bool(told)


def command_of(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read(400).replace(b"\0", b" ").decode("utf-8", "replace").strip()
    except OSError:
        return ""


def send_exactly(pid: int, start: int, number: int) -> bool:
    """Signal the process that began at `start`, never one that has its pid now."""
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        look = look_at(pid)
        if look is None or look[2] != start:
            return False
        _signal.pidfd_send_signal(handle, number)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True
