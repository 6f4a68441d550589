"""the two files that say who may come in: `token`, plain, and `tokens.json`, hashes; what is odd lets nobody in"""

from __future__ import annotations

import json
import logging
import os
import secrets
import stat
from contextlib import suppress
from typing import Any, ClassVar

from codewire_py.daemon import limits
from codewire_py.daemon.grants import SCOPES, Grant
from codewire_py.home.paths import TOKEN, TOKENS
from codewire_py.home.records import is_fit, is_passing, set_aside, write_whole

journal = logging.getLogger("codewire")
VARIABLE = "CODEWIRE_TOKEN"
FIRST = "token"  # the name of the one in the plain file
ADMIN = {
    "name": FIRST,
    "scope": "admin",
    "sessions": [],
    "expires_at": 0.0,
}  # which that one is, whatever is written
LONGEST_FILE, LONGEST_SECRET, SHORTEST_SECRET = 8 << 20, 1000, 8
DIGEST_LETTERS = frozenset("0123456789abcdef")


class Kept:
    """One token, as tokens.json has it: never its secret."""

    FIELDS: ClassVar[dict[str, type]] = {
        "name": str, "sha256": str, "scope": str, "sessions": list, "created_at": float, "expires_at": float,
        "used_at": float, "used_from": str,
    }  # fmt: skip

    def __init__(self, found: dict[str, Any]) -> None:
        values = {field: found.get(field, kind()) for field, kind in self.FIELDS.items()}
        odd = [field for field, kind in self.FIELDS.items() if not is_fit(values[field], kind)]
        if odd or values["scope"] not in SCOPES or not is_digest(values["sha256"]):
            raise ValueError(f"{odd or 'a value'} is none")
        for word in (values["name"], values["used_from"], *values["sessions"]):
            if not word.isascii() or not word.isprintable():
                raise ValueError("a word is none")
        self.name, self.digest, self.created_at = values["name"], values["sha256"], values["created_at"]
        self.used_at, self.used_from = values["used_at"], values["used_from"]
        self.grant = Grant(self.name, values["scope"], tuple(values["sessions"]), values["expires_at"])

    def fields(self) -> dict[str, object]:
        grant = self.grant
        return {
            "name": self.name, "sha256": self.digest, "scope": grant.scope, "sessions": list(grant.sessions),
            "created_at": self.created_at, "expires_at": grant.expires_at, "used_at": self.used_at,
            "used_from": self.used_from,
        }  # fmt: skip


def is_digest(text: str) -> bool:
    return len(text) == 64 and DIGEST_LETTERS.issuperset(text)


# -- tokens.json


def read_tokens() -> tuple[dict[str, Kept], Kept | None]:
    """By name, and how the first one was last used, whichever that is now.

    Unless all of it makes sense, it is set aside, and nobody comes in by it. OSError: nobody can know just now.
    """
    try:
        document = json.loads(read_plain(TOKENS, LONGEST_FILE))
        first = Kept({**document["first"], **ADMIN}) if "first" in document else None
        found = [Kept(fields) for fields in document["tokens"]]
        tokens = {kept.name: kept for kept in found}
        if len(tokens) < len(found) or {"", FIRST} & set(tokens):
            raise ValueError("a name is there twice, or is none")
    except FileNotFoundError:
        return {}, None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        if is_passing(error):
            raise
        aside = "?"
        with suppress(OSError):
            aside = set_aside(TOKENS)
        journal.warning("%s is corrupt, set aside as %s: none of its tokens is valid any more", TOKENS, aside)
        return {}, None
    return tokens, first


def write_tokens(tokens: dict[str, Kept], first: Kept | None) -> None:
    document: dict[str, object] = {"tokens": [kept.fields() for kept in tokens.values()]}
    if first and first.used_at:
        document["first"] = first.fields()
    write_whole(TOKENS, json.dumps(document, indent=2) + "\n")
    os.chmod(TOKENS, 0o600)


# -- token


def keep_first() -> None:
    """The first token exists from the start, for the day a listener is opened.

    Whoever was told another by the environment does not tell it to the programs that it starts.
    """
    chosen = os.environ.pop(VARIABLE, "").strip()
    if chosen and not is_secret(chosen):
        journal.warning("%s is too short or has odd characters: it is not used", VARIABLE)
        chosen = ""
    try:
        if chosen or not os.path.lexists(TOKEN):
            write_first(chosen or new_first())
    except OSError as error:
        journal.warning("the first token cannot be written down: %s", error)
    with suppress(OSError):
        if not read_first()[0]:
            journal.warning("%s holds nothing that can be a token: nobody comes in by it", TOKEN)


def new_first() -> str:
    """32 letters and digits, as the file always had."""
    return secrets.token_hex(16)


def write_first(secret: str) -> None:
    write_whole(TOKEN, secret)
    os.chmod(TOKEN, 0o600)


def drop_first() -> None:
    with suppress(OSError):
        os.unlink(TOKEN)


def read_first() -> tuple[str, float]:
    """It and since when it is there; "": there is none that can be used. OSError: nobody can know just now."""
    try:
        secret = read_plain(TOKEN, LONGEST_SECRET + 100).strip()
        since = os.lstat(TOKEN).st_mtime
    except ValueError:
        return "", 0.0
    except OSError as error:
        if is_passing(error):
            raise
        return "", 0.0
    return secret if is_secret(secret) else "", since if is_fit(since, float) else 0.0


def is_secret(text: str) -> bool:
    is_plain = text.isascii() and text.isprintable() and " " not in text
    return is_plain and SHORTEST_SECRET <= len(text) <= LONGEST_SECRET


def new_secret() -> str:
    return "cw_" + secrets.token_urlsafe(limits.SECRET_BYTES)


def read_plain(path: str, most: int) -> str:
    """What else may lie there, a link or a pipe say, is no file of ours: ValueError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError(f"{path} is no plain file")
        data = file.read(most + 1)
    if len(data) > most:
        raise ValueError(f"{path} is too long")
    return data.decode("utf-8")
