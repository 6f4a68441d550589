"""cw completion: have the shell complete commands, options, ids and names"""

from __future__ import annotations

from codewire_py.cli import context, show
from codewire_py.cli.table import Argument, Command
from codewire_py.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codewire_py.cli.table import Given

SHELLS = ("bash", "zsh", "fish")


def run(given: Given) -> int:
    context.stay_here("completion")
    if given["shell"] not in SHELLS:
        raise UsageError(f"no completion for {given['shell']!r}", f"one of: {', '.join(SHELLS)}")
    from codewire_py.cli.clicked import completion_script

    show.say(completion_script(given["shell"]))
    return 0


COMMAND = Command(
    run,
    "Print a completion script for bash, zsh or fish.",
    Argument("shell"),
    examples='eval "$(cw completion bash)"      # in ~/.bashrc\neval "$(cw completion zsh)"       # in ~/.zshrc\n'
    "cw completion fish | source       # in ~/.config/fish/config.fish",
)
