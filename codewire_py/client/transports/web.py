"""a WebSocket to a daemon elsewhere, used like a socket: frames in, frames out, one binary message each"""

from __future__ import annotations

import time

from codewire_py.client.transports.outbox import Outbox, is_not_yet
from codewire_py.client.transports.sockets import connect, not_understood
from codewire_py.errors import Unreachable, from_wire
from codewire_py.wire.frames import HEADER, MAX_PAYLOAD

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

    from websockets.client import ClientProtocol
    from websockets.http11 import Response

    from codewire_py.client.servers import Server

BLOCK = 256 << 10
MOST_AT_ONCE = 1 << 20  # bytes that one `recv` brings, about
SILENCE_SECONDS = 25.0  # the daemon says something every 10 s: a link that is silent for so long is dead
TLS_ONLY = b"HTTP request to an HTTPS server"  # what proxies answer who speak TLS on that port
STATUS_CODES = {401: "unauthorized", 403: "forbidden", 429: "limit-reached", 503: "limit-reached"}


def dial(server: Server, seconds: float) -> WebPeer:
    """Connect, and be let in; Unreachable, Untrusted, Unauthorized or Forbidden say why not."""
    deadline = time.monotonic() + seconds
    peer = WebPeer(connect(server, seconds), start(server))
    try:
        peer.shake_hands(server, deadline)
    except BaseException:
        peer.drop()
        raise
    return peer


def start(server: Server) -> ClientProtocol:
    """Text is compressed on its way through a network; on this machine that costs more than it saves."""
    import logging

    from websockets.client import ClientProtocol
    from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
    from websockets.uri import parse_uri

    silent = logging.getLogger("websockets")
    silent.setLevel(logging.CRITICAL + 1)  # it would write down the token
    uri = parse_uri(server.url)
    is_near = uri.host in ("localhost", "::1") or uri.host.startswith("127.")
    return ClientProtocol(
        uri,
        extensions=None if is_near else [ClientPerMessageDeflateFactory()],
        max_size=MAX_PAYLOAD + HEADER,
        logger=silent,
    )


class WebPeer:
    """What it is not possible to write at once waits in `unwritten`, if it may not block."""

    __slots__ = ("_found", "_is_over", "_outbox", "_protocol", "_socket", "heard_at")

    def __init__(self, peer: socket.socket, protocol: ClientProtocol) -> None:
        self._socket, self._protocol = peer, protocol
        self._found: list[bytes] = []
        self._is_over = False
        self._outbox = Outbox(peer)
        self.heard_at = time.monotonic()

    @property
    def unwritten(self) -> bytearray:
        return self._outbox.unwritten

    # -- the handshake

    def shake_hands(self, server: Server, deadline: float) -> None:
        protocol = self._protocol
        request = protocol.connect()
        if server.token:
            request.headers["Authorization"] = f"Bearer {server.token}"
        protocol.send_request(request)
        try:
            self.write()
            while protocol.handshake_exc is None and protocol.state.name == "CONNECTING":
                self._socket.settimeout(max(0.001, deadline - time.monotonic()))
                self.read()
                self.write()
        except TimeoutError as error:
            raise Unreachable(f"{server.called()} does not answer", "is it a listener of cw?") from error
        except OSError as error:
            raise not_understood(server) from error
        self._socket.settimeout(SILENCE_SECONDS)
        if protocol.handshake_exc is not None:
            raise why_not(server, protocol.handshake_exc)

    # -- like a socket

    def fileno(self) -> int:
        return self._socket.fileno()

    def settimeout(self, seconds: float | None) -> None:
        self._socket.settimeout(SILENCE_SECONDS if seconds is None else seconds)

    def setblocking(self, flag: bool) -> None:
        self._socket.settimeout(SILENCE_SECONDS if flag else 0)

    def sendall(self, data: bytes) -> None:
        """Whole frames; nothing: what is still unwritten."""
        if data and (self._is_over or self._protocol.state.name != "OPEN"):
            raise BrokenPipeError("the daemon has said good-bye")
        at = 0
        while at < len(data):
            end = at + HEADER + int.from_bytes(data[at + 1 : at + HEADER], "big")
            self._protocol.send_binary(data[at:end])
            at = end
        self.write()

    def recv(self, _size: int = 0) -> bytes:
        """The frames that have come, whole; nothing: it is over. Raises BlockingIOError, or TimeoutError."""
        while not self._found:
            if self._is_over:
                return b""
            self.read()
            self.write()
        found, self._found = self._found, []
        return found[0] if len(found) == 1 else b"".join(found)

    def is_silent(self) -> bool:
        """For so long that it must be dead."""
        return time.monotonic() - self.heard_at > SILENCE_SECONDS

    def close(self) -> None:
        """Say so, if that can be said at once."""
        try:
            if self._protocol.state.name == "OPEN":
                self._socket.settimeout(0)
                self._protocol.send_close()
                self.write()
        except OSError:
            pass
        self.drop()

    def drop(self) -> None:
        self._socket.close()

    # -- bytes

    def read(self) -> None:
        """What has come, to the last byte: what lies in the encryption's own buffer, no poll would tell of."""
        size = 0
        while not size or (size < MOST_AT_ONCE and self._has_more()):
            try:
                data = self._socket.recv(BLOCK)
            except OSError as error:
                if not is_not_yet(error):
                    raise
                if size:
                    break
                raise BlockingIOError from error
            if not data:
                self._is_over = True
                self._protocol.receive_eof()
                break
            size += len(data)
            self._protocol.receive_data(data)
        self.heard_at = time.monotonic()
        self.take_events()

    def _has_more(self) -> bool:
        pending = getattr(self._socket, "pending", None)
        return pending is not None and pending() > 0

    def take_events(self) -> None:
        from websockets.frames import Frame, Opcode

        for event in self._protocol.events_received():
            if isinstance(event, Frame) and event.opcode in (Opcode.BINARY, Opcode.CONT):
                self._found.append(bytes(event.data))
            elif isinstance(event, Frame) and event.opcode in (Opcode.CLOSE, Opcode.TEXT):
                self._is_over = True
        if self._protocol.parser_exc is not None:
            self._is_over = True

    def write(self) -> None:
        """What there is to say, pongs included, as far as that is possible now."""
        self._outbox.send(b"".join(self._protocol.data_to_send()))


def why_not(server: Server, error: Exception) -> Exception:
    """Of a handshake that failed, what there is to tell: the daemon's own sentence, if it is one."""
    response = getattr(error, "response", None)
    if response is None or TLS_ONLY in (response.body or b""):
        return not_understood(server)
    return refusal_in(server, response)


def refusal_in(server: Server, response: Response) -> Exception:
    import json

    try:
        said = json.loads(response.body or b"")
        code, message, hint = (str(said[part]) for part in ("error", "message", "hint"))
    except (ValueError, TypeError, KeyError, RecursionError):
        code, hint = STATUS_CODES.get(response.status_code, "unreachable"), ""
        message = f"it answers {response.status_code} {response.reason_phrase}"
    return from_wire(code, f"{server.called()}: {message}", hint)
