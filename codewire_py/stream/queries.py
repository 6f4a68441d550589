"""find the queries in a stream that the daemon answers"""

from __future__ import annotations

from codewire_py.stream.grammar import ESC
from codewire_py.stream.judging import ALL_BUT_KNOWN, PASS, is_known, is_unwelcome, tail

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from typing import Final

__all__ = ["QUERY_MAX", "Queries", "is_known"]

QUERY_MAX: Final = 4096  # who asks for all 256 colours at once needs half of it


class Queries:
    """Follows a stream, chunk by chunk."""

    __slots__ = ("_fed", "_held")

    def __init__(self) -> None:
        self._held = b""  # what may become a query
        self._fed = 0

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Every whole query that ends here, with how much of the stream lies before its end."""
        buffer = self._held + data if self._held else data
        begin = self._fed - len(self._held)
        self._fed += len(data)
        if ESC not in buffer:
            return []
        cut, outlook = tail(buffer, ALL_BUT_KNOWN)
        self._held = b"" if outlook == PASS or _is_long(buffer, cut) else buffer[cut:]
        found = _DOUBTFUL.finditer(buffer, 0, cut)
        return [(begin + match.end(), match[0]) for match in found if _is_query(match)]


_DOUBTFUL = ALL_BUT_KNOWN.doubtful()


def _is_long(buffer: bytes, cut: int) -> bool:
    return len(buffer) - cut - buffer.endswith(ESC) > QUERY_MAX


def _is_query(match: re.Match[bytes]) -> bool:
    """Not one that was broken off, or is too long to be meant."""
    group = match.lastgroup
    if group == "long" or not is_unwelcome(match, ALL_BUT_KNOWN):
        return False
    if group in ("osc", "string"):
        is_ended = match.end() > match.end(group) and match[0].endswith((b"\x07", b"\\"))
        return is_ended and match.end(group) - match.start() <= QUERY_MAX
    return True
