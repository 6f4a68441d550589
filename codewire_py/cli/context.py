"""what every command needs: where it goes, the home, its configuration, and the session it runs in"""

from __future__ import annotations

import os

from codewire_py.errors import UsageError
from codewire_py.home.paths import SESSIONS, home_path, number_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codewire_py.client.servers import Server
    from codewire_py.config import Config

_chosen = {"server": ""}


def choose(server: str) -> None:
    """What `--server` said, before the command word; empty: it was not there."""
    _chosen["server"] = server


def home() -> str:
    return home_path(os.environ)


def where() -> str | Server:
    """The daemon to talk to: the path of the home on this machine, or a server."""
    from codewire_py.client.servers import resolve

    return resolve(home(), _chosen["server"], os.environ)


def stay_here(verb: str) -> None:
    """Refuse `--server` where it means nothing. CODEWIRE_SERVER and a default say nothing about such a command."""
    if _chosen["server"] not in ("", "local"):
        raise UsageError(
            f"cw {verb} is about this machine, not about a server", f"without --server: cw {verb}"
        )


def config() -> Config:
    from codewire_py.config import load

    return load(home(), os.environ)


def inside() -> tuple[int, float]:
    """The session of this home that we run in, 0: none; and when it was launched, by which a daemon elsewhere sees
    whether it is the same home's.
    """
    number = number_of(os.environ.get("CODEWIRE_SESSION", ""))
    if not number or isinstance(where(), str):
        return number, 0.0
    from codewire_py.home.records import read_birth

    try:
        return number, read_birth(f"{home()}/{SESSIONS}/{number}").created_at
    except (OSError, ValueError):
        return 0, 0.0
