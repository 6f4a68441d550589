"""promise 5: on a full disk programs pause, nothing is lost, and they go on when there is room"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from codewire_py.client.connection import Connection
from codewire_py.home.paths import connect
from codewire_py.wire.messages import Attach, Attached, Measured
from homes import Home
from seeing import are_idle

SMALL, ROOMY = 3, 64  # MiB
PRINT_LINES = """
import sys
for number in range(int(sys.argv[1])):
    print(f"{number:09d} {'x' * 52}")
sys.exit(int(sys.argv[2]))
"""
LINES = 120_000  # of 64 bytes, with the terminal's carriage return: more than all that the disk has while it is small


class Disk:
    """A file system of a few MiB, as large as it is told to be."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mount(f"size={SMALL}m", "-t", "tmpfs", "cw-disk-full")

    def mount(self, options: str, *words: str) -> None:
        command = ["mount", "-o", options, *words, str(self.folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise PermissionError(done.stderr.strip())

    def grow(self, mebibytes: int) -> None:
        self.mount(f"remount,size={mebibytes}m")

    def room(self) -> int:
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_bsize

    def fill(self) -> None:
        """To the last block."""
        with suppress(OSError), (self.folder / "filler").open("ab", buffering=0) as file:
            while True:
                file.write(bytes(4096))

    def make_room(self) -> None:
        (self.folder / "filler").unlink()
        self.grow(ROOMY)

    def close(self) -> None:
        subprocess.run(["umount", "-l", str(self.folder)], check=True)


@pytest.fixture
def disk(request: pytest.FixtureRequest) -> Iterator[Disk]:
    folder = Path(tempfile.mkdtemp(prefix="cw-"))
    try:
        disk = Disk(folder)
    except OSError as error:
        folder.rmdir()
        pass_in_a_namespace(request.node.nodeid, str(error))
    yield disk
    disk.close()
    shutil.rmtree(folder)


def pass_in_a_namespace(test: str, why: str) -> None:
    """Who may not mount here may do so where the user is root and nobody else sees it."""
    inside = ["unshare", "--user", "--map-root-user", "--mount"]
    if subprocess.run([*inside, "true"], capture_output=True, check=False).returncode:
        pytest.fail(f"this test needs to mount a small tmpfs, as root or in a user namespace: {why}")
    command = [*inside, sys.executable, "-m", "pytest", "-p", "no:cacheprovider", test]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(f"in a namespace of its own:\n{done.stdout}{done.stderr}")
    pytest.skip("passed in a namespace of its own, where it may mount")


@pytest.fixture
def home(disk: Disk) -> Iterator[Home]:
    """On the small disk."""
    home = Home(disk.folder / "home")
    yield home
    disk.grow(ROOMY)
    home.close()


def is_paused(home: Home, *sessions: int) -> bool:
    told = {session["id"]: session.get("paused") for session in home.list()}
    return all(told[session] == "disk full" for session in sessions)


def ids(home: Home) -> list[int]:
    return [session["id"] for session in home.list()]


def lines(count: int) -> bytes:
    return b"".join(b"%09d %s\r\n" % (number, b"x" * 52) for number in range(count))


def test_programs_pause_and_go_on_and_nothing_is_lost(home: Home, disk: Disk, tmp_path: Path) -> None:
    """Full, some room, full again, room enough: every line is there once, in order, and every status is right."""
    go, followed = tmp_path / "go", tmp_path / "followed"
    program = f"import os, time\nwhile not os.path.exists({str(go)!r}): time.sleep(0.01)\n{PRINT_LINES}"
    sessions = [home.python(program, str(LINES), str(status)) for status in (7, 8, 9)]
    with followed.open("wb") as output:
        follower = home.begin("logs", "-f", "--raw", "1", stdout=output)
        go.touch()
        for mebibytes in (5, 7):
            home.until(lambda: is_paused(home, *sessions), "all to pause")
            home.until(lambda: disk.room() == 0, "the last block to be taken")
            assert not any(home.log(session).endswith(b"%09d" % (LINES - 1)) for session in sessions)
            disk.grow(mebibytes)
            home.until(lambda: disk.room() == 0, "the programs to go on until the disk is full again")
        home.until(lambda: is_paused(home, *sessions), "all to pause again")
        disk.grow(ROOMY)
        assert [home.end(session)["code"] for session in sessions] == [7, 8, 9]
        assert all(home.log(session) == lines(LINES) for session in sessions)
        assert follower.wait(30) == 0
        assert followed.read_bytes() == lines(LINES)
    home.until(lambda: not any("paused" in session for session in home.list()), "nobody to wait any more")


def test_waiting_for_room_costs_nothing(home: Home) -> None:
    """Neither the program nor its keeper nor the daemon is busy while the disk is full."""
    session = home.python(PRINT_LINES, str(LINES), "0")
    home.until(lambda: is_paused(home, session), "it to pause")
    pids = [home.status(session)["pid"], home.keeper(session), home.daemon(), home.hatchery()]
    home.until(lambda: are_idle(*pids), "everybody to rest")


def test_the_list_and_the_status_say_so(home: Home) -> None:
    """In the table, in JSON, and for those alone that wait."""
    silent = home.launch("sleep", "1000")
    waits = home.python(PRINT_LINES, str(LINES), "0")
    home.until(lambda: is_paused(home, waits), "it to pause")
    rows = home.cw("list").stdout.splitlines()
    assert "[disk full: waits]" in next(row for row in rows if row.startswith(f"{waits} "))
    assert "waits" not in next(row for row in rows if row.startswith(f"{silent} "))
    assert {session["id"]: session.get("paused") for session in home.list()} == {
        waits: "disk full",
        silent: None,
    }
    assert home.status(waits)["status"] == "running"
    assert "disk full" in home.cw("status", str(waits)).stdout
    shown = home.cw("logs", str(waits)).stdout.splitlines()
    assert shown[:-1] == home.log(waits).decode().splitlines()[:-1]


def test_launching_is_refused_and_leaves_nothing(home: Home, disk: Disk, tmp_path: Path) -> None:
    """A clear sentence, exit 1, no program, no file; and the next one works as soon as there is room."""
    home.launch("sleep", "1000")
    disk.fill()
    before, pids = tree(home.path), set(home.ours())
    ran = tmp_path / "ran"
    for _ in range(3):
        refused = home.cw("launch", "--", "touch", str(ran), status=1)
        assert refused.stdout == ""
        assert refused.stderr.startswith("Error: there is no room in the home directory")
    assert tree(home.path) == before
    assert set(home.ours()) == pids
    assert not ran.exists()
    disk.make_room()
    assert home.launch("true") in ids(home)


def test_a_launch_with_hardly_any_room_is_a_session_or_nothing(home: Home, disk: Disk) -> None:
    """Wherever between its first and its last file the disk is full: refused and gone, or it runs and is listed."""
    home.launch("sleep", "1000")
    disk.fill()
    outcomes = set()
    for blocks in range(10):
        os.truncate(disk.folder / "filler", (disk.folder / "filler").stat().st_size - 4096 * blocks)
        before = tree(home.path)
        done = home.cw("launch", "--", "sleep", "1000", status=None)
        outcomes.add(done.returncode)
        if done.returncode:
            assert "no room" in done.stderr
            assert tree(home.path) == before
        else:
            session = ids(home)[-1]
            assert done.stdout == f"Session {session} launched: sleep 1000\n"
            home.cw("kill", str(session))
            home.cw("remove", str(session))
        disk.fill()
    assert outcomes == {0, 1}
    assert ids(home) == [1]


def tree(folder: Path) -> set[str]:
    """What a launch could leave behind; not what the daemon writes about all sessions, when it comes to it."""
    index = ("sessions.json", "sessions.json.new")
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.name not in index}


def test_kill_works_on_a_full_disk(home: Home, disk: Disk) -> None:
    """Its end is recorded at the latest when it is killed with -9, with the number of bytes that found no room."""
    silent, waits = home.launch("sleep", "1000"), home.python(PRINT_LINES, str(LINES), "0")
    home.until(lambda: is_paused(home, waits), "it to pause")
    disk.fill()
    began = time.monotonic()
    assert home.cw("kill", str(silent)).stdout == f"Session {silent} killed.\n"
    assert home.cw("kill", "--grace", "0.5", str(waits)).stdout == f"Session {waits} killed.\n"
    assert time.monotonic() - began < 5
    assert [session["status"] for session in home.list()] == ["killed", "killed"]
    assert home.end(silent)["signal"] == 15
    assert home.log(waits) == lines(LINES)[: len(home.log(waits))]
    assert 0 < home.status(waits)["unwritten_bytes"] < 200_000
    assert "unwritten_bytes" not in home.status(silent)


def test_last_words_wait_for_room(home: Home, disk: Disk) -> None:
    """A program that ends on a full disk by itself has ended once its last words are in the log."""
    session = home.launch("sh", "-c", "read line; echo $line and out; exit 3")
    disk.fill()
    home.cw("send", str(session), "last words")
    home.until(lambda: is_paused(home, session) and not program_runs(home, session), "it to end, unrecorded")
    assert not (home.directory(session) / "exit.json").exists()
    disk.make_room()
    assert home.end(session)["code"] == 3
    assert home.log(session) == b"last words\r\nlast words and out\r\n"
    assert home.cw("wait", str(session), status=3)


def program_runs(home: Home, session: int) -> bool:
    return home.status(session)["pid"] in home.ours()


@pytest.mark.parametrize("how", ["restart", "stop", "kill -9"])
def test_the_daemon_can_be_replaced_on_a_full_disk(home: Home, disk: Disk, how: str) -> None:
    """Restarted, stopped and started, or crashed: it serves, and the programs go on when there is room."""
    session = home.python(PRINT_LINES, str(LINES), "5")
    home.until(lambda: is_paused(home, session), "it to pause")
    disk.fill()
    if how == "kill -9":
        os.kill(home.daemon(), 9)
    else:
        home.cw(how)
    home.until(lambda: is_paused(home, session), "the new daemon to say that it waits")
    home.cw("launch", "--", "true", status=1)
    disk.make_room()
    assert home.end(session)["code"] == 5
    assert home.log(session) == lines(LINES)
    home.until((home.path / "daemon.pid").exists, "the daemon to say who it is")
    assert home.daemon() in home.ours()


def test_what_had_no_room_is_written_when_there_is_some(home: Home, disk: Disk) -> None:
    """Sizes that a viewer set meanwhile are in the marks as soon as there is room, and the index is up to date."""
    session = home.python(PRINT_LINES.replace("sys.exit", "sys.stdin.readline(); sys.exit"), str(LINES), "6")
    home.until(lambda: is_paused(home, session), "it to pause")
    disk.fill()
    viewer = Connection(connect(str(home.path / "server.sock"), 10.0))
    assert isinstance(viewer.ask(Attach(session=str(session), local=True)), Attached)
    for rows in range(1, 100):
        viewer.say(Measured(rows=rows, cols=99))
    home.until(lambda: home.status(session)["rows"] == 99, "the last size")
    assert sizes(home, session) != list(range(1, 100))
    disk.make_room()
    home.until(lambda: sizes(home, session) == list(range(1, 100)), "every size in the marks")
    home.cw("send", str(session), "")
    assert home.end(session)["code"] == 6
    index = home.path / "sessions.json"
    home.until(lambda: index.exists() and "completed (6)" in index.read_text(), "the index to be up to date")
    viewer.close()


def sizes(home: Home, session: int) -> list[int]:
    return [mark["rows"] for mark in home.marks(session) if mark["kind"] == "size"]


def test_a_screen_that_cannot_be_kept_is_no_trouble(home: Home, disk: Disk) -> None:
    """Checkpoints and times find no room while a viewer looks: little is said about it, and no line is lost."""
    session = home.python(PRINT_LINES, str(LINES), "4")
    home.until(lambda: is_paused(home, session), "it to pause")
    disk.fill()
    for _ in range(20):
        assert "x" * 52 in home.cw("screen", str(session)).stdout
    assert home.cw("search", "^000000001 ", str(session)).stdout
    assert len(home.journal().splitlines()) < 20
    disk.make_room()
    assert home.end(session)["code"] == 4
    assert home.log(session) == lines(LINES)
    assert "Traceback" not in home.journal()
