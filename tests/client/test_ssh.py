"""a daemon reached by ssh: what ssh is asked to do, what it may answer, and who is asked for a password"""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest

from codewire_py.client.connection import Connection
from codewire_py.client.servers import Server
from codewire_py.client.transports import ssh
from codewire_py.errors import CodewireError, ConfigError, Unauthorized, Unreachable, Untrusted
from codewire_py.wire.messages import List, Listed
from homes import CW, Home, new_home, processes, until
from shells import each

SERVER = Server("box", "ssh://me@box.example:2200")


@pytest.fixture
def standing_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Say what ssh is to do, in the language of the shell."""

    def install(script: str) -> Path:
        program = tmp_path / "some ssh"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("CODEWIRE_SSH", f"{shlex.quote(str(program))} --as-told")
        return program

    return install


def refused(kind: type[CodewireError], seconds: float = 10.0, server: Server = SERVER) -> CodewireError:
    with pytest.raises(kind) as caught:
        ssh.dial(server, seconds, may_ask=False)
    assert "box" in caught.value.message
    return caught.value


def test_what_ssh_is_asked_to_do(standing_in: Callable[[str], Path], tmp_path: Path) -> None:
    """The user's own ssh, without a terminal or escapes, watching over the link; nobody is asked anything."""
    standing_in(f'printf "%s\\n" "$@" > {shlex.quote(str(tmp_path))}/words; echo "cw stdio 1"; read x')
    ssh.dial(SERVER, 7.2, may_ask=False).close()
    assert (tmp_path / "words").read_text().splitlines() == [
        "--as-told", "-T", "-e", "none", "-o", "ServerAliveInterval=10", "-o", "ServerAliveCountMax=3",
        "-o", "ConnectTimeout=7", "-p", "2200", "-o", "BatchMode=yes", "--", "me@box.example", ssh.THERE,
    ]  # fmt: skip


def test_a_person_may_be_asked() -> None:
    """Then ssh is not told to be quiet; and what the url does not say is ssh's own business."""
    words = ssh.command_for(Server("box", "ssh://box"), asks=True, seconds=10)
    assert "BatchMode=yes" not in words
    assert "-p" not in words
    assert words[-3:] == ["--", "box", ssh.THERE]


@pytest.mark.parametrize("shell", each("sh", "bash", "dash", "fish", "zsh", "tcsh"))
def test_any_shell_there_finds_it(shell: str, tmp_path: Path) -> None:
    """What is run there is understood by whatever shell a user has."""
    programs = tmp_path / ".local/bin"
    programs.mkdir(parents=True)
    (programs / "cw").write_text('#!/bin/sh\necho "found $1"\n')
    (programs / "cw").chmod(0o755)
    done = subprocess.run(
        [shell, "-c", ssh.THERE], check=True, capture_output=True, text=True, timeout=20,
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]},
    )  # fmt: skip
    assert done.stdout == "found stdio\n"


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("ssh://box", ("box", "")),
        ("ssh://me@box.example:22", ("me@box.example", "22")),
        ("ssh://me@[::1]:2222", ("me@::1", "2222")),
        ("ssh://[fe80::1%eth0]", ("fe80::1%eth0", "")),
    ],
)
def test_addresses(url: str, target: tuple[str, str]) -> None:
    """The words that ssh understands."""
    assert ssh.target_of(Server("box", url)) == target


@pytest.mark.parametrize(
    "place",
    [
        "-oProxyCommand=x",
        "me@-x",
        "-x@box",
        "box;id",
        "$(id)",
        "`id`",
        "a b",
        "",
        "me@",
        "box:x",
        "b'x",
        "bö",
    ],
)
def test_what_is_no_address(place: str, standing_in: Callable[[str], Path], tmp_path: Path) -> None:
    """Nothing is run for what ssh, or a shell, could take for something else."""
    standing_in(f"touch {shlex.quote(str(tmp_path))}/ran; exit 1")
    error = refused(Unreachable, server=Server("box", f"ssh://{place}"))
    assert "is no address for ssh" in error.message
    assert not (tmp_path / "ran").exists()


def test_what_a_shell_there_prints_is_passed_over(standing_in: Callable[[str], Path]) -> None:
    """A talkative ~/.bashrc; and not one byte after the greeting is lost."""
    standing_in('printf "Welcome!\\ncw stdio\\ncw cw stdio 1\\nfirst"; read x')
    with ssh.dial(SERVER, 10, may_ask=False) as peer:
        assert peer.gettimeout() is None
        assert peer.recv(5, socket.MSG_WAITALL) == b"first"


def test_one_that_never_stops_talking(standing_in: Callable[[str], Path]) -> None:
    """It is not listened to for ever."""
    standing_in("exec yes")
    assert "its shell prints too much" in refused(Unreachable).message


def test_one_that_is_silent(
    standing_in: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deadline ends it, and the program with it."""
    monkeypatch.setattr(ssh, "ENDING_SECONDS", 30.0)
    standing_in(f"echo $$ > {shlex.quote(str(tmp_path))}/pid; exec sleep 60")
    began = time.monotonic()
    assert "timed out" in refused(Unreachable, 0.3).message
    assert time.monotonic() - began < 15, "it had to be killed"
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}").exists()


@pytest.mark.parametrize(
    ("script", "kind", "said"),
    [
        ("exit 255", Unreachable, "ssh ended with status 255"),
        ("echo 'ssh: Could not resolve hostname box: Name or service not known' >&2; exit 255", Unreachable,
         "Could not resolve hostname box: Name or service not known"),
        ("echo one >&2; printf 'Connection closed by 1.2.3.4 port 22\\r\\n' >&2; exit 255", Unreachable,
         "Connection closed by 1.2.3.4 port 22"),
        ("echo 'zsh:1: command not found: cw' >&2; exit 127", Unreachable, "cw is not installed there"),
        ("echo 'me@box: Permission denied (publickey,password).' >&2; exit 255", Unauthorized, "does not let us in"),
        ("echo 'Host key verification failed.' >&2; exit 255", Untrusted, "is not known here"),
        ("kill -9 $$", Unreachable, "ssh ended with status -9"),
        ("yes words | head -c 1000000 >&2; echo the end >&2; exit 1", Unreachable, "the end"),
        ("printf '\\377\\376' >&2; exit 1", Unreachable, "�"),
    ],
)  # fmt: skip
def test_what_it_said_at_the_end_is_told(
    script: str, kind: type[CodewireError], said: str, standing_in: Callable[[str], Path]
) -> None:
    """The last line, as the error it stands for; a hint is always there."""
    standing_in(script)
    error = refused(kind)
    assert said in error.message
    assert error.hint
    assert "\n" not in error.message


def test_no_ssh_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """What to install; a setting that no shell could read is told, too."""
    monkeypatch.setenv("CODEWIRE_SSH", "no-such-ssh-anywhere")
    with pytest.raises(Unreachable, match="cannot run no-such-ssh-anywhere") as caught:
        ssh.dial(SERVER, 1, may_ask=False)
    assert "openssh-client" in caught.value.hint
    monkeypatch.setenv("CODEWIRE_SSH", "ssh 'open")
    with pytest.raises(ConfigError, match="CODEWIRE_SSH"):
        ssh.dial(SERVER, 1, may_ask=False)


def test_nothing_is_left_of_it(standing_in: Callable[[str], Path], tmp_path: Path) -> None:
    """It ends with our socket, and is no zombie then; whoever waits for it leaves with it."""
    standing_in(f'echo $$ > {shlex.quote(str(tmp_path))}/pid; echo "cw stdio 1"; exec cat >/dev/null')
    threads = threading.active_count()
    peer = ssh.dial(SERVER, 10, may_ask=False)
    pid = (tmp_path / "pid").read_text().strip()
    assert Path(f"/proc/{pid}").exists()
    assert os.getsid(int(pid)) == int(pid), "a Ctrl+C in our terminal would reach it"
    assert not os.get_inheritable(peer.fileno())
    peer.close()
    until(lambda: not Path(f"/proc/{pid}").exists(), "it to end", 10)
    until(lambda: threading.active_count() == threads, "the thread to end", 10)


# ── in a terminal ─────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def far() -> Iterator[Home]:
    """Another home that a stand-in for ssh leads to."""
    with new_home() as other:
        yield other


def lead(home: Home, far: Home, before: str = "") -> None:
    program = home.path.parent / "ssh"
    program.write_text(
        f"#!/bin/sh\n{before}\nCODEWIRE_HOME={shlex.quote(str(far.path))} exec {shlex.join(CW)} stdio\n"
    )
    program.chmod(0o755)
    home.env["CODEWIRE_SSH"] = str(program)


def spawn(home: Home, *words: str) -> pexpect.spawn[bytes]:
    return pexpect.spawn(sys.executable, ["-m", "codewire_py", *words], env=home.env, timeout=20)


def test_a_password_can_be_typed(home: Home, far: Home) -> None:
    """ssh asks at the terminal, and whoever is asked has more time than a connection has otherwise."""
    lead(
        home, far, 'printf "password: " >/dev/tty; read secret </dev/tty; test "$secret" = sesame || exit 255'
    )
    process = spawn(home, "--server", "ssh://box", "list", "--json")
    process.expect_exact("password: ")
    process.sendline("sesame")
    process.expect_exact("[]")
    process.expect(pexpect.EOF)
    process.close()
    assert process.exitstatus == 0


def test_ctrl_c_at_the_password(home: Home, far: Home) -> None:
    """It ends all of it, and the terminal is as it was."""
    lead(
        home,
        far,
        'stty -echo </dev/tty; trap "stty echo </dev/tty; exit 255" INT TERM\nprintf "password: " >/dev/tty; read secret </dev/tty',
    )
    process = spawn(home, "--server", "ssh://box", "list")
    process.expect_exact("password: ")
    process.sendintr()
    process.expect(pexpect.EOF)
    process.close()
    assert process.exitstatus == 130
    assert processes(str(home.path.parent / "ssh")) == []


def test_ctrl_c_goes_to_the_program_there(home: Home, far: Home) -> None:
    """While attached it is typed like any key: ssh does not hear of it."""
    lead(home, far)
    number = far.launch(
        "sh", "-c", "trap 'echo caught' INT; echo ready; while :; do read x && echo got $x; done"
    )
    process = spawn(home, "--server", "ssh://box", "attach", str(number))
    try:
        process.expect_exact("ready")
        process.send("\x03")
        process.expect_exact("caught")
        process.sendline("more")
        process.expect_exact("got more")
        process.send("\x02d")
        process.expect(pexpect.EOF)
    finally:
        process.close(force=True)


def test_a_connection_is_one_like_any_other(home: Home, far: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """The house's frames, on a plain socket."""
    lead(home, far)
    monkeypatch.setenv("CODEWIRE_SSH", home.env["CODEWIRE_SSH"])
    connection = Connection(ssh.dial(Server("box", "ssh://box"), 20, may_ask=False))
    assert isinstance(connection.ask(List()), Listed)
    connection.close()
