"""follow a session's log for a peer that does not read it itself"""

from __future__ import annotations

from types import TracebackType

import trio

from codewire_py.daemon.keeping import try_visit
from codewire_py.daemon.session import Session
from codewire_py.home.door import Door
from codewire_py.home.log import BLOCK, Log


class Reader:
    """Bytes from `offset` on. It visits the keeper as any viewer does, so it is rung like any viewer."""

    def __init__(self, session: Session, offset: int) -> None:
        self.session, self.offset = session, offset
        self.log = Log(session.directory)
        self.door: Door | None = None

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.log.close()
        if self.door:
            self.door.close()

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

    async def wait_for_bell(self) -> None:
        if self.door is None:
            self.door = try_visit(self.session.directory)
            if self.door is None:
                with trio.move_on_after(0.05):
                    await self.session.ended.wait()
            return
        await trio.lowlevel.wait_readable(self.door.fileno())
        self.door.hear()
        if not self.door.is_open:
            was_welcome = self.door.version > 0
            self.door.close()
            self.door = None
            if not was_welcome:
                await trio.sleep(0.05)  # the keeper has too many visitors
