"""cw send: type into a session without attaching"""

from __future__ import annotations

import os

from codewire_py.cli import context, show
from codewire_py.cli.table import JSON, OPTIONAL, Argument, Command, Option
from codewire_py.client.connection import ask, reach
from codewire_py.errors import CodewireError, ConnectionLost, OutcomeUnknown, ProtocolError, UsageError
from codewire_py.wire.messages import Send, Sent, Typed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from codewire_py.cli.table import Given

PIECE = 16 << 10  # a slow link takes no longer for one than a daemon elsewhere waits for the next


def run(given: Given) -> int:
    text = given["input"]
    if text is not None:
        sent = send_text(given["session"], os.fsencode(text) + ending(given, os.fsencode(text)[-1:]))
    elif given["stdin"]:
        sent = send_stream(given, 0)
    elif given["file"] is not None:
        sent = send_file(given)
    else:
        raise UsageError("must provide input via argument, --stdin, or --file", "cw send 1 'hello'")
    if given["json"]:
        show.say_json({"id": sent.id, "bytes": sent.size})
    else:
        show.say(f"Sent {sent.size} bytes to session {sent.id}")
    return 0


def ending(given: Given, last: bytes) -> bytes:
    """What submits the input: a line end, or the Enter key."""
    if given["enter"]:
        return b"\r"
    return b"" if given["no_newline"] or last == b"\n" else b"\n"


def send_text(session: str, data: bytes) -> Sent:
    if len(data) <= PIECE:
        return ask(context.where(), Send(session=session, data=data), Sent)
    return send_pieces(session, (data[at : at + PIECE] for at in range(0, len(data), PIECE)))


def send_file(given: Given) -> Sent:
    try:
        file = os.open(given["file"], os.O_RDONLY)
    except OSError as error:
        raise CodewireError(f"cannot read {given['file']}: {error.strerror}") from error
    try:
        return send_stream(given, file)
    finally:
        os.close(file)


def send_stream(given: Given, source: int) -> Sent:
    return send_pieces(given["session"], pieces(given, source))


def pieces(given: Given, source: int) -> Iterator[bytes]:
    last = b""
    try:
        while data := os.read(source, PIECE):
            last = data[-1:]
            yield data
    except OSError as error:
        raise CodewireError(f"cannot read the input: {error.strerror}") from error
    if tail := ending(given, last):
        yield tail


def send_pieces(session: str, source: Iterator[bytes]) -> Sent:
    """As one paste, of any size: nobody types in between."""
    where = context.where()
    if not isinstance(where, str):
        source = iter(list(source))  # a daemon elsewhere does not wait long for whoever makes it
    connection = reach(where)
    try:
        try:
            first = next(source, b"")
            connection.open(Send(session=session, data=first, more=True))
            for piece in source:
                connection.say(Typed(data=piece))
            connection.say(Typed())
        except ConnectionLost:
            pass  # it may have said why before it left
        answer = connection.answer()
    except ConnectionLost as error:
        raise OutcomeUnknown("the daemon went away while the terminal was being typed into") from error
    finally:
        connection.close()
    if not isinstance(answer, Sent):
        raise ProtocolError(f"the daemon answered 'send' with {type(answer).type!r}")
    return answer


COMMAND = Command(
    run,
    "Type into a session. Prints when the terminal has taken every byte.",
    Argument("session", metavar="SESSION", is_session=True),
    Argument("input", OPTIONAL, "TEXT"),
    Option("--stdin", "Read what to type from standard input."),
    Option("--file -f", "Read what to type from a file.", str, metavar="PATH"),
    Option("--no-newline -n", "Do not end the input with a line end."),
    Option("--enter", "End it with the Enter key (CR), as full-screen programs expect."),
    JSON,
    examples="cw send 1 'run the tests'\ncw send api --enter 'yes'\ngit diff | cw send 1 --stdin",
)
