"""signals as bytes in a pipe, so that one loop sees everything in order"""

from __future__ import annotations

import _signal
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

SIGWINCH, SIGTERM, SIGHUP, SIGINT = _signal.SIGWINCH, _signal.SIGTERM, _signal.SIGHUP, _signal.SIGINT
SIGTSTP, SIGCONT, SIGQUIT = _signal.SIGTSTP, _signal.SIGCONT, _signal.SIGQUIT


class Signals:
    """`_signal` because the wrapper around it costs more to import than the rest of the client."""

    def __init__(self, numbers: Iterable[int]) -> None:
        self.inlet, outlet = os.pipe()
        for end in (self.inlet, outlet):
            os.set_blocking(end, False)
        _signal.set_wakeup_fd(outlet, warn_on_full_buffer=False)
        for number in numbers:
            _signal.signal(number, lambda number, frame: None)

    def fileno(self) -> int:
        return self.inlet

    def take(self) -> list[int]:
        try:
            return list(dict.fromkeys(os.read(self.inlet, 256)))
        except BlockingIOError:
            return []


def stop_here() -> None:
    """Be stopped by the terminal's stop signal as if we had never caught it; returns when continued."""
    ours = _signal.signal(SIGTSTP, _signal.SIG_DFL)
    os.kill(os.getpid(), SIGTSTP)
    _signal.signal(SIGTSTP, ours)
