"""cw server: save servers by name, see which of them answer, and let others come to this one"""

from __future__ import annotations

import io
import json
import socket
import subprocess
import time
import tomllib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pexpect
import pytest

from homes import CW, Home, new_home

TOKEN = "hunter2-hunter2-hunter2"


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture(scope="module")
def there() -> Iterator[Home]:
    """A daemon that listens, and lets TOKEN in."""
    with new_home() as home:
        home.env["CODEWIRE_TOKEN"] = TOKEN
        home.listen()
        yield home


@pytest.fixture
def here() -> Iterator[Home]:
    """Where servers are saved; no daemon runs here."""
    with new_home() as home:
        yield home


def address(there: Home) -> str:
    return there.env["CODEWIRE_LISTEN"]


def saved(home: Home) -> dict[str, Any]:
    return tomllib.loads((home.path / "servers.toml").read_text())


def add(
    home: Home, *words: str, token: str = TOKEN + "\n", status: int = 0
) -> subprocess.CompletedProcess[str]:
    return home.cw("server", "add", *words, "--token-stdin", input=token, status=status)


# -- add


def test_add_saves_and_says_what_answers(here: Home, there: Home) -> None:
    """The address made whole, the token from standard input, in a file that is ours alone."""
    done = add(here, "box", address(there))
    assert done.stdout == "Server 'box' saved.\n"
    assert done.stderr.startswith("[cw] it answers: version ")
    assert saved(here) == {"servers": {"box": {"url": f"ws://{address(there)}/ws", "token": TOKEN}}}
    assert (here.path / "servers.toml").stat().st_mode & 0o777 == 0o600
    assert TOKEN not in done.stdout + done.stderr + there.journal()


def test_add_saves_what_does_not_answer(here: Home) -> None:
    """Machines are set up in any order: it is saved, and why it does not answer is told."""
    done = add(here, "box", f"127.0.0.1:{free_port()}")
    assert done.stdout == "Server 'box' saved.\n"
    assert "[cw] but for now: connection refused" in done.stderr
    assert "box" in saved(here)["servers"]


def test_add_with_a_token_that_is_not_let_in(here: Home, there: Home) -> None:
    """Is found out at once, and the token is not repeated."""
    done = add(here, "box", address(there), token="wrong-wrong-wrong\n")
    assert "[cw] but for now:" in done.stderr
    assert "wrong-wrong" not in done.stderr


def test_add_as_json(here: Home, there: Home) -> None:
    """The same as facts, without the token."""
    told = json.loads(add(here, "box", address(there), "--json").stdout)
    assert told["name"] == "box"
    assert told["reachable"] is True
    assert TOKEN not in json.dumps(told)


def test_a_token_as_a_word_is_warned_of(here: Home) -> None:
    """Others see it in the process list."""
    done = here.cw("server", "add", "box", f"127.0.0.1:{free_port()}", "--token", TOKEN)
    assert "process list" in done.stderr
    assert TOKEN not in done.stderr
    assert saved(here)["servers"]["box"]["token"] == TOKEN


@pytest.mark.parametrize(
    ("url", "is_warned"),
    [
        ("ws://cw.invalid:9100", True),
        ("cw.invalid:9100", True),
        ("wss://cw.invalid", False),
        ("localhost:1", False),
    ],
)
def test_what_is_not_encrypted_is_warned_of(here: Home, url: str, is_warned: bool) -> None:
    """Between machines, not within one."""
    assert ("not encrypted" in add(here, "box", url).stderr) is is_warned


def test_ssh_needs_no_token(here: Home, tmp_path: Path) -> None:
    """Whoever may log in there is asked for nothing more."""
    env = {**here.env, "CODEWIRE_SSH": "/bin/false"}
    assert here.cw("server", "add", "box", "ssh://me@cw.invalid", env=env).stdout == "Server 'box' saved.\n"
    assert saved(here) == {"servers": {"box": {"url": "ssh://me@cw.invalid"}}}


def test_adding_again_replaces(here: Home) -> None:
    """With the token that was saved for this address, unless another is given: a new fingerprint costs no token."""
    port = free_port()
    pin = "sha256:" + "ab" * 32
    add(here, "box", f"wss://127.0.0.1:{port}")
    here.cw("server", "add", "box", f"wss://127.0.0.1:{port}", "--fingerprint", ":".join(["AB"] * 32))
    assert saved(here)["servers"]["box"] == {
        "url": f"wss://127.0.0.1:{port}/ws",
        "token": TOKEN,
        "fingerprint": pin,
    }
    assert "needs a token" in here.cw("server", "add", "box", "wss://127.0.0.1:1", status=2).stderr


def test_the_variable_may_be_the_token(here: Home, there: Home) -> None:
    """Then none is saved: it is used as long as it is set."""
    env = {**here.env, "CODEWIRE_TOKEN": TOKEN}
    assert "it answers" in here.cw("server", "add", "box", address(there), env=env).stderr
    assert saved(here) == {"servers": {"box": {"url": f"ws://{address(there)}/ws"}}}


def test_the_variable_goes_to_no_server_that_nobody_named(here: Home) -> None:
    """A list of servers asks each by its own token; one without a token is asked without."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)
        here.path.mkdir(mode=0o700, exist_ok=True)
        (here.path / "servers.toml").write_text(
            "".join(
                f'[servers.{name}]\nurl = "ws://127.0.0.1:{listener.getsockname()[1]}/ws"\n{token}'
                for name, token in (("own", 'token = "its-own-token"\n'), ("none", ""))
            )
        )
        here.env["CODEWIRE_TOKEN"] = TOKEN
        asking = here.begin("server", "list", stdout=subprocess.DEVNULL)
        for _ in range(2):
            peer, _ = listener.accept()
            peer.settimeout(20)
            with peer:
                heard.append(peer.recv(65536))
    assert asking.wait(20) == 0
    assert sum(b"Bearer its-own-token" in head for head in heard) == 1
    assert not any(TOKEN.encode() in head for head in heard)


def test_it_asks_when_there_is_a_terminal(here: Home, there: Home) -> None:
    """Without showing what is typed."""
    words = [*CW[1:], "server", "add", "box", address(there)]
    asking = pexpect.spawn(CW[0], words, env=here.env, timeout=20, dimensions=(24, 200))
    asking.logfile_read = shown = io.BytesIO()
    try:
        asking.expect_exact("Token for box: ")
        asking.sendline(TOKEN)
        asking.expect_exact("it answers")
        asking.expect(pexpect.EOF)
        assert TOKEN.encode() not in shown.getvalue()
    finally:
        asking.close(force=True)
    assert saved(here)["servers"]["box"]["token"] == TOKEN


def test_a_fingerprint_is_kept_with_its_address(here: Home) -> None:
    """Another token for the same address does not unpin it, whichever name it has; another address is another server."""
    url, pin = "wss://127.0.0.1:1/ws", "sha256:" + "ab" * 32
    here.server("twin", url, TOKEN, "sha256:" + "cd" * 32)
    add(here, "box", url, "--fingerprint", pin)
    add(here, "box", url, token="another-another\n")
    assert saved(here)["servers"]["box"] == {"url": url, "token": "another-another", "fingerprint": pin}
    here.cw("server", "add", "box", url)
    assert saved(here)["servers"]["box"] == {"url": url, "token": "another-another", "fingerprint": pin}
    add(here, "box", "wss://127.0.0.1:2")
    assert "fingerprint" not in saved(here)["servers"]["box"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("add box wss://x:1 --fingerprint=", "--fingerprint is given, and empty"),
        ("add box ws://x:1 --token=", "--token is given, and empty"),
        ("add box ws://x:1 --token-stdin --code=", "--code is given, and empty"),
        ("pair --scope=", "--scope is given, and empty"),
        ("pair --expires=", "--expires is given, and empty"),
        ("add local ws://x:1", "'local' always means the home on this machine"),
        ("add a/b ws://x:1", "'a/b' cannot be the name of a server"),
        ("add box x", "ws"),
        ("add box ws://x:1?token=hunter2", "nothing after ? or #"),
        ("add box ws://me:hunter2@x:1", "holds no password or token"),
        ("add box ws://x:1 --fingerprint " + "ab" * 32, "which only wss:// has"),
        ("add box wss://x:1 --fingerprint zz", "no fingerprint"),
        ("add box ws://x:1 --token a --code b", "three ways to one token"),
        ("add box ws://x:1", "a server needs a token"),
        ("add box", "cw server add takes NAME URL"),
        ("add box ws://x:1 y", "cw server add takes NAME URL"),
        ("list box", "cw server list takes no words"),
        ("list --token x", "--token means nothing to cw server list"),
        ("remove box --code x", "--code means nothing to cw server remove"),
        ("bogus", "no action of cw server is called 'bogus'"),
        ("default box --none", "a name and --none cannot both be"),
        ("rename box local", "'local' always means"),
    ],
)
def test_what_makes_no_sense(here: Home, words: str, sentence: str) -> None:
    """Is refused in a sentence; nothing is saved, and no secret repeated."""
    done = here.cw("server", *words.split(), status=2)
    assert sentence in done.stderr
    assert "hunter2" not in done.stderr
    assert not (here.path / "servers.toml").exists()


def test_no_token_on_standard_input(here: Home) -> None:
    """Empty, or no token at all."""
    assert "no token on standard input" in add(here, "box", "ws://x:1", token="\n", status=2).stderr
    assert "that is no token" in add(here, "box", "ws://x:1", token="a b\n", status=2).stderr


def test_two_at_once(here: Home) -> None:
    """Both are saved."""
    here.path.mkdir(mode=0o700)
    ports = [free_port() for _ in range(4)]
    adding = [
        here.begin("server", "add", f"s{port}", f"127.0.0.1:{port}", "--token", "t", stderr=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        for port in ports
    ]  # fmt: skip
    assert [process.wait(30) for process in adding] == [0] * 4
    assert sorted(saved(here)["servers"]) == sorted(f"s{port}" for port in ports)


# -- list, remove, rename, default


def test_list(here: Home, there: Home) -> None:
    """Who answers with what, who does not and why; all are asked at once; tokens are never shown."""
    assert here.cw("server", "list").stdout == "No saved servers.\n"
    id = there.launch("sleep", "60")
    add(here, "box", address(there), "--default")
    add(here, "gone", f"127.0.0.1:{free_port()}")
    text = here.cw("server", "list").stdout
    assert text.splitlines()[0].split() == ["NAME", "URL", "VERSION", "RUNNING", "LATENCY", "REACHABLE"]
    assert "box (default)" in text
    assert "no: connection refused" in text
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    silent = [f"ws://127.0.0.1:{listener.getsockname()[1]}" for listener in listeners]
    with open(here.path / "servers.toml", "a") as file:
        file.write('[servers.odd]\nurl = "ftp://x"\n')
        file.writelines(f'[servers.silent{number}]\nurl = "{url}"\n' for number, url in enumerate(silent))
    begun = time.monotonic()
    done = here.cw("server", "list", "--json")
    took = time.monotonic() - begun
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    box = rows["box"]
    assert (box["reachable"], box["default"], box["sessions"], box["error"]) == (True, True, 1, "")
    assert box["version"]
    assert 0 < box["latency_ms"] < 3000
    assert (rows["gone"]["reachable"], rows["gone"]["error"]) == (False, "connection refused")
    assert "ftp" in rows["odd"]["error"]
    assert all(
        not rows[f"silent{number}"]["reachable"] and rows[f"silent{number}"]["error"] for number in range(3)
    )
    assert took < 6, "one after the other they take 9 s"
    assert TOKEN not in text + done.stdout
    for listener in listeners:
        listener.close()
    there.cw("kill", str(id))


def test_remove_rename_and_default(here: Home) -> None:
    """Each says what is so now."""
    add(here, "box", f"127.0.0.1:{free_port()}")
    assert here.cw("server", "default").stdout == "Commands go to this machine.\n"
    assert here.cw("server", "default", "box").stdout == "Without --server, commands go to 'box'.\n"
    assert here.cw("server", "rename", "box", "gpu").stdout == "Server 'box' is called 'gpu' now.\n"
    assert saved(here)["default"] == "gpu"
    assert json.loads(here.cw("server", "default", "--json").stdout) == {"default": "gpu"}
    assert here.cw("server", "default", "local").stdout == "Commands go to this machine.\n"
    assert "default" not in saved(here)
    assert here.cw("server", "default", "gpux", status=1).stderr.startswith(
        "Error: no server named 'gpux' is saved"
    )
    assert here.cw("server", "remove", "gpu").stdout == "Server 'gpu' removed.\n"
    done = here.cw("server", "remove", "gpu", status=1)
    assert done.stderr.startswith("Error: no server named 'gpu' is saved")
    assert saved(here) == {"servers": {}}


def test_a_wrong_file_leaves_the_rest_alone(here: Home) -> None:
    """The mistake is named by those that need the file; sessions of this machine are not touched by it."""
    here.path.mkdir(mode=0o700)
    (here.path / "servers.toml").write_text("[servers.gpu\n")
    for words in (
        ["server", "list"],
        ["server", "add", "a", "ws://x:1", "--token", "t"],
        ["-s", "gpu", "list"],
    ):
        done = here.cw(*words, status=1)
        assert f"{here.path}/servers.toml, line 1: not TOML" in done.stderr
    assert here.cw("config").stdout
    assert here.cw("list").stdout == "No sessions.\n"
    assert (here.path / "servers.toml").read_text() == "[servers.gpu\n"
