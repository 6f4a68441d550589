"""`cw daemon`: read its few words, and tell on standard error why it cannot be"""

from __future__ import annotations

import os
import sys

from codewire_py.daemon.main import run
from codewire_py.errors import CodewireError, ConfigError, UsageError
from codewire_py.values import parse_listen
from codewire_py.version import VERSION

WORDS = {"--background", "--check", "--foreground", "-f"}


def begin(words: list[str]) -> int:
    """`--check` only proves that everything can be imported; a daemon about to be replaced asks for that."""
    if words == ["--check"]:
        sys.stdout.write(VERSION + "\n")
        return 0
    try:
        words, is_told = heed_listen(words)
    except UsageError as error:
        return refuse(error)
    inherited, words = (words[1], words[2:]) if words[:1] == ["--inherit"] and len(words) > 1 else ("", words)
    if not set(words) <= WORDS:
        sys.stderr.write("Usage: cw daemon [--listen ADDRESS] [--insecure-no-tls]\n")
        return 2
    if "--background" in words:
        os.closerange(3, 1 << 20)  # whatever the command that started us had open, a script's lock say
    try:
        is_foreground = "--foreground" in words if inherited else "--background" not in words
        return run(inherited, is_foreground, must_listen=is_told and not inherited)
    except CodewireError as error:
        return refuse(error)


def refuse(error: CodewireError) -> int:
    sys.stderr.write("\n\n".join(filter(None, (f"Error: {error.message}", error.hint))) + "\n")
    return error.exit_status


def told(address: str) -> str:
    if not address:
        raise UsageError("--listen needs an address", "it looks like 127.0.0.1:9100")
    try:
        return parse_listen(address)
    except ConfigError as error:
        raise UsageError(error.message, error.hint) from None


def heed_listen(words: list[str]) -> tuple[list[str], bool]:
    """The other words, and whether a listener is asked for: in variables, which are there after a restart too."""
    rest: list[str] = []
    is_told = False
    waiting = iter(words)
    for word in waiting:
        option, separator, value = word.partition("=")
        if option == "--listen":
            os.environ["CODEWIRE_LISTEN"] = told(value if separator else next(waiting, ""))
            is_told = True
        elif word == "--insecure-no-tls":
            os.environ["CODEWIRE_DAEMON_INSECURE_NO_TLS"] = "true"
        else:
            rest.append(word)
    return rest, is_told
