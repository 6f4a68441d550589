"""who is attached to a session, and who of them typed or attached last"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import trio

from codewire_py.daemon.limits import TYPISTS
from codewire_py.home.marks import is_size


class Typist:
    """How far what one viewer typed has come, over all its conversations: up to `seq`, and `part` of the next."""

    def __init__(self, seq: int) -> None:
        self.seq, self.part = seq, 0
        self.turn = trio.Lock()
        self.is_met = False  # it has heard from us that it is attached, for it has said something since

    def rest(self, seq: int, data: bytes) -> bytes:
        """What of it was not typed yet. Without numbers, all. Those that it leaves out were given up by the viewer."""
        if 0 < seq <= self.seq:
            return b""
        if seq > self.seq + 1:
            self.seq, self.part = seq - 1, 0
        return data[self.part :] if seq else data

    def took(self, seq: int) -> None:
        self.seq, self.part = max(seq, self.seq), 0


class Viewer:
    """Somebody attached, and how large its own terminal is; 0 where it has none."""

    def __init__(
        self, read_only: bool, size: tuple[int, int], tell: Callable[[bool], None], turn: Callable[[], None]
    ) -> None:
        """`tell` it whether it is foremost; `turn`: the session's size is another."""
        self.read_only, self.tell, self.turn = read_only, tell, turn
        self.name = ""  # by which it is known again
        self.oust: Callable[[], None] = lambda: None  # it has come back: this conversation of it is over
        self.rows = self.cols = 0
        self.measure(size)

    def measure(self, size: tuple[int, int]) -> None:
        """What no terminal can have is passed over."""
        if is_size(size):
            self.rows, self.cols = size


class Viewers:
    """Whoever typed or attached last is last. Of those who may type, that one is foremost: it is told so."""

    def __init__(self) -> None:
        self.present: list[Viewer] = []
        self.yielded = False  # whoever was foremost before is still here
        self.typists: dict[str, Typist] = {}  # by the names of viewers, the one that came last last

    def __len__(self) -> int:
        return len(self.present)

    def __iter__(self) -> Iterator[Viewer]:
        return iter(self.present)

    def foremost(self) -> Viewer | None:
        typing = [viewer for viewer in self.present if not viewer.read_only]
        return typing[-1] if typing else None

    def sizes(self) -> list[tuple[int, int]]:
        """Of those who may type: nobody who only looks changes what the others see."""
        return [(viewer.rows, viewer.cols) for viewer in self.present if not viewer.read_only]

    def come(self, viewer: Viewer) -> None:
        """What is left of its own earlier conversation, on a connection that broke, makes room."""
        stale = [other for other in self.present if viewer.name and other.name == viewer.name]
        for other in stale:
            other.oust()
        self.become([*(other for other in self.present if other not in stale), viewer])

    def leave(self, viewer: Viewer) -> None:
        self.become(self.without(viewer))

    def has_typed(self, viewer: Viewer) -> None:
        if self.foremost() is not viewer:
            self.become([*self.without(viewer), viewer])

    def meet(self, name: str, seq: int) -> tuple[Typist, bool]:
        """Whoever types under that name, and whether it was known. Without a name it is new each time.

        One that never heard that we know it believes what it last knew, of the daemon before us.
        """
        known = self.typists.pop(name, None) if name else None
        known = known if known and known.is_met else None
        typist = known or Typist(seq)
        if name:
            self.typists[name] = typist
            for oldest in list(self.typists)[:-TYPISTS]:
                del self.typists[oldest]
        return typist, known is not None

    def without(self, viewer: Viewer) -> list[Viewer]:
        return [other for other in self.present if other is not viewer]

    def become(self, present: list[Viewer]) -> None:
        """Tell those whom it changes; who comes just now is told when its attach is answered."""
        before, there = self.foremost(), self.present
        self.present = present
        after = self.foremost()
        if before is not after:
            self.yielded = before in present
        for viewer in (before, after):
            if before is not after and viewer in there and viewer in present:
                viewer.tell(viewer is after)
