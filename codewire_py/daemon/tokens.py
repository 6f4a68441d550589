"""who may come in from elsewhere: make tokens, tell them apart, take them back"""

from __future__ import annotations

import errno
import hashlib
import hmac
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import trio

from codewire_py.daemon import limits
from codewire_py.daemon.describing import rfc3339
from codewire_py.daemon.grants import OWNER, SCOPES, Grant
from codewire_py.daemon.launching import NAME_LETTERS, check_name
from codewire_py.daemon.pairing import Offer, Pairing
from codewire_py.daemon.tokenfiles import (
    ADMIN,
    FIRST,
    Kept,
    drop_first,
    new_first,
    new_secret,
    read_first,
    read_tokens,
    write_first,
    write_tokens,
)
from codewire_py.errors import (
    BadName,
    CodewireError,
    DiskFull,
    Forbidden,
    LimitReached,
    NameTaken,
    NoSuchToken,
    Unauthorized,
    UsageError,
)
from codewire_py.home.paths import TOKENS, number_of

journal = logging.getLogger("codewire")
PAIR_HINT = f"a code is good once, for {limits.PAIR_SECONDS / 60:.0f} minutes: cw server pair"


class Tokens:
    """All of it happens at once, between two moments in which others have their turn."""

    def __init__(self) -> None:
        self.by_name: dict[str, Kept] = {}
        self.first: Kept | None = None
        self.is_read = False
        self.look_at_file()
        self.pairing = Pairing()
        self.is_unwritten, self.written_at = False, -limits.TOKEN_USED_SECONDS
        self.stirred = trio.Event()

    def look_at_file(self) -> None:
        """Once. What cannot be read just now is looked at again when somebody comes."""
        if self.is_read:
            return
        try:
            self.by_name, first = read_tokens()
        except OSError as error:
            journal.warning("%s cannot be read just now: %s", TOKENS, error.strerror)
            return
        self.first, self.is_read = self.first or first, True

    def must_be_read(self) -> None:
        """Or what is written would take the place of what is there."""
        self.look_at_file()
        if not self.is_read:
            raise CodewireError(f"{TOKENS} cannot be read just now", "try again: the journal says why")

    # -- make

    def create(self, name: str, offer: Offer, maker: Grant = OWNER) -> str:
        """Its secret, which nobody can be told again."""
        check_token_name(name)
        self.must_be_read()
        if name == FIRST or name in self.by_name:
            raise NameTaken(
                f"there is a token named {name!r} already", f"end it with: cw token revoke {name}"
            )
        check_offer(offer)
        expires_at = time.time() + offer.expires if offer.expires else 0.0
        check_maker(maker, offer, expires_at)
        return self.make(name, offer, expires_at, maker.name or "the user")

    def make(self, name: str, offer: Offer, expires_at: float, maker: str) -> str:
        if len(self.by_name) >= limits.TOKENS:
            raise LimitReached(
                f"there are {limits.TOKENS} tokens already", "end some with: cw token revoke NAME"
            )
        secret = new_secret()
        kept = Kept(
            {
                "name": name, "sha256": digest_of(secret), "scope": offer.scope, "sessions": list(offer.sessions),
                "created_at": time.time(), "expires_at": expires_at,
            }
        )  # fmt: skip
        self.write({**self.by_name, name: kept})
        journal.info('token "%s" made by %s; it may %s', name, maker, offer.scope)
        return secret

    def pair(self, offer: Offer, maker: Grant = OWNER) -> str:
        """A code that becomes such a token."""
        if offer.name:
            check_token_name(offer.name)
        check_offer(offer)
        check_maker(maker, offer, time.time() + offer.expires if offer.expires else 0.0)
        offer.made_by, offer.until = maker.name, maker.expires_at
        return self.pairing.offer(offer)

    def redeem(self, code: str, label: str) -> tuple[str, str, str]:
        """(secret, name, scope). `label`: how whoever asks calls itself."""
        found = self.pairing.find(code)
        if found is None:
            raise Unauthorized("the code is not valid", PAIR_HINT)
        self.must_be_read()
        used, offer = found
        name = self.free_name(offer.name or name_from(label))
        expires_at = time.time() + offer.expires if offer.expires else 0.0
        if offer.until:
            expires_at = min(expires_at or offer.until, offer.until)
        secret = self.make(name, offer, expires_at, f"a code of {offer.made_by or 'the user'}")
        self.pairing.use(used)
        return secret, name, offer.scope

    def free_name(self, wanted: str) -> str:
        name, count = wanted, 1
        while name == FIRST or name in self.by_name:
            count += 1
            name = f"{wanted[: limits.TOKEN_NAME - len(str(count)) - 1]}-{count}"
        return name

    # -- tell apart

    def grant_for(self, secret: str, address: str) -> Grant:
        """Compared with every one there is, so that the time it takes says nothing."""
        if not secret:
            raise Unauthorized("a token is needed")
        digest = digest_of(secret).encode()
        found = [kept for kept in self.every() if hmac.compare_digest(kept.digest.encode(), digest)]
        if not found:
            raise Unauthorized("the token is not valid")
        kept = found[0]
        if is_over(kept):
            raise Unauthorized(f'the token "{kept.name}" has expired')
        kept.used_at, kept.used_from, self.is_unwritten = time.time(), address, True
        self.stirred.set()
        return kept.grant

    def look_at_first(self) -> Kept | None:
        """A person may write another into the file at any time: whoever came by the one before has to leave."""
        try:
            secret, since = read_first()
        except OSError:
            return None  # nobody comes in by it now, and nobody has to leave
        digest = digest_of(secret) if secret else ""
        if self.first and self.first.digest != digest:
            self.pairing.withdraw(FIRST)
            cut(self.first)
            self.first = None
        if secret and self.first is None:
            self.first = Kept({**ADMIN, "sha256": digest, "created_at": since})
        return self.first

    def every(self) -> list[Kept]:
        self.look_at_file()
        first = self.look_at_first()
        return [*([first] if first else []), *self.by_name.values()]

    def listed(self) -> list[dict[str, Any]]:
        return [tell(kept) for kept in self.every()]

    # -- take back

    def revoke(self, name: str, staying: Callable[[], None] | None = None) -> dict[str, Any]:
        """Whoever came in by it is cut; `staying` is to hear the answer to this first."""
        self.pairing.withdraw(name)
        if name == FIRST:
            return self.replace_first(staying)
        self.must_be_read()
        if name not in self.by_name:
            raise NoSuchToken(f"there is no token named {name!r}")
        kept = self.by_name.pop(name)
        cut(kept, staying)
        journal.info('token "%s" revoked', name)
        try:
            self.write(self.by_name)
        except CodewireError as error:
            self.is_unwritten = True
            self.stirred.set()
            error.hint = (
                "it is not valid as long as this daemon runs; later ones know when there is room again"
            )
            raise
        return tell(kept)

    def replace_first(self, staying: Callable[[], None] | None) -> dict[str, Any]:
        """Where there is no room for another, there is none until the daemon begins again."""
        before, self.first = self.first, None
        if before:
            cut(before, staying)
        try:
            with_room(lambda: write_first(new_first()))
        except CodewireError:
            drop_first()
            raise
        journal.info("the first token is another one now")
        first = self.look_at_first()
        return tell(first) if first else {"name": FIRST}

    # -- over time

    async def run(self) -> None:
        """Clocks are set and laptops sleep, so that a deadline alone does not do. Idle while nobody is here."""
        while True:
            await self.stirred.wait()
            await trio.sleep(limits.TOKEN_CARE_SECONDS)
            for kept in self.every():
                if is_over(kept):
                    cut(kept)
            if trio.current_time() - self.written_at >= limits.TOKEN_USED_SECONDS:
                self.write_used()
            if not self.is_unwritten and not any(kept.grant.leavers for kept in self.every()):
                self.stirred = trio.Event()

    def write_used(self) -> None:
        """When each was last used. What is not written down now is tried again."""
        if not self.is_unwritten:
            return
        self.written_at = trio.current_time()
        try:
            self.write(self.by_name)
        except CodewireError as error:
            journal.warning("tokens.json is not up to date: %s", error.message)

    def write(self, tokens: dict[str, Kept]) -> None:
        """What cannot be written down is not so."""
        self.must_be_read()
        with_room(lambda: write_tokens(tokens, self.first))
        self.by_name, self.is_unwritten = tokens, False


def with_room(write: Callable[[], None]) -> None:
    try:
        write()
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull("there is no room in the home directory to write tokens down") from error
        raise CodewireError(f"tokens cannot be written down: {error.strerror}") from error


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def is_over(kept: Kept) -> bool:
    return 0 < kept.grant.expires_at <= time.time()


def cut(kept: Kept, staying: Callable[[], None] | None = None) -> None:
    for leave in list(kept.grant.leavers):
        if leave != staying:
            leave()


def tell(kept: Kept) -> dict[str, Any]:
    grant = kept.grant
    return {
        "name": kept.name, "scope": grant.scope, "sessions": list(grant.sessions),
        "created_at": rfc3339(kept.created_at), "expires_at": rfc3339(grant.expires_at) if grant.expires_at else None,
        "last_used_at": rfc3339(kept.used_at) if kept.used_at else None, "last_from": kept.used_from or None,
        "status": "expired" if is_over(kept) else "valid",
    }  # fmt: skip


# -- what can be asked for


def check_token_name(name: str) -> None:
    if not 1 <= len(name) <= limits.TOKEN_NAME or not NAME_LETTERS.issuperset(name) or name[0] == "-":
        raise BadName(
            f"{name!r} cannot be the name of a token",
            "1 to 32 letters, digits and hyphens, not a hyphen first",
        )


def name_from(label: str) -> str:
    """`Ada's Laptop.local` becomes `Ada-s-Laptop-local`."""
    letters = "".join(char if char in NAME_LETTERS else "-" for char in label[:256])
    name = "-".join(part for part in letters.split("-") if part)[: limits.TOKEN_NAME].rstrip("-")
    return name or "paired"


def check_offer(offer: Offer) -> None:
    if offer.scope not in SCOPES:
        raise UsageError(f"there is no scope {offer.scope!r}", f"one of: {', '.join(SCOPES)}")
    if offer.expires and not 0 < offer.expires <= limits.TOKEN_SECONDS:
        raise UsageError("a token is good for ten years at most, or until it is revoked")
    check_sessions(offer.sessions)
    if offer.sessions and offer.scope == "admin":
        raise UsageError(
            "an admin cannot be limited to some sessions: it could make a token that is not",
            "another scope: observe, send or control",
        )


def check_sessions(words: Sequence[str]) -> None:
    if len(words) > limits.TOKEN_SESSIONS:
        raise LimitReached(f"a token is for at most {limits.TOKEN_SESSIONS} sessions by name, or for all")
    for word in words:
        if not number_of(word):
            check_name(word)


def check_maker(maker: Grant, offer: Offer, expires_at: float) -> None:
    """Nobody makes a token that may more than they may themselves."""
    if maker.sessions or SCOPES.index(offer.scope) > SCOPES.index(maker.scope):
        raise Forbidden(f'the token "{maker.name}" cannot make one that may more than itself')
    if maker.expires_at and not 0 < expires_at <= maker.expires_at:
        raise Forbidden(
            f'the token "{maker.name}" expires at {rfc3339(maker.expires_at)}, and cannot make one that lasts longer',
            "say for how long: cw token create NAME --expires 1h",
        )
