"""cw token: who may come in from elsewhere"""

from __future__ import annotations

import time

from codewire_py.cli import context, show
from codewire_py.cli.table import JSON, MANY, Argument, Command, Option
from codewire_py.client.connection import ask
from codewire_py.errors import UsageError
from codewire_py.wire.messages import Token, Tokens

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from codewire_py.cli.table import Given

ACTIONS = {"create": "NAME", "list": "", "revoke": "NAME..."}
ONLY_CREATE = ("scope", "session", "expires")
SCOPE = "control"
MAY = {
    "observe": "look at {}",
    "send": "look at {} and type there",
    "control": "look at {}, type there and kill",
    "admin": "do everything here, make tokens and stop the daemon, too",
}
FIRST = "token"


def run(given: Given) -> int:
    action, names = given["action"], given["names"]
    check(action, names, given)
    if action == "create":
        return create(given, names[0])
    return tell_list(given["json"]) if action == "list" else revoke(names, given["json"])


def check(action: str, names: list[str], given: Given) -> None:
    if action not in ACTIONS:
        raise UsageError(f"no action of cw token is called {action!r}", f"one of: {', '.join(ACTIONS)}")
    if (action == "list") is bool(names) or (action == "create" and len(names) > 1):
        raise UsageError(f"cw token {action} takes {ACTIONS[action] or 'no words'}", "see: cw token --help")
    for option in ONLY_CREATE:
        if given[option] not in (None, []) and action != "create":
            raise UsageError(f"--{option} means nothing to cw token {action}", "see: cw token --help")
        if given[option] == "":  # a script's variable that is not set
            raise UsageError(f"--{option} is given, and empty", "give it a value, or leave it out")


# -- create


def create(given: Given, name: str) -> int:
    """The token alone on stdout, for a pipe or a file."""
    from codewire_py.cli.moments import duration

    request = Token(
        action="create", name=name, scope=given["scope"] or SCOPE, sessions=given["session"],
        expires=duration(given["expires"]) if given["expires"] else 0.0,
    )  # fmt: skip
    made = ask(context.where(), request, Tokens)
    about = made.tokens[0] if made.tokens else {}
    if given["json"]:
        show.say_json({**about, "token": made.secret, "url": made.url, "fingerprint": made.fingerprint})
        return 0
    show.note(f'[cw] the token "{show.clean(name)}" may {may(about)}, {until(about)}')
    show.note(f"[cw] this is it; it is not shown again. To end it: cw token revoke {show.clean(name)}")
    if not made.url:
        why = made.trouble or "the daemon has no listener (cw server pair says how to open one)"
        show.note(f"[cw] nobody can use it yet: {why}")
    show.say(made.secret)
    return 0


def may(about: dict[str, Any]) -> str:
    words, scope = about["sessions"], about["scope"]
    whom = f"{', '.join(words)} alone" if words else "every session"
    launch = " and launch others" if scope == "control" and not words else ""
    return show.clean(MAY.get(scope, str(scope)).format(whom) + launch)


def until(about: dict[str, Any]) -> str:
    return "until it is revoked" if about["expires_at"] is None else f"until {about['expires_at']}"


# -- list, revoke


def tell_list(as_json: bool) -> int:
    found = ask(context.where(), Token(action="list"), Tokens).tokens
    if as_json:
        show.say_json(found)
    else:
        show.say(table(found))
    return 0


def table(found: list[dict[str, Any]]) -> str:
    if not found:
        return "No tokens."
    head = ("NAME", "SCOPE", "SESSIONS", "STATUS", "CREATED", "EXPIRES", "LAST USED")
    rows = [head, *map(row, found)]
    wide = [max(len(line[column]) for line in rows) for column in range(len(head))]
    lines = ["  ".join(map(str.ljust, line, wide)).rstrip() for line in rows]
    return "\n".join([show.paint(lines[0], show.BOLD), "-" * max(show.LINE, *map(len, lines)), *lines[1:]])


def row(about: dict[str, Any]) -> tuple[str, ...]:
    name = f"{about['name']} (the file)" if about["name"] == FIRST else about["name"]
    used = "never"
    if about["last_used_at"]:
        used = f"{show.age(about['last_used_at'])} from {about['last_from']}"
    return tuple(
        map(
            show.clean,
            (
                name,
                about["scope"],
                ", ".join(about["sessions"]) or "all",
                about["status"],
                show.age(about["created_at"]),
                expiry(about),
                used,
            ),
        )
    )


def expiry(about: dict[str, Any]) -> str:
    """`in 7d`"""
    from datetime import datetime

    if about["expires_at"] is None:
        return "never"
    left = datetime.fromisoformat(about["expires_at"]).timestamp() - time.time()
    return f"in {show.span(int(left + 0.5))}" if left > 0 else show.age(about["expires_at"])


def revoke(names: list[str], as_json: bool) -> int:
    """Each is told as soon as it is gone, whatever becomes of the next."""
    gone = []
    for name in dict.fromkeys(names):
        gone += ask(context.where(), Token(action="revoke", name=name), Tokens).tokens
        if not as_json:
            show.say(f"Token '{show.clean(name)}' revoked; whoever came in by it is cut off.")
            if name == FIRST:
                show.note("[cw] the first token is another one now, in the file `token` of that home")
    if as_json:
        show.say_json([about["name"] for about in gone])
    return 0


COMMAND = Command(
    run,
    "Say who may come in from elsewhere: make tokens, list them, take them back. The first one, an admin, is in the "
    "file `token` of the home.",
    Argument("action", metavar="create|list|revoke"),
    Argument("names", MANY, "NAME"),
    Option(
        "--scope", "create: what it may do: observe, send, control or admin (control).", str, metavar="SCOPE"
    ),
    Option(
        "--session",
        "create: it is for this session alone, by id or name (repeatable).",
        list,
        metavar="SESSION",
    ),
    Option("--expires", "create: for how long: 7d, 12h, 30m, 90s or never (never).", str, metavar="TIME"),
    JSON,
    examples="cw token create laptop                          look, type, launch and kill\n"
    "cw token create tv --scope observe              only look\n"
    "cw token create ci --scope send --session api   type into one session, see no other\n"
    "cw token create guest --expires 12h > guest     the token alone goes to the file\n"
    "cw token list                                   what there is, and when each was last used\n"
    "cw token revoke laptop                          whoever came in by it is cut off",
)
