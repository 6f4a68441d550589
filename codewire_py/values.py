"""what may be said in config.toml: a parser for each kind of value"""

from __future__ import annotations

import os

from codewire_py.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Never

MIB = 1 << 20
LARGEST_SIZE = (1 << 63) - 1  # what an offset in a file can be
MOST = 100_000  # lines of scrollback
LONGEST_WAIT = 86400.0  # seconds; poll counts milliseconds in 31 bits
UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
# Enter, Tab, Ctrl+J, Ctrl+C must reach the program at once; Escape begins what terminals say by themselves
ESCAPE = 0x1B
NO_PREFIX = (*b"\x03\t\n\r", ESCAPE)


class Frozen:
    """Values that do not change once they are made."""

    __slots__ = ()

    def __init__(self, **values: object) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> Never:
        raise AttributeError(f"cannot set {name}: a {type(self).__name__} does not change")


def quote(value: object) -> str:
    """A bad value as it can be shown: on one line, with nothing in it that a terminal would obey."""
    try:
        shown = f'"{repr(value)[1:-1]}"' if isinstance(value, str) else repr(value)
    except ValueError:
        shown = "a number of thousands of digits"
    return shown if len(shown) <= 80 else shown[:76] + "..."


def parse_text(value: object) -> str:
    if not isinstance(value, str):
        raise ConfigError("not a text", "put it in quotes")  # never shown: it may be a secret
    return value


def parse_url(value: object) -> str:
    url = parse_text(value)
    scheme, separator, rest = url.partition("://")
    if url and not (scheme and separator and rest):
        raise ConfigError("not a URL", "it looks like scheme://host:port")  # a URL may hold a password
    return url


def parse_listen(value: object) -> str:
    address = parse_text(value)
    port = address.rpartition(":")[2]
    if address and (":" not in address or not is_number(port, 65535)):
        raise ConfigError(f"not an address to listen at: {quote(address)}", "it looks like 127.0.0.1:9100")
    return address


class Texts(tuple[str, ...]):
    """Several, as people read them: with commas between."""

    __slots__ = ()

    def __str__(self) -> str:
        return ", ".join(self)


def parse_texts(value: object) -> Texts:
    """A list, or what was said with commas between."""
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise ConfigError(f"not a list of texts: {quote(value)}", 'it looks like ["one", "two"]')
    return Texts(part.strip() for part in parts if part.strip())


def parse_hosts(value: object) -> Texts:
    hosts = parse_texts(value)
    for host in hosts:
        if any(char in host for char in "/@*% ") or not host.isprintable():
            raise ConfigError(f"not the name of a host: {quote(host)}", "it looks like box.example")
    return hosts


def parse_origins(value: object) -> Texts:
    origins = parse_texts(value)
    for origin in origins:
        scheme, separator, host = origin.partition("://")
        if scheme not in ("http", "https") or not separator or not host or any(c in host for c in "/@*?# "):
            raise ConfigError(f"not an origin: {quote(origin)}", "it looks like https://box.example")
    return origins


def parse_yes(value: object) -> bool:
    said = value.strip().lower() if isinstance(value, str) else value
    if said in (True, "true", "yes", "on", "1"):
        return True
    if said in (False, "false", "no", "off", "0", ""):
        return False
    raise ConfigError(f"neither true nor false: {quote(value)}")


def parse_path(value: object) -> str:
    path = os.path.expanduser(parse_text(value))
    if path and not os.path.isabs(path):
        raise ConfigError(f"not a full path: {quote(path)}", "begin it with / or ~/")
    return path


def is_name_character(char: str) -> bool:
    return char.isascii() and (char.isalnum() or char in "-_")


def parse_name(value: object) -> str:
    if isinstance(value, str) and value and all(map(is_name_character, value)):
        return value
    raise ConfigError(f"daemon name must be non-empty and alphanumeric (with - or _), got: {quote(value)}")


def default_name(environ: Mapping[str, str]) -> str:
    name = environ.get("HOSTNAME") or environ.get("HOST") or os.uname().nodename or "codewire"
    return "".join(char if is_name_character(char) else "-" for char in name)


def is_number(text: str, largest: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= largest


def parse_size(value: object) -> int:
    size = size_in(value) if isinstance(value, str) else value
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= LARGEST_SIZE:
        raise ConfigError(f"not a size: {quote(value)}", 'a number of bytes, or "256MiB", "1GB"')
    return size


def size_in(text: str) -> int | None:
    unit = text.strip().lstrip("0123456789")
    number, factor = text.strip().removesuffix(unit), UNITS.get(unit.strip().lower())
    return int(number) * factor if factor and is_number(number, LARGEST_SIZE) else None


def parse_log_size(value: object) -> int:
    size = parse_size(value)
    if 0 < size < MIB:
        raise ConfigError(f"less than 1 MiB: {quote(value)}", "0 keeps everything for ever")
    return size


def parse_count(value: object) -> int:
    count = int(value) if isinstance(value, str) and is_number(value, MOST) else value
    if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= MOST:
        raise ConfigError(f"not a number of lines: {quote(value)}", f"0 to {MOST}")
    return count


def parse_seconds(value: object) -> float:
    try:
        seconds = float(value) if type(value) in (int, float, str) else -1.0  # type: ignore[arg-type]
    except (ValueError, OverflowError):
        seconds = -1.0
    if not 0 <= seconds <= LONGEST_WAIT:
        raise ConfigError(f"not a time: {quote(value)}", "a number of seconds, up to a day")
    return seconds


class DetachKeys(Frozen):
    """The two keys that end an attach, by the bytes they send, and as people read them: `Ctrl+B d`."""

    __slots__ = ("prefix", "key", "text")
    prefix: int
    key: int
    text: str

    def __str__(self) -> str:
        return self.text


def parse_detach_keys(text: object) -> DetachKeys:
    """`ctrl-b d`, `ctrl-a ctrl-d`, `^a d`, `Ctrl+B d`: a control key, then another key."""
    words = text.split() if isinstance(text, str) else []
    prefix, key = map(code_of, words) if len(words) == 2 else (None, None)
    if prefix is None or key is None or prefix >= 0x20 or prefix == key:
        raise ConfigError(f"not a pair of detach keys: {quote(text)}", 'they look like "ctrl-b d"')
    if prefix in NO_PREFIX or key == ESCAPE:
        taken = name_of(prefix if prefix in NO_PREFIX else key)
        raise ConfigError(f"{taken} cannot be one of the detach keys: {quote(text)}", 'try "ctrl-b d"')
    return DetachKeys(prefix=prefix, key=key, text=f"{name_of(prefix)} {name_of(key)}")


def code_of(word: str) -> int | None:
    """The byte that a key sends, or nothing if the word names no key."""
    if len(word) == 1:
        return ord(word) if "!" <= word <= "~" else None
    word = word.upper() if word.isascii() else ""
    letters = [word.removeprefix(start) for start in ("CTRL-", "CTRL+", "^") if word.startswith(start)]
    if letters and len(letters[0]) == 1 and "@" <= letters[0] <= "_":
        return ord(letters[0]) - ord("@")
    return ord(" ") if word == "SPACE" else None


def name_of(code: int) -> str:
    return f"Ctrl+{chr(code + ord('@'))}" if code < 0x20 else chr(code).replace(" ", "space")
