"""cw config: what is in force, and where each value came from"""

from __future__ import annotations

from codewire_py.cli import context, show
from codewire_py.cli.table import JSON, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codewire_py.cli.table import Given


def run(given: Given) -> int:
    from codewire_py.client.toml import value as written

    context.stay_here("config")
    rows = context.config().describe()
    if given["json"]:
        show.say_json({name: {"value": value, "origin": origin} for name, value, origin in rows})
        return 0
    show.say(f"home = {written(context.home())}")
    texts = [(name, written(value), origin) for name, value, origin in rows]
    wide = max(len(name) + len(value) for name, value, _ in texts)
    for name, value, origin in texts:
        show.say(f"{name} = {value}{' ' * (wide - len(name) - len(value))}  # {origin}")
    return 0


COMMAND = Command(run, "Show the configuration in force, and where each value came from.", JSON)
