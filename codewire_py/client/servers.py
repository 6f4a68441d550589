"""the daemons elsewhere that we can reach: saved by name in servers.toml, or named by their address"""

from __future__ import annotations

import os
import stat

from codewire_py.errors import ConfigError, NoSuchServer, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

FILE, CHANGING = "servers.toml", "servers.lock"
LARGEST = 1 << 20
LONGEST_NAME = 32
MOST_LINES, MOST_BYTES = 500, 1 << 16  # of a file in which the line of a mistake is looked for
LOCAL = "local"  # the home on this machine, whatever the default is
TOKEN_VARIABLE, SERVER_VARIABLE = "CODEWIRE_TOKEN", "CODEWIRE_SERVER"
NAME_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._")
RESCUE = "mend it; what needs no server works with: cw --server local"
ODD = "it is too long, or has spaces, control or other characters that no token has"
KINDS = {"url": str, "token": str, "fingerprint": str}


class Server:
    """`url` is whole: ws://host:port/ws, wss://…/ws or ssh://…; `name` is what a person calls it."""

    __slots__ = ("fingerprint", "name", "token", "url")

    def __init__(self, name: str, url: str, token: str = "", fingerprint: str = "") -> None:
        self.name, self.url, self.token, self.fingerprint = name, url, token, fingerprint

    def __repr__(self) -> str:
        """Never the token: whatever shows it, a traceback say, is seen by others."""
        return f"Server({self.name!r}, {self.url!r})"

    def called(self) -> str:
        return f"{self.name} ({self.url})" if self.name != self.url else self.url


# -- which one is meant


def resolve(home: str, word: str, environ: Mapping[str, str]) -> str | Server:
    """The home on this machine, or the server that `word`, CODEWIRE_SERVER or the default names, in that order."""
    word = word or environ.get(SERVER_VARIABLE, "") or default_of(home)
    if word in ("", LOCAL):
        return home
    server = saved_or_address(load(home), word)
    server.token = token_of(server, environ)
    return server


def token_of(server: Server, environ: Mapping[str, str]) -> str:
    """The variable's before the saved one; neither is shown where it can be none."""
    said = environ.get(TOKEN_VARIABLE, "")
    if not is_token(said):
        raise UsageError(
            f"{TOKEN_VARIABLE} holds no token: {ODD}", "set it to the token alone, or not at all"
        )
    if not said and not is_token(server.token):
        raise ConfigError(
            f"the token of server {server.name!r} in {FILE}: {ODD}",
            "save another: cw server add NAME URL --token-stdin",
        )
    return said or server.token


def default_of(home: str) -> str:
    """Nothing is parsed unless there may be one: every command asks this."""
    content = read(home)
    return Servers(home, content).default if b"default" in content else ""


def saved_or_address(servers: Servers, word: str) -> Server:
    if word in servers.tables:
        return servers.get(word)
    from codewire_py.client.addresses import is_address, normalised

    if not is_address(word):
        raise NoSuchServer(f"no server named {word!r} is saved", servers.suggest(word))
    url = normalised(word)
    same = servers.at(url)
    return Server(url, url, same.token, same.fingerprint) if same else Server(url, url)


# -- the file


class Servers:
    """servers.toml, as the original wrote it; what we do not know in it is kept."""

    def __init__(self, home: str, content: bytes) -> None:
        self.path = f"{home}/{FILE}"
        self.document = parse(self.path, content)
        tables = self.document.setdefault("servers", {})
        default = self.document.get("default", "")
        for what, value, kind in (("servers", tables, dict), ("default", default, str)):
            if not isinstance(value, kind):
                raise self.mistake((what,), f"{what} is not a {'table' if kind is dict else 'text'}", content)
        for name, table in tables.items():
            check_table(self, name, table, content)
        self.tables: dict[str, dict[str, Any]] = tables
        self.default: str = default

    def mistake(self, parts: tuple[str, ...], what: str, content: bytes) -> ConfigError:
        from codewire_py.config import place

        return ConfigError(f"{place(self.path, line_of(parts, content))}: {what}", RESCUE)

    def get(self, name: str) -> Server:
        from codewire_py.client.addresses import normalised

        table = self.tables[name]
        try:
            url = normalised(table["url"])
        except UsageError as error:
            raise ConfigError(
                f"the address of server {name!r} in {self.path}: {error.message}", error.hint
            ) from None
        return Server(name, url, table.get("token", ""), table.get("fingerprint", ""))

    def at(self, url: str, name: str = "") -> Server | None:
        """The saved one with this address, `name` before others; one whose address is none does not matter now."""
        for known in sorted(self.tables, key=name.__ne__):
            try:
                server = self.get(known)
            except ConfigError:
                continue
            if server.url == url:
                return server
        return None

    def suggest(self, word: str) -> str:
        import difflib

        close = difflib.get_close_matches(word, [*self.tables, LOCAL], 1)
        return f'did you mean "{close[0]}"? (cw server list)' if close else ""

    # -- change it, within `change`

    def put(self, server: Server) -> None:
        """What else its table says is kept."""
        table = self.tables.setdefault(server.name, {})
        table["url"] = server.url
        for what, said in (("token", server.token), ("fingerprint", server.fingerprint)):
            table.pop(what, None)
            if said:
                table[what] = said

    def remove(self, name: str) -> None:
        self.must_have(name)
        del self.tables[name]
        if self.default == name:
            self.set_default("")

    def rename(self, old: str, new: str) -> None:
        """In its place."""
        self.must_have(old)
        if new in self.tables and new != old:
            raise UsageError(
                f"a server named {new!r} is saved already", f"remove it first: cw server remove {new}"
            )
        named = {new if name == old else name: table for name, table in self.tables.items()}
        self.tables.clear()
        self.tables.update(named)
        if self.default == old:
            self.set_default(new)

    def set_default(self, name: str) -> None:
        if name:
            self.must_have(name)
        self.default = name
        self.document.pop("default", None)
        if name:
            self.document["default"] = name

    def must_have(self, name: str) -> None:
        if name not in self.tables:
            raise NoSuchServer(f"no server named {name!r} is saved", self.suggest(name))

    def write(self) -> None:
        """It appears whole or not at all, and nobody else may ever read it. A link stays one."""
        from codewire_py.client.toml import dump

        path = os.path.realpath(self.path)
        fresh = f"{path}.new"
        try:
            if os.path.lexists(fresh):  # left by one that was killed
                os.unlink(fresh)
            file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(file, "w", encoding="utf-8") as text:
                text.write(dump(self.document))
            os.rename(fresh, path)
        except OSError:
            if os.path.lexists(fresh):
                os.unlink(fresh)
            raise


def change(home: str, edit: Callable[[Servers], None]) -> None:
    """One at a time, so that nobody's change is lost."""
    import fcntl

    from codewire_py.home.paths import make_home

    make_home(home)
    turn = os.open(f"{home}/{CHANGING}", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(turn, fcntl.LOCK_EX)
        servers = load(home)
        edit(servers)
        servers.write()
    finally:
        os.close(turn)


def check_name(name: str) -> str:
    if not 1 <= len(name) <= LONGEST_NAME or not NAME_LETTERS.issuperset(name) or name.startswith("-"):
        raise UsageError(
            f"{name!r} cannot be the name of a server",
            "1 to 32 letters, digits, hyphens, dots and underscores, not beginning with a hyphen",
        )
    if name == LOCAL:
        raise UsageError(f"{name!r} always means the home on this machine", "choose another name")
    return name


def check_token(token: str) -> str:
    if not is_token(token):
        raise UsageError(f"that is no token: {ODD}")
    return token


def is_token(word: str) -> bool:
    """Or empty: it travels in a header."""
    return word.isascii() and word.isprintable() and " " not in word and len(word) <= 1000


def check_table(servers: Servers, name: str, table: object, content: bytes) -> None:
    if not isinstance(table, dict):
        raise servers.mistake(("servers", name), f"server {name!r} is not a table", content)
    for key, kind in KINDS.items():
        if not isinstance(table.get(key, ""), kind):
            raise servers.mistake(("servers", name, key), f"{key} of server {name!r} is not a text", content)
    if "url" not in table:
        raise servers.mistake(("servers", name), f"server {name!r} has no url", content)


def load(home: str) -> Servers:
    return Servers(home, read(home))


def read(home: str) -> bytes:
    """Empty if there is none. It holds tokens: what others may read is closed to them."""
    path = f"{home}/{FILE}"
    try:
        with open(path, "rb") as file:
            found = os.fstat(file.fileno())
            if stat.S_IMODE(found.st_mode) & 0o077 and found.st_uid == os.geteuid():
                os.fchmod(file.fileno(), 0o600)
            content = file.read(LARGEST + 1)
    except (FileNotFoundError, NotADirectoryError):
        return b""
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {str(error.strerror).lower()}", RESCUE) from error
    if len(content) > LARGEST:
        raise ConfigError(f"{path} is larger than 1 MiB", RESCUE)
    return content


def parse(path: str, content: bytes) -> dict[str, Any]:
    if not content:
        return {}
    from codewire_py.config import parse_document, place

    try:
        return parse_document(path, content.decode().removeprefix("\ufeff"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{place(path, line)}: not UTF-8", RESCUE) from None
    except ConfigError as error:
        raise ConfigError(error.message, RESCUE) from None


def line_of(parts: tuple[str, ...], content: bytes) -> int:
    """Where it is set: the end of the shortest beginning that has it. 0: nobody knows."""
    import tomllib

    if len(content) > MOST_BYTES:
        return 0
    lines = content.decode().removeprefix("\ufeff").split("\n")
    for count in range(1, min(len(lines), MOST_LINES) + 1):
        try:
            found: Any = tomllib.loads("\n".join(lines[:count]))
        except ValueError:
            continue
        for part in parts:
            found = found.get(part) if isinstance(found, dict) else None
        if found is not None:
            return count
    return 0
