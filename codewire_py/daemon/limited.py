"""the sessions there are, for a token that is for some of them alone: all others do not exist"""

from __future__ import annotations

from codewire_py.daemon.grants import Grant
from codewire_py.daemon.session import Session
from codewire_py.daemon.sessions import Sessions
from codewire_py.errors import Forbidden
from codewire_py.wire import messages


class Limited(Sessions):
    """At this moment. It is no registry of its own: what is not set here is out of reach, on purpose."""

    def __init__(self, whole: Sessions, grant: Grant) -> None:  # not Sessions': that one begins anew
        self.whole, self.grant = whole, grant
        self.home, self.config, self.following = whole.home, whole.config, whole.following
        self.by_id = {
            number: session
            for number, session in whole.by_id.items()
            if grant.is_for(number, session.facts.name)
        }

    async def launch(self, request: messages.Launch) -> Session:
        raise Forbidden(f'the token "{self.grant.name}" is for some sessions alone, and may not launch')

    def forget(self, session: Session) -> int | None:
        return self.whole.forget(session)

    def check_free(self, name: str) -> None:
        """Among all: two must not have one name, whoever gives it."""
        self.whole.check_free(name)
