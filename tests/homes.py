"""a home of its own for a test: run `cw` in it for real, and end everything afterwards"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

CW = [sys.executable, "-m", "codewire_py"]
SECONDS = 30.0


class Done(subprocess.CompletedProcess[str]):
    """What a command printed and how it ended."""


class Home:
    """One CODEWIRE_HOME. `cw` runs a command to its end, `begin` one that goes on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.started: list[subprocess.Popen[bytes]] = []
        self.command = CW
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CODEWIRE")}
        self.env = {**inherited, "CODEWIRE_HOME": str(path), "TERM": "xterm-256color", "NO_COLOR": "1"}

    # -- commands

    def cw(self, *words: str, status: int | None = 0, seconds: float = SECONDS, **options: Any) -> Done:
        """Run to the end; `status` None accepts any."""
        options = {"stdin": subprocess.DEVNULL, "env": self.env, **options}
        if "input" in options:
            del options["stdin"]
        done = subprocess.run(
            [*self.command, *words], capture_output=True, text=True, errors="surrogateescape", timeout=seconds,
            check=False, **options,
        )  # fmt: skip
        if status is not None and done.returncode != status:
            raise AssertionError(
                f"cw {words} ended {done.returncode}\n{done.stdout}\n{done.stderr}{self.journal()}"
            )
        return Done(done.args, done.returncode, done.stdout, done.stderr)

    def begin(self, *words: str, **options: Any) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([*self.command, *words], env=self.env, **options)
        self.started.append(process)
        return process

    def launch(self, *command: str, options: tuple[str, ...] = ()) -> int:
        found = re.match(r"Session (\d+) launched: ", self.cw("launch", *options, "--", *command).stdout)
        assert found
        return int(found[1])

    def python(self, code: str, *words: str, options: tuple[str, ...] = ()) -> int:
        """Launch a Python program."""
        return self.launch(sys.executable, "-u", "-c", code, *words, options=options)

    # -- what there is

    def status(self, session: int | str) -> dict[str, Any]:
        return dict(json.loads(self.cw("status", str(session), "--json").stdout))

    def list(self, *words: str) -> list[dict[str, Any]]:
        return list(json.loads(self.cw("list", "--json", *words).stdout))

    def directory(self, session: int) -> Path:
        return self.path / "sessions" / str(session)

    def log(self, session: int) -> bytes:
        with suppress(FileNotFoundError):
            return (self.directory(session) / "output.log").read_bytes()
        return b""

    def marks(self, session: int) -> list[dict[str, Any]]:
        return [
            json.loads(line) for line in (self.directory(session) / "marks.jsonl").read_text().splitlines()
        ]

    def end(self, session: int) -> dict[str, Any]:
        record = self.directory(session) / "exit.json"
        self.until(record.exists, f"session {session} to end")
        return dict(json.loads(record.read_text()))

    def journal(self) -> str:
        with suppress(OSError):
            return (self.path / "daemon.log").read_text(errors="replace")
        return ""

    def daemon(self) -> int:
        return int((self.path / "daemon.pid").read_text())

    def hatchery(self) -> int:
        """The pid of the process that forks keepers."""
        return next(pid for pid in processes("-m\0codewire_py.keeper") if cwd(pid) == str(self.path))

    def keeper(self, session: int) -> int:
        """The pid of the session's keeper now."""
        directory = str(self.directory(session))
        return next(pid for pid in processes("-m\0codewire_py.keeper") if cwd(pid) == directory)

    def until(self, is_so: Callable[[], Any], what: str, seconds: float = SECONDS) -> Any:
        """Wait until it is so; a test that waits in vain says for what."""
        return until(is_so, what, seconds, self.journal)

    def until_printed(self, session: int, text: bytes, seconds: float = SECONDS) -> None:
        self.until(lambda: text in self.log(session), f"session {session} to print {text!r}", seconds)

    # -- from elsewhere

    def listen(self) -> int:
        """Begin a daemon that listens on this machine: the port. Those after it listen there, too."""
        self.env["CODEWIRE_LISTEN"] = "127.0.0.1:0"
        self.cw("start")
        place = re.compile(r"listens at ws://127\.0\.0\.1:(\d+)/ws")
        found = self.until(lambda: place.search(self.journal()), "it to listen")
        self.env["CODEWIRE_LISTEN"] = f"127.0.0.1:{found[1]}"
        return int(found[1])

    def token(self) -> str:
        return (self.path / "token").read_text().strip()

    def server(self, name: str, url: str, token: str, fingerprint: str = "") -> None:
        """Save a daemon elsewhere under this name."""
        self.path.mkdir(mode=0o700, exist_ok=True)
        kept = {"url": url, "token": token, "fingerprint": fingerprint}
        with (self.path / "servers.toml").open("a") as file:
            file.write(f"[servers.{name}]\n")
            file.writelines(f"{key} = {json.dumps(value)}\n" for key, value in kept.items() if value)
            os.fchmod(file.fileno(), 0o600)

    # -- the end

    def close(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.wait(10)
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe:
                    pipe.close()
        with suppress(Exception):
            self.cw("--server", "local", "stop", "--kill", status=None)
        for pid in self.ours():
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        until(lambda: not self.ours(), "the home's processes to end", 10)

    def ours(self) -> list[int]:
        """Every process that was started for this home, wherever it is now."""
        mark = f"CODEWIRE_HOME={self.path}".encode()
        found = []
        for pid in all_pids():
            with suppress(OSError):
                is_zombie = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] == b"Z"
                environ = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
                if pid != os.getpid() and mark in environ and not is_zombie:
                    found.append(pid)
        return found


@contextmanager
def new_home() -> Iterator[Home]:
    """In a short-named folder of its own, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="cw-"))
    home = Home(folder / "home")
    try:
        yield home
    finally:
        home.close()
        shutil.rmtree(folder, ignore_errors=True)


def until(
    is_so: Callable[[], Any], what: str, seconds: float = SECONDS, told: Callable[[], str] = str
) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = is_so()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError(f"waited {seconds} s in vain for {what}\n{told()}")


def all_pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def processes(text: str) -> list[int]:
    """Those whose command line has `text` in it."""
    found = []
    for pid in all_pids():
        with suppress(OSError):
            if text.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
    return found


def cwd(pid: int) -> str:
    with suppress(OSError):
        return os.readlink(f"/proc/{pid}/cwd")
    return ""
