"""which Host and Origin may be said to the listener, so that no web page reaches it by a name of its own"""

from __future__ import annotations

import ipaddress
import os
from urllib.parse import urlsplit

from codewire_py.config import Config

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
SCHEMES = {"ws": "http", "wss": "https", "http": "http", "https": "https"}
PORTS = {"http": "80", "https": "443"}


def address_of(text: str) -> Address | None:
    """The address that a text is; one of version 4 that travels in one of version 6 is what it was."""
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def is_loopback(text: str) -> bool:
    address = address_of(text)
    return address is not None and address.is_loopback


def neighbourhood(text: str) -> str:
    """Whom to count as one peer: an address, or the network that every host of version 6 has for itself."""
    address = address_of(text)
    if isinstance(address, ipaddress.IPv6Address) and not address.is_loopback:
        return str(ipaddress.IPv6Network((address, 64), strict=False))
    return str(address or text)


def split_host(text: str) -> tuple[str, str] | None:
    """(name or address, port or nothing) of a Host header; None: nobody honest says that."""
    text = text.lower()
    if text.startswith("["):
        literal, bracket, rest = text[1:].partition("]")
        host = str(address_of(literal) or "") if ":" in literal and "%" not in literal else ""
        colon, port = rest[:1], rest[1:]
    else:
        host, colon, port = text.partition(":")
        bracket = "]"
        host = host if is_name(host) else ""
    is_port = not colon or (colon == ":" and port.isascii() and port.isdigit() and int(port[:6]) < 65536)
    return (host, port) if host and bracket and is_port else None


def is_name(text: str) -> bool:
    """Letters, digits, hyphens, underscores and dots between; so no user, no zone, no dot at the end."""
    parts = text.split(".")
    return all(part and all(c.isascii() and (c.isalnum() or c in "-_") for c in part) for part in parts)


def own_names() -> set[str]:
    """What this machine is called in its own network."""
    whole = os.uname().nodename.lower()
    first = whole.partition(".")[0]
    return {name for name in (whole, first, f"{first}.local") if is_name(name)}


def origin_of(url: str) -> str:
    """The origin that a browser would tell for a page of that URL; nothing for what is no such URL."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    scheme = SCHEMES.get(parts.scheme, "")
    host = parts.netloc.rpartition("@")[2].lower()
    if port is not None and str(port) == PORTS.get(scheme):
        host = host.rpartition(":")[0]
    return f"{scheme}://{host}" if scheme and host else ""


class Guests:
    """Who is let in by what they say of where they go (`Host`) and where they come from (`Origin`)."""

    def __init__(self, config: Config, is_encrypted: bool) -> None:
        self.names = own_names() | names_in(config.daemon_listen, *config.daemon_allowed_hosts)
        external = origin_of(config.daemon_external_url)
        self.names |= names_in(external.partition("://")[2])
        self.origins = {origin_of(one) for one in (external, *config.daemon_allowed_origins)} - {""}
        self.schemes = ("https",) if is_encrypted else ("http", "https")  # a proxy may encrypt for us

    def may_go_to(self, host: str, own: str) -> bool:
        """`own`: the address at which the peer came in. The port says nothing: a tunnel has another."""
        found = split_host(host)
        if found is None:
            return False
        host = found[0]
        if host in self.names or (address_of(host) or host) == (address_of(own) or ""):
            return True
        return is_loopback(own) and (host == "localhost" or is_loopback(host))

    def may_come_from(self, origin: str, host: str) -> bool:
        """A page may talk to where it came from, and to whom the configuration lets it."""
        origin = origin.lower()
        return origin in self.origins or origin in {f"{scheme}://{host.lower()}" for scheme in self.schemes}


def names_in(*texts: str) -> set[str]:
    """Of those that look like a Host header; 0.0.0.0 and the like are no names."""
    found = {pair[0] for text in texts if (pair := split_host(text))}
    return {name for name in found if not ((address := address_of(name)) and address.is_unspecified)}
