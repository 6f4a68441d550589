"""one peer's conversation: frames in, a verb runs, frames out"""

from __future__ import annotations

import errno
import logging

import trio

from codewire_py.daemon import limits, verbs
from codewire_py.daemon.talk import Talk
from codewire_py.errors import CodewireError, DiskFull, ProtocolError, UnknownRequest
from codewire_py.version import VERSION
from codewire_py.wire import messages
from codewire_py.wire.declare import Message

journal = logging.getLogger("codewire")
GONE = (trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError)
UNHURRIED = {
    "attach",
    "export",
    "logs",
    "screen",
    "search",
    "wait",
}  # safe to cut off: their clients ask again


async def converse(talk: Talk) -> None:
    """The error boundary: one peer's trouble is never another's.

    Trouble may come together with a cancellation. Then there is nobody to be told, and only that goes on outwards.
    """
    try:
        with talk.scope:
            await answer(talk)
    except BaseExceptionGroup as group:
        leaving, trouble = group.split(trio.Cancelled)
        if leaving is not None:
            raise leaving from None
        assert trouble is not None
        await tell(talk, trouble)
    except Exception as error:  # noqa: BLE001  one of the three places that catch broadly
        await tell(talk, error)
    finally:
        with trio.CancelScope(shield=True), trio.move_on_after(1):
            await talk.close()


async def tell(talk: Talk, error: BaseException) -> None:
    told = as_told(simplest(error))
    if told is not None:
        await refuse(talk, told)


def simplest(error: BaseException) -> BaseException:
    """Of a group that came out of a nursery, what there is to tell."""
    while isinstance(error, BaseExceptionGroup):
        error = min(error.exceptions, key=lambda one: isinstance(one, GONE))
    return error


def as_told(error: BaseException) -> CodewireError | None:
    """None: the peer left, or does not read what it asked for."""
    if isinstance(error, GONE):
        return None
    if isinstance(error, CodewireError):
        return error
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull("there is no room left in the home directory")
    if isinstance(error, OSError) and error.filename:
        journal.warning("a conversation failed: %s", error)
        return CodewireError(f"{error.filename}: {error.strerror}")
    journal.error("a conversation failed", exc_info=error)
    return CodewireError(
        f"the daemon has a bug: {type(error).__name__}: {error}", "its journal is daemon.log"
    )


async def answer(talk: Talk) -> None:
    with trio.fail_after(limits.HELLO_SECONDS):
        await greet(talk)
        request = await talk.receive()
    if request is None:
        return
    verb = type(request).type
    if verb not in messages.REQUESTS:
        name = request.name if isinstance(request, messages.Unknown) else verb
        raise UnknownRequest(f"unknown request: {name!r}")
    talk.grant.permit(request)
    if verb in UNHURRIED:
        await reply(talk, request)
    else:
        with talk.departure:
            await reply(talk, request)


async def greet(talk: Talk) -> None:
    hello = await talk.receive()
    if hello is None:
        raise trio.ClosedResourceError
    if not isinstance(hello, messages.Hello):
        raise ProtocolError("the first message must be a hello")
    talk.has_greeted = True
    if hello.version < 1:
        raise ProtocolError(f"protocol version {hello.version} is not spoken here")
    await talk.say(messages.Hello(version=messages.PROTOCOL, software=VERSION, features=messages.FEATURES))


async def reply(talk: Talk, request: Message) -> None:
    done = await verbs.HANDLERS[type(request).type](request, talk)
    if done is not None:
        await talk.say(done)


async def refuse(talk: Talk, error: CodewireError) -> None:
    failed = messages.Failed(code=error.code, message=error.message, hint=error.hint)
    try:
        await talk.say(failed)
    except GONE:
        return
