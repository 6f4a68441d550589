"""a daemon reached by a real ssh and a real server: every command, and everything that can be wrong on the way"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from homes import CW, SECONDS, Home, new_home, processes, until


class Host:
    """Another machine, as far as ssh can tell: a server with a home and a host key of its own.

    It runs where only it sees another /etc/passwd: nobody's own ~/.ssh is touched.
    """

    def __init__(self, remote: Home) -> None:
        self.remote = remote
        self.folder = remote.path.parent
        self.user_home = self.folder / "user"
        self.cw = self.user_home / ".local/bin/cw"
        self.known = self.folder / "known_hosts"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"ssh://root@127.0.0.1:{self.port}"

    def prepare(self) -> None:
        for folder in (self.user_home, self.user_home / ".ssh", self.cw.parent):
            folder.mkdir(0o700, parents=True)
        self.cw.write_text(f'#!/bin/sh\nexec {shlex.join(CW)} "$@"\n')
        self.cw.chmod(0o755)
        lines = self.run("dropbearkey", "-t", "ed25519", "-f", "host_key").splitlines()
        self.key = next(line for line in lines if line.startswith("ssh-ed25519")).rpartition(" ")[0]
        self.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "id")
        (self.user_home / ".ssh/authorized_keys").write_text((self.folder / "id.pub").read_text())
        (self.user_home / ".ssh/authorized_keys").chmod(0o600)
        self.know(self.key)
        (self.folder / "config").write_text(
            f"IdentityFile {self.folder}/id\nIdentitiesOnly yes\nUserKnownHostsFile {self.known}\n"
            "GlobalKnownHostsFile /dev/null\n"
        )
        passwd = [
            line for line in Path("/etc/passwd").read_text().splitlines() if not line.startswith("root:")
        ]
        (self.folder / "passwd").write_text("\n".join([f"root:x:0:0::{self.user_home}:/bin/sh", *passwd, ""]))

    def know(self, key: str) -> None:
        self.known.write_text(f"[127.0.0.1]:{self.port} {key}\n" if key else "")

    def run(self, *command: str) -> str:
        return subprocess.run(
            command, cwd=self.folder, check=True, capture_output=True, text=True, timeout=SECONDS
        ).stdout

    def serve(self) -> subprocess.Popen[bytes]:
        options = ["-F", "-E", "-s", "-e", "-r", "host_key", "-P", "", "-p", f"127.0.0.1:{self.port}"]
        script = f"mount --bind passwd /etc/passwd && exec dropbear {shlex.join(options)}"
        with (self.folder / "dropbear.log").open("w") as log:
            process = subprocess.Popen(
                ["unshare", "-m", "sh", "-c", script], cwd=self.folder, env=self.remote.env, stderr=log
            )
        self.remote.started.append(process)
        until(self.is_listening, "dropbear to listen", 20, (self.folder / "dropbear.log").read_text)
        return process

    def is_listening(self) -> bool:
        with socket.socket() as peer:
            return peer.connect_ex(("127.0.0.1", self.port)) == 0


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    if os.geteuid() != 0 or not all(map(shutil.which, ("dropbear", "ssh", "unshare"))):
        pytest.skip("needs root, dropbear, ssh and unshare")
    with new_home() as remote:
        machine = Host(remote)
        machine.prepare()
        machine.serve()
        yield machine


@pytest.fixture
def near(home: Home, host: Host) -> Home:
    """A home from which the host is reached."""
    home.env["CODEWIRE_SSH"] = f"ssh -F {host.folder}/config"
    return home


def test_every_command_goes_there(near: Home, host: Host) -> None:
    """Without listener or token; a daemon that is not there is started there, and none here."""

    def cw(*words: str) -> str:
        return near.cw("--server", host.url, *words).stdout

    assert "Session 1 launched" in cw(
        "launch", "--name", "far", "--", "sh", "-c", "echo here; read x; echo got $x; exit 3"
    )
    cw("send", "far", "words")
    near.cw("--server", host.url, "wait", "far", "--timeout", "20", status=3)
    assert cw("logs", "far").replace("\r", "").splitlines() == ["here", "words", "got words"]
    assert "completed (3)" in cw("list")
    assert host.remote.daemon()
    assert not (near.path / "daemon.pid").exists()
    until(lambda: not ssh_processes(host), "every ssh to end", 10)


def ssh_processes(host: Host) -> list[int]:
    return [pid for pid in processes(f"{host.folder}/config") if pid != os.getpid()]


def test_a_saved_server(near: Home, host: Host) -> None:
    """By name, as any other."""
    near.cw("server", "add", "box", host.url)
    assert "box" in near.cw("server", "list").stdout
    assert near.cw("--server", "box", "list", "--json").stdout.startswith("[")


def test_an_unknown_host_is_not_trusted(near: Home, host: Host) -> None:
    """Where nobody can be asked; the hint is the command that asks."""
    host.know("")
    try:
        done = near.cw("--server", host.url, "list", status=1)
    finally:
        host.know(host.key)
    assert "is not known here" in done.stderr
    assert f"ssh -p {host.port} root@127.0.0.1" in done.stderr


def test_a_host_with_another_key_is_not_trusted(near: Home, host: Host) -> None:
    """Somebody may be in between."""
    host.know((host.folder / "id.pub").read_text().rpartition(" ")[0])
    try:
        done = near.cw("--server", host.url, "list", status=1)
    finally:
        host.know(host.key)
    assert "has another host key than the one that is known" in done.stderr


def test_who_is_not_let_in(near: Home, host: Host) -> None:
    """Another user: said by ssh, told by us."""
    done = near.cw("--server", host.url.replace("root@", "nobody@"), "list", status=1)
    assert "does not let us in" in done.stderr
    assert "Permission denied" in done.stderr


def test_cw_is_missing_there(near: Home, host: Host) -> None:
    """The hint says where it is looked for."""
    away = host.cw.rename(host.cw.with_name("away"))
    try:
        done = near.cw("--server", host.url, "list", status=1)
    finally:
        away.rename(host.cw)
    assert "cw is not installed there" in done.stderr
    assert "~/.local/bin/cw" in done.stderr


def test_nobody_listens_there(near: Home) -> None:
    """ssh's own words."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        done = near.cw("--server", f"ssh://127.0.0.1:{free.getsockname()[1]}", "list", status=1)
    assert "Connection refused" in done.stderr
    assert "try it by hand: ssh -p" in done.stderr


def test_what_is_wrong_with_the_daemon_there_is_told_here(near: Home, host: Host) -> None:
    """The sentence of the cw there, and its hint."""
    host.cw.rename(host.cw.with_name("away"))
    host.cw.write_text(f'#!/bin/sh\nCODEWIRE_HOME=/etc/passwd exec {shlex.join(CW)} "$@"\n')
    host.cw.chmod(0o755)
    try:
        done = near.cw("--server", host.url, "list", status=1)
    finally:
        host.cw.with_name("away").rename(host.cw)
    assert "cw there says: the home /etc/passwd is not a directory" in done.stderr
    assert "set CODEWIRE_HOME" in done.stderr


def test_an_attached_session_outlives_a_killed_ssh(near: Home, host: Host) -> None:
    """It comes back by itself, where it stopped."""
    number = host.remote.launch("sh", "-c", "echo ready; while read x; do echo got $x; done")
    attached = pexpect.spawn(
        sys.executable,
        ["-m", "codewire_py", "--server", host.url, "attach", str(number)],
        env=near.env,
        timeout=20,
    )
    try:
        attached.expect("ready")
        attached.sendline("one")
        attached.expect("got one")
        (pid,) = ssh_processes_named("ssh", host)
        os.kill(pid, signal.SIGKILL)
        host.remote.cw("send", str(number), "two")
        attached.expect("got two")
        attached.sendline("three")
        attached.expect("got three")
    finally:
        attached.close(force=True)
    until(lambda: not ssh_processes_named("ssh", host), "ssh to end with the client", 10)


def ssh_processes_named(name: str, host: Host) -> list[int]:
    return [pid for pid in ssh_processes(host) if Path(f"/proc/{pid}/comm").read_text().strip() == name]
