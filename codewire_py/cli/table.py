"""what a command is, and the small parser that serves it without click

Every command is declared once, as a `Command` in its own file. Click's commands are made from the same
declarations: whatever this parser does not understand is parsed, refused or explained by click.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Given = dict[str, Any]

LONGEST_SECONDS = 2_000_000.0  # poll counts milliseconds in 31 bits
ONE, OPTIONAL, MANY, REST = "one", "optional", "many", "rest"


class Argument:
    """A positional word. `metavar` "" keeps it out of the help.

    The shell completes ids and names if it `is_session`, or the words of `offers`: others may be meant, too.
    """

    __slots__ = ("count", "is_session", "metavar", "name", "offers")

    def __init__(
        self,
        name: str,
        count: str = ONE,
        metavar: str | None = None,
        is_session: bool = False,
        offers: str = "",
    ) -> None:
        self.offers = offers.split()
        self.name, self.count, self.is_session = name, count, is_session
        self.metavar = name.upper() if metavar is None else metavar


class Option:
    """`names` as typed; `kind`: bool is a flag, list repeats."""

    __slots__ = ("choices", "default", "help", "is_hidden", "kind", "metavar", "name", "names")

    def __init__(
        self,
        names: str,
        help: str,
        kind: Callable[[str], object] = bool,
        default: object = None,
        metavar: str = "",
        choices: str = "",
    ) -> None:
        self.names = names.split()
        self.name = self.names[0].lstrip("-").replace("-", "_")
        self.kind, self.help, self.metavar = kind, help, metavar
        self.choices = choices.split()
        self.is_hidden = not help
        self.default = False if kind is bool and default is None else default

    def initial(self) -> object:
        return [] if self.kind is list else self.default


class Command:
    __slots__ = ("aliases", "arguments", "examples", "help", "is_hidden", "name", "options", "run")

    def __init__(
        self,
        run: Callable[[Given], int],
        help: str,
        *parts: Argument | Option,
        examples: str = "",
        aliases: str = "",
    ) -> None:
        self.run, self.help, self.examples = run, help, examples
        self.name = run.__module__.rpartition(".")[2]
        self.aliases = aliases.split()
        self.arguments = [part for part in parts if isinstance(part, Argument)]
        self.options = [part for part in parts if isinstance(part, Option)]
        self.is_hidden = not help


def seconds(word: str) -> float:
    """A time to wait; what is none is a ValueError."""
    try:
        found = float(word)
    except ValueError:
        raise ValueError(f"{word!r} is not a number of seconds") from None
    if not 0 <= found <= LONGEST_SECONDS:
        raise ValueError(f"{word} is not between 0 and {LONGEST_SECONDS:.0f}")
    return found


JSON = Option("--json", "Print JSON instead of text.")
TAG = Option("--tag -t", "Every session with this tag (repeatable).", list, metavar="TAG")


def parse(command: Command, words: list[str]) -> Given | None:
    """What was given; None when click should look at it."""
    given: Given = {option.name: option.initial() for option in command.options}
    by_word = {name: option for option in command.options for name in option.names}
    positional: list[str] = []
    takes_rest = any(argument.count == REST for argument in command.arguments)
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if word == "--" or (takes_rest and positional) or word == "-" or not word.startswith("-"):
            if word == "--" or takes_rest:
                positional += words[at:] if word == "--" else words[at - 1 :]
                break
            positional.append(word)
            continue
        name, equals, value = word.partition("=")
        option = by_word.get(name)
        if option is None or (equals and (option.kind is bool or not name.startswith("--"))):
            return None
        if option.kind is not bool and not equals:
            if at == len(words):
                return None
            value = words[at]
            at += 1
        if not take(given, option, value):
            return None
    return place(command, given, positional)


def take(given: Given, option: Option, value: str) -> bool:
    """False: the value is not of the option's kind."""
    if option.choices and value not in option.choices:
        return False
    if option.kind is bool:
        given[option.name] = True
    elif option.kind is list:
        given[option.name] = [*given[option.name], value]
    else:
        try:
            given[option.name] = option.kind(value)
        except ValueError:
            return False
    return True


def place(command: Command, given: Given, positional: list[str]) -> Given | None:
    """Hand the positional words out; None: too few or too many."""
    for argument in command.arguments:
        if argument.count in (MANY, REST):
            given[argument.name], positional = positional, []
        elif positional:
            given[argument.name], positional = positional[0], positional[1:]
        elif argument.count == OPTIONAL:
            given[argument.name] = None
        else:
            return None
    return None if positional else given
