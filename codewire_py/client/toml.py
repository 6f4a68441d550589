"""write TOML, which the standard library only reads"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def dump(document: dict[str, Any]) -> str:
    """What `tomllib` reads as the same document."""
    return "\n\n".join(filter(None, sections(document, ()))) + "\n"


def sections(table: dict[str, Any], path: tuple[str, ...]) -> list[str]:
    """Its own values first: what follows a header belongs to that."""
    lines = [f"{key(name)} = {value(item)}" for name, item in table.items() if not isinstance(item, dict)]
    inner = {name: item for name, item in table.items() if isinstance(item, dict)}
    if path and (lines or not inner):
        lines.insert(0, f"[{'.'.join(map(key, path))}]")
    found = ["\n".join(lines)]
    for name, item in inner.items():
        found += sections(item, (*path, name))
    return found


def key(name: str) -> str:
    return name if name and BARE.issuperset(name) else text(name)


def value(item: Any) -> str:
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, str):
        return text(item)
    if isinstance(item, int | float):
        return repr(item)
    if isinstance(item, list):
        return f"[{', '.join(map(value, item))}]"
    if isinstance(item, dict):
        return "{" + ", ".join(f"{key(name)} = {value(inner)}" for name, inner in item.items()) + "}"
    return str(item.isoformat())  # a date, a time, or both


def text(word: str) -> str:
    return '"' + "".join(map(escaped, word)) + '"'


def escaped(char: str) -> str:
    return ESCAPES.get(char) or (f"\\u{ord(char):04x}" if char < " " or "\x7f" <= char < "\xa0" else char)
