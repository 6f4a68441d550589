"""who is attached to a session, and who of them typed or attached last"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from codewire_py.home.marks import is_size


class Viewer:
    """Somebody attached, and how large its own terminal is; 0 where it has none."""

    def __init__(
        self, read_only: bool, size: tuple[int, int], tell: Callable[[bool], None], turn: Callable[[], None]
    ) -> None:
        """`tell` it whether it is foremost; `turn`: the session's size is another."""
        self.read_only, self.tell, self.turn = read_only, tell, turn
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
        self.become([*self.present, viewer])

    def leave(self, viewer: Viewer) -> None:
        self.become(self.without(viewer))

    def has_typed(self, viewer: Viewer) -> None:
        if self.foremost() is not viewer:
            self.become([*self.without(viewer), viewer])

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
