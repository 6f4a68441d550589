"""tokens: who comes in, what can be made, and what is taken back"""

from __future__ import annotations

import hmac
import json
import os
import stat
import time
from pathlib import Path

import pytest
import trio

from codewire_py.daemon import limits, tokens
from codewire_py.daemon.grants import Grant
from codewire_py.daemon.pairing import Offer
from codewire_py.daemon.tokens import Tokens
from codewire_py.errors import (
    BadName,
    CodewireError,
    Forbidden,
    LimitReached,
    NameTaken,
    NoSuchToken,
    UsageError,
)
from codewire_py.wire import messages
from homes import Home
from tokened import FIRST, HERE, kept, offer, refused
from webs import UPGRADE, Raw


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory as the daemon sees it, with a first token."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "token").write_text(FIRST + "\n")
    return tmp_path


# -- who comes in


def test_a_token_lets_in_what_it_was_made_for(place: Path) -> None:
    """Its scope, its sessions, its end: also for the next daemon."""
    secret = Tokens().create("ci", offer("send", ("api", "3"), 60.0))
    for known in (Tokens(), Tokens()):
        grant = known.grant_for(secret, HERE)
        assert (grant.name, grant.scope, grant.sessions) == ("ci", "send", ("api", "3"))
        assert grant.expires_at == pytest.approx(time.time() + 60, abs=20)
    assert secret.startswith("cw_")
    assert len(secret) > 40


def test_the_first_token_is_an_admin() -> None:
    """The file is read each time, and what is around the token in it does not count."""
    assert Tokens().grant_for(FIRST, HERE).scope == "admin"


@pytest.mark.parametrize(
    "secret", ["", "x", FIRST[:-1], FIRST + "x", FIRST.upper(), "\udcff", "ä" * 40, "cw_"]
)
def test_nothing_else_lets_anybody_in(secret: str) -> None:
    """Empty, a part of one, one and more, or what is no text at all."""
    known = Tokens()
    known.create("ci", offer())
    assert refused(known, secret) == ("the token is not valid" if secret else "a token is needed")


def test_every_token_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever it is, and if it is none: the time it takes tells nothing."""
    known = Tokens()
    secrets = [known.create(f"t{number}", offer()) for number in range(5)]
    compared: list[object] = []
    real = hmac.compare_digest
    monkeypatch.setattr(
        tokens.hmac, "compare_digest", lambda one, other: compared.append(one) or real(one, other)
    )
    for secret in (secrets[0], secrets[-1], FIRST):
        known.grant_for(secret, HERE)
    refused(known, "wrong-wrong")
    assert len(compared) == 4 * 6


def test_one_that_has_expired_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """To whoever has it; to others it is as any wrong one. It is listed as what it is."""
    known = Tokens()
    secret = known.create("ci", offer(expires=60))
    now = time.time()
    monkeypatch.setattr(tokens.time, "time", lambda: now + 61)
    assert refused(known, secret) == 'the token "ci" has expired'
    assert refused(known, secret[:-1]) == "the token is not valid"
    assert [(told["name"], told["status"]) for told in known.listed()] == [
        ("token", "valid"),
        ("ci", "expired"),
    ]
    monkeypatch.undo()


# -- what is written down


def test_no_secret_is_written_down(place: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Hashes in a file that is ours alone; neither they nor secrets are listed or journalled."""
    caplog.set_level("DEBUG")
    known = Tokens()
    secret = known.create("ci", offer())
    code = known.pair(offer())
    paired, _, _ = known.redeem(code, "laptop")
    known.grant_for(secret, HERE)
    refused(known, secret + "x")
    known.revoke("laptop")
    text = (place / "tokens.json").read_text()
    hashes = [fields["sha256"] for fields in kept(place)]
    for word in (secret, secret[3:], code, paired, FIRST):
        assert word not in text + caplog.text + json.dumps(known.listed())
    for word in hashes:
        assert word not in caplog.text + json.dumps(known.listed())
    assert stat.S_IMODE((place / "tokens.json").stat().st_mode) == 0o600
    assert 'token "ci" made by the user' in caplog.text


async def test_when_and_from_where_it_was_used(place: Path, autojump_clock: trio.abc.Clock) -> None:
    """Told at once; written down once a minute, however often it is used, and when the daemon leaves."""
    known = Tokens()
    secret = known.create("ci", offer())
    [_, told] = known.listed()
    assert (told["last_used_at"], told["last_from"]) == (None, None)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(known.run)
        known.grant_for(secret, HERE)
        assert known.listed()[1]["last_from"] == HERE
        await trio.sleep(limits.TOKEN_CARE_SECONDS + 1)
        assert kept(place)[0]["used_from"] == HERE
        for number in range(5):
            known.grant_for(secret, f"192.0.2.{number}")
            await trio.sleep(limits.TOKEN_CARE_SECONDS / 2)
        assert kept(place)[0]["used_from"] == HERE
        await trio.sleep(limits.TOKEN_USED_SECONDS)
        assert kept(place)[0]["used_from"] == "192.0.2.4"
        known.grant_for(secret, "192.0.2.9")
        known.write_used()
        assert Tokens().listed()[1]["last_from"] == "192.0.2.9"
        nursery.cancel_scope.cancel()


# -- what can be made


@pytest.mark.parametrize("name", ["", "-a", "a b", "a" * 33, "ä", "a/b", "a\n", "..", '"'])
def test_names_that_cannot_be(name: str) -> None:
    """Letters, digits and hyphens, as sessions have."""
    with pytest.raises(BadName):
        Tokens().create(name, offer())


@pytest.mark.parametrize("name", ["token", "ci"])
def test_names_that_are_taken(name: str) -> None:
    """The first one's, and any that is there: also one that has expired."""
    known = Tokens()
    known.create("ci", offer(expires=1e-6))
    with pytest.raises(NameTaken):
        known.create(name, offer())


@pytest.mark.parametrize(
    ("wish", "error"),
    [
        (offer("root"), UsageError),
        (offer(""), UsageError),
        (offer(expires=-1), UsageError),
        (offer(expires=float("nan")), UsageError),
        (offer(expires=float("inf")), UsageError),
        (offer(expires=limits.TOKEN_SECONDS + 1), UsageError),
        (offer("admin", ("api",)), UsageError),
        (offer("send", ("a b",)), BadName),
        (offer("send", ("",)), BadName),
        (offer("send", ("9" * 30,)), BadName),
        (offer("send", ("api",) * 65), LimitReached),
    ],
)
def test_wishes_that_are_refused(place: Path, wish: Offer, error: type[CodewireError]) -> None:
    """The same for a token as for a code, and nothing is left of it."""
    known = Tokens()
    with pytest.raises(error):
        known.create("ci", wish)
    with pytest.raises(error):
        known.pair(wish)
    assert not (place / "tokens.json").exists()
    assert known.pairing.waiting == {}


def test_there_is_an_end_to_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """One more than the limit is refused, by whichever way it is to be made."""
    monkeypatch.setattr(limits, "TOKENS", 2)
    known = Tokens()
    code = known.pair(offer())
    known.create("a", offer())
    known.create("b", offer())
    for make in (lambda: known.create("c", offer()), lambda: known.redeem(code, "c")):
        with pytest.raises(LimitReached):
            make()
    known.revoke("a")
    assert known.redeem(code, "c")[1] == "c"


@pytest.mark.parametrize(
    ("maker", "wish", "is_fine"),
    [
        (Grant("boss", "admin"), offer("admin"), True),
        (Grant("boss", "admin", expires_at=time.time() + 9000), offer("observe", expires=60), True),
        (Grant("boss", "admin", expires_at=time.time() + 9000), offer("observe"), False),
        (Grant("boss", "admin", expires_at=time.time() + 9000), offer("observe", expires=90000), False),
        (Grant("boss", "control"), offer("admin"), False),
        (Grant("boss", "admin", ("api",)), offer("send"), False),
    ],
)
def test_nobody_makes_a_token_that_may_more(maker: Grant, wish: Offer, is_fine: bool) -> None:
    """Than its maker: neither do more, nor longer."""
    for make in (lambda: Tokens().create("ci", wish, maker), lambda: Tokens().pair(wish, maker)):
        if is_fine:
            assert make()
        else:
            with pytest.raises(Forbidden):
                make()


# -- taken back


def test_one_that_is_revoked_is_gone_at_once(place: Path) -> None:
    """For this daemon and the next, and every conversation that came in by it ends; others go on."""
    known = Tokens()
    secret, other = known.create("ci", offer()), known.create("other", offer())
    left: list[str] = []
    for name, by in (("one", secret), ("two", secret), ("three", other)):
        known.grant_for(by, HERE).leavers.append(lambda name=name: left.append(name))
    known.revoke("ci")
    assert left == ["one", "two"]
    assert [fields["name"] for fields in kept(place)] == ["other"]
    for again in (known, Tokens()):
        assert refused(again, secret) == "the token is not valid"
        assert again.grant_for(other, HERE)
    with pytest.raises(NoSuchToken):
        known.revoke("ci")


def test_the_first_one_revoked_becomes_another(place: Path) -> None:
    """There is always a way in for whoever can read the file."""
    known, left = Tokens(), []
    known.grant_for(FIRST, HERE).leavers.append(lambda: left.append("it"))
    known.revoke("token")
    assert left == ["it"]
    refused(known, FIRST)
    assert known.grant_for((place / "token").read_text().strip(), HERE).scope == "admin"
    assert stat.S_IMODE((place / "token").stat().st_mode) == 0o600


async def test_one_that_is_replaced_by_hand(place: Path, autojump_clock: trio.abc.Clock) -> None:
    """Is noticed soon, also by conversations that it let in."""
    known, scope = Tokens(), trio.CancelScope()
    known.grant_for(FIRST, HERE).leavers.append(scope.cancel)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(known.run)
        (place / "token").write_text("another-another\n")
        with trio.fail_after(3 * limits.TOKEN_CARE_SECONDS), scope:
            await trio.sleep_forever()
        assert scope.cancelled_caught
        nursery.cancel_scope.cancel()


async def test_one_that_expires_while_the_machine_sleeps(
    autojump_clock: trio.abc.Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its conversations end soon after, although no deadline of theirs has passed."""
    known, scope = Tokens(), trio.CancelScope()
    known.grant_for(known.create("ci", offer(expires=3600)), HERE).leavers.append(scope.cancel)
    now = time.time()
    monkeypatch.setattr(tokens.time, "time", lambda: now + 3601)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(known.run)
        with trio.fail_after(3 * limits.TOKEN_CARE_SECONDS), scope:
            await trio.sleep_forever()
        nursery.cancel_scope.cancel()
    assert scope.cancelled_caught
    monkeypatch.undo()


# -- with a daemon


def let_in(port: int, secret: str) -> int:
    with Raw(port) as peer:
        return peer.ask(headers={**UPGRADE, "Authorization": f"Bearer {secret}"}).status


def looking_on(port: int, secret: str) -> Raw:
    peer = Raw(port).upgrade(secret)
    peer.tell(messages.Hello(version=1), messages.Wait(sessions=["1"]))
    assert isinstance(peer.hear(), messages.Hello)
    return peer


def test_live_conversations_and_a_killed_daemon(home: Home) -> None:
    """What was made before a kill -9 lets in after it; revoking and expiring cut whoever is there, and no other."""
    port = home.listen()
    home.launch("sleep", "300")
    secret = home.cw("token", "create", "ci").stdout.strip()
    os.kill(home.daemon(), 9)
    home.cw("start")
    brief = home.cw("token", "create", "brief", "--expires", "2s").stdout.strip()
    with (
        looking_on(port, secret) as cut,
        looking_on(port, home.token()) as stays,
        looking_on(port, brief) as expires,
    ):
        assert expires.is_closed()
        assert let_in(port, brief) == 401
        home.cw("token", "revoke", "ci")
        assert cut.is_closed()
        assert not stays.is_closed(0.2)
    assert let_in(port, secret) == 401
    assert let_in(port, home.token()) == 101
    assert secret not in home.journal()
    assert home.token() not in home.journal()


def test_one_may_revoke_itself(home: Home) -> None:
    """And hears that it has happened."""
    port = home.listen()
    secret = home.cw("token", "create", "boss", "--scope", "admin").stdout.strip()
    with Raw(port).upgrade(secret) as peer:
        peer.tell(messages.Hello(version=1), messages.Token(action="revoke", name="boss"))
        assert isinstance(peer.hear(), messages.Hello)
        told = peer.hear()
        assert isinstance(told, messages.Tokens), told
        assert told.tokens[0]["name"] == "boss"
    assert let_in(port, secret) == 401


def test_a_daemon_that_leaves_writes_down_what_was_used(home: Home, place: Path) -> None:
    """Also what it was about to write a little later."""
    port = home.listen()
    secret = home.cw("token", "create", "ci").stdout.strip()
    assert let_in(port, secret) == 101
    home.cw("stop")
    home.until(lambda: not (home.path / "daemon.pid").exists(), "the daemon to have left")
    assert kept(home.path)[0]["used_from"] == "127.0.0.1"
