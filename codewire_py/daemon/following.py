"""who follows whom, so that no session's output can be fed to itself"""

from __future__ import annotations

from codewire_py.errors import InsideItself


class Following:
    """A viewer that runs inside session X and follows session T puts T's output into X's."""

    def __init__(self) -> None:
        self.pairs: list[tuple[int, int]] = []

    def follow(self, inside: int, target: int) -> tuple[int, int]:
        """Remember it, unless that would close a ring."""
        if inside and inside in self.fed_by(target):
            how = "from inside itself" if inside == target else "from inside a session that it follows"
            raise InsideItself(f"session {target} cannot be followed {how}")
        self.pairs.append((inside, target))
        return inside, target

    def unfollow(self, pair: tuple[int, int]) -> None:
        self.pairs.remove(pair)

    def fed_by(self, target: int) -> set[int]:
        """Every session whose output reaches `target`'s, itself included."""
        found: set[int] = set()
        waiting = [target]
        while waiting:
            session = waiting.pop()
            if session not in found:
                found.add(session)
                waiting.extend(source for inside, source in self.pairs if inside == session)
        return found
