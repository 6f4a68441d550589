"""which of the saved servers answer, what they say, and how fast: all are asked at once"""

from __future__ import annotations

import time

from codewire_py.cli import context, show
from codewire_py.client.connection import reach
from codewire_py.errors import CodewireError, ConnectionLost, ProtocolError
from codewire_py.wire.messages import List, Listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from codewire_py.cli.table import Given
    from codewire_py.client.servers import Server, Servers

PATIENCE = 3.0  # seconds for each
MOMENT = 1.0
NOTHING = "-"


def run(given: Given) -> int:
    from codewire_py.client.servers import load

    servers = load(context.home())
    rows = ask_all(servers)
    if given["json"]:
        show.say_json(rows)
    else:
        show.say(table(rows))
    return 0


def ask_all(servers: Servers) -> list[dict[str, Any]]:
    """Tokens are in none of it."""
    import threading

    rows = [
        {"name": name, "url": table["url"], "default": name == servers.default, **unanswered(too_late())}
        for name, table in servers.tables.items()
    ]
    asking = [threading.Thread(target=fill, args=(servers, row), daemon=True) for row in rows]
    for thread in asking:
        thread.start()
    until = time.monotonic() + PATIENCE
    for thread in asking:
        thread.join(max(0.0, until - time.monotonic()))
    return [dict(row) for row in rows]  # whoever is late changes nothing any more


def fill(servers: Servers, row: dict[str, Any]) -> None:
    """Each by its own token: the variable is of one server, and nobody said of which."""
    from codewire_py.client.servers import token_of

    try:
        server = servers.get(row["name"])
        server.token = token_of(server, {})
        row.update({"url": server.url, **probe(server)})
    except CodewireError as error:
        row.update(unanswered(error))
    except Exception as error:  # noqa: BLE001  a thread's traceback would show what nobody asked for, a token say
        what = f"a bug in cw, or an answer that makes no sense: {type(error).__name__}"
        row.update(unanswered(CodewireError(what)))


def sessions_there() -> list[dict[str, Any]]:
    """For whoever pressed Tab: those of the daemon that is meant, if it tells them in a moment."""
    import threading

    found: list[dict[str, Any]] = []
    asking = threading.Thread(target=find_sessions, args=(found,), daemon=True)
    asking.start()
    asking.join(MOMENT)
    return [] if asking.is_alive() else found


def find_sessions(found: list[dict[str, Any]]) -> None:
    try:
        connection = reach(context.where(), may_start=False, seconds=MOMENT, may_ask=False)
        listed = connection.ask(List())
    except (CodewireError, OSError):
        return
    found += listed.sessions if isinstance(listed, Listed) else []


def probe(server: Server, may_ask: bool = False) -> dict[str, Any]:
    """A hello and a list of the sessions; the time is that from question to answer."""
    try:
        return answer(server, may_ask)
    except ConnectionLost as error:
        return unanswered(too_late() if isinstance(error.__cause__, TimeoutError) else error)
    except CodewireError as error:
        message = error.message.removeprefix("cannot reach ").removeprefix(f"{server.called()}: ")
        return unanswered(CodewireError(message, error.hint))
    except OSError as error:
        return unanswered(CodewireError(str(error.strerror or error).lower()))


def answer(server: Server, may_ask: bool) -> dict[str, Any]:
    connection = reach(server, seconds=PATIENCE, may_ask=may_ask)
    try:
        connection.peer.settimeout(PATIENCE)
        asked = time.monotonic()
        listed = connection.ask(List(status="running"))
        took = time.monotonic() - asked
    finally:
        connection.close()
    if not isinstance(listed, Listed):
        raise ProtocolError(f"it answered 'list' with {type(listed).type!r}")
    version = connection.hello.software if connection.hello else ""
    return {
        "reachable": True, "version": version, "sessions": len(listed.sessions), "latency_ms": round(took * 1000, 1),
        "error": "", "hint": "",
    }  # fmt: skip


def too_late() -> CodewireError:
    return CodewireError(f"no answer within {PATIENCE:.0f} s")


def unanswered(error: CodewireError) -> dict[str, Any]:
    return {
        "reachable": False, "version": "", "sessions": None, "latency_ms": None, "error": error.message,
        "hint": error.hint,
    }  # fmt: skip


def table(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return "No saved servers."
    cells = [("NAME", "URL", "VERSION", "RUNNING", "LATENCY", "REACHABLE"), *map(cells_of, rows)]
    wide = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(map(str.ljust, row, wide)).rstrip() for row in cells]
    return "\n".join([show.paint(lines[0], show.BOLD), "-" * max(map(len, lines)), *lines[1:]])


def cells_of(row: dict[str, Any]) -> tuple[str, ...]:
    name = show.clean(row["name"]) + (" (default)" if row["default"] else "")
    facts = (
        (show.clean(row["version"]), str(row["sessions"]), f"{row['latency_ms']:.0f} ms", "yes")
        if row["reachable"]
        else (NOTHING, NOTHING, NOTHING, f"no: {show.clean(row['error'])}")
    )
    return name, show.clean(row["url"]), *facts
