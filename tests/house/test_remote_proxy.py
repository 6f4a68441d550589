"""a proxy that ends TLS stands in front, and is replaced like everything else"""

from __future__ import annotations

import hashlib
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from certificates import new_pair
from homes import Home, new_home, until
from load import same
from viewers import new_viewers

LOST = b"the connection to there is lost"
CADDYFILE = """
{{
    admin off
    auto_https off
}}
https://localhost:{port} {{
    tls {pair.certificate} {pair.key}
    handle_path /below/* {{
        reverse_proxy 127.0.0.1:{target}
    }}
    handle {{
        reverse_proxy 127.0.0.1:{target}
    }}
}}
"""


class Caddy:
    """One proxy after the other, at the same port."""

    def __init__(self, folder: Path, target: int) -> None:
        found = shutil.which("caddy")
        if not found:
            pytest.skip("caddy is missing: run scripts/setup")
        self.folder, self.program = folder, found
        self.pair = new_pair(folder, "localhost")
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.port: int = taken.getsockname()[1]
        text = CADDYFILE.format(port=self.port, target=target, pair=self.pair)
        (folder / "Caddyfile").write_text(text)
        self.start()

    def start(self) -> None:
        with (self.folder / "caddy.log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.program, "run", "--config", str(self.folder / "Caddyfile"), "--adapter", "caddyfile"],
                env={"HOME": str(self.folder), "PATH": "/usr/bin:/bin"}, stdout=log, stderr=log,
            )  # fmt: skip
        until(self.answers, "caddy to listen", told=(self.folder / "caddy.log").read_text)

    def answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def leave(self) -> None:
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture
def there(home: Home) -> Home:
    return home


@pytest.fixture
def caddy(there: Home, tmp_path: Path) -> Iterator[Caddy]:
    fresh = Caddy(tmp_path, there.listen())
    yield fresh
    fresh.kill()


@pytest.fixture
def here() -> Iterator[Home]:
    with new_home() as fresh:
        yield fresh


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/ws", "/below"])
def test_through_a_proxy_that_is_killed_and_replaced(
    there: Home, here: Home, caddy: Caddy, path: str
) -> None:
    """Over its TLS, with its fingerprint, also where it serves us below a path: shown and typed as if it were not there;
    when it dies and comes back nothing is missing.
    """
    here.server("there", f"https://localhost:{caddy.port}{path}", there.token(), caddy.pair.fingerprint)
    here.env["CODEWIRE_SERVER"] = "there"
    session = here.launch("sh", "-c", "echo here; exec cat")
    with new_viewers(here) as viewers:
        attached = viewers.in_terminal("attach", str(session))
        logging = viewers.in_pipe("logs", str(session), "-f", "--raw")
        for viewer in (attached, logging):
            viewer.until_shown(b"here")
        for word, end in ((b"killed", caddy.kill), (b"left", caddy.leave)):
            end()
            there.cw("send", str(session), f"while it was {word.decode()}")
            attached.until_shown(LOST)
            attached.type(b"typed when it was " + word + b"\r")
            caddy.start()
            for viewer in (attached, logging):
                viewer.until_shown(b"while it was " + word)
                viewer.until_shown(b"typed when it was " + word)
        attached.type(b"\x04")
        assert attached.end() == logging.end() == 0
        same(logging.output, there.log(session), "the log through a proxy")


def test_only_the_certificate_that_was_pinned(there: Home, here: Home, caddy: Caddy) -> None:
    """Another one, or one that no authority knows, is not talked to; the daemon's journal hears nothing of it."""
    url = f"wss://localhost:{caddy.port}/ws"
    here.server("right", url, there.token(), caddy.pair.fingerprint)
    here.server("wrong", url, there.token(), hashlib.sha256(b"another").hexdigest())
    here.server("unknown", url, there.token())
    here.cw("--server", "right", "list")
    before = there.journal()
    for name in ("wrong", "unknown"):
        done = here.cw("--server", name, "list", status=1)
        assert "certificate" in done.stderr
        assert caddy.pair.fingerprint.replace(":", "").lower() in done.stderr.replace(":", "").lower()
    assert there.journal() == before


def test_a_proxy_without_its_daemon(there: Home, here: Home, caddy: Caddy) -> None:
    """What it answers is told in one sentence."""
    here.server("there", f"wss://localhost:{caddy.port}/ws", there.token(), caddy.pair.fingerprint)
    there.cw("stop")
    done = here.cw("--server", "there", "list", status=1)
    assert "502" in done.stderr
    assert "Traceback" not in done.stderr
