"""between two machines: encrypted or refused, compressed, and steady while cables and addresses change"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from certificates import Pair, new_pair
from homes import Home, new_home
from load import same
from networks import FAR, Network, new_network
from remotes import IMPATIENT, prepare
from seeing import MEBIBYTE
from viewers import new_viewers

PORT = 9100
TEXT = 4 * MEBIBYTE
PRINTER = f"""
for number in range({TEXT} // 40):
    print("%015d is a line of ordinary text" % number)
"""
HANDSHAKE = """
import socket, ssl, sys
host, port, way, token = *sys.argv[1:], sys.stdin.read()
peer = socket.create_connection((host, int(port)), 10)
if way == "wss":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    peer = context.wrap_socket(peer)
lines = ["GET /ws HTTP/1.1", f"Host: {host}:{port}", "Upgrade: websocket", "Connection: Upgrade",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits", f"Authorization: Bearer {token}", "", ""]
peer.sendall("\\r\\n".join(lines).encode())
said = b""
while b"\\r\\n\\r\\n" not in said:
    said += peer.recv(4096)
peer.close()
print(said.decode("latin-1"))
"""


@dataclass(frozen=True)
class Machines:
    network: Network
    here: Home
    there: Home
    pair: Pair

    def shake_hands(self, machine: list[str], host: str, port: int, way: str) -> str:
        """What the listener answers to somebody who can compress."""
        done = subprocess.run(
            [*machine, sys.executable, "-I", "-c", HANDSHAKE, host, str(port), way],
            input=self.there.token(), capture_output=True, text=True, check=True, timeout=30,
        )  # fmt: skip
        return done.stdout


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    with new_network() as network, new_home() as there, new_home() as here:
        for home, way in ((there, network.there), (here, network.here)):
            home.command = [*way, *home.command]
            prepare(home, IMPATIENT)
        pair = new_pair(tmp_path_factory.mktemp("pair"), f"IP:{FAR}")
        there.path.mkdir(mode=0o700)
        configure(there, pair)
        there.cw("start")
        here.server("there", f"wss://{FAR}:{PORT}", there.token(), pair.fingerprint)
        here.env["CODEWIRE_SERVER"] = "there"
        yield Machines(network, here, there, pair)


def configure(there: Home, pair: Pair | None) -> None:
    lines = ["[daemon]", f'listen = "{FAR}:{PORT}"']
    if pair:
        lines += [f'listen_tls_cert = "{pair.certificate}"', f'listen_tls_key = "{pair.key}"']
    (there.path / "config.toml").write_text("\n".join(lines) + "\n")


def test_refused_without_encryption(machines: Machines) -> None:
    """Nothing listens there, the journal says why, and the daemon serves its own machine all the same."""
    there = machines.there
    configure(there, None)
    there.cw("restart")
    refused = f"refused to listen at {FAR}:{PORT} without TLS"
    there.until(lambda: refused in there.journal(), "a refusal")
    assert "connection refused" in machines.here.cw("list", status=1).stderr
    there.cw("list")
    configure(there, machines.pair)
    there.cw("restart")
    there.until(lambda: there.journal().count(f"listens at wss://{FAR}") == 2, "it to listen again")
    assert machines.here.cw("list").stdout == there.cw("list").stdout


def test_nobody_speaks_in_clear(machines: Machines) -> None:
    """Whoever comes without encryption hears nothing but a refusal."""
    machines.here.server("clear", f"ws://{FAR}:{PORT}", machines.there.token())
    done = machines.here.cw("--server", "clear", "list", status=1)
    assert "Traceback" not in done.stderr
    assert str(PORT) in done.stderr


@pytest.mark.slow
def test_text_is_compressed_between_machines(machines: Machines) -> None:
    """Not on one: there it costs more than it saves. The log is the same, the cable carries a fraction of it."""
    network, there = machines.network, machines.there
    answer = machines.shake_hands(network.here, FAR, PORT, "wss")
    assert answer.startswith("HTTP/1.1 101 ")
    assert "permessage-deflate" in answer
    session = there.python(PRINTER)
    there.end(session)
    before = network.carried()
    with new_viewers(machines.here) as viewers:
        logs = viewers.in_pipe("logs", str(session), "--raw")
        assert logs.end() == 0
        same(logs.output, there.log(session), "the log from another machine")
    assert len(logs.output) > TEXT
    assert network.carried() - before < TEXT // 3


def test_text_is_not_compressed_on_one_machine(machines: Machines) -> None:
    """The listener of a home that listens on loopback does not even agree to it."""
    with new_home() as home:
        home.command = machines.there.command
        port = home.listen()
        done = subprocess.run(
            [*machines.network.there, sys.executable, "-I", "-c", HANDSHAKE, "127.0.0.1", str(port), "ws"],
            input=home.token(), capture_output=True, text=True, check=True, timeout=30,
        )  # fmt: skip
        assert done.stdout.startswith("HTTP/1.1 101 ")
        assert "deflate" not in done.stdout


@pytest.mark.slow
def test_a_cable_that_is_pulled_and_an_address_that_changes(machines: Machines) -> None:
    """The client notices what nobody tells it, and goes on from where it is: nothing missing, nothing doubled."""
    network, there = machines.network, machines.there
    session = there.launch("cat")
    with new_viewers(machines.here) as viewers:
        attached = viewers.in_terminal("attach", str(session))
        logs = viewers.in_pipe("logs", str(session), "-f", "--raw")
        there.cw("send", str(session), "at first")
        for viewer in (attached, logs):
            viewer.until_shown(b"at first")
        network.unplug()
        there.cw("send", str(session), "while unplugged")
        attached.until_shown(b"trying again")
        network.plug()
        attached.until_shown(b"while unplugged")
        network.move()
        there.cw("send", str(session), "after moving")
        for viewer in (attached, logs):
            viewer.until_shown(b"after moving")
        attached.type(b"typed at another place\r\x04")
        assert attached.end() == logs.end() == 0
        log = there.log(session)
        assert log.count(b"typed at another place") == 2  # echoed and printed
        same(logs.output, log, "the log across it all")
