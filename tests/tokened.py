"""what the tests of tokens have in common: a first token, wishes, how a wrong one is refused, and a daemon with some"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from codewire_py.daemon.pairing import Offer
from codewire_py.daemon.tokens import Tokens
from codewire_py.errors import Unauthorized
from codewire_py.wire import messages
from codewire_py.wire.codec import decode
from codewire_py.wire.declare import Message
from codewire_py.wire.frames import HEADER
from homes import Home
from webs import BINARY, CLOSE, Raw

HERE = "192.0.2.7"
FIRST = "cw_first-of-them-all"


def offer(
    scope: str = "control", sessions: tuple[str, ...] = (), expires: float = 0.0, name: str = ""
) -> Offer:
    return Offer(name, scope, sessions, expires)


def refused(known: Tokens, secret: str) -> str:
    with pytest.raises(Unauthorized) as told:
        known.grant_for(secret, HERE)
    return told.value.message


def kept(place: Path) -> list[dict[str, Any]]:
    return list(json.loads((place / "tokens.json").read_text())["tokens"])


@dataclass(frozen=True)
class There:
    """A daemon with sessions `mine` (named so) and `other`; secrets of tokens by name."""

    home: Home
    port: int
    mine: int
    other: int
    secrets: dict[str, str]

    def make(self, name: str, *words: str) -> None:
        self.secrets[name] = self.home.cw("token", "create", name, *words).stdout.strip()

    def ask(self, name: str, request: Message) -> list[Message]:
        """Everything that is said to it, up to the end."""
        with self.come(name) as peer:
            peer.tell(request)
            return list(heard(peer))

    def come(self, name: str) -> Raw:
        peer = Raw(self.port).upgrade(self.secrets[name])
        peer.tell(messages.Hello(version=1))
        assert isinstance(peer.hear(), messages.Hello)
        return peer

    def refusal(self, name: str, request: Message) -> tuple[str, str, str]:
        [failed] = self.ask(name, request)
        assert isinstance(failed, messages.Failed), failed
        return failed.code, failed.message, failed.hint


def heard(peer: Raw) -> Iterator[Message]:
    """Messages; bytes of the log come as data, which is passed over."""
    while True:
        opcode, payload = peer.next()
        if opcode == CLOSE:
            return
        if opcode == BINARY and payload[:1] == b"\0":
            message = decode(payload[HEADER:])
            assert message is not None
            yield message
