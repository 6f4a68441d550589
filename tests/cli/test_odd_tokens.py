"""tokens that no header can hold: told as whose they are, and never shown"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from codewire_py.cli import probing
from codewire_py.client.servers import Server, load
from homes import Home, new_home

ODD = "hunter2\nX: y"
TROUBLE = "the token of server 'box' in servers.toml: it is too long, or has spaces"


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


def test_a_saved_one_is_that_servers_trouble(here: Home, there: Home) -> None:
    """A sentence in its row; the others are asked as ever, and it is mended by saving another."""
    address = there.env["CODEWIRE_LISTEN"]
    here.server("box", address, ODD)
    here.server("good", address, there.token())
    listed = here.cw("server", "list")
    assert TROUBLE in listed.stdout
    assert listed.stdout.splitlines()[-1].endswith(" yes")
    for words in (["-s", "box", "list"], ["server", "add", "box", address]):
        refused = here.cw(*words, status=1).stderr
        assert refused.startswith(f"Error: {TROUBLE}")
        assert "hunter2" not in refused + listed.stdout + listed.stderr
    mended = here.cw("server", "add", "box", address, "--token-stdin", input=there.token())
    assert "[cw] it answers" in mended.stderr


def test_the_variable_is_named(here: Home, there: Home) -> None:
    """Before anything is saved by it; a list of servers does not look at it."""
    here.env["CODEWIRE_TOKEN"] = ODD
    address = there.env["CODEWIRE_LISTEN"]
    for words in (["-s", address, "list"], ["server", "add", "box", address]):
        refused = here.cw(*words, status=2).stderr
        assert refused.startswith("Error: CODEWIRE_TOKEN holds no token: ")
        assert "hunter2" not in refused
    assert here.cw("server", "list").stdout == "No saved servers.\n"


def test_a_bug_shows_none_either(
    here: Home, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever is raised while a server is asked: no traceback, and nothing of what it says."""
    here.server("box", "ws://127.0.0.1:1", "hunter2")

    def fail(server: Server) -> None:
        raise ValueError(f"odd: {server.token}")

    monkeypatch.setattr(probing, "probe", fail)
    [row] = probing.ask_all(load(str(here.path)))
    told = "a bug in cw, or an answer that makes no sense: ValueError"
    assert (row["reachable"], row["error"]) == (False, told)
    assert capfd.readouterr() == ("", "")
