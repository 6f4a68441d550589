"""what every command needs: the home, its configuration, and the session it runs in"""

from __future__ import annotations

import os

from codewire_py.home.paths import home_path, number_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codewire_py.config import Config


def home() -> str:
    return home_path(os.environ)


def config() -> Config:
    from codewire_py.config import load

    return load(home(), os.environ)


def inside() -> int:
    """The session of this home that we run in; 0: none."""
    return number_of(os.environ.get("CODEWIRE_SESSION", ""))
