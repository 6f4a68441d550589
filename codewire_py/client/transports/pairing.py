"""exchange a code that `cw server pair` showed elsewhere for a token, by one small HTTP request"""

from __future__ import annotations

import time

from codewire_py.client.addresses import PORTS, host_of
from codewire_py.client.transports.sockets import connect, host_and_port, is_encrypted, not_understood
from codewire_py.errors import ProtocolError, Unreachable, UsageError, from_wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from typing import Any

    from codewire_py.client.servers import Server

LONGEST_HEAD, LONGEST_BODY = 16 << 10, 64 << 10
BLOCK = 4096
OK = 200


def redeem(server: Server, code: str, label: str, seconds: float = 10.0) -> tuple[str, str, str]:
    """(token, the name it knows us by, scope). The code is worth nothing afterwards. `label`: how we call ourselves."""
    if not server.url.startswith(("ws://", "wss://")):
        raise UsageError("only a listener takes a code", "ssh:// needs none: cw server add NAME ssh://HOST")
    deadline = time.monotonic() + seconds
    with connect(server, seconds) as peer:
        head, body = exchange(server, peer, request_for(server, code, label), deadline)
    status, said = status_of(server, head), parsed(body)
    if status != OK or "token" not in said:
        raise refusal(server, status, said)
    token, name, scope = (text_of(said, part) for part in ("token", "name", "scope"))
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise ProtocolError(f"{server.called()} gave a token that is none")
    return token, name, scope


def request_for(server: Server, code: str, label: str) -> bytes:
    import json

    port = host_and_port(server.url)[1]
    host = host_of(server.url) + (
        "" if port == PORTS["wss" if is_encrypted(server) else "ws"] else f":{port}"
    )
    path = "/" + server.url.partition("://")[2].partition("/")[2].removesuffix("ws") + "pair"
    body = json.dumps({"code": code.strip(), "name": label}).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n"
    )
    return head.encode("ascii") + body


# -- the exchange


def exchange(server: Server, peer: socket.socket, request: bytes, deadline: float) -> tuple[bytes, bytes]:
    """(head, body) of the answer."""
    answer = bytearray()
    try:
        limit(peer, deadline)
        peer.sendall(request)
        while not is_whole(answer):
            limit(peer, deadline)
            data = peer.recv(BLOCK)
            if not data:
                break
            answer += data
    except TimeoutError as error:
        raise Unreachable(
            f"cannot reach {server.called()}: it does not answer", "is it a listener of cw?"
        ) from error
    except OSError as error:
        if not answer:
            raise not_understood(server) from error
    head, separator, body = bytes(answer).partition(b"\r\n\r\n")
    if not separator or not head.startswith(b"HTTP/1."):
        raise not_understood(server)
    return head, unchunked(body) if is_chunked(head) else body[: length_of(head, len(body))]


def limit(peer: socket.socket, deadline: float) -> None:
    """Its next step ends in time; whoever says a little all the while gets no more of it."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    peer.settimeout(left)


def is_whole(answer: bytearray) -> bool:
    """Or so long that there is no point in hearing more."""
    head, separator, body = bytes(answer).partition(b"\r\n\r\n")
    if not separator:
        return len(answer) > LONGEST_HEAD
    return len(body) >= min(length_of(head, LONGEST_BODY), LONGEST_BODY) or (
        is_chunked(head) and body.endswith(b"0\r\n\r\n")
    )


def field(head: bytes, name: bytes) -> bytes:
    for line in head.split(b"\r\n")[1:]:
        found, _, value = line.partition(b":")
        if found.strip().lower() == name:
            return value.strip().lower()
    return b""


def length_of(head: bytes, otherwise: int) -> int:
    length = field(head, b"content-length")
    return int(length) if length.isdigit() and len(length) < 10 else otherwise


def is_chunked(head: bytes) -> bool:
    """A proxy may cut it so."""
    return field(head, b"transfer-encoding") == b"chunked"


def unchunked(body: bytes) -> bytes:
    whole = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        digits = size.partition(b";")[0].strip()
        if not digits or len(digits) > 6 or digits.strip(b"0123456789abcdefABCDEF"):
            break
        whole, body = whole + body[: int(digits, 16)], body[int(digits, 16) + 2 :]
    return whole


# -- the answer


def status_of(server: Server, head: bytes) -> int:
    words = head.split(b"\r\n")[0].split()
    if len(words) < 2 or not words[1].isdigit() or len(words[1]) != 3:
        raise not_understood(server)
    return int(words[1])


def parsed(body: bytes) -> dict[str, Any]:
    """Empty: that is not what a listener of cw says."""
    import json

    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def text_of(said: dict[str, Any], part: str) -> str:
    value = said.get(part, "")
    return value if isinstance(value, str) else ""


def refusal(server: Server, status: int, said: dict[str, Any]) -> Exception:
    """The daemon's own sentence, if it is one."""
    if "message" not in said:
        return Unreachable(
            f"cannot reach {server.called()}: it answers {status} to a code", "is it a listener of cw?"
        )
    code, message, hint = (text_of(said, part) for part in ("error", "message", "hint"))
    return from_wire(code, f"{server.called()}: {message}", hint)
