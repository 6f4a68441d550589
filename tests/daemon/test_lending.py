"""the ssh agent and the display of whoever attached last are what a session has"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from codewire_py.daemon import lending
from codewire_py.daemon.lending import lend, lent_environment
from homes import Home, until
from own_terminals import Desk, new_desk

CHORD = b"\x02d"

# Says its environment, then which keys its agent has, each time it is typed a line.
SHOW_KEYS = """
import os, subprocess, sys
print("agent", os.environ.get("SSH_AUTH_SOCK"), "display", os.environ.get("DISPLAY"), "ready", flush=True)
for line in sys.stdin:
    done = subprocess.run(["ssh-add", "-l"], capture_output=True, text=True)
    print("<" + " ".join(done.stdout.split()[2:3] or [done.stderr.strip() or "?"]) + ">", flush=True)
"""


@contextmanager
def listening(path: Path) -> Iterator[str]:
    """A socket that is there, and nothing more."""
    with socket.socket(socket.AF_UNIX) as there:
        there.bind(str(path))
        there.listen()
        yield str(path)


@pytest.fixture
def sockets(tmp_path: Path) -> Iterator[tuple[str, str]]:
    with listening(tmp_path / "one") as one, listening(tmp_path / "two") as two:
        yield one, two


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home's sessions, seen as the daemon sees them: from within the home."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sessions" / "1").mkdir(parents=True)
    (tmp_path / "sessions" / "2").mkdir()
    return tmp_path


def agent_of(session: int) -> str | None:
    link = f"sessions/{session}/agent"
    return os.readlink(link) if os.path.lexists(link) else None


# -- what is lent


def test_the_link_follows_the_last_one(place: Path, sockets: tuple[str, str]) -> None:
    """In one step, and nothing is left beside it; also after a daemon died half-way."""
    for agent in (*sockets, sockets[0]):
        Path("sessions/1/agent.new").symlink_to("/nowhere")
        lend("sessions/1", agent, "")
        assert agent_of(1) == agent
        assert os.listdir("sessions/1") == ["agent"]


def test_at_no_step_is_there_none(
    place: Path, sockets: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever connects meanwhile reaches the one before or the new one."""
    lend("sessions/1", sockets[0], "")
    seen = []

    def watched(name: str) -> None:
        really = getattr(os, name)

        def step(*args: str) -> None:
            really(*args)
            seen.append(agent_of(1))

        monkeypatch.setattr(os, name, step)

    for name in ("unlink", "remove", "symlink", "rename", "replace"):
        watched(name)
    Path("sessions/1/agent.new").touch()
    lend("sessions/1", sockets[1], "")
    assert seen
    assert set(seen) == set(sockets)


def test_what_cannot_be_an_agent_is_not_lent(
    place: Path, sockets: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file, a folder, nothing, a loop, a name that is relative, empty, too long or no name: all stays as it was."""
    one, two = sockets
    lend("sessions/1", one, "")
    (place / "file").write_text("")
    (place / "loop").symlink_to(place / "loop")
    (place / "dangling").symlink_to(place / "nowhere")
    bad = [
        "",
        "two",
        "./two",
        f"{place}/file",
        f"{place}",
        f"{place}/loop",
        f"{place}/dangling",
        f"{place}/nowhere",
    ]
    for agent in [*bad, two + "\0", "/" + "x" * 5000, "/" + "x/" * 3000, "/dev/null", "\udcff", "/\udcff"]:
        lend("sessions/1", agent, "")
        assert agent_of(1) == one, agent
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    lend("sessions/1", two, "")  # somebody else's
    assert agent_of(1) == one


def test_a_link_never_ends_in_itself(place: Path, sockets: tuple[str, str]) -> None:
    """One who attaches from inside brings the session's own link, or one that leads there: nothing changes."""
    one, two = sockets
    lend("sessions/1", one, "")
    (place / "mine").symlink_to(place / "sessions/1/agent")
    (place / "alias").symlink_to(place / "sessions")
    for agent in (f"{place}/sessions/1/agent", f"{place}/mine", f"{place}/alias/1/agent"):
        lend("sessions/1", agent, "")
        assert agent_of(1) == one
    (place / "theirs").symlink_to(two)
    lend("sessions/1", f"{place}/theirs", "")
    assert agent_of(1) == f"{place}/theirs"  # a link of the user's own is followed by the system
    assert os.path.realpath("sessions/1/agent") == two


def test_from_one_session_to_another(place: Path, sockets: tuple[str, str]) -> None:
    """What the one was lent is lent on, not its link, which goes when it is removed."""
    lend("sessions/1", sockets[0], "")
    lend("sessions/2", f"{place}/sessions/1/agent", "")
    shutil.rmtree("sessions/1")
    assert agent_of(2) == sockets[0]


def test_trouble_changes_nothing(place: Path, sockets: tuple[str, str]) -> None:
    """Whoever attaches is not refused because something lies in the way, or the session's directory is gone."""
    Path("sessions/1/agent").mkdir()
    lend("sessions/1", sockets[0], ":0")
    lend("sessions/9", sockets[0], ":0")
    assert Path("sessions/1/agent").is_dir()
    assert not Path("sessions/9").exists()


@pytest.mark.parametrize("display", [":0", ":1.0", "localhost:10.0", "unix:3", "a.example:2"])
def test_the_display_is_written_down(place: Path, display: str) -> None:
    """For the program's own use; the last one that is one."""
    lend("sessions/1", "", display)
    for bad in ("", "x" * 256, ":0\n:1", "\x1b[c", "é"):
        lend("sessions/1", "", bad)
    assert Path("sessions/1/display").read_text() == display + "\n"
    assert agent_of(1) is None


def test_which_name_a_program_gets(tmp_path: Path, sockets: tuple[str, str]) -> None:
    """The stable one, unless what its caller has could not be lent: then that stays."""
    home, file = str(tmp_path / "home"), tmp_path / "file"
    file.write_text("")
    stable = {"SSH_AUTH_SOCK": f"{home}/sessions/7/agent"}
    assert lent_environment({"SSH_AUTH_SOCK": sockets[0]}, home, 7) == stable
    assert lent_environment({"SSH_AUTH_SOCK": f"{tmp_path}/gone"}, home, 7) == stable
    for agent in ("", "relative", str(file), "/dev/null"):
        assert lent_environment({"SSH_AUTH_SOCK": agent}, home, 7) == {}
    assert lent_environment({}, home, 7) == {}
    assert lent_environment({"SSH_AUTH_SOCK": sockets[0]}, "/h" * 60, 7) == {}  # no socket has so long a name


# -- with real agents


class Agent:
    """An ssh agent with one key, which is called like it."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name, self.path = name, str(folder / name)
        self.process = subprocess.Popen(
            ["ssh-agent", "-D", "-a", self.path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )  # fmt: skip
        until(lambda: os.path.exists(self.path), "the agent to be there")
        key = str(folder / f"{name}.key")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", key], check=True)
        env = {**os.environ, "SSH_AUTH_SOCK": self.path}
        subprocess.run(["ssh-add", "-q", key], env=env, check=True, capture_output=True)

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(10)


@pytest.fixture(scope="module")
def agents(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Agent]]:
    if not shutil.which("ssh-agent"):
        pytest.skip("no ssh-agent here")
    folder = tmp_path_factory.mktemp("agents")
    there = [Agent(folder, name) for name in ("first", "second")]
    try:
        yield there
    finally:
        for agent in there:
            agent.end()


@pytest.fixture
def desk(home: Home) -> Iterator[Desk]:
    with new_desk(home) as fresh:
        yield fresh


def launch_with(home: Home, agent: str | None, *options: str, display: str = "") -> int:
    home.env = {name: value for name, value in home.env.items() if name not in ("SSH_AUTH_SOCK", "DISPLAY")}
    plain = dict(home.env)
    home.env |= {"SSH_AUTH_SOCK": agent} if agent else {}
    home.env |= {"DISPLAY": display} if display else {}
    id = home.python(SHOW_KEYS, options=options)
    home.env = plain
    home.until_printed(id, b"ready")
    return id


def keys(home: Home, id: int) -> str:
    """What the program sees now."""
    count = home.log(id).count(b">\r\n")
    home.cw("send", str(id), "?")
    home.until(lambda: home.log(id).count(b">\r\n") > count, "the program to ask its agent")
    return home.log(id).rpartition(b"<")[2].partition(b">")[0].decode()


def visit(desk: Desk, id: int, *words: str, **env: str) -> None:
    terminal = desk.attach(str(id), *words, **env)
    terminal.type(CHORD)
    assert terminal.end() == 0


def test_a_session_has_the_agent_of_who_attached_last(home: Home, desk: Desk, agents: list[Agent]) -> None:
    """First its launcher's; then the next one's, and also under the next daemon. One who brings none takes none away."""
    first, second = agents
    id = launch_with(home, first.path)
    assert f"agent {home.directory(id)}/agent display None ready".encode() in home.log(id)
    assert keys(home, id) == "first"
    visit(desk, id, SSH_AUTH_SOCK=second.path)
    assert keys(home, id) == "second"
    visit(desk, id)
    assert keys(home, id) == "second"
    home.cw("restart")
    assert keys(home, id) == "second"
    visit(desk, id, SSH_AUTH_SOCK=first.path)
    assert keys(home, id) == "first"


def test_who_only_looks_lends_nothing(home: Home, desk: Desk, agents: list[Agent]) -> None:
    """And one who comes back to a new daemon does not become the last for it."""
    first, second = agents
    id = launch_with(home, first.path)
    visit(desk, id, "--read-only", SSH_AUTH_SOCK=second.path)
    assert keys(home, id) == "first"
    desk.attach(str(id), SSH_AUTH_SOCK=first.path)
    desk.attach(str(id), SSH_AUTH_SOCK=second.path)
    os.unlink(home.directory(id) / "agent")
    home.cw("restart")
    home.until(lambda: home.status(id)["attached_count"] == 2, "both to be back")
    assert not os.path.lexists(home.directory(id) / "agent")


def test_what_is_set_by_hand_wins(home: Home, desk: Desk, agents: list[Agent]) -> None:
    """`--env SSH_AUTH_SOCK=…` is what the program has, whoever attaches."""
    first, second = agents
    id = launch_with(home, first.path, "--env", f"SSH_AUTH_SOCK={second.path}")
    visit(desk, id, SSH_AUTH_SOCK=first.path)
    assert keys(home, id) == "second"
    assert home.status(id)["status"] == "running"


def test_a_caller_without_an_agent(home: Home, desk: Desk, agents: list[Agent]) -> None:
    """Its program has none either; the link is there for who sets the variable later."""
    id = launch_with(home, None)
    assert b"agent None display None" in home.log(id)
    assert not os.path.lexists(home.directory(id) / "agent")
    visit(desk, id, SSH_AUTH_SOCK=agents[0].path)
    assert os.readlink(home.directory(id) / "agent") == agents[0].path


def test_an_agent_that_is_gone_is_replaced(
    home: Home, desk: Desk, agents: list[Agent], tmp_path: Path
) -> None:
    """A program that was launched with a dead one gets a living one by the next who attaches."""
    id = launch_with(home, str(tmp_path / "dead"))
    assert "No such file" in keys(home, id)
    visit(desk, id, SSH_AUTH_SOCK=agents[1].path)
    assert keys(home, id) == "second"


def test_two_at_once(home: Home, desk: Desk, agents: list[Agent]) -> None:
    """One of them was last, and its agent is there."""
    id = launch_with(home, None, "--env", f"SSH_AUTH_SOCK={home.path}/sessions/1/agent")
    both = [desk.cw("attach", str(id), SSH_AUTH_SOCK=agent.path) for agent in agents]
    for terminal in both:
        terminal.attached()
    assert id == 1
    assert keys(home, id) in ("first", "second")


def test_a_display_stays_what_it_was(home: Home, desk: Desk) -> None:
    """The program keeps its own; which one would be right now stands in a file."""
    id = launch_with(home, None, display=":7")
    assert b"display :7 ready" in home.log(id)
    file = home.directory(id) / "display"
    assert file.read_text() == ":7\n"
    visit(desk, id, DISPLAY="localhost:10.0")
    assert file.read_text() == "localhost:10.0\n"


def test_a_session_with_a_dead_link_is_removed_whole(home: Home, tmp_path: Path) -> None:
    """What the link points at is not touched."""
    with listening(tmp_path / "gone") as path:
        id = launch_with(home, path)
    os.unlink(path)
    home.cw("kill", str(id))
    home.cw("remove", str(id))
    assert not home.directory(id).exists()


def test_nothing_of_it_is_written_down(home: Home, agents: list[Agent]) -> None:
    """The session's record holds no value that was not there before."""
    id = launch_with(home, agents[0].path, display=":7")
    record = json.loads((home.directory(id) / "session.json").read_text())
    assert not {"SSH_AUTH_SOCK", "DISPLAY"} & {*record["env"], *record["env_names"]}
    assert agents[0].path not in json.dumps(record)


def test_the_variables_are_those_of_ssh_and_x() -> None:
    """A word that is misspelt would lend nothing."""
    assert (lending.AGENT_VARIABLE, lending.DISPLAY_VARIABLE) == ("SSH_AUTH_SOCK", "DISPLAY")
