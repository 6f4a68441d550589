"""one file per request, by the request's name; each has a `handle`"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any

from codewire_py.wire.messages import REQUESTS

Handler = Callable[[Any, Any], Awaitable[Any]]
HANDLERS: dict[str, Handler] = {
    verb: import_module(f"codewire_py.daemon.verbs.{verb}").handle for verb in REQUESTS
}
