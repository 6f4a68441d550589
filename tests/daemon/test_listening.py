"""where the daemon listens: what is refused, what is tried again, what is handed over on restart"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from codewire_py.config import Config, load
from codewire_py.daemon import limits
from codewire_py.daemon.begin import heed_listen
from codewire_py.daemon.listeners import opening, web
from codewire_py.daemon.listeners.opening import (
    Address,
    check_exposure,
    is_literal,
    open_door,
    resolve,
    url_of,
)
from codewire_py.daemon.listeners.web import Listening
from codewire_py.errors import ConfigError, DaemonFailed
from homes import Home
from webhomes import prepare
from webs import Raw, port_of


@contextmanager
def taken_port() -> Iterator[tuple[int, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        yield holder.getsockname()[1], holder


def configure(home: Home, text: str) -> None:
    home.path.mkdir(mode=0o700, exist_ok=True)
    (home.path / "config.toml").write_text(text)


def health(port: int) -> int:
    with Raw(port) as raw:
        return raw.ask("/healthz").status


# ── where ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("listen", "host", "port"),
    [
        ("127.0.0.1:9100", "127.0.0.1", 9100),
        ("localhost:9100", "127.0.0.1", 9100),
        ("LOCALHOST:0", "127.0.0.1", 0),
        ("[::1]:9100", "::1", 9100),
        ("::1:9100", "::1", 9100),
        (":9100", "0.0.0.0", 9100),
        ("0.0.0.0:9100", "0.0.0.0", 9100),
        ("[::]:9100", "::", 9100),
        ("192.0.2.1:9100", "192.0.2.1", 9100),
    ],
)
def test_what_an_address_means(listen: str, host: str, port: int) -> None:
    """As people write them."""
    address = resolve(listen)
    assert (address.host, address.port) == (host, port)
    assert is_literal(listen)


@pytest.mark.parametrize("listen", ["no.such.host.invalid:9100", "ü" * 70 + ":9100", "a..b:9100"])
def test_an_address_that_is_none(listen: str) -> None:
    """A sentence."""
    assert not is_literal(listen)
    with pytest.raises(DaemonFailed, match="cannot listen at"):
        resolve(listen)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "10.0.0.1", "2001:db8::1", "fe80::1"])
def test_beyond_this_machine_only_encrypted(host: str) -> None:
    """Or if somebody says that a tunnel or a proxy does it. What is resolved counts, not what it is called."""
    address = Address(socket.AF_INET, host, 9100)
    with pytest.raises(ConfigError, match="without TLS") as caught:
        check_exposure(address, None, is_accepted=False)
    assert "--insecure-no-tls" in caught.value.hint
    check_exposure(address, None, is_accepted=True)
    check_exposure(address, opening.ssl.create_default_context(), is_accepted=False)  # type: ignore[attr-defined]
    for here in ("127.0.0.1", "127.1.2.3", "::1"):
        check_exposure(Address(socket.AF_INET, here, 9100), None, is_accepted=False)


def test_how_others_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the address; by this machine's name where that is all addresses; by what the configuration says, first."""
    bound = []

    class Listener:
        def getsockname(self) -> tuple[str, int]:
            return "0.0.0.0", 9100

    def bind(address: Address) -> Listener:
        bound.append(str(address))
        return Listener()

    monkeypatch.setattr(opening, "bind", bind)
    environ = {"CODEWIRE_LISTEN": ":9100", "CODEWIRE_DAEMON_INSECURE_NO_TLS": "1"}
    door = open_door(load("/nowhere", environ))
    assert (door.url, door.address) == (f"ws://{os.uname().nodename}:9100/ws", "ws://0.0.0.0:9100/ws")
    environ["CODEWIRE_EXTERNAL_URL"] = "wss://box.example/ws"
    assert open_door(load("/nowhere", environ)).url == "wss://box.example/ws"
    assert bound == ["0.0.0.0:9100"] * 2
    assert url_of("::1", 1, True) == "wss://[::1]:1/ws"


def test_its_flags_become_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which are still there after a restart; other words stay words."""
    for name in ("CODEWIRE_LISTEN", "CODEWIRE_DAEMON_INSECURE_NO_TLS"):
        monkeypatch.setenv(name, "")
    assert heed_listen(["--listen", ":1", "-f"]) == (["-f"], True)
    assert os.environ["CODEWIRE_LISTEN"] == ":1"
    assert heed_listen(["--insecure-no-tls", "--listen=:2"]) == ([], True)
    assert os.environ["CODEWIRE_LISTEN"] == ":2"
    assert load("/nowhere", os.environ).daemon_insecure_no_tls is True
    assert heed_listen(["--background"]) == (["--background"], False)


# ── by flag: or not at all ────────────────────────────────────────────────────────────────────────────────


def refusal(home: Home, *words: str) -> str:
    """What a daemon says that does not start."""
    done = home.cw("daemon", *words, status=None, seconds=15)
    assert done.returncode in (1, 2), done.stderr
    assert "Traceback" not in done.stderr
    assert not (home.path / "server.sock").exists()
    [told] = re.findall(r"^Error: (.*)$", done.stderr, re.MULTILINE)
    return str(told)


def test_what_is_asked_for_and_impossible_is_no_daemon(home: Home) -> None:
    """One sentence each: taken, exposed, no address, no certificate."""
    with taken_port() as (port, _):
        assert refusal(home, "--listen", f"127.0.0.1:{port}") == (
            f"cannot listen at 127.0.0.1:{port}: address already in use"
        )
    assert refusal(home, "--listen", "0.0.0.0:0") == "refused to listen at 0.0.0.0:0 without TLS"
    assert refusal(home, "--listen=:0") == "refused to listen at 0.0.0.0:0 without TLS"
    assert refusal(home, "--listen", "nonsense") == 'not an address to listen at: "nonsense"'
    assert refusal(home, "--listen", "") == "--listen needs an address"
    assert refusal(home, "--listen") == "--listen needs an address"
    home.env["CODEWIRE_DAEMON_LISTEN_TLS_CERT"] = "/no/where.pem"
    assert "belong together" in refusal(home, "--listen", "127.0.0.1:0")


def test_a_daemon_told_to_listen_does(home: Home) -> None:
    """And still does, at the same place, when it is replaced, whatever the next one's starter says."""
    process = home.begin("daemon", "--listen", "127.0.0.1:0", stderr=subprocess.DEVNULL)
    home.until(lambda: "listens at" in home.journal(), "it to listen")
    port = port_of(home)
    assert health(port) == 200
    home.cw("restart")
    home.until(lambda: home.journal().count("listens at") == 2, "it to listen again")
    assert port_of(home) == port
    assert health(port) == 200
    assert process.poll() is None
    assert home.daemon() == process.pid


# ── by configuration: as far as it can be ─────────────────────────────────────────────────────────────────


HASTY = """
import sys
if 'daemon' in sys.orig_argv:
    from codewire_py.daemon import limits
    limits.AGAIN_SECONDS = 0.1
"""


def test_a_port_that_is_taken_is_tried_again(home: Home) -> None:
    """The daemon serves its home meanwhile; the journal is told once."""
    prepare(home, HASTY)
    with taken_port() as (port, holder):
        configure(home, f"[daemon]\nlisten = '127.0.0.1:{port}'\n")
        home.cw("start")
        assert home.list() == []
        home.until(lambda: "ERROR cannot listen" in home.journal(), "it to be told")
        holder.close()
        home.until(lambda: "listens at" in home.journal(), "another try")
        assert health(port) == 200
    assert home.journal().count("cannot listen") == 1


async def test_each_reason_is_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """However often it is tried; a refusal is not tried again."""
    reasons = ["cannot a", "cannot a", "cannot a", "cannot b", "cannot a", "refused"]
    coming = iter(reasons)

    def fail(_: Config) -> None:
        raise DaemonFailed(next(coming))

    monkeypatch.setattr(web, "open_door", lambda config, inherited: fail(config))
    monkeypatch.setattr(limits, "AGAIN_SECONDS", 0.0)
    house: Any = SimpleNamespace(trouble="")
    assert await Listening(load("/nowhere", {"CODEWIRE_LISTEN": ":1"})).keep_trying(house) is None
    assert house.trouble.startswith("refused;")
    assert list(coming) == []
    told = [record.message.partition(";")[0] for record in caplog.records]
    assert told == ["cannot a", "cannot b", "cannot a", "refused"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("listen = '0.0.0.0:0'", "refused to listen at 0.0.0.0:0 without TLS; name a certificate"),
        ("listen = 'no.such.host.invalid:1'", "cannot listen at no.such.host.invalid:1: "),
        ("listen = ':0'\nlisten_tls_key = '/no/key.pem'", "belong together"),
        (
            "listen = ':0'\nlisten_tls_key = '/no/key.pem'\nlisten_tls_cert = '/no/cert.pem'",
            "cannot read the key",
        ),
    ],
)
def test_a_listener_that_cannot_be_costs_nothing_else(home: Home, text: str, told: str) -> None:
    """The home is served; whoever starts it hears why nothing listens, and daemon.log says so."""
    configure(home, f"[daemon]\n{text}\n")
    for words, status in (
        (["start"], 0),
        (["restart"], 0),
        (["server", "pair"], 1),
        (["token", "create", "t"], 0),
    ):
        assert told in home.cw(*words, status=status).stderr
    assert home.list() == []
    assert told in home.journal()
    assert "listens at" not in home.journal()


def test_whoever_starts_a_daemon_hears_of_a_mistake(home: Home) -> None:
    """It is served all the same."""
    configure(home, "[daemon]\nlisten = 7\n")
    assert "; the defaults are in force" in home.cw("start").stderr
    assert home.list() == []


# ── restart ───────────────────────────────────────────────────────────────────────────────────────────────


def test_nobody_is_refused_while_the_daemon_is_replaced(home: Home) -> None:
    """Connections made all the time, through two restarts: each is answered."""
    port = home.listen()
    found: list[int | str] = []
    is_over = threading.Event()

    def knock() -> None:
        while not is_over.is_set():
            try:
                found.append(health(port))
            except ConnectionResetError:
                found.append("reset")  # by the daemon that left, having been reached
            except (OSError, EOFError) as error:
                found.append(repr(error))

    knocking = threading.Thread(target=knock)
    knocking.start()
    try:
        home.cw("restart")
        home.cw("restart")
    finally:
        is_over.set()
        knocking.join(30)
    assert set(found) <= {200, "reset", "EOFError(b'')"}, found
    assert found.count(200) > len(found) * 0.9
    assert port_of(home) == port


def test_another_address_after_a_restart(home: Home) -> None:
    """The old one is closed; none at all is none at all; nothing leaks from one daemon into the next."""
    configure(home, "[daemon]\nlisten = '127.0.0.1:0'\n")
    home.cw("start")
    first = port_of(home)
    home.cw("restart")
    assert port_of(home) == first  # any port is the same port for as long as it is asked for
    configure(home, "[daemon]\nlisten = '127.0.0.2:0'\n")
    home.cw("restart")
    home.until(lambda: "ws://127.0.0.2:" in home.journal(), "the other address")
    with pytest.raises(ConnectionRefusedError):
        health(first)
    configure(home, "")
    home.cw("restart")
    home.list()
    assert listening_sockets(home.daemon()) == 0
    configure(home, "[daemon]\nlisten = '127.0.0.1:0'\n")
    home.cw("restart")
    home.list()
    assert listening_sockets(home.daemon()) == 1


def listening_sockets(pid: int) -> int:
    """How many TCP sockets that listen this process has."""
    inodes = {
        line.split()[9] for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:] if line.split()[3] == "0A"
    }  # fmt: skip
    links = [os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir() if os.path.islink(entry)]
    return sum(link.removeprefix("socket:[").rstrip("]") in inodes for link in links)


def test_a_killed_daemon_leaves_the_port_to_the_next(home: Home) -> None:
    """No session holds it: keepers and the hatchery have none of its sockets."""
    port = home.listen()
    home.launch("sleep", "60")
    with Raw(port) as raw:
        assert raw.ask("/healthz").status == 200
        os.kill(home.daemon(), signal.SIGKILL)
        assert raw.is_closed()  # and so the kernel keeps its end of it for a while
    home.until(lambda: not is_open(port), "the port to be free")
    home.cw("start")
    home.until(lambda: is_open(port), "the next daemon to listen")


def is_open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except OSError:
        return False
    return True
