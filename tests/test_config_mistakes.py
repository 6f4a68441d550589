"""config.toml and the variables: how a mistake in them is told, and what is one"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from codewire_py import config
from codewire_py.config import KEYS, Key, load
from codewire_py.errors import ConfigError
from codewire_py.values import parse_detach_keys, parse_size, quote

KEY = {key.name: key for key in KEYS}
BAD = {
    "daemon.name": "a.b",
    "daemon.listen": "9100",
    "daemon.external_url": "box.example",
    "daemon.listen_tls_cert": "cert.pem",
    "daemon.listen_tls_key": "key.pem",
    "daemon.allowed_hosts": "http://box.example",
    "daemon.allowed_origins": "null",
    "daemon.insecure_no_tls": "perhaps",
    "nats.url": "hub:4222",
    "nats.creds_file": "fleet.creds",
    "attach.detach_keys": "d",
    "attach.scrollback": "lots",
    "log.max_bytes": "1kB",
    "send.timeout": "soon",
    "kill.grace": "-1",
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def write(home: Path, text: str | bytes) -> Path:
    path = home / "config.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def refusal(home: Path, environ: dict[str, str] | None = None) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load(str(home), environ or {})
    return caught.value


def table_of(key: Key, value: str) -> str:
    section, _, name = key.name.partition(".")
    return f"[{section}]\n{name} = '{value}'\n"


# ── how it is told ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", BAD)
def test_a_bad_value_is_named_with_its_place(home: Path, name: str) -> None:
    """File and line, or the variable."""
    path = write(home, "\n\n" + table_of(KEY[name], BAD[name]))
    assert str(refusal(home)).startswith(f"{name} in {path}, line 4: ")
    assert str(refusal(Path("/nowhere"), {KEY[name].env: BAD[name]})).startswith(f"{KEY[name].env}: ")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        pytest.param(key, value, id=f"{value[:12]}-{key.name}")
        for key in KEYS
        for value in ["true", "[1]", "{ a = 1 }", "1979-05-27", "nan", "9" * 20, "9" * 400, "0x" + "f" * 9000]
        if value != "true" or key.default is not False
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(home: Path, key: Key, value: str) -> None:
    """Every key refuses what it cannot mean, and never by a crash."""
    section, _, name = key.name.partition(".")
    path = write(home, f"[{section}]\n{name} = {value}\n")
    assert f"{key.name} in {path}, line 2: " in str(refusal(home))


@pytest.mark.parametrize("said", ["9100", "host:", "host:65536", "host:٣", "host:-1", "[::1]"])
def test_what_is_no_address(said: str) -> None:
    """An address has a port, and a port is a number."""
    assert "not an address" in str(refusal(Path("/nowhere"), {"CODEWIRE_LISTEN": said}))


def test_a_bad_name_is_told_in_the_words_people_know(home: Path) -> None:
    """The sentence is part of the contract."""
    write(home, "[daemon]\nname = 'a.b'\n")
    sentence = 'daemon name must be non-empty and alphanumeric (with - or _), got: "a.b"'
    assert str(refusal(home)).endswith(sentence)
    assert str(refusal(Path("/nowhere"), {"CODEWIRE_NODE_NAME": "a.b"})) == f"CODEWIRE_NODE_NAME: {sentence}"


def test_the_file_is_checked_also_where_a_variable_wins(home: Path) -> None:
    """A mistake does not hide behind a variable that is set today."""
    write(home, "[send]\ntimeout = 'soon'\n")
    assert "line 2" in str(refusal(home, {"CODEWIRE_SEND_TIMEOUT": "3"}))


def test_an_unknown_key_is_named_with_what_was_probably_meant(home: Path) -> None:
    """One letter wrong costs one look."""
    path = write(home, "# mine\n[log]\nmax_byte = 1\n")
    error = refusal(home)
    assert str(error) == f'unknown key "log.max_byte" in {path}, line 3'
    assert error.hint == 'did you mean "log.max_bytes"?'


@pytest.mark.parametrize(
    ("text", "name", "line", "hint"),
    [
        ("[lgo]\nmax_bytes = 1\n", "lgo.max_bytes", 2, 'did you mean "log.max_bytes"?'),
        ("[node]\nnam = 1\n", "node.nam", 2, 'did you mean "node.name"?'),
        ("max_bytes = 1\n", "max_bytes", 1, 'did you mean "log.max_bytes"?'),
        ("\n[relay]\n", "relay", 2, "the keys there are: cw config"),
        ("log = 5\n", "log", 1, "it is a table: [log]"),
        ("\n[[log]]\nmax_bytes = 1\n", "log", 2, "it is a table: [log]"),
        ('"\\u001b[31m" = 1\n', "\\x1b[31m", 1, "the keys there are: cw config"),
    ],
)
def test_other_unknown_keys(home: Path, text: str, name: str, line: int, hint: str) -> None:
    """Wrong tables, no table, a table where none belongs: named the same way."""
    path = write(home, text)
    error = refusal(home)
    assert (str(error), error.hint) == (f'unknown key "{name}" in {path}, line {line}', hint)


def test_a_key_said_twice_is_refused(home: Path) -> None:
    """[node] and [daemon] are one table; neither wins silently."""
    path = write(home, "[node]\nname = 'a'\n[daemon]\nname = 'b'\n")
    error = refusal(home)
    assert (str(error), error.hint) == (f"daemon.name in {path}, line 4: set already", "in line 2")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[log]\nmax_bytes 5\n", 2),
        ('[log]\n\nmax_bytes = "5\n', 3),
        ("[nats]\ntoken = '''\nabc\n", 3),
        ("a = [\n1,\n", 2),
        ("[log]\nmax_bytes = 1\nmax_bytes = 2\n", 3),
    ],
)
def test_broken_toml_is_named_with_file_and_line(home: Path, text: str, line: int) -> None:
    """The parser's reason, at our place."""
    path = write(home, text)
    told, reason = str(refusal(home)).split(": not TOML: ")
    assert told == f"{path}, line {line}"
    assert reason[0].islower()
    assert "(at " not in reason


@pytest.mark.parametrize("text", ["a = " + "[" * 100_000, "a = " + "9" * 5000])
def test_absurd_toml_is_refused_not_a_crash(home: Path, text: str) -> None:
    """Whatever the parser chokes on, it is the file that is named."""
    assert str(write(home, text)) in str(refusal(home))


def test_a_file_that_is_not_utf_8_is_named_with_the_line(home: Path) -> None:
    """An editor's old encoding is found at once."""
    path = write(home, b"# ok\n# caf\xe9\n")
    assert str(refusal(home)) == f"{path}, line 2: not UTF-8"


def test_a_directory_and_a_monster_are_refused(home: Path) -> None:
    """A sentence, never a traceback, never all memory."""
    (home / "config.toml").mkdir()
    assert str(refusal(home)) == f"cannot read {home}/config.toml: is a directory"
    (home / "config.toml").rmdir()
    (home / "config.toml").symlink_to("/dev/zero")
    assert str(refusal(home)) == f"{home}/config.toml is larger than 1 MiB"


def test_an_unreadable_file_is_refused(home: Path) -> None:
    """Not being allowed to read the configuration is not the same as having none."""
    path = write(home, "[log]\n")
    path.unlink()
    path.symlink_to(path)  # a loop: unreadable for everybody, root too
    assert str(refusal(home)).startswith(f"cannot read {path}: ")


def test_a_value_of_many_lines_is_named_by_its_first(home: Path) -> None:
    """Where the key stands, not where the value ends."""
    path = write(home, "[log]\n# here\nmax_bytes = [\n1,\n\n2]\n")
    assert f"{path}, line 3:" in str(refusal(home))


def test_without_a_line_the_file_alone_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines are a courtesy: not finding one changes nothing else."""
    monkeypatch.setattr(config, "find_lines", lambda text: {})
    path = write(home, "[log]\nmax_bytes = 0\n")
    assert load(str(home), {}).origins["log.max_bytes"] == str(path)
    write(home, "[log]\nmax_byte = 0\n")
    assert str(refusal(home)) == f'unknown key "log.max_byte" in {path}'


@example("x" * 79)
@given(st.text(max_size=120))
def test_a_bad_value_is_shown_on_one_short_printable_line(value: str) -> None:
    """An error may be printed on any terminal."""
    shown = quote(value)
    assert shown.isprintable()
    assert len(shown) <= 80


def test_a_secret_is_not_shown_in_an_error(home: Path) -> None:
    """Not even when it is written wrongly."""
    write(home, "[nats]\ntoken = 12345678\n")
    assert "12345678" not in str(refusal(home)) + refusal(home).hint
    write(home, "[nats]\nurl = 'me:hush@hub'\n")
    assert "hush" not in str(refusal(home)) + refusal(home).hint


# ── sizes, times, keys ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (0, 0), (5, 5), ("5", 5), ("5B", 5), ("1kB", 1000), ("1 KiB", 1024), (" 2mb ", 2_000_000),
        ("256MiB", 268435456), ("1GB", 10**9), ("1gib", 1 << 30), ((1 << 63) - 1, (1 << 63) - 1),
    ],
)  # fmt: skip
def test_sizes(said: object, meant: int) -> None:
    """Bytes, or a number with a unit, in either case and with or without a space."""
    assert parse_size(said) == meant


@pytest.mark.parametrize(
    "said",
    [
        "",
        "MB",
        "1M",
        "-1",
        "1.5GB",
        "1e3",
        "1_000",
        "٣",
        "1 2",
        "9" * 30,
        "9" * 5000,
        -1,
        1.0,
        True,
        1 << 63,
        None,
    ],
)
def test_what_is_no_size(said: object) -> None:
    """What could mean two things, or nothing, is refused."""
    with pytest.raises(ConfigError, match="not a size"):
        parse_size(said)


def test_a_log_holds_everything_or_a_mebibyte(home: Path) -> None:
    """0 never releases; less than 1 MiB is a slip."""
    assert load(str(home), {"CODEWIRE_LOG_MAX_BYTES": "0"}).log_max_bytes == 0
    assert load(str(home), {"CODEWIRE_LOG_MAX_BYTES": "1MiB"}).log_max_bytes == 1 << 20
    assert 'less than 1 MiB: "1048575"' in str(refusal(home, {"CODEWIRE_LOG_MAX_BYTES": "1048575"}))


@pytest.mark.parametrize("said", ["nan", "inf", "-1", "86401", "1 s", " "])
def test_what_is_no_time(said: str) -> None:
    """A wait is bounded: from 0 to a day."""
    with pytest.raises(ConfigError, match="not a time"):
        load("/nowhere", {"CODEWIRE_KILL_GRACE": said})


@pytest.mark.parametrize(
    ("said", "prefix", "key", "text"),
    [
        ("ctrl-b d", 2, ord("d"), "Ctrl+B d"),
        ("ctrl-a ctrl-d", 1, 4, "Ctrl+A Ctrl+D"),
        ("^a d", 1, ord("d"), "Ctrl+A d"),
        ("ctrl-\\ q", 28, ord("q"), "Ctrl+\\ q"),
        ("Ctrl+B D", 2, ord("D"), "Ctrl+B D"),
        ("  CTRL-]\t~ ", 29, ord("~"), "Ctrl+] ~"),
        ("ctrl-^ ^", 30, ord("^"), "Ctrl+^ ^"),
        ("ctrl-_ ctrl-m", 31, 13, "Ctrl+_ Ctrl+M"),
        ("ctrl-@ space", 0, 32, "Ctrl+@ space"),
    ],
)
def test_detach_keys(said: str, prefix: int, key: int, text: str) -> None:
    """A control key, then another key; what is read out can be written in."""
    keys = parse_detach_keys(said)
    assert (keys.prefix, keys.key, keys.text) == (prefix, key, text)
    again = parse_detach_keys(keys.text)
    assert (again.prefix, again.key) == (prefix, key)


@pytest.mark.parametrize("prefix", range(32))
def test_every_pair_of_keys_is_taken_or_refused_for_a_reason(prefix: int) -> None:
    """Only Enter, Tab, Ctrl+J, Ctrl+C and Escape cannot begin; only Escape and the first key cannot end."""
    for key in [*range(0x21, 0x7F), *range(32)]:
        second = f"^{chr(key + 64)}" if key < 32 else chr(key)
        words = f"ctrl-{chr(prefix + 64).lower()} {second}"
        if prefix in (3, 9, 10, 13, 27) or key in (27, prefix):
            with pytest.raises(ConfigError):
                parse_detach_keys(words)
        else:
            keys = parse_detach_keys(words)
            assert (keys.prefix, keys.key) == (prefix, key)


@pytest.mark.parametrize(
    "said",
    [
        "", "ctrl-b", "b d", "d ctrl-b", "ctrl-b d d", "ctrl- d", "ctrl-1 d", "^ctrl- d", "ctrl-ı d",
        "ctrl-b é", "space d", "^^ ^^", 5,
    ],
)  # fmt: skip
def test_what_are_no_detach_keys(said: object) -> None:
    """Refused with an example, without a place: the option --detach-keys says the same."""
    with pytest.raises(ConfigError, match=r"^not a pair of detach keys: ") as caught:
        parse_detach_keys(said)
    assert '"ctrl-b d"' in caught.value.hint
