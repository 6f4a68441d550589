"""the contestants: how each is asked to launch, show, list and be sent to"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import ClassVar, NamedTuple

from benching import processes
from benching.clock import Deadline, Late, pause
from benching.spawning import Failed, run, spawn
from benching.terminals import COLUMNS, ROWS, Client
from benching.web import TerminadoClient

SECONDS_TO_OPEN = 5.0

# Serves one terminal to all who come, on a port of loopback that is written where it is told.
TERMINADO = """\
import asyncio, os, sys
import terminado, tornado.httpserver, tornado.netutil, tornado.web
async def serve(port, *argv):
    terminals = terminado.SingleTermManager(shell_command=list(argv))
    terminals.get_terminal()
    handlers = [("/ws", terminado.TermSocket, {"term_manager": terminals})]
    sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
    tornado.httpserver.HTTPServer(tornado.web.Application(handlers)).add_sockets(sockets)
    with open(port + ".new", "w") as file:
        file.write(str(sockets[0].getsockname()[1]))
    os.rename(port + ".new", port)
    await asyncio.Event().wait()
asyncio.run(serve(*sys.argv[1:]))
"""


class Installed(NamedTuple):
    """A program to be measured, and for one in Python the interpreter that runs it."""

    binary: str
    python: str | None = None


class Contestant:
    """A multiplexer with a directory of its own: nothing runs at first, nothing is left when it is closed."""

    name: ClassVar[str]
    server: ClassVar[str]  # what the processes that serve are called
    version_argument: ClassVar[str] = "--version"
    paints: ClassVar[bool] = True  # shows what was printed before one attached

    def __init__(self, installed: Installed, directory: Path) -> None:
        self.binary, self.python = installed
        self.directory = directory
        self.clients: list[Client] = []
        self.launched = 0
        self.closing = ExitStack()
        for name in ("home", "sockets"):
            (directory / name).mkdir(parents=True, mode=0o700)
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(directory / "home"),
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "SHELL": "/bin/sh",
            "TMUX_TMPDIR": str(directory / "sockets"),
            "SCREENDIR": str(directory / "sockets"),
            "CODEWIRE_HOME": str(directory / "home" / "codewire"),
            processes.MARK: f"{directory}/",
        }

    def run(self, argv: list[str]) -> str:
        return run(argv, self.env, self.directory / "report")

    def version(self) -> str:
        lines = self.run([self.binary, self.version_argument]).splitlines()
        return lines[0].strip() if lines else "?"

    def launch(self, argv: Sequence[str]) -> str:
        """Launch a session that runs `argv`; what it is called from now on is returned."""
        name = self.next_name()
        return self.called(name, self.run(self.launch_argv(name, argv)))

    def next_name(self) -> str:
        self.launched += 1
        return f"s{self.launched}"

    def attach(self, session: str) -> Client:
        client = Client(self.attach_argv(session), self.env)
        self.clients.append(client)
        return client

    def servers(self) -> list[int]:
        """The processes that keep the sessions: not the clients we started, not the programs inside."""
        ourselves = os.getpid()
        return [
            pid
            for pid in processes.find_marked(self.directory)
            if processes.name_of(processes.read_bytes(pid, "cmdline")).startswith(self.server)
            and b"CODEWIRE_SESSION=" not in processes.read_bytes(pid, "environ")
            and not processes.is_below(pid, ourselves)
        ]

    def close(self) -> None:
        for client in self.clients:
            client.hang_up()
        for client in self.clients:
            client.close()
        self.closing.close()
        self.shut_down()
        processes.sweep(self.directory)
        shutil.rmtree(self.directory, ignore_errors=True)

    def launch_argv(self, name: str, argv: Sequence[str]) -> list[str]:
        raise NotImplementedError

    def attach_argv(self, session: str) -> list[str]:
        raise NotImplementedError

    def list_argv(self) -> list[str] | None:
        """None: it has no list."""
        return None

    def send_argv(self, session: str, text: str) -> list[str]:
        """Sends `text` and Enter; what the command reads, if anything, is what `send_stdin` names."""
        raise NotImplementedError

    def send_stdin(self, text: str) -> str:
        del text
        return os.devnull

    def called(self, name: str, reply: str) -> str:
        """What the session launched as `name` is called, given what the launch printed."""
        del reply
        return name

    def logged(self, session: str) -> int | None:
        """How many bytes of the session's output are kept in a file; None: it keeps none."""
        del session
        return None

    def daemon(self) -> int | None:
        """The process that knows all sessions, where the others keep one each."""
        return None

    def shut_down(self) -> None:
        """Ask it to end by itself, where there is a way; what is left is swept away."""


class Tmux(Contestant):
    name, server, version_argument = "tmux", "tmux", "-V"

    def command(self, *argv: str) -> list[str]:
        return [self.binary, "-f", "/dev/null", "-S", f"{self.directory}/sockets/tmux", *argv]

    def launch_argv(self, name: str, argv: Sequence[str]) -> list[str]:
        size = ["-x", str(COLUMNS), "-y", str(ROWS)]
        plain = [";", "set-option", "-g", "status", "off"] if self.launched == 1 else []
        return self.command("new-session", "-d", "-s", name, *size, *argv, *plain)

    def attach_argv(self, session: str) -> list[str]:
        return self.command("attach-session", "-t", session)

    def list_argv(self) -> list[str]:
        return self.command("list-sessions")

    def resize(self, session: str, rows: int, cols: int) -> None:
        self.run(self.command("resize-window", "-t", session, "-x", str(cols), "-y", str(rows)))

    def remember(self, lines: int) -> None:
        """So many of those that have scrolled by, in the sessions that are launched from now on."""
        self.run(self.command("set-option", "-g", "history-limit", str(lines)))

    def send_argv(self, session: str, text: str) -> list[str]:
        return self.command("send-keys", "-t", session, text, "Enter")


class Screen(Contestant):
    name, server = "screen", "screen"

    def command(self, *argv: str) -> list[str]:
        settings = self.directory / "screenrc"  # empty, and a mark in the command line of its servers
        settings.touch()
        return [self.binary, "-c", str(settings), *argv]

    def launch_argv(self, name: str, argv: Sequence[str]) -> list[str]:
        return self.command("-dmS", name, *argv)

    def called(self, name: str, reply: str) -> str:
        """Its launch returns before the session can be attached to."""
        deadline = Deadline(SECONDS_TO_OPEN, f"a socket for {name}")
        while not any((self.directory / "sockets").glob(f"*.{name}")):
            deadline.left()
            pause(0.005)
        return super().called(name, reply)

    def attach_argv(self, session: str) -> list[str]:
        return self.command("-x", session)

    def list_argv(self) -> list[str]:
        return self.command("-ls")

    def send_argv(self, session: str, text: str) -> list[str]:
        return self.command("-S", session, "-p", "0", "-X", "stuff", f"{text}\n")


class Dtach(Contestant):
    name, server, paints = "dtach", "dtach", False

    def socket(self, session: str) -> str:
        return f"{self.directory}/sockets/{session}"

    def launch_argv(self, name: str, argv: Sequence[str]) -> list[str]:
        return [self.binary, "-n", self.socket(name), "-E", "-r", "none", *argv]

    def attach_argv(self, session: str) -> list[str]:
        return [self.binary, "-a", self.socket(session), "-E", "-r", "none"]

    def send_argv(self, session: str, text: str) -> list[str]:
        del text
        return [self.binary, "-p", self.socket(session)]

    def send_stdin(self, text: str) -> str:
        path = self.directory / "typed"
        path.write_text(f"{text}\n")
        return str(path)


class Codewire(Contestant):
    """`where`: words before the command that say which daemon is to be asked, when looking and listing."""

    name, server = "cw", "python"

    def __init__(self, installed: Installed, directory: Path) -> None:
        super().__init__(installed, directory)
        self.where: tuple[str, ...] = ()

    def launch_argv(self, name: str, argv: Sequence[str]) -> list[str]:
        size = ["--rows", str(ROWS), "--cols", str(COLUMNS)]
        return [self.binary, "launch", "--name", name, *size, "--", *argv]

    def called(self, name: str, reply: str) -> str:
        found = re.search(r"Session (\d+) launched", reply)
        if not found:
            raise Failed(f"launching {name} printed {reply!r}")
        return found[1]

    def attach_argv(self, session: str) -> list[str]:
        return [self.binary, *self.where, "attach", session]

    def list_argv(self) -> list[str]:
        return [self.binary, *self.where, "list"]

    def send_argv(self, session: str, text: str) -> list[str]:
        return [self.binary, "send", session, text]

    def logged(self, session: str) -> int | None:
        return Path(self.env["CODEWIRE_HOME"], "sessions", session, "output.log").stat().st_size

    def daemon(self) -> int | None:
        return int(Path(self.env["CODEWIRE_HOME"], "daemon.pid").read_text())

    def shut_down(self) -> None:
        if not self.servers():
            return
        try:
            self.run([self.binary, "stop", "--kill"])
        except (Failed, Late, OSError):
            return  # the sweep that follows does not ask


class Terminado(Contestant):
    """Jupyter's web terminal: a server for each session, and clients of our own that read all that comes."""

    name, server = "terminado", "python"

    def version(self) -> str:
        ask = "from importlib.metadata import version as of; print('terminado', of('terminado'))"
        return self.run([self.binary, "-c", ask]).strip()

    def launch(self, argv: Sequence[str]) -> str:
        """The session is called by its server's port."""
        port = self.directory / f"{self.next_name()}.port"
        spawn([self.binary, "-I", "-c", TERMINADO, str(port), *argv], self.env)
        deadline = Deadline(SECONDS_TO_OPEN, "terminado's port")
        while not port.exists():
            deadline.left()
            pause(0.01)
        return port.read_text()

    def attach(self, session: str) -> Client:
        client = TerminadoClient(int(session), ROWS, COLUMNS)
        self.clients.append(client)
        return client


KINDS: dict[str, type[Contestant]] = {kind.name: kind for kind in (Tmux, Screen, Dtach, Terminado, Codewire)}
HERE = ("tmux", "screen", "dtach", "cw")
ELSEWHERE = ("terminado", "cw")
