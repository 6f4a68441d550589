"""commands with --server: they go to the daemon that is meant, and to no other"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from codewire_py.cli.commands import NAMES
from homes import CW, Done, Home, new_home
from own_terminals import new_desk

LOCAL_ALONE = ["start", "daemon", "config", "completion bash", "server list"]


def address(there: Home) -> str:
    return there.env["CODEWIRE_LISTEN"]


@pytest.fixture(scope="module")
def there() -> Iterator[Home]:
    """A daemon that listens; its home stands for another machine."""
    with new_home() as home:
        home.env |= {
            "HOME": str(home.path.parent), "SSH_AUTH_SOCK": "/nonexistent/agent", "CODEWIRE_TOKEN": "hunter2-hunter2",
            "ONLY_THERE": "yes", "LANG": "C",
        }  # fmt: skip
        home.listen()
        yield home


@pytest.fixture(scope="module")
def here(there: Home) -> Iterator[Home]:
    """Where the commands are typed. No daemon runs here, and none is ever started for a server."""
    with new_home() as home:
        home.path.mkdir(mode=0o700)
        (home.path / "servers.toml").write_text(
            f'[servers.box]\nurl = "ws://{address(there)}"\ntoken = "hunter2-hunter2"\n'
        )
        yield home
        assert not (home.path / "daemon.pid").exists()


def on_box(here: Home, *words: str, status: int | None = 0, **env: str) -> Done:
    return here.cw("--server", "box", *words, status=status, env={**here.env, **env})


def test_every_command_through_a_server(here: Home, there: Home, tmp_path: Path) -> None:
    """A session's whole life: what is done is done there, and nothing of it here."""
    done = {line.partition(" ")[0] for line in LOCAL_ALONE}

    def cw(line: str, status: int = 0) -> str:
        done.add(line.partition(" ")[0])
        return on_box(here, *line.split(), status=status).stdout

    program = there.path.parent / "program"
    program.write_text("read x; echo got-$x; exit 7")
    id = json.loads(cw(f"launch --name life --json -- sh {program}"))["id"]
    assert [session["name"] for session in there.list()] == ["life"]
    assert [session["name"] for session in json.loads(cw("list --json"))] == ["life"]
    assert json.loads(cw("status life --json"))["id"] == id
    assert cw(f"rename {id} renamed") == f"Session {id} is named renamed.\n"
    assert json.loads(cw("resize renamed 30x90 --json"))["rows"] == 30
    assert cw("send renamed one").startswith("Sent 4 bytes")
    assert cw("wait renamed", status=7) == "Session renamed completed (7)\n"
    assert "got-one" in cw("logs renamed")
    assert "got-one" in cw("watch renamed")
    assert "got-one" in cw("screen renamed")
    assert "got-one" in cw("search -F got- renamed")
    cw(f"export renamed {tmp_path}/life.cast")
    assert "got-one" in (tmp_path / "life.cast").read_text()
    assert "renamed" in there.cw("list").stdout
    assert cw(f"remove {id}").startswith(f"Session {id} removed")
    other = there.launch("sleep", "60")
    assert cw(f"kill {other}") == f"Session {other} killed.\n"
    assert cw("prune").startswith(f"Session {other} removed")
    assert cw("restart") == ""
    assert there.list() == []
    assert not (here.path / "sessions").exists()
    done |= {"attach", "stop", "token", "stdio"}  # below, and in files of their own
    assert done >= set(NAMES)


def test_attach(here: Home, there: Home) -> None:
    """Typing there, seeing it here, and its exit status."""
    id = there.launch("sh", "-c", "read x; echo got-$x; exit 3")
    with new_desk(here) as desk:
        terminal = desk.cw("--server", "box", "attach", str(id))
        assert terminal.attached() == id
        terminal.type(b"typed\r")
        terminal.until_shown(b"got-typed")
        assert terminal.end() == 3


@pytest.mark.parametrize("line", LOCAL_ALONE)
def test_what_is_about_this_machine_alone(here: Home, line: str) -> None:
    """Is refused with --server, in one sentence; CODEWIRE_SERVER and a default mean nothing to it."""
    word = line.partition(" ")[0]
    done = on_box(here, *line.split(), status=2)
    assert done.stdout == ""
    assert done.stderr.splitlines()[0] == f"Error: cw {word} is about this machine, not about a server"
    if word in ("config", "completion", "server"):
        assert here.cw(*line.split(), env={**here.env, "CODEWIRE_SERVER": "nowhere"}).stdout


# -- launching there


@pytest.fixture(scope="module")
def surroundings(here: Home, there: Home) -> dict[str, str]:
    """What a program launched from elsewhere has around it."""
    env = {
        **here.env, "ONLY_HERE": "secret", "LANG": "de_DE.UTF-8", "LC_TIME": "C", "TERM": "xterm-kitty",
        "COLORTERM": "24bit", "CODEWIRE_TOKEN": "hunter2-hunter2", "SSH_AUTH_SOCK": "/tmp/agent", "TZ": "Asia/Tokyo",
    }  # fmt: skip
    words = ["--server", "box", "launch", "--name", "env", "-e", "MINE=1", "--", "env", "-0"]
    here.cw(*words, env=env)
    here.cw("--server", "box", "wait", "env")
    raw = here.cw("--server", "box", "logs", "env", "--raw").stdout
    return dict(item.split("=", 1) for item in raw.split("\0") if item)


def test_its_environment_is_that_of_the_machine_it_runs_on(surroundings: dict[str, str], there: Home) -> None:
    """Ours stays here, but for what our terminal is like and --env."""
    assert surroundings["ONLY_THERE"] == "yes"
    assert surroundings["HOME"] == there.env["HOME"]
    assert surroundings["TERM"] == "xterm-kitty"
    assert (surroundings["LANG"], surroundings["LC_TIME"], surroundings["COLORTERM"]) == (
        "de_DE.UTF-8",
        "C",
        "24bit",
    )
    assert surroundings["MINE"] == "1"
    assert {"ONLY_HERE", "TZ"} & set(surroundings) == set()


def test_no_secret_of_the_daemon_is_in_it(surroundings: dict[str, str], there: Home) -> None:
    """Neither its token nor the ssh agent of whoever started it."""
    ours = {name for name in surroundings if name.startswith("CODEWIRE_")}
    assert ours == {"CODEWIRE_SESSION", "CODEWIRE_SESSION_NAME", "CODEWIRE_HOME"}
    assert surroundings["CODEWIRE_HOME"] == str(there.path)
    assert "SSH_AUTH_SOCK" not in surroundings
    assert not any("hunter2" in value for value in surroundings.values())


@pytest.mark.parametrize(
    ("word", "place"), [("", ""), ("work", "work"), ("./work/", "work"), ("~/work", "work"), ("~", "")]
)
def test_its_directory_is_there(here: Home, there: Home, word: str, place: str) -> None:
    """The home directory of the user there, or below it; where the command was typed has no part in it."""
    base = Path(there.env["HOME"])
    (base / "work").mkdir(exist_ok=True)
    words = ["--dir", word] if word else []
    told = here.cw("--server", "box", "launch", *words, "--json", "--", "pwd", cwd="/")
    assert there.status(json.loads(told.stdout)["id"])["working_dir"] == str(base / place)


def test_a_full_path_is_that_of_the_other_machine(here: Home, there: Home, tmp_path: Path) -> None:
    """And one that is not there is named."""
    told = on_box(here, "launch", "--dir", str(tmp_path), "--json", "--", "pwd").stdout
    assert there.status(json.loads(told)["id"])["working_dir"] == str(tmp_path)
    done = on_box(here, "launch", "--dir", "nowhere", "--", "pwd", status=1)
    assert f"'{there.env['HOME']}/nowhere' does not exist" in done.stderr


def test_our_umask_and_limits_stay_here(here: Home, there: Home) -> None:
    """What this shell allows itself says nothing about another machine."""
    before = os.umask(0o007)
    try:
        id = json.loads(on_box(here, "launch", "--json", "--", "sh", "-c", "umask; ulimit -n").stdout)["id"]
    finally:
        os.umask(before)
    there.cw("wait", str(id))
    assert there.log(id).split() == [b"0022", b"1024"]


# -- which daemon is meant


def test_ways_to_say_it(here: Home, there: Home) -> None:
    """Before the command word, in any spelling; the last one counts, and `local` is this machine."""
    url = address(there)
    for words in (
        ["-s", "box"], ["--server=box"], ["--server", url], ["-s", f"ws://{url}/ws"], ["-sbox"], ["-s", "x", "-s", "box"],
    ):  # fmt: skip
        assert json.loads(here.cw(*words, "list", "--json").stdout) == there.list()
    env = {**here.env, "CODEWIRE_SERVER": "box"}
    assert json.loads(here.cw("list", "--json", env=env).stdout) == there.list()
    assert here.cw("--server", "local", "stop", env=env).stderr.startswith("Daemon is not running")


def test_the_default(here: Home, there: Home) -> None:
    """Without a word it is the one that was chosen; it can be taken back."""
    here.cw("server", "default", "box")
    try:
        assert json.loads(here.cw("list", "--json").stdout) == there.list()
    finally:
        here.cw("server", "default", "--none")
    assert here.cw("stop").stderr.startswith("Daemon is not running")


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (
            ["-s", "bux", "list"],
            1,
            "no server named 'bux' is saved\n\ndid you mean \"box\"? (cw server list)",
        ),
        (["-s", "ftp://box", "list"], 2, "no way to a server is called 'ftp'"),
        (["--server", "", "list"], 2, "an empty name is none"),
        (["--server"], 2, "requires an argument"),
        (["-s", "127.0.0.1:1", "list"], 1, "cannot reach ws://127.0.0.1:1/ws: connection refused"),
        (["list", "--server", "box"], 2, "--server comes before the command: cw --server NAME list"),
        (["list", "-s", "box"], 2, "-s comes before the command: cw -s NAME list"),
    ],
)
def test_what_goes_wrong_is_told(here: Home, words: list[str], status: int, sentence: str) -> None:
    """In one sentence that names the server."""
    done = here.cw(*words, status=status)
    assert done.stdout == ""
    assert sentence in done.stderr


def test_a_wrong_token(here: Home) -> None:
    """The sentence says which server did not let us in, and not with what."""
    done = on_box(here, "list", status=1, CODEWIRE_TOKEN="wrong-wrong-wrong")
    assert "box (ws://" in done.stderr
    assert "wrong-wrong" not in done.stderr


def test_no_token(here: Home, there: Home) -> None:
    """First what a person does about it; a program reads on."""
    done = here.cw("-s", f"localhost:{address(there).rpartition(':')[2]}", "list", status=1)
    assert (
        "a token is needed here\n\nCODEWIRE_TOKEN, or cw server add NAME URL --token-stdin; " in done.stderr
    )
    assert "Authorization: Bearer" in done.stderr


# -- completion


def complete(home: Home, *words: str) -> tuple[list[str], float]:
    env = {
        **home.env, "_CW_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(["cw", *words]), "COMP_CWORD": str(len(words))
    }  # fmt: skip
    begun = time.monotonic()
    done = home.cw(env=env)
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line], time.monotonic() - begun


def test_completion(here: Home, there: Home) -> None:
    """Names of servers; with one, what is there."""
    there.launch("sleep", "60", options=("--name", "only-there"))
    assert complete(here, "--server", "")[0] == ["box", "local"]
    assert complete(here, "-s", "b")[0] == ["box"]
    assert complete(here, "--server", "box", "attach", "only-")[0] == ["only-there"]
    assert complete(here, "--server", "local", "attach", "only-")[0] == []
    assert complete(here, "--server", "nowhere", "attach", "")[0] == []
    assert "--server" in complete(here, "--s")[0]
    assert complete(here, "server", "re")[0] == ["remove", "rename"]


def test_completion_does_not_hang(here: Home) -> None:
    """A server that takes the connection and says nothing: a moment, then nothing."""
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        found, took = complete(here, "-s", f"127.0.0.1:{silent.getsockname()[1]}", "attach", "")
    assert found == []
    assert took < 5


# -- stopping there (last: it is gone then)


def test_stop(here: Home, there: Home) -> None:
    """When the command is done, nobody answers any more; then it cannot be reached, and nothing is started here."""
    pid = there.daemon()
    assert on_box(here, "stop").stderr.startswith(f"Daemon stopped (PID {pid})")
    assert "cannot reach box (ws://" in on_box(here, "list", status=1).stderr
    assert "cannot reach box (ws://" in on_box(here, "stop", status=1).stderr
    there.until(lambda: not Path(f"/proc/{pid}").exists(), "the daemon to be gone")


@pytest.mark.parametrize("words", ["attach", "watch", "logs -f"])
def test_a_session_is_not_followed_from_inside_itself_by_way_of_a_server(there: Home, words: str) -> None:
    """Its own machine has many addresses; another session of that number, elsewhere, is another session."""
    command = [*CW, "--server", address(there), *words.split(), "self"]
    script = 'echo begun; read go; "$@"; echo status-$?'
    token = ("--env", f"CODEWIRE_TOKEN={there.env['CODEWIRE_TOKEN']}")
    id = there.launch("sh", "-c", script, "sh", *command, options=("--name", "self", *token))
    there.until_printed(id, b"begun")
    with new_home() as other:
        for _ in range(id):
            last = other.launch(*command, options=token)
        assert last == id
        other.until_printed(last, b"begun")
    there.cw("send", "self", "go")
    there.until_printed(id, b"status-1")
    assert f"session {id} cannot be followed from inside itself" in there.log(id).decode()
    there.end(id)
