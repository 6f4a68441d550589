"""the daemon becomes the version that is installed now, keeping its lock and its listener"""

from __future__ import annotations

import os
import subprocess
import sys

import trio

from codewire_py.daemon import limits
from codewire_py.daemon.talk import Talk
from codewire_py.errors import DaemonFailed
from codewire_py.wire import messages


async def handle(request: messages.Restart, talk: Talk) -> messages.Restarting:
    python = request.python or sys.executable  # whoever asks from elsewhere knows nothing of ours
    await check(python)
    await talk.departure.leave_and_shut("restart", python)
    return messages.Restarting(pid=os.getpid())


async def check(python: str) -> None:
    """Have the other one start far enough to say its version, before this one gives way."""
    command = [python, "-m", "codewire_py", "daemon", "--check"]
    try:
        with trio.fail_after(limits.CHECK_SECONDS):
            done = await trio.run_process(command, capture_stdout=True, capture_stderr=True, check=False)
    except (OSError, trio.TooSlowError, subprocess.SubprocessError) as error:
        raise DaemonFailed(
            f"the installed version does not start: {type(error).__name__}: {error}"
        ) from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise DaemonFailed(f"the installed version does not start: {said}", "this daemon goes on as it is")
