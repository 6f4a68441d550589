"""cw config: what is in force, and where each value came from"""

from __future__ import annotations

import json
import stat
import tomllib
from collections.abc import Iterator

import pytest

from codewire_py.version import VERSION
from homes import Home, new_home

KEYS = {
    "daemon.name",
    "daemon.listen",
    "attach.detach_keys",
    "attach.scrollback",
    "log.max_bytes",
    "send.timeout",
    "kill.grace",
}


@pytest.fixture
def home() -> Iterator[Home]:
    """Without a daemon: none is needed, and none is started."""
    with new_home() as fresh:
        fresh.path.mkdir(mode=0o700)
        yield fresh
        assert not (fresh.path / "daemon.pid").exists()


def config(home: Home, **variables: str) -> dict[str, dict[str, object]]:
    return dict(json.loads(home.cw("config", "--json", env={**home.env, **variables}).stdout))


def test_defaults(home: Home) -> None:
    """Every key, with where it came from; the home first."""
    lines = home.cw("config").stdout.splitlines()
    assert lines[0] == f'home = "{home.path}"'
    found = {line.partition(" = ")[0]: line.partition("  # ")[2] for line in lines[1:]}
    assert set(found) >= KEYS
    assert found["kill.grace"] == "default"


def test_the_file_and_the_variables(home: Home) -> None:
    """A variable wins over the file, the file over the default; each is named with its origin."""
    (home.path / "config.toml").write_text(
        "[kill]\ngrace = 7\n[send]\ntimeout = 3.5\n[log]\nmax_bytes = '1GiB'\n"
    )
    found = config(home, CODEWIRE_SEND_TIMEOUT="9")
    assert found["kill.grace"] == {"value": 7.0, "origin": f"{home.path}/config.toml:2"}
    assert found["send.timeout"]["value"] == 9.0
    assert "CODEWIRE_SEND_TIMEOUT" in str(found["send.timeout"]["origin"])
    assert found["log.max_bytes"]["value"] == 1 << 30


def test_what_is_printed_can_be_pasted(home: Home) -> None:
    """Each line is TOML, whatever is in the value; but for the home, config.toml takes them as they are."""
    odd = 'C:\\a"b \x9f\x7f\t\u202eé'
    home.env |= {"CODEWIRE_DAEMON_INSECURE_NO_TLS": "yes", "CODEWIRE_DAEMON_LISTEN_TLS_CERT": f"/{odd}"}
    home.env |= {"CODEWIRE_DAEMON_ALLOWED_HOSTS": "a.b, c"}
    first, *lines = home.cw("config").stdout.splitlines(keepends=True)
    told = {name: fact["value"] for name, fact in config(home).items()}
    assert tomllib.loads(first) == {"home": str(home.path)}
    assert told["daemon.insecure_no_tls"] is True
    assert told["daemon.listen_tls_cert"] == f"/{odd}"
    (home.path / "config.toml").write_text("".join(lines))
    for name in [name for name in home.env if name.startswith("CODEWIRE_DAEMON")]:
        del home.env[name]
    assert {name: fact["value"] for name, fact in config(home).items()} == told


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("[kill]\ngraze = 5\n", "line 2", "graze"),
        ("[attack]\nx = 1\n", "line 2", "attack"),
        ("[kill]\n\n\ngrace = 'soon'\n", "line 4", "grace"),
        ("[log]\nmax_bytes = -1\n", "line 2", "max_bytes"),
        ("[attach]\ndetach_keys = 'ctrl-c d'\n", "line 2", "detach_keys"),
        ("[kill\n", "line 1", "not TOML"),
    ],
)
def test_mistakes_are_named_with_file_and_line(home: Home, text: str, place: str, what: str) -> None:
    """Unknown keys, bad values, what is no TOML."""
    (home.path / "config.toml").write_text(text)
    done = home.cw("config", status=1)
    assert done.stderr.startswith("Error: ")
    assert f"{home.path}/config.toml, {place}" in done.stderr
    assert what in done.stderr


def test_a_bad_variable_is_named(home: Home) -> None:
    """By its name."""
    done = home.cw("config", status=1, env={**home.env, "CODEWIRE_KILL_GRACE": "soon"})
    assert "CODEWIRE_KILL_GRACE" in done.stderr


def test_secrets_are_not_shown(home: Home) -> None:
    """Only that there is one."""
    (home.path / "config.toml").write_text("[nats]\nurl = 'nats://n:4222'\ntoken = 'very-secret'\n")
    for words in ((), ("--json",)):
        assert "very-secret" not in home.cw("config", *words).stdout


def test_nothing_is_written(home: Home) -> None:
    """Looking costs nothing."""
    before = sorted(path.name for path in home.path.iterdir())
    home.cw("config")
    assert sorted(path.name for path in home.path.iterdir()) == before
    assert stat.S_IMODE(home.path.stat().st_mode) == 0o700


def test_the_version() -> None:
    """--version says it, from anywhere."""
    with new_home() as home:
        assert home.cw("--version").stdout == f"cw {VERSION}\n"
