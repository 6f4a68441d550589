"""decide what a launch means: its program, directory, environment and name, or why it cannot be"""

from __future__ import annotations

import os
import stat

from codewire_py.daemon import limits
from codewire_py.daemon.lending import lent_environment
from codewire_py.errors import BadName, CannotLaunch, LimitReached
from codewire_py.home.marks import is_size
from codewire_py.home.paths import home_path
from codewire_py.wire import messages

NESTING = {
    "CLAUDECODE", "CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CODE_CHILD_SESSION", "CLAUDE_CODE_SESSION_ID",
    "CLAUDE_CODE_SSE_PORT", "CLAUDE_CODE_PARENT_SESSION_ID", "CODEX_SANDBOX", "CODEX_SANDBOX_NETWORK_DISABLED",
    "TMUX", "TMUX_PANE", "STY", "WINDOW", "ZELLIJ", "ZELLIJ_PANE_ID", "ZELLIJ_SESSION_NAME", "LINES", "COLUMNS",
    "TERM_PROGRAM_VERSION", "CODEWIRE_SESSION", "CODEWIRE_SESSION_NAME",
}  # fmt: skip
# Whoever asks from elsewhere has no part in the ssh agent of who started the daemon; services are told of by the rest.
OURS_ALONE = {
    "SSH_AUTH_SOCK", "OLDPWD", "NOTIFY_SOCKET", "INVOCATION_ID", "JOURNAL_STREAM", "LISTEN_FDS", "LISTEN_PID",
    "LISTEN_FDNAMES",
}  # fmt: skip
REMEMBERED = ("PATH", "HOME", "LANG", "TERM", "SHELL", "USER", "LC_ALL")
NAME_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")


def check_name(name: str, what: str = "name") -> str:
    if not 1 <= len(name) <= 32 or not NAME_LETTERS.issuperset(name) or name[0] == "-":
        raise BadName(f"{name!r} cannot be a session's {what}")
    if what == "name" and name.isdigit():
        raise BadName(f"{name!r} cannot be a session's name: it would be taken for an id")
    return name


def settle(request: messages.Launch) -> None:
    """What a caller on another machine leaves to us, as if somebody had asked for it here."""
    if not request.elsewhere:
        return
    own = {name: value for name, value in os.environ.items() if not name.startswith("CODEWIRE_")}
    request.env = {name: value for name, value in own.items() if name not in OURS_ALONE} | request.env
    base = own.get("HOME") or os.path.expanduser("~")
    word = request.directory
    word = word[2:].lstrip("/") if word.startswith("~/") else "" if word == "~" else word
    request.directory = os.path.normpath(os.path.join(base, word))


def check_launch(request: messages.Launch) -> None:
    if not request.command or not request.command[0]:
        raise CannotLaunch(
            "command must not be empty", "for example: cw launch -- claude -p 'fix the auth bug'"
        )
    if len(request.command) > limits.COMMAND_WORDS or sum(map(len, request.command)) > limits.COMMAND_BYTES:
        raise LimitReached(
            "the command is too long",
            f"at most {limits.COMMAND_WORDS} words and {limits.COMMAND_BYTES >> 20} MiB",
        )
    words = [
        *request.command,
        request.directory,
        *request.env,
        *request.env.values(),
        *request.overrides.values(),
    ]
    if any("\0" in word for word in words):
        raise CannotLaunch("a command, directory or environment cannot hold a NUL byte")
    for name in (*request.env, *request.overrides):
        if not name or "=" in name:
            raise CannotLaunch(f"{name!r} cannot be the name of an environment variable")
    if request.name:
        check_name(request.name)
    if len(request.tags) > limits.TAGS:
        raise LimitReached(f"a session has at most {limits.TAGS} tags")
    for tag in request.tags:
        check_name(tag, "tag")
    if not is_size((request.rows, request.cols)):
        raise CannotLaunch(f"a terminal cannot have {request.rows} rows and {request.cols} columns")


def check_directory(directory: str) -> str:
    try:
        if not stat.S_ISDIR(os.stat(directory).st_mode):
            raise CannotLaunch(f"Working directory '{directory}' is not a directory")
    except FileNotFoundError as error:
        raise CannotLaunch(f"Working directory '{directory}' does not exist") from error
    except OSError as error:
        raise CannotLaunch(f"Working directory '{directory}' cannot be used: {error.strerror}") from error
    return directory


def find_program(word: str, directory: str, search: str) -> str:
    """The file to run: with a slash as it is, from the directory; else from the caller's PATH."""
    if "/" in word:
        path = os.path.normpath(os.path.join(directory, word))
        if not os.path.exists(path):
            raise CannotLaunch(f"Command '{word}' does not exist")
        if os.path.isdir(path) or not os.access(path, os.X_OK):
            raise CannotLaunch(f"Command '{word}' is not executable", f"is it a program? chmod +x {path}")
        return os.path.join(directory, word)
    places = [os.path.join(directory, part) for part in search.split(":")]
    found = [path for place in places if os.path.isfile(path := os.path.join(place, word))]
    runnable = [path for path in found if os.access(path, os.X_OK)]
    if found and not runnable:
        raise CannotLaunch(f"Command '{found[0]}' is not executable", f"chmod +x {found[0]}")
    if not runnable:
        raise CannotLaunch(f"Command '{word}' not found in PATH")
    return runnable[0]


def environment(request: messages.Launch, home: str, number: int) -> dict[str, str]:
    """The caller's own, without what would tell the program that it is somewhere else."""
    env = {name: value for name, value in request.env.items() if name not in NESTING}
    if not env.get("TERM", "").startswith("xterm"):
        env["TERM"] = "xterm-256color"
    env.setdefault("COLORTERM", "truecolor")
    env |= {"TERM_PROGRAM": "codewire", "PWD": request.directory, "CODEWIRE_SESSION": str(number)}
    if request.name:
        env["CODEWIRE_SESSION_NAME"] = request.name
    env |= lent_environment(env, home, number)
    env |= request.overrides
    if not (env.get("CODEWIRE_HOME") or env.get("HOME")) or home_path(env) != home:
        env["CODEWIRE_HOME"] = home
    return env


def remembered(env: dict[str, str]) -> dict[str, str]:
    """What of an environment may be written down: never a secret."""
    return {name: env[name] for name in REMEMBERED if name in env}
