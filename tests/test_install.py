"""install.sh takes nothing away from under a daemon that runs"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NEEDED = ("cat", "dirname", "grep", "readlink", "rm", "rmdir", "sh", "sort", "tr")


class Place:
    """A prefix with what looks installed, and a home whose daemon is said to be a process of ours."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.environment = folder, folder / "prefix/lib/codewire-py"
        for name in ("prefix/bin", "prefix/lib/codewire-py/bin", "home", "programs"):
            (folder / name).mkdir(parents=True)
        (self.environment / "made-by-install.sh").write_text("")
        (folder / "prefix/bin/cw").symlink_to(self.environment / "bin/cw")
        (self.environment / "bin/python").symlink_to(str(shutil.which("sleep")))
        self.process: subprocess.Popen[bytes] | None = None

    def run(self, program: str | Path) -> None:
        self.process = subprocess.Popen([program, "60"])
        (self.folder / "home/daemon.pid").write_text(f"{self.process.pid}\n")

    def end(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait(10)

    def uninstall(self, *, has_proc: bool, has_ps: bool) -> subprocess.CompletedProcess[str]:
        """On a system that has these."""
        script = (ROOT / "install.sh").read_text()
        (self.folder / "install.sh").write_text(script if has_proc else script.replace("/proc/", "/nowhere/"))
        for name in (*NEEDED, *(["ps"] if has_ps else [])):
            (self.folder / "programs" / name).symlink_to(str(shutil.which(name)))
        env = {"PATH": str(self.folder / "programs"), "CODEWIRE_HOME": str(self.folder / "home")}
        command = ["sh", self.folder / "install.sh", "--uninstall", "--prefix", self.folder / "prefix"]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=20)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    fresh = Place(tmp_path)
    yield fresh
    fresh.end()


SYSTEMS = pytest.mark.parametrize(("has_proc", "has_ps"), [(True, True), (True, False), (False, True)])


@SYSTEMS
def test_not_while_its_daemon_runs(place: Place, has_proc: bool, has_ps: bool) -> None:
    """Whether the system has ps, /proc or both: nothing is removed, and what to do is said."""
    place.run(place.environment / "bin/python")
    done = place.uninstall(has_proc=has_proc, has_ps=has_ps)
    assert (done.returncode, done.stdout) == (1, "")
    assert "the daemon is running: end it first with cw stop" in done.stderr
    assert place.environment.exists()


@SYSTEMS
def test_another_program_is_not_the_daemon(place: Place, has_proc: bool, has_ps: bool) -> None:
    """The pid that the daemon had is somebody else's by now."""
    place.run(str(shutil.which("sleep")))
    done = place.uninstall(has_proc=has_proc, has_ps=has_ps)
    assert (done.returncode, done.stderr) == (0, "")
    assert not place.environment.exists()
    assert not os.path.lexists(place.folder / "prefix/bin/cw")


def test_what_cannot_be_told_is_refused(place: Place) -> None:
    """Where there is neither, a process that lives may be the daemon."""
    place.run(str(shutil.which("sleep")))
    done = place.uninstall(has_proc=False, has_ps=False)
    assert done.returncode == 1
    assert f"process {place.process.pid} may be the daemon" in done.stderr  # type: ignore[union-attr]
    assert place.environment.exists()


@SYSTEMS
@pytest.mark.parametrize("written", ["", "no pid\n", "4194304\n"])
def test_a_daemon_that_is_gone_is_in_nobodys_way(
    place: Place, has_proc: bool, has_ps: bool, written: str
) -> None:
    """Whatever it has left."""
    (place.folder / "home/daemon.pid").write_text(written)
    assert place.uninstall(has_proc=has_proc, has_ps=has_ps).returncode == 0
    assert not place.environment.exists()
