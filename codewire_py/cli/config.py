"""cw config: what is in force, and where each value came from"""

from __future__ import annotations

from codewire_py.cli import context, show
from codewire_py.cli.table import JSON, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codewire_py.cli.table import Given


def run(given: Given) -> int:
    context.stay_here("config")
    rows = context.config().describe()
    if given["json"]:
        show.say_json({name: {"value": value, "origin": origin} for name, value, origin in rows})
        return 0
    show.say(f"home = {context.home()}")
    texts = [(name, text(value), origin) for name, value, origin in rows]
    wide = max(len(name) + len(value) for name, value, _ in texts)
    for name, value, origin in texts:
        show.say(f"{name} = {value}{' ' * (wide - len(name) - len(value))}  # {origin}")
    return 0


def text(value: object) -> str:
    return '""' if value in (None, "") else f'"{value}"' if isinstance(value, str) else str(value)


COMMAND = Command(run, "Show the configuration in force, and where each value came from.", JSON)
