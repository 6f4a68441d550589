"""one peer's HTTP requests: may it be here, what does it want, who is it; a WebSocket becomes a conversation"""

from __future__ import annotations

import json
import logging
import math
import time

import h11
import trio
from websockets.datastructures import Headers
from websockets.exceptions import InvalidHandshake
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.http11 import Request as Handshake
from websockets.protocol import State
from websockets.server import ServerProtocol

from codewire_py.daemon import limits
from codewire_py.daemon.conversation import converse
from codewire_py.daemon.grants import Grant
from codewire_py.daemon.listeners.failures import Failures
from codewire_py.daemon.listeners.hosts import Guests, is_loopback, neighbourhood
from codewire_py.daemon.listeners.http import GONE, HttpPeer, Refused, Request
from codewire_py.daemon.listeners.websocket import Below, WebStream, silent
from codewire_py.daemon.talk import House, Talk
from codewire_py.errors import CodewireError, Forbidden, Unauthorized
from codewire_py.values import quote
from codewire_py.version import VERSION

journal = logging.getLogger("codewire")
METHODS = {"/healthz": ("GET", "HEAD"), "/pair": ("POST",), "/ws": ("GET",)}
WITH_IT = 'say it in a header, "Authorization: Bearer TOKEN"; an address is no place for a token'
NO_TOKEN = "a token is needed here"
BRING_ONE = f"CODEWIRE_TOKEN, or cw server add NAME URL --token-stdin; other programs {WITH_IT}"
MANY = "too many failures from this address"


class Reception:
    """What the peers of one door have in common."""

    def __init__(self, house: House, guests: Guests) -> None:
        self.house, self.guests, self.failures = house, guests, Failures()


class Caller:
    """One connection. `address` is where it comes from, `own` the address of ours at which it came in."""

    def __init__(self, below: Below, address: str, own: str, reception: Reception) -> None:
        self.below, self.address, self.own = below, address, own
        self.house, self.guests, self.failures = reception.house, reception.guests, reception.failures
        self.http = HttpPeer(below)
        self.grant: Grant | None = None
        self.scope = trio.CancelScope()
        self.tokens = self.house.tokens

    async def serve(self, head_by: float) -> None:
        """Answer what is asked until the peer leaves, is too slow, or becomes a conversation."""
        try:
            if await self.answer_all(head_by):
                await self.http.leave()
        except GONE:
            return
        finally:
            self.let_go()
            await trio.aclose_forcefully(self.below)

    async def answer_all(self, head_by: float) -> bool:
        """False: the connection became something else, which is over."""
        while True:
            with trio.fail_at(head_by):
                request = await self.read()
            stream = await self.respond(request) if request else None
            if stream is not None:
                await self.converse(stream)
                return False
            if request is None or not self.http.goes_on():
                return True
            head_by = trio.current_time() + limits.IDLE_SECONDS

    async def read(self) -> Request | None:
        try:
            return await self.http.read_head()
        except Refused as refused:
            await self.refuse(refused)
            return None

    async def respond(self, request: Request) -> WebStream | None:
        with trio.fail_after(limits.BODY_SECONDS):
            try:
                self.check(request)
                if request.path == "/ws":
                    self.admit(request)
                    return await self.upgrade(request)
                body = await self.pair() if request.path == "/pair" else {"ok": True, "version": VERSION}
                await self.http.answer(200, body, {})
            except Refused as refused:
                await self.refuse(refused)
        return None

    # -- may it be here, and what does it want

    def check(self, request: Request) -> None:
        host = request.all("host")
        if len(host) != 1:
            raise Refused(400, "bad-request", "a request names its host, once")
        if not self.guests.may_go_to(host[0], self.own):
            raise Refused(
                403,
                "forbidden",
                f"this daemon is not known as {quote(host[0])}",
                "if it is: name it in daemon.allowed_hosts",
            )
        origins = request.all("origin")
        if len(origins) > 1 or (origins and not self.guests.may_come_from(origins[0], host[0])):
            raise Refused(
                403,
                "forbidden",
                f"pages of {quote(origins[0])} may not talk to this daemon",
                "if they may: name it in daemon.allowed_origins",
            )
        methods = METHODS.get(request.path)
        if methods is None:
            raise Refused(404, "not-found", "there is nothing here", "there are /ws, /pair and /healthz")
        if request.method not in methods:
            raise Refused(405, "bad-method", f"{request.path} takes {methods[0]}", Allow=", ".join(methods))

    # -- who is it

    def admit(self, request: Request) -> None:
        """From here on, whoever takes the token back ends this."""
        said = request.all("authorization")
        scheme, _, secret = said[0].partition(" ") if said else ("", "", "")
        if not said:
            raise Refused(401, "unauthorized", NO_TOKEN, BRING_ONE)
        if len(said) > 1 or scheme.lower() != "bearer" or not secret.strip():
            raise Refused(401, "unauthorized", "the Authorization header holds no single token", WITH_IT)
        try:
            grant = self.tokens.grant_for(secret.strip(), self.address)
        except (Unauthorized, Forbidden) as error:
            raise refusal_of(error) from None
        self.let_go()
        self.grant, self.scope = grant, trio.CancelScope()
        if grant.expires_at:
            self.scope.deadline = trio.current_time() + grant.expires_at - time.time()
        grant.leavers.append(self.scope.cancel)

    def let_go(self) -> None:
        if self.grant is not None:
            self.grant.leavers.remove(self.scope.cancel)
        self.grant = None

    async def pair(self) -> dict[str, object]:
        """Exchange a code that a person has typed for a token."""
        if wait := self.failures.wait_of(neighbourhood(self.address), trio.current_time()):
            raise too_many(wait)
        code, label = asked_in(await self.http.read_body())
        try:
            secret, name, scope = self.tokens.redeem(code, label)
        except CodewireError as error:
            raise refusal_of(error) from None
        journal.info("%s was paired as %s, and may %s", self.address, quote(name), scope)
        return {"token": secret, "name": name, "scope": scope}

    async def refuse(self, refused: Refused) -> None:
        if refused.status in (401, 403):
            refused = self.count(refused)
        await self.http.answer(refused.status, refused.body(), refused.headers)

    def count(self, refused: Refused) -> Refused:
        """Whoever fails again and again hears no more than that; the journal does not fill either."""
        now, neighbours = trio.current_time(), neighbourhood(self.address)
        wait = self.failures.wait_of(neighbours, now)
        if number := self.failures.note(neighbours, now):
            more = f" (and {number - 1} more)" if number > 1 else ""
            journal.warning("refused a peer at %s: %s%s", quote(self.address), refused.message, more)
        if refused.status == 401:
            refused.headers["WWW-Authenticate"] = "Bearer"
        return too_many(wait) if wait else refused

    # -- a conversation

    async def upgrade(self, request: Request) -> WebStream:
        if self.http.next_event() is h11.NEED_DATA or self.http.h11.their_state is h11.SEND_BODY:
            raise Refused(400, "bad-request", "a request to become a WebSocket has no body")
        extensions = [] if is_loopback(self.address) else [COMPRESSION]
        protocol = ServerProtocol(
            state=State.OPEN, extensions=extensions, max_size=limits.WEB_MESSAGE_BYTES, logger=silent
        )
        try:
            headers = Headers(request.headers)
        except InvalidHandshake as error:
            raise not_a_websocket(400, error) from None
        response = protocol.accept(
            Handshake(request.path, headers, request.method, f"HTTP/{request.version}")
        )
        if response.status_code != 101:
            raise not_a_websocket(response.status_code, protocol.handshake_exc)
        await self.below.send_all(response.serialize())
        early, _ = self.http.h11.trailing_data
        if early:
            protocol.receive_data(early)
        return WebStream(self.below, protocol)

    async def converse(self, stream: WebStream) -> None:
        """Until it is over, or the token is no longer valid."""
        assert self.grant is not None
        talk = Talk(stream, self.house, 0, self.grant)
        talk.scope = self.scope
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stream.keep_alive)
            await converse(talk)
            nursery.cancel_scope.cancel()


COMPRESSION = ServerPerMessageDeflateFactory(
    server_max_window_bits=12, client_max_window_bits=12, compress_settings={"memLevel": 5, "level": 1}
)
STATUS = {"unauthorized": 401, "forbidden": 403}


def refusal_of(error: CodewireError) -> Refused:
    return Refused(STATUS.get(error.code, 503), error.code, error.message, error.hint)


def too_many(wait: float) -> Refused:
    seconds = max(1, math.ceil(wait))
    return Refused(
        429,
        "too-many-failures",
        MANY,
        f"try again in {seconds} s, with a valid token",
        Retry_After=str(seconds),
    )


def not_a_websocket(status: int, error: Exception | None) -> Refused:
    headers = {"Upgrade": "websocket"} if status == 426 else {}
    return Refused(status, "bad-request", f"not a WebSocket: {quote(str(error))}", "", **headers)


def asked_in(body: bytes) -> tuple[str, str]:
    """(code, label) of a request to pair."""
    try:
        said = json.loads(body)
        code, label = said["code"], said.get("name", "")
    except (ValueError, TypeError, KeyError, RecursionError, AttributeError):
        code = label = None
    if not isinstance(code, str) or not isinstance(label, str):
        raise Refused(400, "bad-request", 'the body is JSON: {"code": "...", "name": "..."}')
    return code, label
