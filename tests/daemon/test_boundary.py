"""one conversation's trouble is never another's, also when it comes together with a cancellation"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import trio

from codewire_py.daemon import conversation
from codewire_py.wire.messages import Attach, Attached, Failed
from homes import Home
from peers import Peer

TROUBLE = [trio.BrokenResourceError(), ValueError("a bug"), OSError(5, "odd", "file")]


class Talk(SimpleNamespace):
    """Remembers what was said."""

    def __init__(self) -> None:
        super().__init__(scope=trio.CancelScope(), said=[], is_closed=False)

    async def say(self, message: object) -> None:
        self.said.append(message)

    async def close(self) -> None:
        self.is_closed = True


async def trouble_when_cancelled(error: Exception, cancel: Callable[[], None]) -> None:
    """A nursery, in which one is cancelled and another has trouble in that moment."""

    async def fail() -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise error

    async with trio.open_nursery() as nursery:
        nursery.start_soon(fail)
        nursery.start_soon(trio.sleep_forever)
        await trio.testing.wait_all_tasks_blocked()
        cancel()
        await trio.sleep_forever()


@pytest.mark.parametrize("error", TROUBLE, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("from_outside", [False, True])
async def test_trouble_does_not_leave_the_conversation(
    monkeypatch: pytest.MonkeyPatch, error: Exception, from_outside: bool
) -> None:
    """Neither when this one alone is ended (its viewer has come back, its token was revoked), nor when all are."""
    talk: Any = Talk()
    with trio.CancelScope() as outside:
        cancel = outside.cancel if from_outside else talk.scope.cancel
        monkeypatch.setattr(conversation, "answer", lambda talk: trouble_when_cancelled(error, cancel))
        await conversation.converse(talk)
    assert outside.cancelled_caught is from_outside
    assert talk.is_closed
    assert all(isinstance(word, Failed) for word in talk.said)


@pytest.mark.parametrize("error", TROUBLE[1:], ids=lambda error: type(error).__name__)
async def test_trouble_alone_is_told(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Out of a nursery or not."""

    async def in_a_nursery(talk: Any) -> None:
        async with trio.open_nursery():
            raise error

    async def alone(talk: Any) -> None:
        raise error

    for answer in (in_a_nursery, alone):
        talk: Any = Talk()
        monkeypatch.setattr(conversation, "answer", answer)
        await conversation.converse(talk)
        assert [type(word) for word in talk.said] == [Failed]


def test_viewers_that_vanish_and_come_back_cost_the_daemon_nothing(home: Home) -> None:
    """Each ousts what is left of itself, whose connection breaks in that moment: the daemon stays."""
    session = home.launch("sh", "-c", "while :; do echo x; done")
    home.until_printed(session, b"x\r\n")
    daemon = home.daemon()
    for _ in range(150):
        peer = Peer(home)
        peer.ask(Attach(session=str(session), viewer="v", offset=1)).hear(Attached)
        peer.peer.close()
    home.cw("kill", str(session))
    assert home.daemon() == daemon
    assert "Traceback" not in home.journal()
