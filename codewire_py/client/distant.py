"""a session elsewhere: its log as a daemon sends it, and what is typed on its way there"""

from __future__ import annotations

from codewire_py.home.records import LOST_STATUS
from codewire_py.wire.messages import Seen, Typed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from codewire_py.errors import CodewireError
    from codewire_py.wire.declare import Message

    class Carrier(Protocol):
        """The presence: it brings what comes, and takes what is said."""

        log: DistantLog | None
        hands: FarHands | None
        end: dict[str, Any] | None
        refusal: CodewireError | None
        is_settled: bool

        def tell(self, message: Message) -> None: ...
        def note_seen(self, size: int) -> None: ...


MOST_WAITING = 1 << 20  # typed, but not taken yet; beyond it our own terminal is not read either
MOST_UNDER_WAY = 64 << 10  # of that
PIECE = 16 << 10


class DistantLog:
    """Like `source.LocalLog`; what it has, the presence has brought."""

    door = None

    def __init__(self, presence: Carrier, number: int, offset: int) -> None:
        self.presence, self.offset = presence, offset
        self.directory = str(number)
        self.pieces: list[bytes] = []
        self.size = 0
        presence.log = self

    def fileno(self) -> int:
        return -1

    def pause(self) -> float | None:
        return None

    def hear(self) -> None:
        """The presence does."""

    # -- as it comes

    def receive(self, data: bytes) -> None:
        self.pieces.append(data)
        self.size += len(data)

    def place(self) -> int:
        """Where what comes next begins."""
        return self.offset + self.size

    def go_on(self, offset: int) -> None:
        """After coming back: where we were, unless that is gone by now, or a paint comes."""
        if offset != self.place():
            self.restart(offset)

    def restart(self, offset: int) -> None:
        """What was not shown will not be."""
        self.presence.note_seen(self.size)
        self.pieces.clear()
        self.size, self.offset = 0, offset

    # -- as it is shown

    def read(self, most: int) -> bytes:
        taken = []
        left = most
        while self.pieces and left:
            piece = self.pieces.pop(0)
            if len(piece) > left:
                self.pieces.insert(0, piece[left:])
                piece = piece[:left]
            taken.append(piece)
            left -= len(piece)
        data = taken[0] if len(taken) == 1 else b"".join(taken)
        self.size -= len(data)
        self.offset += len(data)
        self.presence.note_seen(len(data))
        return data

    def behind(self) -> int:
        """The daemon sees to that."""
        return 0

    @property
    def is_ended(self) -> bool:
        return self.presence.end is not None and not self.pieces

    def is_refused(self) -> bool:
        """We may not come back, and have shown all there was."""
        return self.presence.refusal is not None and not self.pieces

    def is_forsaken(self) -> bool:
        return False

    def forgive(self) -> None:
        """Nothing to forgive."""

    def how_it_ended(self) -> tuple[str, int]:
        """(status, exit status)"""
        end = self.presence.end or {}
        status, code = str(end.get("status", "lost")), end.get("exit_code")
        return status, code if isinstance(code, int) else LOST_STATUS

    def close(self) -> None:
        """The presence does."""


class FarHands:
    """Like `hands.Hands`: every byte is taken once, in order, or it is told how many may be lost."""

    has_lock = False
    waiting = b""

    def __init__(self, presence: Carrier) -> None:
        self.presence = presence
        self.seq = self.taken = 0  # the last that was given a number, and the last whose fate is known
        self.part = 0  # bytes taken of the one after that
        self.under_way: list[bytes] = []
        self.unsent = bytearray()
        presence.hands = self
        presence.tell(Seen(size=0))  # so that the daemon knows that we know

    def is_full(self) -> bool:
        return len(self.unsent) > MOST_WAITING

    def pause(self) -> float | None:
        return None

    def terminal(self) -> int:
        return -1

    def type(self, data: bytes) -> None:
        self.unsent += data
        self.push()

    def push(self) -> None:
        """As long as the daemon knows us, and has not too much of it already."""
        while self.unsent and self.presence.is_settled and sum(map(len, self.under_way)) < MOST_UNDER_WAY:
            data = bytes(self.unsent[:PIECE])
            del self.unsent[:PIECE]
            self.seq += 1
            self.under_way.append(data)
            self.presence.tell(Typed(seq=self.seq, data=data))

    def took(self, seq: int, part: int) -> None:
        while self.taken < seq and self.under_way:
            self.under_way.pop(0)
            self.taken += 1
        self.part = part
        self.push()

    def come_back(self, seq: int, was_told: bool) -> int:
        """The daemon knows us up to `seq`, or it is another (-1). How many bytes may be lost.

        One that said farewell has taken what it said, and no more; of one that died, nobody knows.
        """
        lost = 0
        if seq >= 0:
            self.took(seq, 0)
        elif was_told and self.under_way:
            self.keep_rest()
        elif self.under_way:
            lost = sum(map(len, self.under_way))
            self.taken = self.seq
            self.under_way.clear()
        self.part = 0
        for number, data in enumerate(self.under_way, self.taken + 1):
            self.presence.tell(Typed(seq=number, data=data))
        return lost

    def keep_rest(self) -> None:
        """Of the first that is under way, what was not taken."""
        rest = self.under_way.pop(0)[self.part :]
        if rest:
            self.under_way.insert(0, rest)
        else:
            self.taken += 1

    def close(self) -> None:
        """Nothing is held."""
