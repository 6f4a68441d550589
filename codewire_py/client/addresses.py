"""what can be the address of a server, and the one way we write it"""

from __future__ import annotations

from codewire_py.errors import UsageError

SCHEMES = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss", "ssh": "ssh"}
PORTS = {"ws": 80, "wss": 443}
LONGEST = 2000  # characters
HINT = "like ws://host:9100, wss://host, host:9100 or ssh://host"
LOCAL_HOSTS = ("localhost", "[::1]")
HOST_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-._")
PATH_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=:@%/")


def is_address(word: str) -> bool:
    """Whether it is meant as one: no name of a server has a colon."""
    return ":" in word


def normalised(word: str) -> str:
    """`ws://host:port/ws`, `wss://…` alike, or `ssh://[user@]host[:port]`; UsageError says what is wrong with it.

    What is wrong is said without repeating what may be a secret.
    """
    if len(word) > LONGEST or not word.isprintable() or " " in word:
        raise UsageError(
            "that is no address of a server: too long, or with spaces or control characters", HINT
        )
    scheme, separator, rest = word.partition("://")
    if not separator:
        scheme, rest = "ws", word
    kind = SCHEMES.get(scheme.lower(), "")
    if not kind:
        raise UsageError(f"no way to a server is called {scheme[:20]!r}", HINT)
    refuse_secrets(kind, rest)
    authority, slash, path = rest.partition("/")
    if kind == "ssh":
        return ssh_address(authority, path)
    host, port = host_and_port(authority)
    return f"{kind}://{host}:{port or PORTS[kind]}{whole_path(slash + path)}"


def refuse_secrets(kind: str, rest: str) -> None:
    """An address is seen in logs, lists and histories."""
    if "?" in rest or "#" in rest:
        raise UsageError(
            "an address of a server ends with its path: nothing after ? or #",
            "a token is not part of it: cw server add NAME URL --token-stdin, or CODEWIRE_TOKEN",
        )
    userinfo, at, _ = rest.partition("/")[0].rpartition("@")
    if at and (kind != "ssh" or ":" in userinfo):
        raise UsageError(
            "an address of a server holds no password or token",
            "a token is given apart: cw server add NAME URL --token-stdin, or CODEWIRE_TOKEN",
        )


def ssh_address(authority: str, path: str) -> str:
    """Nothing in it may be taken for an option by ssh."""
    user, at, place = authority.rpartition("@")
    if path:
        raise UsageError("an ssh:// address has no path: the home there is that of its user", HINT)
    if at and (
        not user
        or user.startswith("-")
        or not all(c.isascii() and (c.isalnum() or c in "-._+") for c in user)
    ):
        raise UsageError(f"{user!r} cannot be the name of a user", HINT)
    host, port = host_and_port(place)
    return f"ssh://{user}{at}{host}" + (f":{port}" if port else "")


def host_and_port(authority: str) -> tuple[str, int]:
    """(host as in a URL, port or 0)"""
    if authority.startswith("["):
        host, bracket, rest = authority.partition("]")
        host, port = six(host[1:]) if bracket else "", rest.removeprefix(":")
        if rest and not rest.startswith(":"):
            host = ""
    else:
        host, _, port = authority.partition(":")
        host = named(host)
        if ":" in port:
            raise UsageError("an IPv6 address is written in brackets", "like [::1]:9100")
    if not host:
        raise UsageError(f"{authority!r} names no host", HINT)
    if port and not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65536):
        raise UsageError(f"{port!r} is no port", "1 to 65535")
    return host, int(port or 0)


def named(host: str) -> str:
    """A name or IPv4 address in lower case; empty: it cannot be one."""
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:
            return ""
    host = host.lower()
    return (
        host if HOST_LETTERS.issuperset(host) and not host.startswith(("-", ".")) and len(host) <= 253 else ""
    )


def six(host: str) -> str:
    """An IPv6 address in its brackets."""
    import _socket

    address, percent, zone = host.partition("%")
    try:
        _socket.inet_pton(_socket.AF_INET6, address)
    except (OSError, ValueError):
        return ""
    if percent and not (zone and zone.isascii() and zone.isalnum()):
        return ""
    return f"[{host.lower()}]"


def whole_path(path: str) -> str:
    """A proxy may serve us below a path of its own."""
    if not PATH_LETTERS.issuperset(path):
        raise UsageError(
            "the path of that address holds characters that no URL may hold", "write them as %XX"
        )
    path = path.rstrip("/")
    return path if path.endswith("/ws") else f"{path}/ws"


def host_of(url: str) -> str:
    """Of a normalised address."""
    authority = url.partition("://")[2].partition("/")[0].rpartition("@")[2]
    return authority.partition("]")[0] + "]" if authority.startswith("[") else authority.partition(":")[0]


def is_loopback(url: str) -> bool:
    host = host_of(url)
    parts = host.split(".")
    is_four = len(parts) == 4 and parts[0] == "127" and all(map(str.isdigit, parts))
    return is_four or host in LOCAL_HOSTS or host.endswith(".localhost")
