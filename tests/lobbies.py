"""a listener in this process, whose limits a test may lower; behind it a house that knows a few tokens"""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import trio

from codewire_py.config import load
from codewire_py.daemon.departure import Departure
from codewire_py.daemon.descriptors import room_for
from codewire_py.daemon.grants import Grant
from codewire_py.daemon.listeners.web import Listening
from codewire_py.errors import Unauthorized

GOOD, BRIEF, CODE = "cw_good", "cw_brief", "K7QD-M2XP-9RTA"


class Tokens:
    """`asked`: every secret that was looked at."""

    def __init__(self) -> None:
        self.grants = {GOOD: Grant("good"), BRIEF: Grant("brief")}
        self.asked: list[str] = []

    def grant_for(self, secret: str, address: str) -> Grant:
        self.asked.append(secret)
        if secret not in self.grants:
            raise Unauthorized("the token is not valid")
        return self.grants[secret]

    def redeem(self, code: str, label: str) -> tuple[str, str, str]:
        self.asked.append(code)
        if code != CODE:
            raise Unauthorized("the code is not valid")
        return "cw_new", label, "control"


class House:
    """What a conversation needs of one, as long as it asks nothing about sessions."""

    def __init__(self) -> None:
        self.departure, self.tokens = Departure(), Tokens()
        self.sessions: Any = None
        self.url = self.fingerprint = ""

    def room(self) -> int:
        return room_for(0)


class Running:
    """`within` runs a function where the listener runs."""

    def __init__(self, listening: Listening) -> None:
        self.listening, self.house = listening, House()
        assert listening.door is not None
        self.port: int = listening.door.listener.getsockname()[1]
        self.scope = trio.CancelScope()
        self.is_ready = threading.Event()
        self.token: trio.lowlevel.TrioToken | None = None
        self.thread = threading.Thread(target=trio.run, args=(self.run,), daemon=True)

    async def run(self) -> None:
        self.token = trio.lowlevel.current_trio_token()
        self.is_ready.set()
        with self.scope:
            await self.listening.serve(self.house)  # type: ignore[arg-type]
            await trio.sleep_forever()

    def within(self, function: Any, *arguments: Any) -> Any:
        return trio.from_thread.run_sync(function, *arguments, trio_token=self.token)


@contextmanager
def new_listener(**environ: str) -> Iterator[Running]:
    """`environ`: the variables of a daemon, without CODEWIRE_."""
    said = {"LISTEN": "127.0.0.1:0", **environ}
    listening = Listening(load("/nowhere", {f"CODEWIRE_{name}": value for name, value in said.items()}))
    door = listening.open()
    running = Running(listening)
    running.thread.start()
    assert running.is_ready.wait(10)
    try:
        yield running
    finally:
        running.within(running.scope.cancel)
        running.thread.join(10)
        door.listener.close()
        assert not running.thread.is_alive()


def make_certificate(folder: Path, name: str = "127.0.0.1") -> tuple[Path, Path]:
    """(certificate, key), self-signed."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "2", "-subj", "/CN=cw", "-addext", f"subjectAltName=IP:{name},DNS:localhost",
         "-keyout", key, "-out", cert],
        check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    key.chmod(0o600)
    return cert, key


def encrypted(pair: tuple[Path, Path]) -> Any:
    return new_listener(DAEMON_LISTEN_TLS_CERT=str(pair[0]), DAEMON_LISTEN_TLS_KEY=str(pair[1]))


def wrapped(port: int, pair: tuple[Path, Path]) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=str(pair[0]))
    below = socket.create_connection(("127.0.0.1", port), 5)
    return context.wrap_socket(below, server_hostname="127.0.0.1")
