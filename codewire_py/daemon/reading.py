"""follow a session's log for a peer that does not read it itself"""

from __future__ import annotations

from types import TracebackType

import trio

from codewire_py.daemon.session import Session
from codewire_py.home.log import BLOCK, Log


class Reader:
    """Bytes from `offset` on, as soon as the session's bell has rung."""

    def __init__(self, session: Session, offset: int) -> None:
        self.session, self.offset = session, offset
        self.log = Log(session.directory)

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.log.close()

    def read(self, until: int = -1, most: int = BLOCK) -> bytes:
        """What is there now; before `until`, if that is given."""
        start, data = self.log.read_kept(self.offset, most)
        self.offset = start + len(data)
        return data[: max(0, until - start)] if until >= 0 else data

    async def read_on(self, most: int = BLOCK) -> bytes:
        """What comes next; nothing once the session has ended and all was read."""
        while True:
            is_over = self.session.ended.is_set()
            data = self.read(most=most)
            if data or is_over:
                return data
            await self.wait_for_bell()

    async def wait_beyond(self, offset: int) -> None:
        """Until there is more than that, or the end. A bell that rang while nobody listened has not been missed."""
        while self.log.length() <= offset and not self.session.ended.is_set():
            await self.wait_for_bell()

    async def wait_for_bell(self) -> None:
        """One for all who read this session: the keeper need not know how many they are."""
        if self.session.door is not None:
            await self.session.bell.wait()
            return
        with trio.move_on_after(0.05):  # it is being replaced, or this is the end
            await self.session.ended.wait()
