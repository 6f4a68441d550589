"""`cw daemon`: read its few words, and tell on standard error why it cannot be"""

from __future__ import annotations

import os
import sys

from codewire_py.daemon.main import run
from codewire_py.errors import CodewireError
from codewire_py.version import VERSION

WORDS = {"--background", "--check", "--foreground", "-f"}


def begin(words: list[str]) -> int:
    """`--check` only proves that everything can be imported; a daemon about to be replaced asks for that."""
    if words == ["--check"]:
        sys.stdout.write(VERSION + "\n")
        return 0
    inherited = words[1] if words[:1] == ["--inherit"] and len(words) == 2 else ""
    if not inherited and not set(words) <= WORDS:
        sys.stderr.write("Usage: cw daemon\n")
        return 2
    if "--background" in words:
        os.closerange(3, 1 << 20)  # whatever the command that started us had open, a script's lock say
    try:
        return run(inherited, is_foreground=not inherited and "--background" not in words)
    except CodewireError as error:
        sys.stderr.write(f"Error: {error.message}\n\n{error.hint}\n")
        return error.exit_status
