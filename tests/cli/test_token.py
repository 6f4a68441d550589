"""cw token: who may come in from elsewhere"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from codewire_py.cli.moments import duration
from codewire_py.errors import UsageError
from homes import CW, Home, new_home


@pytest.fixture(scope="module")
def home(shared_home: Home) -> Home:
    """A daemon that listens; every test has tokens of its own."""
    shared_home.listen()
    shared_home.launch("cat", options=("--name", "api"))
    return shared_home


@pytest.fixture
def here() -> Iterator[Home]:
    with new_home() as fresh:
        yield fresh


def listed(home: Home, name: str) -> dict[str, object]:
    found = json.loads(home.cw("token", "list", "--json").stdout)
    return next((dict(about) for about in found if about["name"] == name), {})


# -- create


def test_the_token_alone_goes_to_stdout(home: Home) -> None:
    """So that it can be piped; what it may do, for how long, and that it is not shown again goes beside it."""
    done = home.cw("token", "create", "laptop")
    assert done.stdout.startswith("cw_")
    assert done.stdout.count("\n") == 1
    assert (
        'the token "laptop" may look at every session, type there and kill and launch others' in done.stderr
    )
    assert "until it is revoked" in done.stderr
    assert "it is not shown again. To end it: cw token revoke laptop" in done.stderr
    assert done.stdout.strip() not in done.stderr + home.journal() + (home.path / "tokens.json").read_text()


def test_it_does_what_it_says(home: Home, here: Home) -> None:
    """Piped to `cw server add` it lets in, up to its scope, also to make others."""
    admin = home.cw("token", "create", "boss", "--scope", "admin", "--expires", "2h").stdout
    here.cw("server", "add", "there", home.env["CODEWIRE_LISTEN"], "--token-stdin", input=admin)
    assert "api" in here.cw("--server", "there", "list").stdout
    refused = here.cw("--server", "there", "token", "create", "more", status=1)
    assert "cannot make one that lasts longer" in refused.stderr
    only = here.cw(
        "--server", "there", "token", "create", "tv", "--scope", "observe", "--expires", "1h"
    ).stdout
    here.cw("server", "add", "tv", home.env["CODEWIRE_LISTEN"], "--token-stdin", input=only)
    assert "api" in here.cw("--server", "tv", "list").stdout
    refused = here.cw("--server", "tv", "kill", "api", status=1)
    assert 'the token "tv" may observe, and kill needs control' in refused.stderr
    here.cw("--server", "there", "token", "revoke", "tv")
    refused = here.cw("--server", "tv", "list", status=1)
    assert "the token is not valid" in refused.stderr
    assert listed(home, "boss")["last_from"] == "127.0.0.1"
    assert here.cw("--server", "there", "token", "revoke", "boss").stdout.startswith("Token 'boss' revoked")


def test_limits_are_told_and_kept(home: Home) -> None:
    """Of sessions and of time."""
    done = home.cw(
        "token", "create", "ci", "--scope", "send", "--session", "api", "--session", "@1", "--expires", "7d"
    )
    assert 'the token "ci" may look at api, 1 alone and type there, until 20' in done.stderr
    about = listed(home, "ci")
    assert (about["scope"], about["sessions"], about["status"]) == ("send", ["api", "1"], "valid")
    lasts = datetime.fromisoformat(str(about["expires_at"])) - datetime.fromisoformat(
        str(about["created_at"])
    )
    assert lasts.total_seconds() == pytest.approx(7 * 86400, abs=2)


def test_create_as_json(home: Home) -> None:
    """The token with what is known about it, and where it is good."""
    told = json.loads(home.cw("token", "create", "robot", "--scope", "observe", "--json").stdout)
    assert told["token"].startswith("cw_")
    assert (told["name"], told["scope"], told["expires_at"]) == ("robot", "observe", None)
    assert told["url"] == f"ws://{home.env['CODEWIRE_LISTEN']}/ws"


def test_without_a_listener_it_says_so(here: Home) -> None:
    """A token that nobody can use yet is made all the same."""
    done = here.cw("token", "create", "early", "--expires", "never")
    assert "the daemon has no listener" in done.stderr
    assert done.stdout.startswith("cw_")


def test_two_at_once(home: Home) -> None:
    """Of one name one is made, of two names both."""
    words = ["twin", "twin", "one", "two"]
    making = [
        subprocess.Popen(
            [*CW, "token", "create", word], env=home.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for word in words
    ]
    secrets = [process.communicate(timeout=30)[0] for process in making]
    assert sorted(process.returncode for process in making) == [0, 0, 0, 1]
    assert len({secret for secret in secrets if secret}) == 3
    names = [fields["name"] for fields in json.loads((home.path / "tokens.json").read_text())["tokens"]]
    assert sorted(name for name in names if name in words) == ["one", "twin", "two"]


# -- list, revoke


def test_list_lines_up(home: Home) -> None:
    """One line each, the first token with where it is, and never a secret or its hash."""
    secret = home.cw("token", "create", "a-rather-long-name-for-a-token").stdout.strip()
    text = home.cw("token", "list").stdout
    head, rule, first, *rest = text.splitlines()
    assert first.startswith("token (the file)  ")
    assert set(rule) == {"-"}
    column = head.index("STATUS")
    assert {line[column : column + 5] for line in [first, *rest]} == {"valid"}
    for word in (secret, home.token(), *hashes(home.path)):
        assert word not in text + home.cw("token", "list", "--json").stdout


def hashes(path: Path) -> list[str]:
    return [fields["sha256"] for fields in json.loads((path / "tokens.json").read_text())["tokens"]]


def test_revoke_several(home: Home) -> None:
    """Each is told; one that is not there is told, too, and those before it are gone."""
    for name in ("r1", "r2", "r3"):
        home.cw("token", "create", name)
    done = home.cw("token", "revoke", "r1", "r2", "nobody", "r3", status=1)
    assert done.stdout.count("revoked") == 2
    assert "there is no token named 'nobody'" in done.stderr
    assert [bool(listed(home, name)) for name in ("r1", "r2", "r3")] == [False, False, True]
    assert json.loads(home.cw("token", "revoke", "r3", "--json").stdout) == ["r3"]


def test_revoking_the_first_makes_another(here: Home) -> None:
    """And says where; a daemon that becomes another one does not bring the old one back."""
    here.env["CODEWIRE_TOKEN"] = "chosen-by-the-environment"
    here.cw("start")
    assert here.token() == "chosen-by-the-environment"
    assert "the first token is another one now" in here.cw("token", "revoke", "token").stderr
    fresh = here.token()
    assert len(fresh) == 32
    here.cw("restart")
    here.cw("list")
    assert here.token() == fresh


# -- what makes no sense


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["frob"], "no action of cw token is called 'frob'"),
        (["create"], "cw token create takes NAME"),
        (["create", "a", "b"], "cw token create takes NAME"),
        (["list", "a"], "cw token list takes no words"),
        (["revoke"], "cw token revoke takes NAME..."),
        (["list", "--scope", "send"], "--scope means nothing to cw token list"),
        (["create", "a", "--scope", ""], "--scope is given, and empty"),
        (["create", "a", "--expires", ""], "--expires is given, and empty"),
        (["revoke", "a", "--expires", "7d"], "--expires means nothing to cw token revoke"),
        (["create", "a", "--expires", "7"], "'7' is not a time"),
        (["create", "a", "--expires", "0d"], "'0d' is not a time"),
        (["create", "a", "--expires", "11000d"], "a token is good for ten years at most"),
        (["create", "a", "--scope", "root"], "there is no scope 'root'"),
        (["create", "a", "--scope", "admin", "--session", "api"], "an admin cannot be limited"),
        ([], "Missing argument"),
    ],
)
def test_what_makes_no_sense(home: Home, words: list[str], told: str) -> None:
    """Is told in one sentence, and nothing is made."""
    done = home.cw("token", *words, status=2)
    assert told in done.stderr
    assert done.stdout == ""
    assert not listed(home, "a")


def test_help_teaches(home: Home) -> None:
    """With an example of each."""
    text = home.cw("token", "--help").stdout
    for example in (
        "create laptop",
        "--scope observe",
        "--session api",
        "--expires 12h",
        "list",
        "revoke laptop",
    ):
        assert f"cw token {example}" in text or example in text


# -- how long


@pytest.mark.parametrize(
    ("word", "seconds"),
    [("90s", 90), ("30m", 1800), ("12h", 43200), ("7d", 604800), ("2w", 1209600), ("1h30m", 5400), ("1.5h", 5400),
     (" 7D ", 604800), ("never", 0)],
)  # fmt: skip
def test_a_time_to_last(word: str, seconds: float) -> None:
    """As people say it."""
    assert duration(word) == seconds


@pytest.mark.parametrize(
    "word", ["", "7", "d", "7x", "-7d", "7 d", "1e3s", "0s", "inf", "nand", "9999999999d", "h30m", "٣d"]
)
def test_no_time_to_last(word: str) -> None:
    """A number alone could be of anything."""
    with pytest.raises(UsageError, match="is not a time"):
        duration(word)
