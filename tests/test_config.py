"""config.toml and the variables: what is in force, and where it came from"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewire_py import config
from codewire_py.config import KEYS, Config, Key, load

GOOD = {  # for each key something to say that is not its default, and what it means
    "daemon.name": ("box-1", "box-1"),
    "daemon.listen": ("127.0.0.1:9100", "127.0.0.1:9100"),
    "daemon.external_url": ("wss://box.example/ws", "wss://box.example/ws"),
    "daemon.listen_tls_cert": ("/etc/cw/cert.pem", "/etc/cw/cert.pem"),
    "daemon.listen_tls_key": ("/etc/cw/key.pem", "/etc/cw/key.pem"),
    "daemon.allowed_hosts": ("box.example,box", "box.example, box"),
    "daemon.allowed_origins": ("https://a.example, http://b:8080", "https://a.example, http://b:8080"),
    "daemon.insecure_no_tls": ("yes", "True"),
    "nats.url": ("nats://hub.example:4222", "nats://hub.example:4222"),
    "nats.token": ("s3cret", "s3cret"),
    "nats.creds_file": ("/etc/fleet.creds", "/etc/fleet.creds"),
    "attach.detach_keys": ("^a d", "Ctrl+A d"),
    "attach.scrollback": ("400", "400"),
    "log.max_bytes": ("1GB", "1000000000"),
    "send.timeout": ("2.5", "2.5"),
    "kill.grace": ("0", "0.0"),
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def write(home: Path, text: str | bytes) -> Path:
    path = home / "config.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def table_of(key: Key, value: str) -> str:
    section, _, name = key.name.partition(".")
    return f"[{section}]\n{name} = '{value}'\n"


def value_of(loaded: Config, key: Key) -> str:
    return str(getattr(loaded, key.attribute))


# ── what is in force ────────────────────────────────────────────────────────────────────────────────────


def test_without_a_file_everything_has_its_default(home: Path) -> None:
    """Nothing needs to be configured."""
    loaded = load(str(home), {"HOSTNAME": "box"})
    assert loaded.attach_detach_keys.text == "Ctrl+B d"
    assert (loaded.attach_detach_keys.prefix, loaded.attach_detach_keys.key) == (2, ord("d"))
    assert (loaded.attach_scrollback, loaded.log_max_bytes) == (1000, 268435456)
    assert (loaded.send_timeout, loaded.kill_grace) == (10.0, 5.0)
    assert loaded.daemon_name == "box"
    assert not any((loaded.daemon_listen, loaded.daemon_external_url, loaded.nats_url, loaded.nats_token))
    assert set(loaded.origins.values()) == {"default"}


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_a_file_sets_every_key_and_a_variable_wins_over_it(home: Path, key: Key) -> None:
    """Default, then file, then variable; the origin says which one it was."""
    said, meant = GOOD[key.name]
    path = write(home, table_of(key, said))
    default = value_of(load("/nowhere", {}), key)
    loaded = load(str(home), {})
    assert value_of(loaded, key) == meant != default
    assert loaded.origins.pop(key.name) == f"{path}:2"
    assert set(loaded.origins.values()) == {"default"}

    loaded = load("/nowhere", {key.env: said})
    assert (value_of(loaded, key), loaded.origins[key.name]) == (meant, key.env)
    loaded = load(str(home), {key.env: default})
    assert (value_of(loaded, key), loaded.origins[key.name]) == (default, key.env)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_an_empty_variable_puts_the_default_back(home: Path, key: Key) -> None:
    """CODEWIRE_LISTEN= turns off what the file turned on."""
    write(home, table_of(key, GOOD[key.name][0]))
    loaded = load(str(home), {key.env: ""})
    assert value_of(loaded, key) == value_of(load("/nowhere", {}), key)
    assert loaded.origins[key.name] == key.env


def test_the_historical_variables_keep_their_names() -> None:
    """Scripts that set them go on working; every other variable is derived from its key."""
    historical = {
        "daemon.name": "CODEWIRE_NODE_NAME",
        "daemon.listen": "CODEWIRE_LISTEN",
        "daemon.external_url": "CODEWIRE_EXTERNAL_URL",
        "nats.creds_file": "CODEWIRE_NATS_CREDS",
    }
    for key in KEYS:
        derived = "CODEWIRE_" + key.name.upper().replace(".", "_")
        assert key.env == historical.get(key.name, derived)


def test_a_configuration_does_not_change(home: Path) -> None:
    """Frozen, and its typed attributes are exactly the keys."""
    loaded = load(str(home), {})
    with pytest.raises(AttributeError, match="does not change"):
        loaded.log_max_bytes = 1
    with pytest.raises(AttributeError, match="does not change"):
        loaded.attach_detach_keys.prefix = 1
    assert not hasattr(loaded, "__dict__")
    assert list(Config.__annotations__) == [*(key.attribute for key in KEYS), "origins"]
    for key in KEYS:
        assert type(getattr(loaded, key.attribute)).__name__ == Config.__annotations__[key.attribute]


def test_the_node_table_is_the_daemon_table(home: Path) -> None:
    """[node] is what later versions called [daemon]."""
    path = write(home, "[node]\nname = 'n'\nlisten = ':9100'\n")
    loaded = load(str(home), {})
    assert (loaded.daemon_name, loaded.daemon_listen) == ("n", ":9100")
    assert loaded.origins["daemon.name"] == f"{path}:2"


def test_empty_tables_comments_and_a_byte_order_mark_are_fine(home: Path) -> None:
    """A file may say nothing in many ways."""
    write(home, "\ufeff# all of it\r\n[log]\r\n\r\n[nats]\r\n# url = 1\r\n")
    assert set(load(str(home), {}).origins.values()) == {"default"}


def test_secrets_are_not_shown(home: Path) -> None:
    """`cw config` may be pasted into a bug report."""
    write(home, "[nats]\ntoken = 'hush'\nurl = 'nats://me:p@ss@hub:4222'\n")
    described = load(str(home), {}).describe()
    shown = {name: text for name, text, _ in described}
    assert shown["nats.token"] == "(set)"
    assert shown["nats.url"] == "nats://(set)@hub:4222"
    assert "hush" not in repr(described)
    assert shown["log.max_bytes"] == 268435456
    assert (shown["send.timeout"], shown["attach.detach_keys"]) == (10.0, "Ctrl+B d")
    assert list(shown) == [key.name for key in KEYS]
    assert {name: text for name, text, _ in load("/nowhere", {}).describe()}["nats.token"] == ""


def test_what_is_shown_can_be_said_again() -> None:
    """Whatever `cw config` prints may be copied into the file."""
    for key in KEYS:
        if not key.secret:
            meant = key.parse(GOOD[key.name][0])
            assert str(key.parse(key.show(meant))) == str(meant)


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"HOSTNAME": "box", "HOST": "other"}, "box"),
        ({"HOSTNAME": "", "HOST": "other"}, "other"),
        ({"HOSTNAME": "a.b c_d-é"}, "a-b-c_d--"),
    ],
)
def test_the_name_is_taken_from_the_environment(environ: dict[str, str], name: str) -> None:
    """$HOSTNAME, else $HOST; what does not belong in a name becomes a hyphen."""
    assert load("/nowhere", environ).daemon_name == name


def test_the_name_is_taken_from_the_system_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """HOSTNAME is a shell's variable and often not exported."""
    unnamed = os.uname_result(("Linux", "box.lan", "", "", ""))
    monkeypatch.setattr(os, "uname", lambda: unnamed)
    assert load("/nowhere", {}).daemon_name == "box-lan"
    monkeypatch.setattr(os, "uname", lambda: os.uname_result(("Linux", "", "", "", "")))
    assert load("/nowhere", {}).daemon_name == "codewire"


def test_a_home_sign_in_a_path_is_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    """creds_file = "~/…" means what it means in a shell."""
    monkeypatch.setenv("HOME", "/somewhere")
    assert load("/nowhere", {"CODEWIRE_NATS_CREDS": "~/n.creds"}).nats_creds_file == "/somewhere/n.creds"


def test_reading_no_file_costs_no_import() -> None:
    """The fast path pays for TOML only where there is a file."""
    code = (
        "import sys; from codewire_py.config import load; load('/nowhere', {});"
        "print(*{'re', 'tomllib', 'typing', 'json', 'enum', 'collections', 'difflib'} & set(sys.modules))"
    )
    root = Path(config.__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=root, capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.strip() == ""


# ── lines ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[log]\n\n# max_bytes = 1\nmax_bytes = 9999999\n", 4),
        ("log.max_bytes = 9999999\n", 1),
        ("\nlog = { max_bytes = 9999999 }\n", 2),
        ("\n'log'.\"max_bytes\" = 9999999\n", 2),
        ('\n\n[ "log" ] # this one\n"max\\u005fbytes" = 9999999\n', 4),
        ('"log.max_bytes" = 9999999\n', 1),
        ("[nats]\ntoken = '''\n[log]\nmax_bytes = 1\n'''\n[log]\nmax_bytes = 9999999\n", 7),
        ('[nats]\ntoken = """\na \\"""\n"""\n[send]\ntimeout = 1\n[log]\nmax_bytes = 9999999', 8),
        ("# \u2028 \x85 are no line ends\r\n[log]\r\nmax_bytes = 9999999\r\n", 3),
        ("log.max_bytes = 9999999 # [log]\n[nats]\ntoken = 'log.max_bytes = 1'\n", 1),
    ],
)
def test_the_line_is_right_however_a_key_is_written(home: Path, text: str, line: int) -> None:
    """Dotted, quoted, inline, after text of many lines that looks like keys."""
    path = write(home, text)
    loaded = load(str(home), {})
    assert loaded.log_max_bytes == 9999999
    assert loaded.origins["log.max_bytes"] == f"{path}:{line}"


@given(
    st.lists(st.sampled_from(KEYS), unique=True),
    st.lists(st.integers(0, 3), min_size=len(KEYS), max_size=len(KEYS)),
)
def test_lines_are_right_for_any_file(keys: list[Key], gaps: list[int]) -> None:
    """Whatever the order and the space between, each key is found where it was put."""
    lines: list[str] = []
    placed = {}
    for key, gap in zip(keys, gaps, strict=False):
        lines += [["", "# [x]", "  ", "\t# a = '''"][gap]] * gap
        section, _, name = key.name.partition(".")
        lines.append(f'{section} . "{name}" = """\\\n  {GOOD[key.name][0]}"""')
        placed[section, name] = sum(line.count("\n") + 1 for line in lines[:-1]) + 1
    assert config.find_lines("\n".join(lines)) == placed


def test_the_page_lists_every_key_as_it_is() -> None:
    """docs/config.md falls behind nothing: key, variable, default, meaning."""
    page = (Path(config.__file__).parent.parent / "docs" / "config.md").read_text()
    rows = [
        [cell.strip().strip("`") for cell in line.split("|")[1:-1]]
        for line in page.splitlines()
        if line.startswith("| `")
    ]
    assert [(name, env, text) for name, env, _, text in rows] == [
        (key.name, key.env, key.help) for key in KEYS
    ]
    for key, (_, _, default, _) in zip(KEYS, rows, strict=True):
        if key.name != "daemon.name":
            said = "" if default == "none" else default
            assert str(key.parse(said)) == str(key.default_in({}))
