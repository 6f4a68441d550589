"""the saved servers: which one is meant, and the file they are in"""

from __future__ import annotations

import json
import os
import stat
import threading
import tomllib
from pathlib import Path

import pytest

from codewire_py.client.servers import Server, Servers, change, check_name, check_token, load, resolve
from codewire_py.errors import ConfigError, NoSuchServer, UsageError

ORIGINAL = """\
[servers.gpu]
url = "wss://gpu.example.com:9100"
token = "deadbeef"

[servers.old]
url = "http://10.0.0.7:9100/ws"
token = "cafe"
"""


@pytest.fixture
def place(tmp_path: Path) -> str:
    """A home directory with nothing in it."""
    (tmp_path / "home").mkdir(mode=0o700)
    return str(tmp_path / "home")


def write(place: str, text: str | bytes, mode: int = 0o600) -> Path:
    file = Path(place) / "servers.toml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    file.chmod(mode)
    return file


def server(place: str, word: str, **environ: str) -> Server:
    found = resolve(place, word, environ)
    assert isinstance(found, Server)
    return found


def facts(found: Server) -> tuple[str, str, str, str]:
    return found.name, found.url, found.token, found.fingerprint


# -- which one is meant


def test_the_original_file_is_read_as_it_is(place: str) -> None:
    """[servers.NAME] with url and token: addresses are made whole, the file stays as it was."""
    file = write(place, ORIGINAL)
    assert facts(server(place, "gpu")) == ("gpu", "wss://gpu.example.com:9100/ws", "deadbeef", "")
    assert facts(server(place, "old")) == ("old", "ws://10.0.0.7:9100/ws", "cafe", "")
    assert file.read_text() == ORIGINAL


def test_without_a_word_it_is_this_machine(place: str) -> None:
    """With saved servers or without."""
    assert resolve(place, "", {}) == place
    write(place, ORIGINAL)
    assert resolve(place, "", {}) == place


def test_who_wins(place: str) -> None:
    """The option, then CODEWIRE_SERVER, then the default; `local` is this machine whatever else is said."""
    write(place, 'default = "gpu"\n' + ORIGINAL)
    assert server(place, "").name == "gpu"
    assert server(place, "", CODEWIRE_SERVER="").name == "gpu"
    assert server(place, "", CODEWIRE_SERVER="old").name == "old"
    assert server(place, "gpu", CODEWIRE_SERVER="old").name == "gpu"
    assert resolve(place, "local", {"CODEWIRE_SERVER": "old"}) == place
    assert resolve(place, "", {"CODEWIRE_SERVER": "local"}) == place


def test_an_address_needs_no_name(place: str) -> None:
    """Its token: CODEWIRE_TOKEN, else that of a saved server with this address, else none."""
    write(place, ORIGINAL + 'fingerprint = "sha256:aa"\n')
    assert facts(server(place, "ws://new:1")) == ("ws://new:1/ws", "ws://new:1/ws", "", "")
    assert server(place, "10.0.0.7:9100").token == "cafe"
    assert server(place, "10.0.0.7:9100").fingerprint == "sha256:aa"
    assert server(place, "ws://10.0.0.7:9101").token == ""
    assert server(place, "wss://10.0.0.7:9100").token == ""
    assert server(place, "ws://new:1", CODEWIRE_TOKEN="t").token == "t"
    assert server(place, "10.0.0.7:9100", CODEWIRE_TOKEN="t").token == "t"


def test_the_variable_wins_over_a_saved_token(place: str) -> None:
    """As documented."""
    write(place, ORIGINAL)
    assert server(place, "gpu", CODEWIRE_TOKEN="t").token == "t"
    assert server(place, "gpu", CODEWIRE_TOKEN="").token == "deadbeef"


def test_a_word_that_is_neither(place: str) -> None:
    """Names what was asked for, and the saved one that is nearly so."""
    write(place, ORIGINAL)
    with pytest.raises(NoSuchServer, match="no server named 'gpuu' is saved") as refused:
        resolve(place, "gpuu", {})
    assert '"gpu"' in refused.value.hint
    with pytest.raises(NoSuchServer) as refused:
        resolve(place, "unlike", {})
    assert refused.value.hint == "the saved ones: cw server list"
    with pytest.raises(UsageError):
        resolve(place, "ftp://gpu", {})


def test_a_default_that_is_gone(place: str) -> None:
    """Does not mean this machine: a command would act on sessions that nobody meant."""
    write(place, 'default = "gone"\n' + ORIGINAL)
    with pytest.raises(NoSuchServer, match="gone"):
        resolve(place, "", {})


def test_no_token_in_what_may_be_shown() -> None:
    """Neither in a traceback nor in an error."""
    found = Server("gpu", "ws://gpu:1/ws", "hunter2")
    assert "hunter2" not in repr(found) + found.called()
    assert found.called() == "gpu (ws://gpu:1/ws)"
    assert Server("ws://gpu:1/ws", "ws://gpu:1/ws").called() == "ws://gpu:1/ws"


# -- files that are wrong

WRONG = [
    ("[servers.gpu]\nurl = ws\n", 2, "not TOML"),
    ("servers = 3\n", 1, "servers is not a table"),
    ("\n\nservers = []\n", 3, "servers is not a table"),
    ("[servers]\nx = 1\ngpu = 'ws://x'\n", 2, "server 'x' is not a table"),
    (ORIGINAL + "[servers.bad]\ntoken = 'x'\n", 8, "server 'bad' has no url"),
    ("[servers.gpu]\nurl = 7\n", 2, "url of server 'gpu' is not a text"),
    ("[servers.gpu]\nurl = 'ws://x:1'\n\ntoken = ['hunter2']\n", 4, "token of server 'gpu' is not a text"),
    ("[servers.gpu]\nurl = 'ws://x:1'\nfingerprint = true\n", 3, "fingerprint of server 'gpu' is not a text"),
    ("# x\ndefault = 4\n", 2, "default is not a text"),
    (b"[servers.gpu]\nurl = '\xff'\n", 2, "not UTF-8"),
    ("a = " + "[" * 100_000, 1, "not TOML"),
]


@pytest.mark.parametrize(("text", "line", "what"), WRONG, ids=[what for _, _, what in WRONG])
def test_a_mistake_is_named_with_its_line(place: str, text: str | bytes, line: int, what: str) -> None:
    """Tokens are not repeated, and this machine can be reached all the same."""
    write(place, text)
    with pytest.raises(ConfigError, match=what) as refused:
        resolve(place, "gpu", {})
    if "[[[" not in str(text):
        assert f"servers.toml, line {line}:" in refused.value.message
    assert "hunter2" not in refused.value.message + refused.value.hint
    assert "--server local" in refused.value.hint
    assert resolve(place, "local", {}) == place


def test_a_mistake_in_one_address_is_that_servers_alone(place: str) -> None:
    """Whoever asks for it hears of it."""
    write(place, ORIGINAL + "[servers.bad]\nurl = 'ftp://x'\n")
    assert server(place, "gpu").name == "gpu"
    assert server(place, "gpu.example.com:9100").token == ""
    with pytest.raises(ConfigError, match="the address of server 'bad'"):
        resolve(place, "bad", {})


def test_a_wrong_file_costs_only_who_needs_it(place: str) -> None:
    """No default in it: not even parsed. A default that cannot be read is not passed over."""
    write(place, "[servers.gpu\n")
    assert resolve(place, "", {}) == place
    write(place, 'default = "gpu"\n[servers.gpu\n')
    with pytest.raises(ConfigError):
        resolve(place, "", {})


@pytest.mark.parametrize("kind", ["directory", "large"])
def test_what_is_no_such_file(place: str, kind: str) -> None:
    """Is named, not half read."""
    if kind == "directory":
        (Path(place) / "servers.toml").mkdir()
    else:
        write(place, "#" * (1 << 20) + "\n")
    with pytest.raises(ConfigError, match=r"servers\.toml"):
        resolve(place, "gpu", {})


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o666])
def test_what_others_may_read_is_closed(place: str, mode: int) -> None:
    """It holds tokens: whoever left it open, reading it closes it."""
    file = write(place, ORIGINAL, mode)
    assert server(place, "gpu").token == "deadbeef"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("token", ["hunter2\nX: y", "hunter2 ", "hunter2\u00e9", "hunter2" * 200])
def test_a_token_that_cannot_travel_is_told_and_not_repeated(place: str, token: str) -> None:
    """Whichever of the two is shown; a variable in its place needs no saved one, and the other servers none of it."""
    write(place, f"{ORIGINAL}[servers.bad]\nurl = 'ws://x:1'\ntoken = {json.dumps(token)}\n")
    for word in ("bad", "x:1"):
        with pytest.raises(
            ConfigError, match=r"the token of server .* in servers\.toml: it is too long"
        ) as saved:
            resolve(place, word, {})
        assert "hunter2" not in saved.value.message + saved.value.hint
    with pytest.raises(UsageError, match="CODEWIRE_TOKEN holds no token") as said:
        resolve(place, "gpu", {"CODEWIRE_TOKEN": token})
    assert "hunter2" not in said.value.message + said.value.hint
    assert server(place, "bad", CODEWIRE_TOKEN="t").token == "t"
    assert server(place, "gpu").token == "deadbeef"


# -- changing it


def put(name: str, url: str = "ws://x:1/ws", token: str = "t"):  # type: ignore[no-untyped-def]
    return lambda servers: servers.put(Server(name, url, token))


def test_what_is_saved_is_read_again(place: str) -> None:
    """Whatever the token has in it; 0600 from the first moment."""
    umask = os.umask(0)
    try:
        change(place, put("gpu", token='a"b\\c'))
    finally:
        os.umask(umask)
    file = Path(place) / "servers.toml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert facts(server(place, "gpu")) == ("gpu", "ws://x:1/ws", 'a"b\\c', "")
    assert sorted(os.listdir(place)) == ["servers.lock", "servers.toml"]


def test_what_one_that_was_killed_left_does_not_matter(place: str) -> None:
    """Not even when others may read it, or it leads elsewhere."""
    (Path(place) / "servers.toml.new").write_text("x")
    (Path(place) / "servers.toml.new").chmod(0o666)
    change(place, put("gpu"))
    assert stat.S_IMODE((Path(place) / "servers.toml").stat().st_mode) == 0o600
    (Path(place) / "mine").write_text("mine")
    (Path(place) / "servers.toml.new").symlink_to("mine")
    change(place, put("other"))
    assert (Path(place) / "mine").read_text() == "mine"
    assert sorted(load(place).tables) == ["gpu", "other"]


def test_nothing_unknown_is_lost(place: str) -> None:
    """Keys and tables of a later version, or somebody's own."""
    write(
        place,
        'colour = 3\n[servers.gpu]\nurl = "ws://x"\ntoken = "t"\nnote = "mine"\n[servers.gpu.more]\na = [1]\n[else]\nb = 2026-01-02\n',
    )
    before = tomllib.loads((Path(place) / "servers.toml").read_text())
    change(place, put("other"))
    change(place, lambda servers: servers.put(Server("gpu", "ws://y:1/ws", "", "sha256:aa")))
    after = tomllib.loads((Path(place) / "servers.toml").read_text())
    before["servers"]["gpu"] |= {"url": "ws://y:1/ws", "fingerprint": "sha256:aa"}
    del before["servers"]["gpu"]["token"]
    before["servers"]["other"] = {"url": "ws://x:1/ws", "token": "t"}
    assert after == before


def test_two_at_once(place: str) -> None:
    """Nobody's change is lost."""
    names = [f"s{number}" for number in range(20)]
    adding = [threading.Thread(target=change, args=(place, put(name))) for name in names]
    for thread in adding:
        thread.start()
    for thread in adding:
        thread.join(20)
    assert sorted(load(place).tables) == sorted(names)


def test_rename_and_remove(place: str) -> None:
    """The default follows a new name, and goes with what it named."""
    write(place, 'default = "gpu"\n' + ORIGINAL)
    change(place, lambda servers: servers.rename("gpu", "box"))
    assert (load(place).default, list(load(place).tables)) == ("box", ["box", "old"])
    assert server(place, "").token == "deadbeef"
    with pytest.raises(UsageError, match="'old' is saved already"):
        change(place, lambda servers: servers.rename("box", "old"))
    change(place, lambda servers: servers.rename("box", "box"))
    change(place, lambda servers: servers.remove("old"))
    assert load(place).default == "box"
    change(place, lambda servers: servers.remove("box"))
    assert (load(place).default, load(place).tables) == ("", {})
    for edit in (Servers.remove, Servers.set_default):
        with pytest.raises(NoSuchServer):
            change(place, lambda servers, edit=edit: edit(servers, "gpu"))  # type: ignore[misc]


def test_a_wrong_file_is_not_written_over(place: str) -> None:
    """What a person wrote is theirs to mend."""
    file = write(place, "[servers.gpu\n")
    with pytest.raises(ConfigError):
        change(place, put("x"))
    assert file.read_text() == "[servers.gpu\n"


def test_a_link_stays_a_link(place: str, tmp_path: Path) -> None:
    """Some keep their dot files elsewhere."""
    (tmp_path / "mine.toml").write_text(ORIGINAL)
    (Path(place) / "servers.toml").symlink_to(tmp_path / "mine.toml")
    change(place, put("new"))
    assert (Path(place) / "servers.toml").is_symlink()
    assert "new" in (tmp_path / "mine.toml").read_text()


def test_a_failed_write_changes_nothing(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is whole, and nothing with tokens in it lies beside it."""
    write(place, ORIGINAL)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "rename", full)
    with pytest.raises(OSError, match="No space"):
        change(place, put("new"))
    assert (Path(place) / "servers.toml").read_text() == ORIGINAL
    assert not (Path(place) / "servers.toml.new").exists()


# -- names and tokens


@pytest.mark.parametrize("name", ["gpu", "GPU-box_1.lan", "1", "a" * 32, "_", ".x"])
def test_names(name: str) -> None:
    """These may be given to a server."""
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name", ["", "local", "a b", "a/b", "ws://x", "a:1", "-x", "a" * 33, "é", "a\n", "a\x1b"]
)
def test_what_is_no_name(name: str) -> None:
    """Nothing that could be taken for an address, an option, or for this machine."""
    with pytest.raises(UsageError) as refused:
        check_name(name)
    assert refused.value.message.isprintable()


@pytest.mark.parametrize("token", ["a b", "a\r\nX: y", "é", "\x1b", "t" * 1001, "a\udcff"])
def test_what_is_no_token(token: str) -> None:
    """It travels in a header; and it is not repeated."""
    with pytest.raises(UsageError) as refused:
        check_token(token)
    assert token not in refused.value.message
