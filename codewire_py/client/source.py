"""the short way: a session's log and its keeper's door, visited directly"""

from __future__ import annotations

import os
import time

from codewire_py.home.door import visit
from codewire_py.home.log import Log
from codewire_py.home.marks import Marks
from codewire_py.home.paths import END
from codewire_py.home.records import LOST_STATUS, read_end, status_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codewire_py.home.door import Door
    from codewire_py.home.records import End

REVISIT_SECONDS = 5.0
REVISIT_PAUSE = 0.03


class LocalLog:
    """Bytes from an offset on. Wait until `fileno` is readable (or `pause` is over), `hear`, then `read`."""

    __slots__ = ("_log", "_seen_door", "directory", "door", "is_ended", "offset", "wants_terminal")

    def __init__(self, directory: str, offset: int, wants_terminal: bool = False) -> None:
        self.directory, self.offset, self.wants_terminal = directory, offset, wants_terminal
        self._log = Log(directory)
        self._seen_door = time.monotonic()
        self.door: Door | None = None
        self.is_ended = False
        self.knock()

    def fileno(self) -> int:
        return self.door.fileno() if self.door else -1

    def pause(self) -> float | None:
        """How long to wait at most: for ever while there is a door that rings."""
        return None if self.door else REVISIT_PAUSE

    def terminal(self) -> int:
        return self.door.terminal if self.door else -1

    def read(self, size: int) -> bytes:
        start, data = self._log.read_kept(self.offset, size)
        self.offset = start + len(data)
        return data

    def behind(self) -> int:
        """How many bytes there are that were not read yet."""
        return self._log.length() - self.offset

    def place(self) -> int:
        """Where to go on from."""
        return self.offset

    def hear(self) -> None:
        """Take in the bell; when the keeper has left, see whether that was the end."""
        if self.door is None:
            self.knock()
            return
        self.door.hear()
        if not self.door.is_open:
            self.leave_door()

    def leave_door(self) -> None:
        """A keeper that did not even greet has too many visitors: knock again after a pause, not at once."""
        was_welcome = self.door is not None and self.door.version > 0
        if self.door:
            self.door.close()
        self.door = None
        self._seen_door = time.monotonic()
        if was_welcome:
            self.knock()

    def knock(self) -> None:
        self.is_ended = os.path.exists(f"{self.directory}/{END}")
        if self.is_ended:
            return
        try:
            self.door = visit(self.directory)
        except OSError:
            self.is_ended = os.path.exists(f"{self.directory}/{END}") or not os.path.isdir(self.directory)
            return
        if self.wants_terminal:
            self.door.ask_terminal()

    def is_refused(self) -> bool:
        """Whoever may read the file may read on."""
        return False

    def is_forsaken(self) -> bool:
        """No door and no record for so long that only the daemon can tell."""
        return not self.door and not self.is_ended and time.monotonic() - self._seen_door > REVISIT_SECONDS

    def forgive(self) -> None:
        """The daemon says that it runs: look again."""
        self._seen_door = time.monotonic()

    def how_it_ended(self) -> tuple[str, int]:
        """(status, exit status) from what is written down."""
        try:
            end: End | None = read_end(self.directory)
        except (OSError, ValueError):
            end = None
        marks = Marks(self.directory)
        marks.refresh()
        status = status_of(end, marks.facts.is_killed, end is None)
        return status, LOST_STATUS if end is None or status == "lost" else end.exit_code()

    def close(self) -> None:
        self._log.close()
        if self.door:
            self.door.close()
            self.door = None
