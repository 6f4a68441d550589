"""the same commands as click knows them: help pages, refusals, shell completion"""

from __future__ import annotations

import os
from typing import Any

import click
from click.shell_completion import BashComplete, CompletionItem, FishComplete, ZshComplete

from codewire_py.cli import context
from codewire_py.cli.commands import ALIASES, GROUPS, load
from codewire_py.cli.show import clean
from codewire_py.cli.table import MANY, ONE, OPTIONAL, REST, Argument, Command, Option
from codewire_py.errors import CodewireError
from codewire_py.version import VERSION

INTRODUCTION = """The place where AI agents live on a machine.

A session is a program in a terminal that goes on when you close the laptop: launch it, leave, come back. Nothing it
prints is lost, whatever happens to the daemon, and everything you can do here, an agent can do too.
"""
EXAMPLES = """\
cw launch -- claude -p 'fix the auth bug'    start an agent; it works on without you
cw list                                      what is running
cw attach 1                                  look at it and type (Ctrl+B d leaves)
cw watch 1 --timeout 60                      look on for a minute
cw send 1 'and add a test'                   type without attaching
cw logs 1 --tail 50                          what it printed
cw wait 1                                    until it ends, with its exit status
cw kill 1                                    end it
cw --server gpu-box attach 1                 the same on another machine (cw server add)"""
SERVER = "Do it on a server: one of cw server list, or a URL (CODEWIRE_SERVER)."
FILES = """\
~/.codewire              the home of it all; CODEWIRE_HOME sets another
  config.toml            settings (cw config shows what is in force)
  servers.toml           the servers you saved, with their tokens (cw server)
  sessions/1/output.log  what session 1 printed, byte for byte
  daemon.log             the daemon's journal"""
STATUS = """\
attach and wait exit as the program did (128 + signal; 125: nobody can know).
search: 0 found, 1 nothing found, 2 an error that was told.
Otherwise: 0 done, 1 an error that was told, 2 a command line that makes no
sense, 124 a timeout, 130 Ctrl+C, 141 nobody reads its output, 70 a bug in cw."""


class Help(click.Group):
    """`cw --help` reads like a manual page."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for group in GROUPS.values() for name in group]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        command = load(name)
        return as_click(command) if command else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            raise click.UsageError(f"{error.message.rstrip('.')}. {suggest(args[0])}", ctx) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, names in GROUPS.items():
            rows = [(name, load(name)) for name in names]
            with formatter.section(title):
                formatter.write_dl([(name, short(command.help)) for name, command in rows if command])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, text in (("Examples", EXAMPLES), ("Files", FILES), ("Exit status", STATUS)):
            write_block(formatter, title, text)


class Page(click.Command):
    """One command's help, with its examples."""

    examples = ""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.examples:
            write_block(formatter, "Examples", self.examples)


def write_block(formatter: click.HelpFormatter, title: str, text: str) -> None:
    with formatter.section(title):
        for line in text.split("\n"):
            formatter.write(f"  {line}\n")


def short(text: str) -> str:
    return text.split(". ", maxsplit=1)[0].split("; ", maxsplit=1)[0].rstrip(".")


def suggest(word: str) -> str:
    import difflib

    names = [name for group in GROUPS.values() for name in group]
    close = difflib.get_close_matches(word, [*names, *ALIASES], 1)
    return f"Did you mean: cw {close[0]}?" if close else "All commands: cw --help"


def as_click(command: Command) -> click.Command:
    takes_rest = any(argument.count == REST for argument in command.arguments)
    page = Page(
        command.name,
        callback=lambda **given: command.run({name: plain(value) for name, value in given.items()}),
        help=command.help,
        params=[*map(argument_of, command.arguments), *map(option_of, command.options)],
        context_settings={"allow_interspersed_args": not takes_rest, "help_option_names": ["-h", "--help"]},
        hidden=command.is_hidden,
    )
    page.examples = command.examples
    return page


def plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


LOOKS = {MANY: "[{}]...", OPTIONAL: "[{}]"}


def argument_of(argument: Argument) -> click.Argument:
    many = argument.count in (MANY, REST)
    shown = argument.metavar and LOOKS.get(argument.count, "{}").format(argument.metavar)
    return click.Argument(
        [argument.name],
        nargs=-1 if many else 1,
        required=argument.count == ONE,
        metavar=shown,
        shell_complete=complete_session if argument.is_session else completing(argument.offers),
        type=click.UNPROCESSED,
    )


def option_of(option: Option) -> click.Option:
    is_flag = option.kind is bool
    kind: Any = (
        click.Choice(option.choices) if option.choices else str if option.kind is list else option.kind
    )
    return click.Option(
        [option.name, *option.names],
        help=option.help or None,
        is_flag=is_flag,
        default=option.default if option.kind is not list else None,
        multiple=option.kind is list,
        type=None if is_flag else kind,
        metavar=option.metavar or None,
        hidden=option.is_hidden,
    )


def choose(_ctx: click.Context, _param: click.Parameter, server: str | None) -> str | None:
    """Also while the shell completes, so that it is the server's sessions that are offered."""
    if server == "":
        raise click.BadParameter("an empty name is none")
    context.choose(server or "")
    return server


def complete_session(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Ids and names, from a daemon that runs already; pressing Tab starts nothing."""
    from codewire_py.cli.probing import sessions_there

    found = sessions_there()
    words = {str(session["id"]): session for session in found}
    found.sort(key=lambda session: session["status"] == "running")  # of several with a name it means that one
    words |= {session["name"]: session for session in found if session["name"]}
    return [
        CompletionItem(word, help=clean(f"{session['status']}: {session['prompt']}"[:60]))
        for word, session in words.items()
        if word.startswith(incomplete) and is_plain(word)
    ]


def is_plain(name: str) -> bool:
    """As every name is: a server that means harm might have the shell run something that it calls one."""
    return name.isascii() and name.replace("-", "").isalnum() and not name.startswith("-")


def completing(words: list[str]) -> Any:
    return lambda _ctx, _param, incomplete: [word for word in words if word.startswith(incomplete)]


def complete_server(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from codewire_py.client.servers import LOCAL, load

    try:
        tables = load(context.home()).tables
    except (CodewireError, OSError):
        tables = {}
    words = {name: str(table["url"]) for name, table in tables.items()} | {LOCAL: "this machine"}
    return [
        CompletionItem(word, help=clean(url)) for word, url in words.items() if word.startswith(incomplete)
    ]


def root() -> click.Group:
    server = click.Option(
        ["--server", "-s"], metavar="NAME|URL", shell_complete=complete_server, help=SERVER, callback=choose
    )
    group = Help(
        "cw", help=INTRODUCTION, params=[server], callback=lambda server: None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )  # fmt: skip
    return click.version_option(VERSION, prog_name="cw", message="cw %(version)s")(group)


# A ~/.zshrc that has not asked for zsh's completion yet has no compdef.
COMPDEF = "(( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i; }\n    compdef "


def completion_script(shell: str) -> str:
    kinds = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}
    script = kinds[shell](root(), {}, "cw", "_CW_COMPLETE").source().rstrip()
    return script.replace("compdef ", COMPDEF) if shell == "zsh" else script


def place_server(error: click.ClickException) -> click.ClickException:
    """Of `--server` behind a command word, say where it belongs."""
    if not isinstance(error, click.NoSuchOption) or error.option_name not in ("--server", "-s"):
        return error
    option, verb = error.option_name, error.ctx.info_name if error.ctx else "COMMAND"
    return click.UsageError(f"{option} comes before the command: cw {option} NAME {verb}", error.ctx)


def run_clicked(words: list[str]) -> int:
    """Usage errors are click's to word; everything else is raised as it is."""
    if not words and "_CW_COMPLETE" not in os.environ:
        words = ["--help"]
    try:
        done = root().main(words, prog_name="cw", standalone_mode=False, complete_var="_CW_COMPLETE")
    except click.ClickException as error:
        place_server(error).show()
        return error.exit_code
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.Abort:
        return 130
    return done if isinstance(done, int) else 0
