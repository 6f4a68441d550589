"""config.toml and CODEWIRE_* variables become one frozen Config

All there is to know about a key is one row of KEYS: its name in the file, its variable, its default, what may
be said and what it is for. A variable wins over the file, the file over the default.
"""

from __future__ import annotations

from codewire_py.errors import ConfigError
from codewire_py.values import (
    MIB,
    DetachKeys,
    Frozen,
    Texts,
    default_name,
    parse_count,
    parse_detach_keys,
    parse_hosts,
    parse_listen,
    parse_log_size,
    parse_name,
    parse_origins,
    parse_path,
    parse_seconds,
    parse_text,
    parse_url,
    parse_yes,
    quote,
)  # fmt: skip

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any, Never

# ── the keys ─────────────────────────────────────────────────────────────────────────────────────────


class Key:
    """One key of the configuration; a default is what could be said, or found in the environment."""

    __slots__ = ("name", "attribute", "env", "default", "parse", "help", "secret")

    def __init__(
        self, name: str, env: str, default: object, parse: Callable[[object], object], help: str, *,
        secret: bool = False,
    ) -> None:  # fmt: skip
        self.name, self.attribute = name, name.replace(".", "_")
        self.env = env or "CODEWIRE_" + self.attribute.upper()
        self.default, self.parse, self.help, self.secret = default, parse, help, secret

    def default_in(self, environ: Mapping[str, str]) -> object:
        return self.parse(self.default(environ) if callable(self.default) else self.default)

    def parse_at(self, place: str, value: object) -> object:
        try:
            return self.parse(value)
        except ConfigError as error:
            raise ConfigError(f"{place}: {error}", error.hint) from None

    def show(self, value: object) -> object:
        """What may be shown of a value: a number or a text, without secrets."""
        if self.secret:
            return "(set)" if value else ""
        scheme, separator, rest = str(value).partition("://")
        if separator and "@" in rest:
            return f"{scheme}://(set)@{rest.rpartition('@')[2]}"
        return value if isinstance(value, int | float) else str(value)


KEYS = (
    Key("daemon.name", "CODEWIRE_NODE_NAME", default_name, parse_name, "what the line of cw server pair calls it"),
    Key("daemon.listen", "CODEWIRE_LISTEN", "", parse_listen, "where to take WebSocket connections"),
    Key("daemon.external_url", "CODEWIRE_EXTERNAL_URL", "", parse_url, "how others reach that address"),
    Key("daemon.listen_tls_cert", "", "", parse_path, "the certificate to show there: a PEM file"),
    Key("daemon.listen_tls_key", "", "", parse_path, "its key: a PEM file that only you can read"),
    Key("daemon.allowed_hosts", "", "", parse_hosts, "further names by which others may reach it"),
    Key("daemon.allowed_origins", "", "", parse_origins, "web pages from elsewhere that may talk to it"),
    Key("daemon.insecure_no_tls", "", False, parse_yes, "listen beyond this machine unencrypted"),
    Key("nats.url", "", "", parse_url, "the NATS server of a fleet; read, not used yet"),
    Key("nats.token", "", "", parse_text, "the token for it; read, not used yet", secret=True),
    Key("nats.creds_file", "CODEWIRE_NATS_CREDS", "", parse_path, "the credentials file for it; read, not used yet"),
    Key("attach.detach_keys", "", "ctrl-b d", parse_detach_keys, "the two keys that end an attach"),
    Key("attach.scrollback", "", 1000, parse_count, "lines of earlier output to show on attach"),
    Key("log.max_bytes", "", 256 << 20, parse_log_size, "bytes of output to keep per session; 0: all"),
    Key("send.timeout", "", 10, parse_seconds, "seconds to wait for a program that does not read"),
    Key("kill.grace", "", 5, parse_seconds, "seconds a program has to end before it is ended"),
)  # fmt: skip
SECTIONS = {key.name.partition(".")[0] for key in KEYS} | {"node"}  # what [daemon] is called elsewhere


class Config(Frozen):
    """What is in force; `origins` says where the value of each key came from."""

    __slots__ = (*(key.attribute for key in KEYS), "origins")
    daemon_name: str
    daemon_listen: str
    daemon_external_url: str
    daemon_listen_tls_cert: str
    daemon_listen_tls_key: str
    daemon_allowed_hosts: Texts
    daemon_allowed_origins: Texts
    daemon_insecure_no_tls: bool
    nats_url: str
    nats_token: str
    nats_creds_file: str
    attach_detach_keys: DetachKeys
    attach_scrollback: int
    log_max_bytes: int
    send_timeout: float
    kill_grace: float
    origins: dict[str, str]

    def describe(self) -> list[tuple[str, object, str]]:
        """Each key, what may be shown of its value, and where that came from."""
        return [(key.name, key.show(getattr(self, key.attribute)), self.origins[key.name]) for key in KEYS]


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────


def load(home: str, environ: Mapping[str, str]) -> Config:
    values = {key.attribute: key.default_in(environ) for key in KEYS}
    origins = {key.name: "default" for key in KEYS}
    path = f"{home}/config.toml"
    text = read(path)
    for key, value, line in settings_in(path, text) if text else ():
        values[key.attribute] = key.parse_at(f"{key.name} in {place(path, line)}", value)
        origins[key.name] = f"{path}:{line}" if line else path
    for key in KEYS:
        said = environ.get(key.env)
        if said is not None:  # an empty variable puts the default back
            values[key.attribute] = key.parse_at(key.env, said) if said else key.default_in(environ)
            origins[key.name] = key.env
    return Config(**values, origins=origins)


def place(path: str, line: int) -> str:
    return f"{path}, line {line}" if line else path


def read(path: str) -> str:
    try:
        with open(path, "rb") as file:
            content = file.read(MIB + 1)
        if len(content) > MIB:
            raise ConfigError(f"{path} is larger than 1 MiB")
        return content.decode().removeprefix("\ufeff")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{place(path, line)}: not UTF-8", "save the file as UTF-8") from error
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {str(error.strerror).lower()}") from error


def settings_in(path: str, text: str) -> Iterator[tuple[Key, object, int]]:
    """Each key that the file sets, with its value and its line (0 if it cannot be told)."""
    document, lines = parse_document(path, text), find_lines(text)
    seen: dict[str, int] = {}
    for parts, value in leaves(document):
        name, line = ".".join(parts), lines.get(parts, 0)
        if name in SECTIONS and value == {}:
            continue
        key = find_key(name) or refuse_unknown(name, place(path, line))
        if key.name in seen:
            raise ConfigError(f"{key.name} in {place(path, line)}: set already", f"in line {seen[key.name]}")
        seen[key.name] = line
        yield key, value, line


def find_key(name: str) -> Key | None:
    name = f"daemon.{name.removeprefix('node.')}" if name.startswith("node.") else name
    return next((key for key in KEYS if key.name == name), None)


def refuse_unknown(name: str, where: str) -> Never:
    import difflib

    names = [key.name for key in KEYS]
    aliased = [known.replace("daemon.", "node.") for known in names]
    near = difflib.get_close_matches(name, [*names, *aliased, *SECTIONS], 1)
    hint = f'did you mean "{near[0]}"?' if near else "the keys there are: cw config"
    hint = f"it is a table: [{name}]" if name in SECTIONS else hint
    raise ConfigError(f"unknown key {quote(name)} in {where}", hint)


def parse_document(path: str, text: str) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        reason, _, where = str(error).partition(" (at ")
        digits = where.removeprefix("line ").partition(",")[0]
        last = text.rstrip("\n").count("\n") + 1 if where.startswith("end") else 0
        line = int(digits) if digits.isdigit() else last
        reason = reason[:1].lower() + reason[1:]
        raise ConfigError(f"{place(path, line)}: not TOML: {reason}") from error


def leaves(document: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], object]]:
    """What is set, at most two parts deep: no key of ours has more."""
    for section, body in document.items():
        if not isinstance(body, dict) or not body:
            yield (section,), body
        else:
            yield from (((section, name), value) for name, value in body.items())


def find_lines(text: str) -> dict[tuple[str, ...], int]:
    """The line on which each key is set: the file is read again, one statement after the other."""
    import tomllib

    lines: dict[tuple[str, ...], int] = {}
    header = statement = ""
    start = 1
    for number, line in enumerate(text.split("\n"), 1):
        statement += line + "\n"
        try:
            found = tomllib.loads(header + statement)
        except ValueError:
            continue  # a value that goes on in the next line
        for parts, _ in leaves(found):
            lines.setdefault(parts, start)
        if statement.lstrip().startswith("["):
            header = statement
        statement, start = "", number + 1
    return lines
