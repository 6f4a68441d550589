"""everything that can go wrong that a person should hear about

Each class declares a `code` (it travels on the wire), a `hint` (what to do) and an `exit_status`. `failed` on the
wire becomes the same class on the other side.
"""

from __future__ import annotations


class CodewireError(Exception):
    """Something a person should hear about: one sentence, lower case, no period."""

    code = "error"
    hint = ""
    exit_status = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        if hint:
            self.hint = hint


class UsageError(CodewireError):
    """The command line asks for something that makes no sense."""

    code = "usage"
    hint = "see: cw --help"
    exit_status = 2


class ConfigError(CodewireError):
    """config.toml or a CODEWIRE_* variable says something we cannot use."""

    code = "bad-config"


class HomeError(CodewireError):
    """The home directory cannot be used safely."""

    code = "bad-home"
    hint = "set CODEWIRE_HOME to a directory of your own"


class ProtocolError(CodewireError):
    """The other side said something that is not in the protocol."""

    code = "bad-protocol"
    hint = "is an older or newer cw running? try: cw restart"


class UnknownRequest(ProtocolError):
    """The daemon does not know this request."""

    code = "unknown-request"
    hint = "the daemon is older than this cw: cw restart"


class LimitReached(CodewireError):
    """A limit of the house was reached."""

    code = "limit-reached"


class NoDaemon(CodewireError):
    """No daemon is running, and this command does not start one."""

    code = "no-daemon"
    hint = "start it with: cw start"


class DaemonFailed(CodewireError):
    """The daemon could not be started or replaced."""

    code = "daemon-failed"
    hint = "its journal is daemon.log in the home directory"


class ConnectionLost(CodewireError):
    """The daemon went away in the middle of a request that is safe to repeat."""

    code = "connection-lost"
    hint = "run the command again"


class OutcomeUnknown(CodewireError):
    """The daemon went away in the middle of a request that must not be repeated blindly."""

    code = "outcome-unknown"
    hint = "look before you repeat it: cw status"


class Unreachable(CodewireError):
    """The server could not be reached at all."""

    code = "unreachable"
    hint = "is its daemon running, with a listener? (cw server list)"


class Unauthorized(CodewireError):
    """The server does not know who we are: no token, or none that is valid."""

    code = "unauthorized"
    hint = "make a token there with: cw token create NAME"


class Forbidden(CodewireError):
    """The token does not allow this."""

    code = "forbidden"
    hint = "its scope was set when it was made: whoever made it can see it with cw token list"


class Untrusted(CodewireError):
    """The server's certificate is not the one that was expected."""

    code = "untrusted"
    hint = "if it has a new one: cw server add NAME URL --fingerprint FINGERPRINT"


class NoSuchServer(CodewireError):
    """No server is saved by that name."""

    code = "no-such-server"
    hint = "the saved ones: cw server list"


class NoSuchToken(CodewireError):
    """There is no token by that name."""

    code = "no-such-token"
    hint = "the ones there are: cw token list"


class NoSuchSession(CodewireError):
    """There is no session by that id, name or tag."""

    code = "no-such-session"
    hint = "Use 'cw list' to see active sessions"


class NotRunning(CodewireError):
    """The session has ended, and this needs a running one."""

    code = "not-running"
    hint = "Use 'cw status <id>' to check session status"


class StillRunning(CodewireError):
    """The session runs, and this needs an ended one."""

    code = "still-running"
    hint = "end it first with: cw kill"


class NameTaken(CodewireError):
    """Another running session has that name."""

    code = "name-taken"
    hint = "choose another name, or free it with: cw rename"


class BadName(CodewireError):
    """That cannot be the name of a session, or a tag."""

    code = "bad-name"
    hint = "1 to 32 letters, digits and hyphens, beginning with a letter or digit, not digits alone"


class CannotLaunch(CodewireError):
    """The program could not be started; nothing was left behind."""

    code = "cannot-launch"


class NotReading(CodewireError):
    """The program does not read what is typed."""

    code = "not-reading"
    hint = "look at what it is doing with: cw watch"


class LineTooLong(CodewireError):
    """The terminal would silently drop a part of this line."""

    code = "line-too-long"
    hint = "send shorter lines, or have the program read from a file"


class InsideItself(CodewireError):
    """Following this session from here would feed its output to itself for ever."""

    code = "inside-itself"
    hint = "run it in a terminal that is not part of that session"


class DiskFull(CodewireError):
    """There is no room left in the home directory."""

    code = "disk-full"
    hint = "free some room; sessions wait and go on by themselves"


class NoTerminal(CodewireError):
    """This command needs a terminal of its own."""

    code = "no-terminal"
    hint = "without a terminal use: cw watch, cw logs -f, cw send"


class TimedOut(CodewireError):
    """It did not happen within the time that was given."""

    code = "timed-out"
    exit_status = 124


def error_classes() -> dict[str, type[CodewireError]]:
    """Every class by its code."""
    found: dict[str, type[CodewireError]] = {}
    waiting: list[type[CodewireError]] = [CodewireError]
    while waiting:
        cls = waiting.pop()
        found[cls.code] = cls
        waiting.extend(cls.__subclasses__())
    return found


def from_wire(code: str, message: str, hint: str) -> CodewireError:
    """The error that a `failed` message stands for; an unknown code is still told."""
    return error_classes().get(code, CodewireError)(message, hint)
