"""open the listener's door: parse the address, refuse what would be unsafe, bind, or keep what was handed over"""

from __future__ import annotations

import os
import socket
import ssl

from codewire_py.config import Config
from codewire_py.daemon import limits
from codewire_py.daemon.listeners.encryption import fingerprint_of, open_tls
from codewire_py.daemon.listeners.hosts import address_of, is_loopback
from codewire_py.errors import CodewireError, ConfigError, DaemonFailed

EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  refused without TLS
INSECURE = (
    "name a certificate (cw server cert), or say --insecure-no-tls if a tunnel or a proxy encrypts for it"
)
ELSEWHERE = (
    "where it listens is said by listen in [daemon] of config.toml, CODEWIRE_LISTEN or cw daemon --listen"
)


class Address:
    """Where to listen, resolved."""

    __slots__ = ("family", "host", "port")

    def __init__(self, family: socket.AddressFamily, host: str, port: int) -> None:
        self.family, self.host, self.port = family, host, port

    def __str__(self) -> str:
        return join(self.host, self.port)


class Door:
    """An open listener: its socket, what it is encrypted with, and how others reach it."""

    def __init__(self, listener: socket.socket, tls: ssl.SSLContext | None, config: Config) -> None:
        self.listener, self.tls, self.config = listener, tls, config
        self.fingerprint = fingerprint_of(config.daemon_listen_tls_cert) if tls else ""
        host, port = listener.getsockname()[:2]
        self.address = url_of(host, port, bool(tls))
        self.url = config.daemon_external_url or url_of(
            os.uname().nodename if host in EVERYWHERE else host, port, bool(tls)
        )


def join(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def url_of(host: str, port: int, is_encrypted: bool) -> str:
    return f"{'wss' if is_encrypted else 'ws'}://{join(host, port)}/ws"


def is_literal(listen: str) -> bool:
    """Whether no name has to be looked up."""
    host = listen.rpartition(":")[0].strip("[]")
    return host.lower() in ("", "localhost") or address_of(host) is not None


def resolve(listen: str) -> Address:
    """host:port, [::1]:port, localhost:port; :port is 0.0.0.0:port, all addresses of IPv4, and [::]:port is both."""
    host, _, port = listen.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") or EVERYWHERE[0]
    host = "127.0.0.1" if host.lower() == "localhost" else host
    try:
        found = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        reason = str(getattr(error, "strerror", "") or "no such name").lower()
        raise DaemonFailed(f"cannot listen at {listen}: {reason}", ELSEWHERE) from error
    family, _, _, _, name = found[0]
    return Address(family, str(name[0]), int(name[1]))


def check_exposure(address: Address, tls: ssl.SSLContext | None, is_accepted: bool) -> None:
    """Beyond this machine, what is typed and every token would travel in the clear."""
    if tls is None and not is_accepted and not is_loopback(address.host):
        raise ConfigError(f"refused to listen at {address} without TLS", INSECURE)


def open_door(config: Config, inherited: socket.socket | None = None) -> Door:
    """What we were handed is kept if it is where we are to listen, so that nobody is refused meanwhile."""
    kept = None
    try:
        tls = open_tls(config.daemon_listen_tls_cert, config.daemon_listen_tls_key)
        address = resolve(config.daemon_listen)
        check_exposure(address, tls, config.daemon_insecure_no_tls)
        kept = inherited if inherited is not None and is_at(inherited, address) else None
    finally:
        if inherited is not None and kept is None:
            inherited.close()
    return Door(kept or bind(address), tls, config)


def is_at(listener: socket.socket, address: Address) -> bool:
    host, port = listener.getsockname()[:2]
    return host == address.host and address.port in (0, port)


def bind(address: Address) -> socket.socket:
    listener = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address.host, address.port))
        listener.listen(limits.BACKLOG)
    except OSError as error:
        listener.close()
        raise DaemonFailed(f"cannot listen at {address}: {str(error.strerror).lower()}", ELSEWHERE) from error
    listener.setblocking(False)
    return listener


def can_waiting_help(error: CodewireError) -> bool:
    """A port may be freed, a file may come; what is refused stays refused."""
    return not str(error.message).startswith("refused")
