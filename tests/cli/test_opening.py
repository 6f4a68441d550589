"""cw server pair and cw server cert: let others come to this daemon"""

from __future__ import annotations

import json
import os
import shlex
import tomllib
from collections.abc import Iterator
from typing import Any

import pexpect
import pytest

from codewire_py.cli import context, opening
from codewire_py.daemon import limits
from codewire_py.wire.messages import Tokens
from homes import CW, Home, new_home


@pytest.fixture(scope="module")
def there() -> Iterator[Home]:
    """A daemon that listens."""
    with new_home() as home:
        home.listen()
        yield home


@pytest.fixture
def here() -> Iterator[Home]:
    with new_home() as home:
        yield home


def saved(home: Home) -> dict[str, Any]:
    return tomllib.loads((home.path / "servers.toml").read_text())


def test_pair(here: Home, there: Home) -> None:
    """The very line to type on the other machine works there, once, and its token is nobody's else."""
    done = there.cw("server", "pair", "--scope", "observe", "--expires", "1h")
    assert f"within {limits.PAIR_SECONDS / 60:.0f} minutes" in done.stderr
    words = shlex.split(done.stdout)
    assert words[:3] == ["cw", "server", "add"]
    assert words[5] == "--code"
    assert here.cw(*words[1:]).stdout == f"Server '{words[3]}' saved.\n"
    token = saved(here)["servers"][words[3]]["token"]
    assert token.startswith("cw_")
    assert here.cw("--server", words[3], "list").stdout == "No sessions.\n"
    assert "observe" in here.cw("--server", words[3], "launch", "--", "true", status=1).stderr
    here.cw(*words[1:], status=1)
    assert token not in there.journal() + done.stdout


def test_pair_shows_a_picture_on_a_terminal(there: Home) -> None:
    """For a camera; the line stands below it."""
    asking = pexpect.spawn(
        CW[0], [*CW[1:], "server", "pair"], env=there.env, timeout=20, dimensions=(60, 200)
    )
    asking.expect(pexpect.EOF)
    shown = asking.before.decode()
    asking.close()
    assert shown.count("▄") > 50
    assert shown.rstrip().splitlines()[-1].startswith("cw server add ")


def test_pair_without_a_listener(here: Home) -> None:
    """Says how to have one, and that ssh needs none."""
    done = here.cw("server", "pair", status=1)
    assert "this daemon has no listener" in done.stderr
    assert 'listen = "127.0.0.1:9100"' in done.stderr
    assert "ssh://" in done.stderr


def test_pair_where_others_come_by_ssh(here: Home) -> None:
    """The line needs no code, and none is made; what a code would say means nothing there."""
    here.env["CODEWIRE_EXTERNAL_URL"] = "ssh://me@box"
    here.listen()
    done = here.cw("server", "pair")
    words = shlex.split(done.stdout)
    assert words[:3] + words[4:] == ["cw", "server", "add", "ssh://me@box"]
    assert "for whoever may log in here by ssh" in done.stderr
    assert json.loads(here.cw("server", "pair", "--json").stdout)["code"] == ""
    assert (
        "--scope and --expires mean nothing" in here.cw("server", "pair", "--scope", "send", status=2).stderr
    )
    with new_home() as elsewhere:
        elsewhere.env["CODEWIRE_SSH"] = "/bin/false"
        assert elsewhere.cw(*words[1:]).stdout == f"Server '{words[3]}' saved.\n"


def test_cert(here: Home) -> None:
    """Its fingerprint on standard output, what to write into config.toml beside it; none is replaced by accident."""
    done = here.cw("server", "cert", "--host", "box.lan")
    assert done.stdout.startswith("sha256:")
    assert "listen_tls_cert" in done.stderr
    assert here.cw("server", "cert", status=None).returncode
    again = json.loads(here.cw("server", "cert", "--force", "--json").stdout)
    assert again["fingerprint"] != done.stdout.strip()
    assert os.stat(again["key"]).st_mode & 0o777 == 0o600


def test_a_certificate_a_code_and_a_server(here: Home) -> None:
    """What cert tells to write into config.toml works as it is, and what pair prints then pins that certificate."""
    told = here.cw("server", "cert").stderr
    lines = [line.strip() for line in told.splitlines() if line.startswith("  ")]
    (here.path / "config.toml").write_text("\n".join(lines).replace("0.0.0.0:9100", "localhost:0"))
    here.cw("start")
    here.until(lambda: "listens at wss://" in here.journal(), "the listener")
    words = shlex.split(here.cw("server", "pair").stdout)
    with new_home() as elsewhere:
        assert "[cw] it answers" in elsewhere.cw(*words[1:]).stderr
        assert saved(elsewhere)["servers"][words[3]]["fingerprint"] == words[-1]
        here.launch("sleep", "60")
        assert "sleep 60" in elsewhere.cw("-s", words[3], "list").stdout


# -- the line, by itself

PIN = "sha256:" + "ab" * 32


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> pytest.MonkeyPatch:
    monkeypatch.setenv("CODEWIRE_HOME", str(tmp_path))
    monkeypatch.setenv("CODEWIRE_NODE_NAME", "gpu_box")
    return monkeypatch


def line(url: str, fingerprint: str = "") -> str:
    return opening.line_for(Tokens(tokens=[], secret="CODE", url=url, fingerprint=fingerprint))


def test_the_line(chosen: pytest.MonkeyPatch) -> None:
    """The name of this daemon, its whole address, quoted for a shell."""
    assert line("wss://x:1") == "cw server add gpu_box wss://x:1/ws --code CODE"
    assert line("https://x/a&b") == "cw server add gpu_box 'wss://x:443/a&b/ws' --code CODE"
    chosen.setenv("CODEWIRE_NODE_NAME", "-" + "a" * 40)
    assert line("wss://x:1").split()[3] == "a" * 32
    chosen.setenv("CODEWIRE_NODE_NAME", "local")
    assert line("wss://x:1").split()[3] == "server"


def test_only_a_certificate_of_our_own_is_pinned(chosen: pytest.MonkeyPatch) -> None:
    """One that an authority signed is another one in a few weeks; and without TLS there is none."""
    own = f"{context.home()}/tls-cert.pem"
    chosen.setenv("CODEWIRE_DAEMON_LISTEN_TLS_CERT", own)
    assert line("wss://x:1", PIN).endswith(f" --fingerprint {PIN}")
    assert "--fingerprint" not in line("ws://x:1", PIN)
    chosen.setenv("CODEWIRE_DAEMON_LISTEN_TLS_CERT", "/etc/letsencrypt/live/x/fullchain.pem")
    assert "--fingerprint" not in line("wss://x:1", PIN)


def test_who_listens_for_this_machine_alone_says_so(
    chosen: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The line would be of no use elsewhere."""
    line("wss://x:1")
    assert capfd.readouterr().err == ""
    line("ws://127.0.0.1:9100")
    assert "external_url" in capfd.readouterr().err
