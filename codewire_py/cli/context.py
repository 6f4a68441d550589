"""what every command needs: the home, its configuration, and the session it runs in"""

from __future__ import annotations

import os

from codewire_py.errors import HomeError
from codewire_py.home.paths import home_path

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
    word = os.environ.get("CODEWIRE_SESSION", "")
    return int(word) if word.isdigit() else 0


def has_home() -> bool:
    try:
        return os.path.isdir(home())
    except HomeError:
        return False
