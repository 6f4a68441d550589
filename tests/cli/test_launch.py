"""cw launch: start a program in a new session, with what its caller has, or say why not"""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import sys
from pathlib import Path

import pytest

from homes import CW, Home
from own_terminals import Desk
from programs import SHOW_ITSELF

REALTIME = 3 << 31  # two signals that the C library keeps to itself


def shown(home: Home, session: int) -> dict[str, object]:
    """What a program says about itself."""
    home.until_printed(session, b"}>")
    text = home.log(session).decode("utf-8", "surrogateescape").replace("\r\n", "")
    found = re.search(r"<(\{.*\})>", text, re.DOTALL)
    assert found
    return dict(json.loads(found[1]))


def environ(home: Home, session: int | str) -> dict[str, str]:
    raw = Path(f"/proc/{home.status(session)['pid']}/environ").read_bytes()
    pairs = [pair.partition(b"=") for pair in raw.split(b"\0") if pair]
    return {os.fsdecode(name): os.fsdecode(value) for name, _, value in pairs}


# -- what it says


def test_it_says_what_was_launched(home: Home) -> None:
    """The id, and the command joined by single spaces; by then the program runs."""
    done = home.cw("launch", "--", "sleep", "60")
    found = re.fullmatch(r"Session (\d+) launched: sleep 60\n", done.stdout)
    assert found
    assert done.stderr == ""
    described = home.status(int(found[1]))
    assert described["status"] == "running"
    assert Path(f"/proc/{described['pid']}/cmdline").read_bytes() == b"sleep\x0060\0"


def test_it_says_so_in_json(home: Home) -> None:
    """Id, name, pid and command."""
    told = json.loads(home.cw("launch", "--json", "--name", "in-json", "--", "sleep", "60").stdout)
    assert told == {
        "id": told["id"],
        "name": "in-json",
        "pid": home.status("in-json")["pid"],
        "command": "sleep 60",
    }


def test_a_token_of_a_server_is_not_handed_on(home: Home) -> None:
    """Of the caller's environment that variable alone; who says it with --env means it, in a session, too."""
    said = "CODEWIRE_TOKEN=meant-meant"
    env = {**home.env, "CODEWIRE_TOKEN": "hunter2-hunter2", "CODEWIRE_SERVER": "local", "MY_TOKEN": "mine"}
    for words in (["--name", "without"], ["--name", "with", "--env", said]):
        home.cw("launch", *words, "--", "sleep", "60", env=env)
    nested = [*CW, "launch", "--name", "nested", "-e", said, "--", "sleep", "60"]
    home.end(home.launch(*nested))
    had = [environ(home, name) for name in ("without", "with", "nested")]
    assert [found.get("CODEWIRE_TOKEN") for found in had] == [None, "meant-meant", "meant-meant"]
    assert (had[0]["CODEWIRE_SERVER"], had[0]["MY_TOKEN"]) == ("local", "mine")


def test_two_dashes_may_be_left_out(home: Home) -> None:
    """Everything after the first word of the command is the command's, also what looks like options of ours."""
    session = home.cw("launch", "sh", "-c", "echo $0 $1", "--json", "--name").stdout
    assert session.endswith("launched: sh -c echo $0 $1 --json --name\n")
    id = int(session.split()[1])
    home.end(id)
    assert home.log(id) == b"--json --name\r\n"


def test_run_is_launch(home: Home) -> None:
    """As people type it."""
    assert "launched: true" in home.cw("run", "true").stdout


def test_the_first_command_starts_the_daemon(tmp_path: Path) -> None:
    """It says so on standard error; standard output is the command's alone."""
    home = Home(tmp_path / "home")
    try:
        done = home.cw("launch", "sleep", "60")
        assert re.fullmatch(r"\[cw\] daemon started \(pid \d+\)\n", done.stderr)
        assert done.stdout == "Session 1 launched: sleep 60\n"
        assert f"(pid {home.daemon()})" in done.stderr
        assert home.cw("launch", "sleep", "60").stderr == ""
    finally:
        home.close()


# -- what the program gets


def test_the_program_has_its_callers_directory_path_and_environment(home: Home, tmp_path: Path) -> None:
    """Not the daemon's; plus the session's own variables, without what says that it is nested."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/my-own-tool").write_text(f'#!/bin/sh\nexec {sys.executable} -c "$SHOW" "$@"\n')
    (tmp_path / "bin/my-own-tool").chmod(0o755)
    env = {**home.env, "PATH": f"{tmp_path}/bin:{home.env['PATH']}", "MINE": "yes", "SHOW": SHOW_ITSELF, "CLAUDECODE": "1",
           "CLAUDE_CODE_ENTRYPOINT": "cli", "TMUX": "/tmp/x,1,0", "STY": "1.x", "TERM": "screen"}  # fmt: skip
    id = int(
        home.cw("launch", "--name", "mine", "--", "my-own-tool", "a b", cwd=tmp_path, env=env).stdout.split()[
            1
        ]
    )
    found = shown(home, id)
    assert found["argv"] == ["a b"]
    assert found["cwd"] == str(tmp_path)
    had = found["env"]
    assert isinstance(had, dict)
    assert (had["MINE"], had["PATH"]) == ("yes", env["PATH"])
    assert (had["CODEWIRE_SESSION"], had["CODEWIRE_SESSION_NAME"]) == (str(id), "mine")
    assert (had["TERM"], had["COLORTERM"]) == ("xterm-256color", "truecolor")
    assert not {"CLAUDECODE", "CLAUDE_CODE_ENTRYPOINT", "TMUX", "STY"} & set(had)


def test_env_wins(home: Home) -> None:
    """Repeatable; the last of a name; a value may be empty or hold an equals sign."""
    id = home.python(
        SHOW_ITSELF,
        options=("--env", "A=1", "-e", "A=2", "-e", "B=", "-e", "C=x=y", "-e", "TERM=dumb", "-eD=4"),
    )
    had = environ(home, id)
    assert {name: had[name] for name in "ABCD"} == {"A": "2", "B": "", "C": "x=y", "D": "4"}
    assert had["TERM"] == "dumb"


def test_nothing_secret_is_written_down(home: Home) -> None:
    """session.json names what --env set, never a value of it, nor the caller's environment; and it is ours alone."""
    env = {**home.env, "MY_TOKEN": "secret-one"}
    id = int(home.cw("launch", "-e", "KEY=secret-two", "--", "sleep", "60", env=env).stdout.split()[1])
    files = [path for path in home.directory(id).iterdir() if path.is_file()]
    assert not any(b"secret" in path.read_bytes() for path in files)
    birth = json.loads((home.directory(id) / "session.json").read_text())
    assert birth["env_names"] == ["KEY"]
    assert (home.directory(id) / "session.json").stat().st_mode & 0o777 == 0o600
    assert "secret" not in home.journal()


def test_dir_is_where_it_runs(home: Home, tmp_path: Path) -> None:
    """Absolute or from here; PWD says the same."""
    (tmp_path / "below").mkdir()
    for word in (f"{tmp_path}/below", "below", "./below/../below/"):
        done = home.cw("launch", "--dir", word, "--", "sleep", "60", cwd=tmp_path)
        id = int(done.stdout.split()[1])
        assert os.readlink(f"/proc/{home.status(id)['pid']}/cwd") == f"{tmp_path}/below"
        assert environ(home, id)["PWD"] == f"{tmp_path}/below"
        assert home.status(id)["working_dir"] == f"{tmp_path}/below"


def test_umask_and_limits_are_the_callers(home: Home) -> None:
    """The daemon's own, 077 and many descriptors, are not handed on."""
    program = "import os, resource; print('<', oct(os.umask(0)), resource.getrlimit(resource.RLIMIT_NOFILE)[0], '>')"
    here, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft = min(here, 512)
    done = home.cw("launch", sys.executable, "-c", program,
                   preexec_fn=lambda: (os.umask(0o027), resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))),
                   )  # fmt: skip
    id = int(done.stdout.split()[1])
    home.end(id)
    assert f"< 0o27 {soft} >".encode() in home.log(id)


def test_signals_are_as_from_a_shell(home: Home) -> None:
    """None ignored, none blocked, whatever the keeper or the caller ignores; it leads a session, in the foreground."""
    done = home.cw("launch", "sh", "-c", "grep Sig /proc/self/status; ps -o pid=,sid=,tpgid= -p $$; echo over",
                   preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))  # fmt: skip
    id = int(done.stdout.split()[1])
    home.until_printed(id, b"over")
    text = home.log(id).decode()
    masks = [int(mask, 16) for mask in re.findall(r"Sig(?:Blk|Ign):\s+(\w+)", text)]
    assert [mask & ~REALTIME for mask in masks] == [0, 0]
    [ids] = re.findall(r"^ *(\d+) +(\d+) +\d+", text, re.MULTILINE)
    assert ids[0] == ids[1]


def test_the_size_is_asked_for_or_the_callers_or_120_by_40(home: Home, desk: Desk) -> None:
    """Without a terminal 40 rows and 120 columns; in one, its own; --rows and --cols win."""
    show = ("sh", "-c", "stty size; sleep 60")
    asked = home.launch(*show, options=("--rows", "11", "--cols", "222"))
    half = home.launch(*show, options=("--cols", "99"))
    nobody = home.launch(*show)
    for id, size in ((asked, b"11 222"), (half, b"40 99"), (nobody, b"40 120")):
        home.until_printed(id, size)
    terminal = desk.cw("launch", "--", *show, rows=17, cols=55)
    assert terminal.end() == 0
    own = int(terminal.shown.split()[1])
    home.until_printed(own, b"17 55")
    assert (home.status(own)["rows"], home.status(own)["cols"]) == (17, 55)


# -- ids, names, tags


def test_ids_are_never_used_again(tmp_path: Path) -> None:
    """Not after removing, not after a failed launch, a restart, a crash, or without last_id."""
    home = Home(tmp_path / "home")
    try:
        assert [home.launch("true") for _ in range(3)] == [1, 2, 3]
        for id in (1, 2, 3):
            home.end(id)
        home.cw("wait", "1", "2", "3")
        home.cw("remove", "3")
        home.cw("launch", "no-such-program", status=1)
        assert (fourth := home.launch("true")) >= 4
        home.cw("stop")
        assert (fifth := home.launch("true")) > fourth
        home.cw("stop")
        (home.path / "last_id").write_text("rubbish")
        assert (sixth := home.launch("true")) > fifth
        home.cw("stop")
        (home.path / "last_id").unlink()
        assert home.launch("true") > sixth
    finally:
        home.close()


def test_a_name_is_unique_among_the_running(home: Home) -> None:
    """Taken while one runs, free once it was killed or ended by itself; the word then means the running one."""
    first = home.launch("sh", "-c", "read x", options=("--name", "unique"))
    refused = home.cw("launch", "--name", "unique", "--", "true", status=1)
    assert refused.stderr.startswith("Error: a running session is named 'unique' already\n")
    home.cw("kill", "unique")
    second = home.launch("sh", "-c", "read x", options=("--name", "unique"))
    home.cw("send", "unique", "")
    home.cw("wait", "unique")
    third = home.launch("sleep", "60", options=("--name", "unique"))
    assert len({first, second, third}) == 3
    assert home.status("unique")["id"] == third
    assert home.status(str(first))["name"] == "unique"


@pytest.mark.parametrize("name", ["a", "a" * 32, "A-1"])
def test_good_names(home: Home, name: str) -> None:
    """1 and 32 characters."""
    id = home.launch("sleep", "60", options=("--name", name))
    assert home.status(name)["id"] == id


def test_tags_are_kept_in_order(home: Home) -> None:
    """As they were given."""
    id = home.launch("sleep", "60", options=("--tag", "zebra", "-t", "ant", "-t", "bee"))
    assert home.status(id)["tags"] == ["zebra", "ant", "bee"]


# -- odd programs


def test_a_program_that_ends_at_once(home: Home) -> None:
    """Was launched all the same: its status and output are there."""
    id = home.launch("sh", "-c", "echo quick; exit 9")
    assert home.cw("wait", str(id), status=9).stdout == f"Session {id} completed (9)\n"
    assert home.log(id) == b"quick\r\n"


def test_a_script_without_an_interpreter_line(home: Home, tmp_path: Path) -> None:
    """Runs as it would from a shell."""
    (tmp_path / "script").write_text("echo plain $1\n")
    (tmp_path / "script").chmod(0o755)
    id = home.launch(str(tmp_path / "script"), "words")
    home.end(id)
    assert home.log(id) == b"plain words\r\n"


ODD = [
    b"\xff\xfe",
    b"a\nb",
    b"\x1b[31mred\x1b[0m",
    "✓ é 漢".encode(),
    b"",
    b" ",
    b"--",
    b"'\"\\$`",
    bytes(range(1, 32)),
]


@pytest.mark.parametrize("raw", ODD)
def test_any_bytes_arrive(home: Home, tmp_path: Path, raw: bytes) -> None:
    """In words, in the environment, in a directory's name: byte for byte; and the list shows no control character."""
    word, folder = os.fsdecode(raw), tmp_path / os.fsdecode(raw.replace(b"/", b"_") or b"x")
    folder.mkdir(exist_ok=True)
    show = (
        "import os, sys; print('<' + os.fsencode(sys.argv[1] + os.environ['ODD'] + os.getcwd()).hex() + '>')"
    )
    id = home.python(show,
                     word, options=("-e", f"ODD={word}", "--dir", str(folder)))  # fmt: skip
    home.end(id)
    wanted = (raw + raw + os.fsencode(os.path.normpath(folder))).hex()
    assert f"<{wanted}>" in home.log(id).decode()
    for done in (
        home.cw("list"),
        home.cw("status", str(id)),
        home.cw("list", "--json"),
        home.cw("status", str(id), "--json"),
    ):
        assert not [char for char in done.stdout if char != "\n" and not char.isprintable()]


def test_a_huge_command(home: Home) -> None:
    """As large as the system lets us pass; the list shortens it."""
    words = ["x" * 100_000] * 8
    id = home.python("import sys; print(sum(map(len, sys.argv[1:])))", *words)
    home.end(id)
    assert home.log(id) == b"800000\r\n"
    assert max(map(len, home.cw("list").stdout.splitlines())) < 200
    too_many = home.cw("launch", *["x"] * 5000, status=1)
    assert "too long" in too_many.stderr
