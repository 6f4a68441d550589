"""the keys a program has asked for, in kitty's keyboard protocol"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_STACK_MAX: Final = 99


class Keyboard:
    """The flags of kitty's keyboard protocol that are in force on one screen, and those pushed below them."""

    __slots__ = ("flags",)

    def __init__(self, flags: tuple[int, ...] = (0,)) -> None:
        self.flags = [*flags]

    def copy(self) -> Keyboard:
        return Keyboard(tuple(self.flags))

    def push(self, flags: int) -> None:
        """Of a full stack the oldest goes."""
        self.flags = [*self.flags[-_STACK_MAX:], flags]

    def pop(self, count: int) -> None:
        self.flags = self.flags[: -max(count, 1)] or [0]

    def set(self, flags: int, how: int) -> None:
        now = self.flags[-1]
        self.flags[-1] = now | flags if how == 2 else now & ~flags if how == 3 else flags

    def undo(self) -> bytes:
        pops = b"\x1b[<%du" % (len(self.flags) - 1) if len(self.flags) > 1 else b""
        return pops + (b"\x1b[=0u" if self.flags[0] else b"")

    def enter(self) -> bytes:
        first = b"\x1b[=%du" % self.flags[0] if self.flags[0] else b""
        return first + b"".join(b"\x1b[>%du" % flags for flags in self.flags[1:])
