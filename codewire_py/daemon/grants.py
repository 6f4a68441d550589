"""what a peer may do: a scope, and the sessions that it is for"""

from __future__ import annotations

from collections.abc import Callable

from codewire_py.errors import Forbidden
from codewire_py.wire import messages
from codewire_py.wire.declare import Message

SCOPES = ("observe", "send", "control", "admin")  # each may do what those before it may
NEEDED = {
    "list": "observe", "status": "observe", "attach": "send", "screen": "observe", "logs": "observe",
    "search": "observe", "export": "observe", "wait": "observe", "send": "send", "resize": "send",
    "launch": "control", "kill": "control", "rename": "control", "remove": "control", "prune": "control",
    "stop": "admin", "restart": "admin", "token": "admin",
}  # fmt: skip
# Of those, what no token may that is for some sessions alone: what a program may that it launches knows no such limit,
# and a name decides who sees a session.
ABOUT_ALL = {
    "launch": "launch other programs", "rename": "rename them", "stop": "stop the daemon",
    "restart": "restart the daemon", "token": "make tokens",
}  # fmt: skip


class Grant:
    """Of one token; `sessions`: it is for these ids or names alone. `leavers` end the conversations it let in."""

    def __init__(
        self, name: str = "", scope: str = "admin", sessions: tuple[str, ...] = (), expires_at: float = 0.0
    ) -> None:
        self.name, self.scope, self.sessions, self.expires_at = name, scope, sessions, expires_at
        self.leavers: list[Callable[[], None]] = []

    def permit(self, request: Message) -> None:
        """What no table names is for admins alone."""
        verb = type(request).type
        needed = NEEDED.get(verb, "admin")
        hint = ""
        if isinstance(request, messages.Attach):
            hint = "to look on: cw watch, or cw attach --read-only"
            needed = "observe" if request.read_only else needed
        if SCOPES.index(self.scope) < SCOPES.index(needed):
            raise Forbidden(f'the token "{self.name}" may {self.scope}, and {verb} needs {needed}', hint)
        if self.sessions and (verb in ABOUT_ALL or needed == "admin"):
            raise Forbidden(
                f'the token "{self.name}" is for some sessions alone, and may not {ABOUT_ALL.get(verb, verb)}'
            )

    def is_for(self, number: int, name: str) -> bool:
        return not self.sessions or str(number) in self.sessions or bool(name and name in self.sessions)


OWNER = Grant()  # whoever comes by the Unix socket is the user of this home
