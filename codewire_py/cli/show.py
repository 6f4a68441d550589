"""how things look: tables, ages, sizes, JSON, colours"""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from codewire_py.wire.messages import Found

COLOUR = frozenset("0123456789;")
CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t\x1b"}
TURNING = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))  # text around
CONTROLS |= {code: f"\\u{code:04x}" for code in TURNING}
GREEN, RED, YELLOW, BOLD, DIM = "32", "31", "33", "1", "2"
LINE = 70


def write(descriptor: int, text: str | bytes) -> None:
    """All of it, whatever the locale; odd bytes of a command or a path come out as they went in."""
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
    while data:
        data = data[os.write(descriptor, data) :]


def say(text: str) -> None:
    write(1, harmless(text) + "\n")


def note(text: str) -> None:
    """A remark beside the output."""
    write(2, harmless(text) + "\n")


def harmless(text: str) -> str:
    """With nothing but colours that a terminal would act on: even a name may come from a server that means harm."""
    if text.replace("\n", "").isprintable():
        return text
    lines = (line.translate(CONTROLS) for line in text.split("\r\n"))
    first, *rest = "\r\n".join(lines).split("\x1b")
    return first + "".join(f"\x1b{part}" if is_coloured(part) else f"\\x1b{part}" for part in rest)


def is_coloured(text: str) -> bool:
    """Whether it goes on as `paint` does after an escape."""
    numbers, end, _ = text[1:9].partition("m")
    return text[:1] == "[" and bool(end) and COLOUR.issuperset(numbers)


def say_json(value: object) -> None:
    import json

    say(json.dumps(value, indent=2))


def as_line(value: object) -> str:
    """One of many, for programs that read line by line."""
    import json

    return json.dumps(value)


def found_line(found: Found, line: dict[str, Any]) -> dict[str, Any]:
    """What JSON says of a line that a session has shown."""
    return {
        "id": found.id, "name": found.name, "time": rfc3339(line["time"]), "offset": line["offset"],
        "line": line["line"],
    }  # fmt: skip


def rfc3339(at: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def has_colours(descriptor: int) -> bool:
    is_wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return is_wanted and os.isatty(descriptor)


def paint(text: str, colour: str, descriptor: int = 1) -> str:
    if not has_colours(descriptor):
        return text
    return f"\x1b[{colour}m{text}\x1b[0m"


def clean(text: str) -> str:
    """Without anything that a terminal would act on: names and commands are other people's text."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else escape(char) for char in text)


def escape(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(
        char, f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
    )


def shorten(text: str, width: int = 50) -> str:
    return text if len(text) <= width else text[: width - 3] + "..."


def age(created_at: str) -> str:
    """`5s ago`; a time that cannot be read is printed as it is."""
    seconds = seconds_since(created_at)
    return created_at if seconds is None else f"{span(seconds)} ago"


def seconds_since(at: str) -> int | None:
    from datetime import datetime

    try:
        then = datetime.fromisoformat(at).timestamp()
    except ValueError:
        return None
    return max(0, int(time.time() - then))


def span(seconds: int) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def size(count: int) -> str:
    if count < 1024:
        return f"{count} bytes"
    unit = min(4, (count.bit_length() - 1) // 10)
    return f"{count / 1024**unit:.1f} {' KMGT'[unit]}iB"


def status(text: str, width: int = 0) -> str:
    """Coloured by what it means, padded before it is coloured."""
    colour = GREEN if text == "running" else RED if text in ("lost", "killed") else DIM
    if text.startswith("completed") and text != "completed (0)":
        colour = YELLOW
    return paint(text.ljust(width), colour)


def table(sessions: list[dict[str, Any]]) -> str:
    """The table that users know, with NAME."""
    if not sessions:
        return "No sessions."
    wide = max(4, *(len(session["name"]) for session in sessions))
    head = f"{'ID':<5} {'NAME':<{wide}} {'STATUS':<15} {'CREATED':<20} {'ATTACHED':<8} PROMPT"
    rows = [row(session, wide) for session in sessions]
    return "\n".join([paint(head, BOLD), "-" * max(LINE, len(head) + 14), *rows])


def row(session: dict[str, Any], wide: int) -> str:
    attached = "yes" if session["attached"] else "no"
    paused = f"[{session['paused']}: waits] " if session.get("paused") else ""
    return (
        f"{session['id']:<5} {session['name']:<{wide}} {status(session['status'], 15)} "
        f"{age(session['created_at']):<20} {attached:<8} {paused}{shorten(clean(session['prompt']))}"
    )


def called(session: dict[str, Any]) -> str:
    """How a person calls it."""
    return session["name"] or str(session["id"])
