"""codes that become tokens: once, soon, and not by guessing"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from codewire_py.daemon import limits, pairing
from codewire_py.daemon.grants import Grant
from codewire_py.daemon.tokens import Tokens
from codewire_py.errors import (
    Unauthorized,
)
from tokened import FIRST, HERE, offer


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory as the daemon sees it, with a first token."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "token").write_text(FIRST + "\n")
    return tmp_path


# -- codes


def test_a_code_is_good_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """For the token it was made for, named after who asks; forgiving how it is typed."""
    known = Tokens()
    code = known.pair(offer("observe", ("api",), 60))
    assert len(code.replace("-", "")) == 12
    monkeypatch.setattr(pairing.secrets, "choice", lambda letters: letters[1])
    ones = known.pair(offer())
    assert ones == "1111-1111-1111"
    secret, name, scope = known.redeem(f" {code.lower().replace('-', '')}\n", "Ada's Laptop.local")
    assert (name, scope) == ("Ada-s-Laptop-local", "observe")
    grant = known.grant_for(secret, HERE)
    assert (grant.sessions, grant.expires_at) == (("api",), pytest.approx(time.time() + 60, abs=20))
    assert known.redeem("iIlL-1111-il1L", "")[1] == "paired"
    for spent in (code, ones):
        with pytest.raises(Unauthorized, match="the code is not valid"):
            known.redeem(spent, "x")
    monkeypatch.undo()


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("box", "box-2"),
        ("", "paired"),
        ("---", "paired"),
        ("token", "token-2"),
        ("ä" * 9, "paired"),
        ("\x1b[2J", "2J"),
    ],
)
def test_how_a_paired_machine_is_called(label: str, name: str) -> None:
    """By what it calls itself, as far as that can be a name, and unlike any other."""
    known = Tokens()
    known.create("box", offer())
    assert known.redeem(known.pair(offer()), label)[1] == name


def test_a_long_name_keeps_room_for_its_number() -> None:
    """No two tokens are named alike, and no name is longer than allowed."""
    known = Tokens()
    names = [known.redeem(known.pair(offer()), "a" * 99)[1] for _ in range(11)]
    assert names[0] == "a" * 32
    assert names[10] == "a" * 29 + "-11"
    assert all(len(name) == 32 for name in names)


def test_a_code_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five minutes."""
    known = Tokens()
    code, now = known.pair(offer()), time.monotonic()
    monkeypatch.setattr(pairing.time, "monotonic", lambda: now + limits.PAIR_SECONDS + 1)
    with pytest.raises(Unauthorized):
        known.redeem(code, "x")
    monkeypatch.undo()


@pytest.mark.parametrize(("wrong", "is_fine"), [(limits.PAIR_TRIES - 1, True), (limits.PAIR_TRIES, False)])
def test_guessing_makes_codes_void(wrong: int, is_fine: bool) -> None:
    """All that wait, whichever the guesses were meant for."""
    known = Tokens()
    codes = [known.pair(offer()) for _ in range(2)]
    for _ in range(wrong):
        with pytest.raises(Unauthorized):
            known.redeem("0000-0000-0000" if "0000-0000-0000" not in codes else "1", "x")
    for code in codes:
        if is_fine:
            assert known.redeem(code, "x")
        else:
            with pytest.raises(Unauthorized):
                known.redeem(code, "x")


def test_few_codes_wait_at_once() -> None:
    """The oldest makes room."""
    known = Tokens()
    codes = [known.pair(offer()) for _ in range(limits.PAIRS + 1)]
    with pytest.raises(Unauthorized):
        known.redeem(codes[0], "x")
    assert all(known.redeem(code, "x") for code in codes[1:])


def test_a_code_ends_with_who_offered_it(place: Path) -> None:
    """Revoked, or only for some time: what it offered is worth no more than itself."""
    known = Tokens()
    known.create("boss", offer("admin"))
    code = known.pair(offer(), Grant("boss", "admin"))
    known.revoke("boss")
    with pytest.raises(Unauthorized):
        known.redeem(code, "x")
    until = time.time() + 90
    code = known.pair(offer(expires=89), Grant("brief", "admin", expires_at=until))
    next(iter(known.pairing.waiting.values()))[0].expires = 9000.0  # as if it were fetched much later
    secret, _, _ = known.redeem(code, "x")
    assert known.grant_for(secret, HERE).expires_at == until
