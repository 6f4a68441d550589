"""read a session's log at an offset, and release what is old"""

from __future__ import annotations

import os

from codewire_py.home.marks import Marks
from codewire_py.home.paths import LOG

BLOCK = 256 << 10
NEAR_THE_END = 256 << 10  # nothing this young is ever released: who reads less than was asked need not look
KEEP_SIZE_AND_PUNCH = 0x03


class Log:
    """A reader. Offsets stay valid for ever; bytes before `released` are gone."""

    __slots__ = ("_file", "_marks")

    def __init__(self, directory: str) -> None:
        self._file = os.open(f"{directory}/{LOG}", os.O_RDONLY)
        self._marks = Marks(directory)

    def fileno(self) -> int:
        return self._file

    def length(self) -> int:
        return os.fstat(self._file).st_size

    def grown(self) -> float:
        """When it last grew, as coarsely as a file system says that."""
        return os.fstat(self._file).st_mtime

    def released(self) -> int:
        """Never more than there is, whatever a corrupt mark says."""
        self._marks.refresh()
        return min(self._marks.facts.released, self.length())

    def read(self, offset: int, size: int = BLOCK) -> bytes:
        return os.pread(self._file, size, offset)

    def read_kept(self, offset: int, size: int = BLOCK) -> tuple[int, bytes]:
        """(where they begin, the bytes): later than asked when what was asked for is gone."""
        data = os.pread(self._file, size, offset)
        if len(data) == size and self.length() - offset > NEAR_THE_END:
            kept = self.released()
            if kept > offset:
                return kept, os.pread(self._file, size, kept)
        return offset, data

    def close(self) -> None:
        os.close(self._file)


def punch(directory: str, start: int, end: int) -> bool:
    """Give the blocks between back to the file system. False: this system cannot."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "fallocate"):
        return False
    file = os.open(f"{directory}/{LOG}", os.O_RDWR)
    try:
        size = ctypes.c_int64(end - start)
        return bool(libc.fallocate(file, KEEP_SIZE_AND_PUNCH, ctypes.c_int64(start), size) == 0)
    finally:
        os.close(file)
