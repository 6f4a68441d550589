"""run a command without click when its words are plain; leave quickly"""

from __future__ import annotations

import os
import sys

from codewire_py.cli import context, show
from codewire_py.cli.commands import load
from codewire_py.cli.table import parse
from codewire_py.errors import CodewireError

BUG = 70


def run_words(words: list[str]) -> int:
    """The exit status. What the small parser does not understand is click's to parse or explain."""
    server, rest = take_server(words)
    command = load(rest[0]) if rest else None
    given = parse(command, rest[1:]) if command else None
    context.choose(server)
    if command is None or given is None or "_CW_COMPLETE" in os.environ:
        from codewire_py.cli.clicked import run_clicked

        return guard(lambda: run_clicked(words))
    run = command.run
    return guard(lambda: run(given))


def take_server(words: list[str]) -> tuple[str, list[str]]:
    """What `--server` says before the command word, and the words from there on."""
    server, at = "", 0
    while at < len(words):
        name, equals, value = words[at].partition("=")
        if name == "--server" and value:
            server, at = value, at + 1
        elif name in ("--server", "-s") and not equals and at + 1 < len(words) and words[at + 1]:
            server, at = words[at + 1], at + 2
        else:
            break
    return server, words[at:]


def guard(work) -> int:  # type: ignore[no-untyped-def]
    """One of the three places that catch broadly: whatever happens becomes a sentence and an exit status."""
    try:
        return work() or 0
    except CodewireError as error:
        tell(error.message, error.hint)
        return error.exit_status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 141
    except OSError as error:
        name = f"{os.fsdecode(error.filename)}: " if error.filename else ""
        tell(f"{name}{error.strerror or error}", "")
        return 1
    except Exception as error:
        tell(
            f"{whose_fault()}: {type(error).__name__}: {error}",
            "run it again with CODEWIRE_DEBUG=1 to see where",
        )
        if os.environ.get("CODEWIRE_DEBUG"):
            raise
        return BUG


def whose_fault() -> str:
    """A daemon elsewhere may be older or newer than we are, or mean harm."""
    try:
        is_elsewhere = not isinstance(context.where(), str)
    except (CodewireError, OSError):
        is_elsewhere = False
    return "a bug in cw, or an answer of the server that makes no sense" if is_elsewhere else "a bug in cw"


def tell(message: str, hint: str) -> None:
    text = f"{show.paint('Error:', show.RED, 2)} {clean_lines(message)}"
    try:
        show.note(f"{text}\n\n{clean_lines(hint)}" if hint else text)
    except OSError:
        return  # nobody listens


def clean_lines(text: str) -> str:
    return "\n".join(show.clean(line) for line in text.split("\n"))


def main() -> None:
    """Never returns: the interpreter's own farewell costs more than most commands."""
    status = run_words(sys.argv[1:])
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        pass
    os._exit(status if 0 <= status < 256 else BUG)  # a server may say any number
