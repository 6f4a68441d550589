"""codes that a person types on another machine, each good for one token, once and soon"""

from __future__ import annotations

import hmac
import logging
import secrets
import time

from codewire_py.daemon import limits

journal = logging.getLogger("codewire")
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: none is taken for another
READ_AS = str.maketrans("OIL", "011", "- \t\r\n")
SIZE, GROUP = 12, 4  # 60 bits


class Offer:
    """What a code can be exchanged for. `made_by`: the token that asked for it; `until`: when that one ends."""

    def __init__(self, name: str, scope: str, sessions: tuple[str, ...], expires: float) -> None:
        self.name, self.scope, self.sessions, self.expires = name, scope, sessions, expires
        self.made_by, self.until = "", 0.0


class Pairing:
    """The codes that wait, in memory alone. Wrong guesses are counted whichever code they were meant for."""

    def __init__(self) -> None:
        self.waiting: dict[str, tuple[Offer, float]] = {}  # and until when, by their plain letters
        self.tries = 0

    def offer(self, offer: Offer) -> str:
        """The code, as a person reads it. When too many wait, the oldest is void."""
        self.drop_old()
        if not self.waiting:
            self.tries = 0
        for oldest in list(self.waiting)[: max(0, len(self.waiting) + 1 - limits.PAIRS)]:
            del self.waiting[oldest]
        code = "".join(secrets.choice(LETTERS) for _ in range(SIZE))
        self.waiting[code] = offer, time.monotonic() + limits.PAIR_SECONDS
        return "-".join(code[at : at + GROUP] for at in range(0, SIZE, GROUP))

    def find(self, said: str) -> tuple[str, Offer] | None:
        """Which one it is; it waits on until it is `used`."""
        self.drop_old()
        guess = plain(said).encode("utf-8", "surrogatepass")
        found = [code for code in self.waiting if hmac.compare_digest(code.encode(), guess)]
        if found:
            return found[0], self.waiting[found[0]][0]
        self.count_wrong()
        return None

    def count_wrong(self) -> None:
        if not self.waiting:
            return
        self.tries += 1
        if self.tries >= limits.PAIR_TRIES:
            self.waiting.clear()
            journal.warning("%d wrong codes: the codes that waited are void", self.tries)

    def use(self, code: str) -> None:
        self.waiting.pop(code, None)

    def withdraw(self, made_by: str) -> None:
        """Whoever offered them may come in no longer."""
        self.waiting = {code: held for code, held in self.waiting.items() if held[0].made_by != made_by}

    def drop_old(self) -> None:
        now = time.monotonic()
        self.waiting = {code: held for code, held in self.waiting.items() if now < held[1]}


def plain(said: str) -> str:
    """Without case and hyphens, and with what people take for one another."""
    return said[:100].upper().translate(READ_AS)
