"""a socket to a daemon elsewhere: TCP, and TLS whose certificate is checked before anything is said"""

from __future__ import annotations

import errno
import time

from codewire_py.errors import ConfigError, Unreachable, Untrusted, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    import ssl

    from codewire_py.client.servers import Server

IDLE_SECONDS, INTERVAL_SECONDS, PROBES = (
    10,
    5,
    3,
)  # so long the system waits before it asks whether a peer still lives
LEAST_SECONDS = 0.05  # what an attempt gets at least
SECOND_LOOK_SECONDS = 3.0  # for what is only looked at to say what is wrong
DIGITS, HEX = 64, frozenset("0123456789abcdef")  # of SHA-256

# What OpenSSL calls them: https://docs.openssl.org/master/man3/X509_STORE_CTX_get_error/
NOT_YET_VALID, EXPIRED = 9, 10
UNKNOWN_AUTHORITY = (2, 18, 19, 20, 21, 27)
OTHER_NAME = (62, 64)


def connect(server: Server, seconds: float) -> socket.socket:
    """Blocking, and for wss encrypted and trusted; Unreachable or Untrusted say why it cannot be had."""
    check_saved(server)
    deadline = time.monotonic() + seconds
    peer = connect_tcp(server, deadline)
    if not is_encrypted(server):
        peer.settimeout(None)
        return peer
    return encrypt(server, peer, deadline)


def is_encrypted(server: Server) -> bool:
    return server.url.startswith("wss://")


def check_saved(server: Server) -> None:
    """A fingerprint that is none would trust nobody, and where nothing is encrypted it protects nothing."""
    try:
        if server.fingerprint:
            parse_fingerprint(server.fingerprint)
    except UsageError as error:
        raise ConfigError(
            f"the fingerprint of server {server.name!r}: {error.message}", error.hint
        ) from error
    if server.fingerprint and not is_encrypted(server):
        raise ConfigError(
            f"server {server.name!r} has a fingerprint, and its address no TLS",
            f"only wss:// has a certificate: cw server add {server.name} "
            + server.url.replace("ws://", "wss://", 1),
        )


def host_and_port(url: str) -> tuple[str, int]:
    """Of a normalised address, as the system wants them."""
    authority = url.partition("://")[2].partition("/")[0]
    host, _, port = authority.rpartition(":")
    return host.strip("[]"), int(port)


def remaining(deadline: float) -> float:
    return max(LEAST_SECONDS, deadline - time.monotonic())


# -- TCP


def connect_tcp(server: Server, deadline: float) -> socket.socket:
    """To the first of its addresses that answers."""
    addresses = addresses_of(server, deadline)
    failure: OSError = TimeoutError()
    for position, (family, address) in enumerate(addresses):
        if time.monotonic() > deadline:
            break
        share = remaining(deadline) / (len(addresses) - position)
        try:
            return connect_to(family, address, share)
        except OSError as error:
            failure = error
    raise unreachable(server, failure) from failure


def addresses_of(server: Server, deadline: float) -> list[tuple[int, tuple[str, int]]]:
    """(family, address) each. A name is asked for in a thread: nothing else can give up waiting for the answer."""
    import threading

    found: list[list[tuple[int, tuple[str, int]]] | Exception] = []
    asking = threading.Thread(target=lambda: found.append(look_up(server)), daemon=True)
    asking.start()
    asking.join(remaining(deadline))
    if not found:
        raise Unreachable(
            f"cannot reach {server.called()}: its name could not be looked up in time",
            "is this machine connected to the network?",
        )
    if isinstance(found[0], Exception):
        raise unreachable(server, found[0]) from found[0]
    return found[0]


def look_up(server: Server) -> list[tuple[int, tuple[str, int]]] | Exception:
    import socket

    host, port = host_and_port(server.url)
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return error
    return [(family, address) for family, _, _, _, address in answers]  # type: ignore[misc]


def connect_to(family: int, address: tuple[str, int], seconds: float) -> socket.socket:
    import socket

    peer = socket.socket(family, socket.SOCK_STREAM)  # close-on-exec is Python's default
    try:
        peer.settimeout(seconds)
        peer.connect(address)
        if peer.getsockname() == peer.getpeername():  # a port of this machine that nobody had, so we got it
            raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
        keep_alive(peer)
    except BaseException:
        peer.close()
        raise
    return peer


def keep_alive(peer: socket.socket) -> None:
    """Keys go out at once, and a peer that is gone is noticed even if nothing is said."""
    import socket

    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    idle = "TCP_KEEPIDLE" if hasattr(socket, "TCP_KEEPIDLE") else "TCP_KEEPALIVE"
    for option, value in ((idle, IDLE_SECONDS), ("TCP_KEEPINTVL", INTERVAL_SECONDS), ("TCP_KEEPCNT", PROBES)):
        if hasattr(socket, option):
            peer.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def unreachable(server: Server, error: Exception) -> Unreachable:
    why, hint = reason(error, host_and_port(server.url)[1])
    return Unreachable(f"cannot reach {server.called()}: {why}", hint)


def reason(error: Exception, port: int) -> tuple[str, str]:
    """(why, what to do)"""
    import socket

    if isinstance(error, (socket.gaierror, UnicodeError)):
        if getattr(error, "errno", None) == socket.EAI_AGAIN:
            return "its name cannot be looked up now", "is this machine connected to the network?"
        return "there is no host of that name", "look at the address: cw server list"
    if isinstance(error, ConnectionRefusedError):
        return (
            "connection refused",
            f"nothing listens on port {port} there: cw daemon --listen, or CODEWIRE_LISTEN",
        )
    if isinstance(error, TimeoutError):
        return "timed out", f"is that machine up, and its port {port} open to this one?"
    number = getattr(error, "errno", None)
    if number in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.ENETDOWN):
        return "no route to it", "is this machine connected to the network?"
    return (getattr(error, "strerror", None) or str(error)).lower(), ""


# -- TLS


def encrypt(server: Server, peer: socket.socket, deadline: float) -> ssl.SSLSocket:
    import ssl

    try:
        encrypted = shake_hands(
            server, peer, deadline, pinned_context() if server.fingerprint else usual_context()
        )
    except ssl.SSLCertVerificationError as error:
        raise distrust(server, error, deadline) from error
    except (OSError, ValueError) as error:
        raise not_encrypted(server, error) from error
    try:
        if server.fingerprint:
            check_pin(server, encrypted)
    except BaseException:
        encrypted.close()
        raise
    encrypted.settimeout(None)
    return encrypted


def shake_hands(
    server: Server, peer: socket.socket, deadline: float, context: ssl.SSLContext
) -> ssl.SSLSocket:
    """Whatever goes wrong, the socket is closed then."""
    try:
        peer.settimeout(remaining(deadline))
        return context.wrap_socket(peer, server_hostname=host_and_port(server.url)[0])
    except BaseException:
        peer.close()
        raise


def usual_context() -> ssl.SSLContext:
    """The system's authorities, or those of SSL_CERT_FILE."""
    import ssl

    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def pinned_context() -> ssl.SSLContext:
    """Accepts any certificate: which one it was, `check_pin` looks at before a word is said."""
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    return context


def check_pin(server: Server, peer: ssl.SSLSocket) -> None:
    import hmac

    presented = fingerprint(peer.getpeercert(binary_form=True) or b"")
    if not hmac.compare_digest(presented, parse_fingerprint(server.fingerprint)):
        raise Untrusted(
            f"{server.called()} has another certificate than the one that is trusted: {presented}",
            "somebody may be in between; if it has a new one: " + trusting(server, presented),
        )


def distrust(server: Server, error: ssl.SSLCertVerificationError, deadline: float) -> Untrusted:
    """What is wrong with a certificate, and how to trust exactly that one all the same."""
    host = host_and_port(server.url)[0]
    if error.verify_code in UNKNOWN_AUTHORITY:
        what = "its certificate is from no authority that this machine knows"
    elif error.verify_code in OTHER_NAME:
        what = f"its certificate is not for {host}"
    elif error.verify_code == EXPIRED:
        what = "its certificate has expired"
    elif error.verify_code == NOT_YET_VALID:
        what = "its certificate is not valid yet"
    else:
        what = error.verify_message
    presented = presented_by(server, deadline)
    hint = f"if this is what `cw server cert` shows there: {trusting(server, presented)}" if presented else ""
    return Untrusted(f"{server.called()} is not trusted: {what}", hint)


def trusting(server: Server, presented: str) -> str:
    name = server.name if server.name != server.url else "NAME"
    return f"cw server add {name} {server.url} --fingerprint {presented}"


def presented_by(server: Server, deadline: float) -> str:
    """The fingerprint of the certificate that it shows; empty: it shows none now. Nothing is said to it."""
    deadline = max(deadline, time.monotonic() + SECOND_LOOK_SECONDS)
    try:
        with shake_hands(server, connect_tcp(server, deadline), deadline, pinned_context()) as peer:
            return fingerprint(peer.getpeercert(binary_form=True) or b"")
    except (OSError, ValueError, Unreachable):
        return ""


def not_understood(server: Server) -> Unreachable:
    """For whoever connected, and got no sensible answer."""
    said = f"cannot reach {server.called()}: "
    if not is_encrypted(server) and presented_by(server, 0.0):
        return Unreachable(
            f"{said}it speaks TLS", f"with TLS that is {server.url.replace('ws://', 'wss://', 1)}"
        )
    return Unreachable(
        f"{said}what answers there is no listener of cw", "look at the address: cw server list"
    )


def not_encrypted(server: Server, error: Exception) -> Unreachable:
    """A handshake that failed for another reason than the certificate."""
    if isinstance(error, TimeoutError):
        return unreachable(server, error)
    plain = server.url.replace("wss://", "ws://", 1)
    why = "" if type(error).__name__ == "SSLEOFError" else str(getattr(error, "reason", None) or "")
    if why in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"):
        return Unreachable(
            f"cannot reach {server.called()}: it speaks no TLS", f"without TLS that is {plain}"
        )
    if why:
        return Unreachable(f"cannot reach {server.called()}: TLS fails: {why.lower().replace('_', ' ')}")
    return Unreachable(f"cannot reach {server.called()}: it hung up on TLS", f"without TLS that is {plain}")


# -- fingerprints


def fingerprint(certificate: bytes) -> str:
    """Of a certificate in DER form: the way it is shown, saved and compared."""
    import hashlib

    return f"sha256:{hashlib.sha256(certificate).hexdigest()}"


def parse_fingerprint(text: str) -> str:
    """`sha256:AB:CD:…`, as openssl prints it, or hex alone, upper or lower case. UsageError: it is none."""
    plain = text.strip().lower().removeprefix("sha256 fingerprint=").removeprefix("sha256:").replace(":", "")
    if len(plain) != DIGITS or not HEX.issuperset(plain):
        raise UsageError(
            "that is no fingerprint of a certificate", "64 hex digits after sha256: (cw server cert shows it)"
        )
    return f"sha256:{plain}"
