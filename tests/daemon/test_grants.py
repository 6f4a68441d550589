"""what each scope may do, and what a token that is for some sessions can see: for every verb there is"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from codewire_py.daemon.grants import NEEDED, SCOPES, Grant
from codewire_py.daemon.limits import REPAINT_SECONDS
from codewire_py.errors import Forbidden
from codewire_py.wire import messages
from codewire_py.wire.declare import Message
from codewire_py.wire.messages import REQUESTS
from homes import new_home
from peers import launching
from tokened import There, heard

# What each verb needs at least, as docs/security.md promises it: written again here, so that nobody changes it unawares.
AT_LEAST = {
    "list": 0, "status": 0, "screen": 0, "logs": 0, "search": 0, "export": 0, "wait": 0,
    "attach": 1, "send": 1, "resize": 1,
    "launch": 2, "kill": 2, "rename": 2, "remove": 2, "prune": 2,
    "stop": 3, "restart": 3, "token": 3,
}  # fmt: skip


def request_of(verb: str, session: str = "1") -> Message:
    """One of each kind, about that session."""
    requests: dict[str, Callable[[], Message]] = {
        "launch": lambda: launching("true", request=f"launch {session}"),
        "list": messages.List,
        "status": lambda: messages.Status(session=session),
        "attach": lambda: messages.Attach(session=session),
        "screen": lambda: messages.Screen(session=session),
        "resize": lambda: messages.Resize(session=session, rows=30, cols=90),
        "logs": lambda: messages.Logs(session=session),
        "search": lambda: messages.Search(sessions=[session]),
        "export": lambda: messages.Export(session=session),
        "send": lambda: messages.Send(session=session, data=b"x"),
        "kill": lambda: messages.Kill(sessions=[session]),
        "wait": lambda: messages.Wait(sessions=[session], timeout=0.0),
        "remove": lambda: messages.Remove(sessions=[session]),
        "prune": messages.Prune,
        "rename": lambda: messages.Rename(session=session, name="other"),
        "stop": messages.Stop,
        "restart": messages.Restart,
        "token": messages.Token,
    }
    return requests[verb]()


def may(grant: Grant, request: Message) -> bool:
    try:
        grant.permit(request)
    except Forbidden:
        return False
    return True


# -- scopes


def test_every_verb_has_a_row() -> None:
    """A new one is for admins alone until somebody has thought about it, here and there."""
    assert set(AT_LEAST) == set(REQUESTS) == set(NEEDED)
    assert all(request_of(verb).type == verb for verb in REQUESTS)


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("verb", sorted(REQUESTS))
def test_every_scope_and_every_verb(scope: str, verb: str) -> None:
    """May do what it needs and no more."""
    assert may(Grant("t", scope), request_of(verb)) is (SCOPES.index(scope) >= AT_LEAST[verb])


def test_what_no_table_names_is_for_admins() -> None:
    """As a verb of a version to come."""

    class Detonate(Message):
        """Not ours."""

    assert [may(Grant("t", scope), Detonate()) for scope in SCOPES] == [False, False, False, True]


@pytest.mark.parametrize("scope", SCOPES)
def test_looking_on_is_for_everybody(scope: str) -> None:
    """Attached, too, if it is read-only."""
    assert may(Grant("t", scope), messages.Attach(session="1", read_only=True))


def test_a_refusal_names_the_token_and_what_is_needed() -> None:
    """Or, if there is one, a way to do it with what the token may."""
    with pytest.raises(Forbidden) as told:
        Grant("tv", "observe").permit(messages.Kill())
    assert told.value.message == 'the token "tv" may observe, and kill needs control'
    with pytest.raises(Forbidden) as told:
        Grant("tv", "observe").permit(messages.Attach(session="1"))
    assert told.value.hint == "to look on: cw watch, or cw attach --read-only"


@pytest.mark.parametrize("verb", ["launch", "rename", "stop", "restart", "token"])
@pytest.mark.parametrize("scope", SCOPES)
def test_what_nobody_may_who_is_for_some_sessions(scope: str, verb: str) -> None:
    """Whatever the scope says: none of these stays within them."""
    assert not may(Grant("t", scope, ("1",)), request_of(verb))


# -- over a conversation


@pytest.fixture(scope="module")
def there() -> Iterator[There]:
    with new_home() as home:
        port = home.listen()
        mine = home.launch("cat", options=("--name", "mine", "--tag", "both"))
        other = home.launch("cat", options=("--name", "other-one", "--tag", "both", "--tag", "theirs"))
        found = There(home, port, mine, other, {})
        for scope in ("observe", "send", "control"):
            found.make(scope, "--scope", scope)
            found.make(f"only-{scope}", "--scope", scope, "--session", "mine")
        found.make("by-id", "--scope", "control", "--session", str(mine))
        yield found


def test_scopes_hold_over_a_conversation(there: There) -> None:
    """The refusal is the answer, and nothing has happened."""
    for name, request, needed in (
        ("observe", messages.Send(session="mine", data=b"typed-by-tv"), "send"),
        ("observe", messages.Attach(session="mine"), "send"),
        ("send", messages.Kill(sessions=["mine"]), "control"),
        ("send", launching("true", request="no"), "control"),
        ("control", messages.Token(action="create", name="mine-too"), "admin"),
        ("control", messages.Stop(), "admin"),
    ):
        code, message, _ = there.refusal(name, request)
        assert (code, message.rpartition(" ")[2]) == ("forbidden", needed)
    assert b"typed-by-tv" not in there.home.log(there.mine)
    assert len(there.home.list()) == 2


ABOUT_ONE = [
    "attach",
    "export",
    "kill",
    "logs",
    "remove",
    "resize",
    "screen",
    "search",
    "send",
    "status",
    "wait",
]


@pytest.mark.parametrize("verb", ABOUT_ONE)
@pytest.mark.parametrize("name", ["only-control", "by-id"])
def test_other_sessions_do_not_exist(there: There, name: str, verb: str) -> None:
    """By id or name: the answer is the one for a session that never was, to the letter, and nothing happens to it."""
    for said, never in ((str(there.other), "987"), ("other-one", "never-one"), ("other-on", "never-on")):
        code, message, hint = there.refusal(name, request_of(verb, said))
        assert code == "no-such-session"
        assert (message.replace(said, never), hint) == there.refusal(name, request_of(verb, never))[1:]
        assert "other" not in hint
    assert there.home.status(there.other)["status"] == "running"


def test_nothing_is_left_out() -> None:
    """Every verb is about one session, about those that are there, or about all."""
    about_those_there = {"list", "prune"}
    assert {*ABOUT_ONE, *about_those_there, "launch", "rename", "stop", "restart", "token"} == set(REQUESTS)


@pytest.mark.parametrize("name", ["only-control", "by-id"])
def test_lists_hold_what_it_is_for(there: There, name: str) -> None:
    """All of them, by tag, as search, or to be picked by itself."""
    [listed] = there.ask(name, messages.List())
    assert [session["id"] for session in listed.sessions] == [there.mine]  # type: ignore[attr-defined]
    [tagged] = there.ask(name, messages.List(tags=["both"]))
    assert [session["id"] for session in tagged.sessions] == [there.mine]  # type: ignore[attr-defined]
    assert there.refusal(name, messages.List(tags=["theirs"]))[0] == "no-such-session"
    assert there.refusal(name, messages.Wait(tags=["theirs"]))[0] == "no-such-session"
    *_, searched = there.ask(name, messages.Search(text=""))
    assert searched.sessions == 1  # type: ignore[attr-defined]
    with there.come(name) as peer:
        attached = peer.tell(messages.Attach()).hear()
        assert attached.id == there.mine  # type: ignore[attr-defined]
    [waited] = there.ask(name, messages.Wait(tags=["both"], any=True, timeout=0.0))
    assert waited.sessions == []  # type: ignore[attr-defined]


def test_its_own_session_is_as_any(there: There) -> None:
    """Within its scope."""
    [sent] = there.ask("only-send", messages.Send(session="mine", data=b"hello-from-it\n"))
    assert isinstance(sent, messages.Sent), sent
    there.home.until_printed(there.mine, b"hello-from-it")
    [sized] = there.ask("only-send", messages.Resize(session="mine", rows=31, cols=91))
    assert isinstance(sized, messages.Resized), sized
    assert there.refusal("only-send", messages.Kill(sessions=["mine"]))[0] == "forbidden"


def test_killing_and_forgetting_all_means_all_it_is_for(there: There) -> None:
    """`--all` and prune, too, end at its limit."""
    home = there.home
    sessions = [home.launch("cat", options=("--name", f"doomed-{number}")) for number in range(2)]
    there.make("doomed", "--session", "doomed-0")
    [killed] = there.ask("doomed", messages.Kill(everything=True))
    assert [session["id"] for session in killed.sessions] == sessions[:1]  # type: ignore[attr-defined]
    home.cw("kill", str(sessions[1]))
    [pruned] = there.ask("doomed", messages.Prune())
    assert [session["id"] for session in pruned.sessions] == sessions[:1]  # type: ignore[attr-defined]
    assert home.status(sessions[1])["status"] == "killed"
    assert home.status(there.mine)["status"] == "running"


def test_a_name_is_looked_up_at_each_request(there: There) -> None:
    """Who is limited to a name sees whoever has it now."""
    home = there.home
    there.make("later", "--scope", "observe", "--session", "later-on")
    assert there.ask("later", messages.List())[0].sessions == []  # type: ignore[attr-defined]
    session = home.launch("cat")
    home.cw("rename", str(session), "later-on")
    assert len(there.ask("later", messages.List())[0].sessions) == 1  # type: ignore[attr-defined]
    home.cw("rename", str(session), "gone-again")
    assert there.ask("later", messages.List())[0].sessions == []  # type: ignore[attr-defined]
    home.cw("kill", str(session))


def test_an_id_has_to_be_there(there: There) -> None:
    """Or the token would be for whatever is launched one day."""
    done = there.home.cw("token", "create", "early", "--session", "4321", status=1)
    assert "session 4321 not found" in done.stderr
    assert done.stdout == ""


# -- looking on


@pytest.mark.parametrize(
    "said",
    [
        messages.Typed(data=b"typed-by-observer"),
        messages.Typed(seq=1, data=b"typed-by-observer"),
        messages.Typed(),
    ],
)
def test_who_looks_on_cannot_type(there: There, said: Message) -> None:
    """Nor become the one who typed last."""
    with there.come("observe") as peer:
        peer.tell(messages.Attach(session="mine", read_only=True, rows=40, cols=120))
        assert isinstance(peer.hear(), messages.Attached)
        peer.tell(said)
        failed = next(message for message in heard(peer) if not isinstance(message, messages.Painted))
        assert isinstance(failed, messages.Failed), failed
    assert b"typed-by-observer" not in there.home.log(there.mine)


def test_who_looks_on_changes_nothing(there: There) -> None:
    """Neither the size, nor the colours that programs are told, nor who is known to have typed what."""
    home = there.home
    session = home.launch("cat", options=("--name", "looked-at"))
    before = home.status(session)
    with there.come("observe") as peer, there.come("send") as typist:
        typist.tell(messages.Attach(session="looked-at", viewer="known", seq=0, rows=40, cols=120))
        assert isinstance(typist.hear(), messages.Attached)
        peer.tell(
            messages.Attach(
                session="looked-at", viewer="known", read_only=True, rows=9, cols=33, agent="/tmp/x"
            )
        )
        while not isinstance(peer.hear(), messages.Attached):
            pass
        peer.tell(messages.Measured(rows=7, cols=22), messages.Looks(foreground="rgb:1/2/3"))
        typist.tell(messages.Typed(seq=1, data=b"still-here\n"))
        took = next(message for message in heard(typist) if isinstance(message, messages.Took))
        assert took.seq == 1
    after = home.status(session)
    assert (after["rows"], after["cols"]) == (40, 120)
    assert (before["rows"], before["cols"]) == (40, 120)
    home.cw("kill", str(session))


def test_whoever_comes_by_a_token_lends_nothing(there: There) -> None:
    """An agent's path is one on another machine; here it might be anybody's."""
    agent = str(there.home.path / "server.sock")
    with there.come("send") as peer:
        peer.tell(messages.Attach(session="mine", agent=agent, display=":7"))
        assert isinstance(peer.hear(), messages.Attached)
    for name in ("agent", "display"):
        assert not os.path.lexists(there.home.directory(there.mine) / name)


def test_who_looks_on_leaves_no_trace_of_typing(there: There) -> None:
    """Names of those who type are remembered, so many and no more: who cannot type takes nobody's place there."""
    with there.come("send") as peer:
        peer.tell(messages.Attach(session="mine", read_only=True, viewer="somebody", seq=5))
        assert isinstance(peer.hear(), messages.Attached)
    with there.come("send") as peer:
        attached: Any = peer.tell(messages.Attach(session="mine", viewer="somebody", seq=0)).hear()
        assert attached.seq == -1
        assert isinstance(peer.tell(messages.Detach()).hear(), messages.Detached)
    with there.come("send") as peer:
        attached = peer.tell(messages.Attach(session="mine", viewer="somebody", seq=0)).hear()
        assert attached.seq == 0


def test_an_endless_name_is_none(there: There) -> None:
    """It would be remembered as long as the session runs."""
    for seq in (-1, -1):
        with there.come("send") as peer:
            attached: Any = peer.tell(messages.Attach(session="mine", viewer="x" * 65, seq=0)).hear()
            assert attached.seq == seq


def test_repaints_come_one_after_another(there: There) -> None:
    """However fast they are asked for: drawing them is work that others wait for."""
    with there.come("observe") as peer:
        peer.tell(messages.Attach(session="mine", read_only=True))
        assert isinstance(peer.hear(), messages.Attached)
        began = time.monotonic()
        for _ in range(4):
            peer.tell(messages.Repaint())
            assert isinstance(next(heard(peer)), messages.Painted)
        assert time.monotonic() - began >= 3 * REPAINT_SECONDS


def test_nobody_who_comes_by_a_token_is_inside(there: There) -> None:
    """What it says of sessions it runs in is about another machine: it can make no ring, and keep nobody out."""
    home = there.home
    with there.come("observe") as peer:
        peer.tell(messages.Logs(session="mine", follow=True, inside=there.other))
        assert isinstance(peer.hear(), messages.Reading)
        with there.come("observe") as back:
            back.tell(messages.Logs(session="other-one", follow=True, inside=there.mine))
            assert isinstance(back.hear(), messages.Reading)
    with there.come("observe") as peer:
        peer.tell(messages.Attach(session="mine", read_only=True, inside=there.mine))
        attached: Any = peer.hear()
        assert (attached.id, attached.inside) == (there.mine, 0)
    assert home.status(there.mine)["status"] == "running"
