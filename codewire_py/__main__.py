"""`python -m codewire_py` is `cw`"""

from __future__ import annotations

import sys


def main() -> None:
    """The daemon and everything else part here: neither ever imports the other."""
    words = sys.argv[1:]
    is_daemon = words[:1] == ["daemon"] or words in (["start", "-f"], ["start", "--foreground"])
    if is_daemon and not {"-h", "--help"} & set(words):
        sys.exit(be_daemon(words[1:]))
    from codewire_py.cli.fast import main as run

    run()


def be_daemon(words: list[str]) -> int:
    from codewire_py.daemon.begin import begin

    return begin(words)


if __name__ == "__main__":
    main()
