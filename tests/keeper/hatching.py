"""a real hatchery in a home of its own, and what it keeps: talked to by raw sockets, looked at through /proc"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from homes import Home, until
from keeper.visiting import KILL, SESSION, Visit

OLD = Path(__file__).with_name("old")
RUN_BY_PATH = (
    "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); "
    "runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
)
KEEPERS = {"today": [sys.executable, "-I", "-m", "codewire_py.keeper"]} | {
    path.name: [sys.executable, "-I", "-c", RUN_BY_PATH, str(OLD), path.name]
    for path in sorted(OLD.iterdir())
    if path.is_dir()
}
PYTHON = (sys.executable, "-I", "-S", "-u", "-c")
NAME = "hatchery-test"


class Hatchery:
    """`order` answers as the hatchery does; `launch` expects it to have worked."""

    def __init__(self, command: list[str]) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="cw-"))
        self.command = [*command, NAME]
        self.env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "CODEWIRE_HOME": str(self.home)}
        self.opened: list[Visit | socket.socket] = []
        self.mounts: list[Path] = []
        self.count = 0
        self.processes: list[subprocess.Popen[bytes]] = []
        self.start()

    def start(self, *options: str) -> subprocess.Popen[bytes]:
        """Start it (again), with these interpreter options, and talk to it from now on."""
        process = self.begin(*options)
        self.peer = self.connect()
        return process

    def begin(self, *options: str) -> subprocess.Popen[bytes]:
        with (self.home / "journal").open("ab") as journal:
            process = subprocess.Popen(
                [self.command[0], *options, *self.command[1:]], cwd=self.home, env=self.env,
                stdin=subprocess.DEVNULL, stdout=journal, stderr=journal, start_new_session=True,
            )  # fmt: skip
        self.processes.append(process)
        return process

    @property
    def process(self) -> subprocess.Popen[bytes]:
        return self.processes[-1]

    def journal(self) -> str:
        return (self.home / "journal").read_text(errors="replace")

    def until(self, is_so: Any, what: str, seconds: float = 20.0) -> Any:
        return until(is_so, what, seconds, self.journal)

    # -- its conversation

    def connect(self) -> socket.socket:
        def try_it() -> bool:
            with suppress(FileNotFoundError, ConnectionRefusedError):
                peer.connect(str(self.home / f"{NAME}.sock"))
                return True
            return False

        peer = socket.socket(socket.AF_UNIX)
        peer.settimeout(20)
        self.opened.append(peer)
        self.until(try_it, "the hatchery to open its door")
        return peer

    def ask(self, session: Session) -> dict[str, Any]:
        """What it knows of the session."""
        send_word(self.peer, session.name)
        return hear_word(self.peer, session.name)

    def order(self, *command: str, **other: Any) -> dict[str, Any]:
        """Order a keeper for `command`, which begins with a path, in a session directory of its own."""
        self.count += 1
        (self.home / self.last).mkdir(parents=True, exist_ok=True)
        order = {
            "path": command[0], "argv": list(command), "directory": "/", "env": self.env,
            "rows": 24, "cols": 80, "umask": 0o022, "nofile": 1024,
        }  # fmt: skip
        send_word(self.peer, self.last, json.dumps(order | other).encode())
        return hear_word(self.peer, self.last)

    @property
    def last(self) -> str:
        """The directory of the session that was ordered last."""
        return f"sessions/{self.count}"

    def launch(self, *command: str, **other: Any) -> Session:
        answer = self.order(*command, **other)
        assert "error" not in answer, answer
        return Session(self, self.last, answer)

    def sh(self, script: str, **other: Any) -> Session:
        return self.launch("/bin/sh", "-c", script, **other)

    def python(self, program: str, *words: str, **other: Any) -> Session:
        return self.launch(*PYTHON, program, *words, **other)

    # -- the end

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(20)

    def close(self) -> None:
        for thing in self.opened:
            thing.close()
        for process in self.processes:
            process.kill()
            process.wait(20)
        until(self.end_all, "the home's processes to end", 10)
        for mount in self.mounts:
            subprocess.run(["umount", mount], check=True)
        shutil.rmtree(self.home)

    def end_all(self) -> bool:
        """Whether nothing of this home lives; ends what does."""
        left = Home(self.home).ours()
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not left


class Session:
    """A program under a keeper: its directory, log, record and door."""

    def __init__(self, hatchery: Hatchery, name: str, answer: dict[str, Any]) -> None:
        self.hatchery, self.name = hatchery, name
        self.program: int = answer["program"]
        self.keeper: int = answer["keeper"]
        self.directory = hatchery.home / self.name
        self.until = hatchery.until

    def visit(self) -> Visit:
        """A visit that has been greeted. A keeper that is just being replaced may still let one in, without a word."""
        visit: Visit = self.until(self.try_visit, "to be let in at the door")
        self.hatchery.opened.append(visit)
        return visit

    def try_visit(self) -> Visit | None:
        """None when the door is closed, or closes before a greeting."""
        try:
            visit = Visit(self.door)
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        visit.greeting = visit.hear()
        if visit.greeting:
            return visit
        visit.close()
        return None

    @property
    def door(self) -> Path:
        return self.directory / "keeper.sock"

    def log(self) -> bytes:
        return (self.directory / "output.log").read_bytes()

    def until_printed(self, text: bytes) -> bytes:
        self.until(lambda: text in self.log(), f"{text!r} in {self.name}/output.log")
        return self.log()

    def has_ended(self) -> bool:
        return (self.directory / "exit.json").exists()

    def end(self, seconds: float = 20.0) -> dict[str, Any]:
        """Its record, once there is one."""
        self.until(self.has_ended, f"{self.name}/exit.json", seconds)
        return dict(json.loads((self.directory / "exit.json").read_text()))

    def kill(self) -> dict[str, Any]:
        self.visit().signal(KILL, SESSION)
        return self.end()

    def kill_keeper(self, number: int = KILL) -> int:
        """Kill it; its successor's pid, once its door is open."""
        gone, self.keeper = self.keeper, 0
        visit = self.visit()
        os.kill(gone, number)
        visit.until_closed()
        self.keeper = self.visit().keeper()
        assert self.keeper != gone
        return self.keeper


def send_word(peer: socket.socket, session: str, order: bytes = b"") -> None:
    peer.sendall(pack(session.encode() + b"\n" + order))


def pack(word: bytes) -> bytes:
    return struct.pack(">I", len(word)) + word


def hear_word(peer: socket.socket, session: str) -> dict[str, Any]:
    """The next answer, which must be about this session. EOFError: the hatchery has closed the conversation."""
    (size,) = struct.unpack(">I", receive(peer, 4))
    about, _, answer = receive(peer, size).partition(b"\n")
    assert about == session.encode()
    return dict(json.loads(answer))


def receive(peer: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = peer.recv(size - len(data))
        if not more:
            raise EOFError(f"closed after {len(data)} of {size} bytes")
        data += more
    return data


# -- looking at processes


def status_field(pid: int, field: str) -> str:
    """One line of /proc/PID/status; empty when the process is gone."""
    with suppress(FileNotFoundError, ProcessLookupError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(f"{field}:"):
                return line.partition(":")[2].strip()
    return ""


def is_alive(pid: int) -> bool:
    return status_field(pid, "State")[:1] not in ("", "Z", "X")


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def children(pid: int) -> set[int]:
    """Zombies too."""
    return {int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def descriptors(pid: int) -> dict[int, str]:
    found = {}
    for name in os.listdir(f"/proc/{pid}/fd"):
        with suppress(FileNotFoundError):
            found[int(name)] = os.readlink(f"/proc/{pid}/fd/{name}")
    return found
