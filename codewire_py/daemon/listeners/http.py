"""requests and answers of one HTTP connection: heads by h11, within their deadlines and limits"""

from __future__ import annotations

import json
from contextlib import suppress
from http import HTTPStatus

import h11
import trio

from codewire_py.daemon import limits
from codewire_py.values import quote

GONE = (trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError)
ALWAYS = {
    "Content-Type": "application/json",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}


class Refused(Exception):
    """An answer that is an error; what it says is for a person."""

    def __init__(self, status: int, code: str, message: str, hint: str = "", **headers: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.hint = status, code, message, hint
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def body(self) -> dict[str, object]:
        return {"error": self.code, "message": self.message, "hint": self.hint}


def unreadable(error: h11.RemoteProtocolError) -> Refused:
    status = error.error_status_hint
    if status == 431:
        return Refused(431, "head-too-large", f"a request's head has at most {limits.HEAD_BYTES} bytes")
    return Refused(status, "bad-request", f"not HTTP as it should be: {quote(str(error))}")


class Request:
    """A head that has been read. `path` is what is before the question mark; what comes after it means nothing."""

    def __init__(self, event: h11.Request) -> None:
        self.method = event.method.decode("ascii")
        self.target = event.target.decode("latin-1")
        self.path, _, self.query = self.target.partition("?")
        self.version = event.http_version.decode("ascii")
        self.headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers]

    def all(self, name: str) -> list[str]:
        return [value for known, value in self.headers if known == name]


def has_controls(text: str) -> bool:
    return any((char < " " and char != "\t") or char == "\x7f" for char in text)


class HttpPeer:
    """One connection that speaks HTTP, until it leaves or becomes something else."""

    def __init__(self, below: trio.abc.HalfCloseableStream | trio.abc.Stream) -> None:
        self.below = below
        self.h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=limits.HEAD_BYTES)
        self.is_head = False

    async def read_head(self) -> Request | None:
        """None: the peer has left."""
        budget = limits.HEAD_BYTES
        while True:
            event = self.next_event()
            if isinstance(event, h11.Request):
                return self.check(Request(event))
            if event is not h11.NEED_DATA:
                return None
            if budget <= 0:
                raise Refused(
                    431, "head-too-large", f"a request's head has at most {limits.HEAD_BYTES} bytes"
                )
            data = await self.below.receive_some(budget)
            budget -= len(data)
            self.h11.receive_data(bytes(data))

    def next_event(self) -> h11.Event | type[h11.NEED_DATA | h11.PAUSED]:
        try:
            return self.h11.next_event()
        except h11.RemoteProtocolError as error:
            raise unreadable(error) from None

    def check(self, request: Request) -> Request:
        self.is_head = request.method == "HEAD"
        if len(request.headers) > limits.HEADERS:
            raise Refused(431, "head-too-large", f"a request has at most {limits.HEADERS} headers")
        if any(has_controls(value) for _, value in request.headers):
            raise Refused(400, "bad-request", "a header holds no control characters")
        if not request.path.startswith("/"):
            raise Refused(400, "bad-request", "the target of a request is a path, beginning with a slash")
        return request

    async def read_body(self) -> bytes:
        body = bytearray()
        if self.h11.they_are_waiting_for_100_continue:
            await self.send(h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue"))
        while True:
            event = self.next_event()
            if isinstance(event, h11.Data):
                body += event.data
            elif event is h11.NEED_DATA:
                self.h11.receive_data(bytes(await self.below.receive_some(limits.PULL_BYTES)))
            else:
                return bytes(body)
            if len(body) > limits.BODY_BYTES:
                raise Refused(413, "body-too-large", f"a body has at most {limits.BODY_BYTES} bytes")

    # -- answers

    async def answer(self, status: int, body: dict[str, object], headers: dict[str, str]) -> None:
        """Then the connection goes on, if the whole request has been read and the peer wants it so."""
        if self.h11.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return
        content = json.dumps(body).encode() + b"\n"
        said = {**ALWAYS, "Content-Length": str(len(content)), **headers}
        if self.h11.their_state not in (h11.DONE, h11.MUST_CLOSE):
            self.skip_empty_body()
        if self.h11.their_state is not h11.DONE:
            said["Connection"] = "close"
        await self.send(
            h11.Response(
                status_code=status, headers=list(said.items()), reason=HTTPStatus(status).phrase.encode()
            ),
            h11.Data(data=b"" if self.is_head else content),
            h11.EndOfMessage(),
        )

    def skip_empty_body(self) -> None:
        """Most requests have none, and then the connection may be used again."""
        with suppress(h11.RemoteProtocolError):
            if self.h11.their_state is h11.SEND_BODY:
                self.h11.next_event()

    async def send(self, *events: h11.Event) -> None:
        data = b"".join(self.h11.send(event) or b"" for event in events)
        await self.below.send_all(data)

    def goes_on(self) -> bool:
        if self.h11.our_state is not h11.DONE or self.h11.their_state is not h11.DONE:
            return False
        self.h11.start_next_cycle()
        return True

    async def leave(self) -> None:
        """Let the last answer arrive: a socket that is closed with words unread takes it back."""
        try:
            with trio.move_on_after(limits.GOODBYE_SECONDS), suppress(*GONE):
                if isinstance(self.below, trio.SocketStream):
                    await self.below.send_eof()
                while await self.below.receive_some(limits.PULL_BYTES):
                    pass
        finally:
            await trio.aclose_forcefully(self.below)
