"""a way to a daemon elsewhere by the user's own ssh: `cw stdio` there speaks with it, and needs no listener or token"""

from __future__ import annotations

import os
import time

from codewire_py.errors import ConfigError, Unauthorized, Unreachable, Untrusted

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from subprocess import Popen
    from typing import IO

    from codewire_py.client.servers import Server
    from codewire_py.errors import CodewireError

GREETING = b"cw stdio 1\n"  # what `cw stdio` says once it has the daemon; frames follow
PROGRAM_VARIABLE = "CODEWIRE_SSH"  # another ssh, perhaps with options: "ssh -F somewhere/config"
# Whatever shell the user has there, this one it can run. Not every one of them reads ~/.profile now.
THERE = """exec sh -c 'PATH="$HOME/.local/bin:$PATH"; export PATH; exec cw stdio'"""
NOISE = 64 << 10  # bytes that a shell there may print before cw says something
LAST_WORDS = 4096
ENDING_SECONDS = 2.0
HEARING_SECONDS = 0.5
NOT_INSTALLED = (126, 127)  # what shells exit with
HOST_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:%+")


def dial(server: Server, seconds: float, may_ask: bool = True) -> socket.socket:
    """A socket whose other end is `cw stdio` there. A person who is asked for a password has all the time they need."""
    import socket

    asks = may_ask and has_terminal()
    ours, theirs = socket.socketpair()
    try:
        told = LastWords()
        with theirs, told.theirs:
            child = begin(command_for(server, asks, seconds), theirs, told.theirs, asks)
        greet(server, ours, child, told, None if asks else time.monotonic() + seconds)
    except BaseException:
        ours.close()
        raise
    return ours


# -- what is run


def has_terminal() -> bool:
    """Somewhere to ask for a password, or whether a host is to be trusted."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True


def command_for(server: Server, asks: bool, seconds: float) -> list[str]:
    target, port = target_of(server)
    alive = "-o", "ServerAliveInterval=10", "-o", "ServerAliveCountMax=3"
    return [
        *program(), "-T", "-e", "none", *alive, "-o", f"ConnectTimeout={max(1, round(seconds))}",
        *(("-p", port) if port else ()), *(() if asks else ("-o", "BatchMode=yes")), "--", target, THERE,
    ]  # fmt: skip


def program() -> list[str]:
    from shlex import split

    said = os.environ.get(PROGRAM_VARIABLE, "")
    try:
        return split(said) or ["ssh"]
    except ValueError as error:
        raise ConfigError(f"cannot read {PROGRAM_VARIABLE}: {str(error).lower()}") from None


def target_of(server: Server) -> tuple[str, str]:
    """([user@]host, port or nothing). It becomes a word of ssh's: it must be no option, and nothing for a shell."""
    user, at, place = server.url.removeprefix("ssh://").rpartition("@")
    host, _, port = place.rpartition(":") if not place.endswith("]") and ":" in place else (place, "", "")
    host = host.removeprefix("[").removesuffix("]")
    for word in (user, host):
        if word.startswith("-") or not HOST_LETTERS.issuperset(word):
            raise Unreachable(f"{server.called()} is no address for ssh")
    if not host or (port and not port.isdigit()):
        raise Unreachable(f"{server.called()} is no address for ssh")
    return f"{user}{at}{host}", port


def begin(command: list[str], theirs: socket.socket, told: IO[bytes], asks: bool) -> Popen[bytes]:
    """Only within the terminal's session can it ask something there; otherwise no Ctrl+C is to reach it."""
    import subprocess

    try:
        fd = theirs.fileno()
        return subprocess.Popen(command, stdin=fd, stdout=fd, stderr=told, start_new_session=not asks)
    except OSError as error:
        raise Unreachable(
            f"cannot run {command[0]}: {str(error.strerror).lower()}",
            "install ssh: apt install openssh-client",
        ) from error


# -- until cw answers


def greet(
    server: Server, ours: socket.socket, child: Popen[bytes], told: LastWords, deadline: float | None
) -> None:
    """Then somebody waits for the end of ssh, or it stays a zombie."""
    from threading import Thread

    try:
        if await_greeting(server, ours, deadline):
            Thread(target=child.wait, daemon=True).start()
            return
    except BaseException:
        child.terminate()
        end(child)
        raise
    raise why(server, end(child), told.text())


def await_greeting(server: Server, ours: socket.socket, deadline: float | None) -> bool:
    """What a shell there prints before is passed over. Byte by byte: what follows is not ours. False: it ended."""
    heard = bytearray()
    while not heard.endswith(GREETING):
        ours.settimeout(None if deadline is None else max(0.01, deadline - time.monotonic()))
        try:
            byte = ours.recv(1)
        except TimeoutError:
            raise Unreachable(f"cannot reach {server.called()}: timed out", hint_for(server)) from None
        except ConnectionResetError:
            byte = b""
        if not byte:
            return False
        heard += byte
        if len(heard) > NOISE:
            raise Unreachable(
                f"cannot reach {server.called()}: its shell prints too much before cw can", hint_for(server)
            )
    ours.settimeout(None)
    return True


def end(child: Popen[bytes]) -> int:
    """Its exit status. It gives a terminal back that it asked in, if it is let."""
    from subprocess import TimeoutExpired

    try:
        return child.wait(ENDING_SECONDS)
    except TimeoutExpired:
        child.kill()
        return child.wait()


# -- why not


class LastWords:
    """What is said beside, as long as ssh runs and however much it is: the end of it is kept."""

    def __init__(self) -> None:
        from threading import Thread

        ours, theirs = os.pipe()  # no socket: a script may want to open /dev/stderr
        self.ours, self.theirs = os.fdopen(ours, "rb", 0), os.fdopen(theirs, "wb", 0)
        self.end = b""
        self.hearing = Thread(target=self.hear, daemon=True)
        self.hearing.start()

    def hear(self) -> None:
        with self.ours:
            while data := self.ours.read(LAST_WORDS):
                self.end = (self.end + data)[-LAST_WORDS:]

    def text(self) -> str:
        """A connection that ssh shares may hold it open."""
        self.hearing.join(HEARING_SECONDS)
        return self.end.decode("utf-8", "replace").replace("\r", "").strip()


def hint_for(server: Server) -> str:
    target, port = target_of(server)
    return f"try it by hand: ssh {f'-p {port} ' if port else ''}{target}"


def why(server: Server, status: int, text: str) -> CodewireError:
    """What ssh, or cw there, said at the end."""
    called = server.called()
    last = text.rpartition("\n")[2].removeprefix("ssh: ").rstrip(".")
    if "Error: " in text:
        message, _, hint = text.rpartition("Error: ")[2].partition("\n\n")
        return Unreachable(f"cannot reach {called}: cw there says: {message}", hint)
    if status in NOT_INSTALLED:
        return Unreachable(
            f"cannot reach {called}: cw is not installed there ({last})",
            "install it there for that user, with ./install.sh: ~/.local/bin/cw is found",
        )
    if "REMOTE HOST IDENTIFICATION HAS CHANGED" in text:
        return Untrusted(
            f"{called} has another host key than the one that is known",
            f"somebody may be in between; {hint_for(server)}",
        )
    if "Host key verification failed" in text:
        return Untrusted(
            f"the host key of {called} is not known here", f"say yes to it once; {hint_for(server)}"
        )
    if "Permission denied" in text:
        return Unauthorized(f"{called} does not let us in: {last}", hint_for(server))
    return Unreachable(
        f"cannot reach {called}: {last or f'ssh ended with status {status}'}", hint_for(server)
    )
