"""`python -m codewire_py` is `cw`"""

from __future__ import annotations

import os
import sys

# What fails on a closed one fails all the same, so that no exit status lies; remarks alone may be for nobody.
IN_PLACE = {"stdin": os.O_WRONLY, "stdout": os.O_RDONLY, "stderr": os.O_RDWR}


def main() -> None:
    """The daemon and everything else part here: neither ever imports the other."""
    if None in (sys.stdin, sys.stdout, sys.stderr):
        take_places()
    words = sys.argv[1:]
    is_daemon = words[:1] == ["daemon"] or words in (["start", "-f"], ["start", "--foreground"])
    if is_daemon and not {"-h", "--help"} & set(words):
        sys.exit(be_daemon(words[1:]))
    from codewire_py.cli.fast import main as run

    run()


def take_places() -> None:
    """No socket gets the number of one that was closed, and what was meant for that."""
    for name, mode in IN_PLACE.items():
        if getattr(sys, name) is None:
            descriptor = os.open("/dev/null", mode)  # the lowest that is free
            os.set_inheritable(descriptor, True)
            setattr(sys, name, os.fdopen(descriptor, "r" if name == "stdin" else "w"))


def be_daemon(words: list[str]) -> int:
    from codewire_py.daemon.begin import begin

    return begin(words)


if __name__ == "__main__":
    main()
