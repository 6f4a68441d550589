"""whatever lies where a session keeps its screen, times and sizes: the session goes on, and nothing else is touched"""

from __future__ import annotations

import json
import os
import shutil
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from codewire_py.daemon.limits import ANSWER_SECONDS
from homes import Home

RECORD = struct.Struct("<Qd")
PRECIOUS = b"somebody's only copy\n" * 50
ASKING = """
import os, tty
tty.setraw(0)
os.write(1, b"".join(b"line %d\\r\\n" % number for number in range(3000)) + b"ready")
while True:
    os.read(0, 1)
    os.write(1, b"\\x1b[6n\\x1b[c")
    data = b""
    while not data.endswith(b"c"):
        data += os.read(0, 99)
    os.write(1, b"heard ")
"""


@pytest.fixture(scope="module")
def home(shared_home: Home) -> Home:
    """Session 1 asks whenever it is typed something. It is no newborn: what that has asked may be answered late."""
    assert shared_home.python(ASKING) == 1
    shared_home.until_printed(1, b"ready")
    born = shared_home.directory(1) / "session.json"
    shared_home.until(
        lambda: time.time() - born.stat().st_mtime > ANSWER_SECONDS + 0.1, "it to be old enough"
    )
    return shared_home


@pytest.fixture
def stopped(home: Home) -> Iterator[Home]:
    """No daemon runs, and nothing of an earlier test is left."""
    home.cw("stop", status=None)
    home.until(lambda: not (home.path / "daemon.pid").exists(), "the daemon to leave")
    for name in ("times", "checkpoint", "checkpoint.new"):
        remove(home.directory(1) / name)
    (home.path / "daemon.log").write_bytes(b"")
    marks = (home.directory(1) / "marks.jsonl").read_bytes()
    yield home
    home.cw("stop", status=None)
    (home.directory(1) / "marks.jsonl").write_bytes(marks)


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def check_serves(home: Home) -> None:
    """A program is answered, its screen is told, found, read by time, exported; and the journal says little."""
    before = home.log(1).count(b"heard ")
    home.cw("start")
    assert home.status(1)["status"] == "running"
    home.cw("send", "1", "--no-newline", "x")
    home.until(lambda: home.log(1).count(b"heard ") > before, "it to be answered")
    assert "line 2999" in home.cw("screen", "1", "--scrollback", "200").stdout
    assert "line 2998" in home.cw("search", "line 2998$", "1").stdout
    assert json.loads(home.cw("search", "line 2998$", "1", "--json").stdout)["line"] == "line 2998"
    assert "line 2999" in home.cw("logs", "1", "--since", "1000d", "--rendered").stdout
    home.cw("screen", "1", "--at", "1d", status=None)
    assert "line 2999" in home.cw("export", "1", "-").stdout
    assert len(home.journal().splitlines()) < 12, home.journal()
    assert home.log(1).count(b"heard ") == before + 1  # once
    for trouble in ("Traceback", "not attended", "a conversation failed"):
        assert trouble not in home.journal()


def directory(path: Path) -> None:
    path.mkdir()
    (path / "inside").write_text("x")


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def loop(path: Path) -> None:
    path.symlink_to(path)


IN_THE_WAY: dict[str, Callable[[Path], None]] = {
    "directory": directory,
    "pipe": pipe,
    "device": device,
    "loop": loop,
}


@pytest.mark.parametrize("what", IN_THE_WAY)
@pytest.mark.parametrize("name", ["times", "checkpoint", "checkpoint.new"])
def test_something_else_lies_there(stopped: Home, name: str, what: str) -> None:
    """No file at all: it is done without, and nobody waits for it."""
    IN_THE_WAY[what](stopped.directory(1) / name)
    check_serves(stopped)


@pytest.mark.parametrize("name", ["times", "checkpoint", "checkpoint.new"])
def test_a_link_leads_elsewhere(stopped: Home, name: str, tmp_path: Path) -> None:
    """What it leads to is neither cut, nor written, nor believed."""
    (tmp_path / "precious").write_bytes(PRECIOUS)
    (stopped.directory(1) / name).symlink_to(tmp_path / "precious")
    check_serves(stopped)
    more = stopped.python("import os\nos.write(1, b'y' * 2000000)\nos.read(0, 1)")
    stopped.cw("kill", str(more))
    assert (tmp_path / "precious").read_bytes() == PRECIOUS


RUBBISH = {
    "ones": b"\xff" * (1 << 20), "zeros": bytes(1 << 20), "odd": b"x" * 17, "one": b"\1", "text": b"not a record " * 5000,
    "nan": b"".join(RECORD.pack(at, float("nan")) for at in range(0, 20000, 100)), "huge times": b"".join(RECORD.pack(at, 1e300) for at in range(0, 20000, 100)),
    "back": b"".join(RECORD.pack(20000 - at, 1.7e9 - at) for at in range(0, 20000, 100)), "far": RECORD.pack(0, 1.7e9) + RECORD.pack(1 << 63, 1.7e9) * 1000,
    "torn": RECORD.pack(0, 1.7e9) + RECORD.pack(100, 1.7e9)[:9], "negative": RECORD.pack(0, -1.0) * 100, "infinite": RECORD.pack(5, float("inf")),
}  # fmt: skip


@pytest.mark.parametrize("name", RUBBISH)
def test_times_that_are_none(stopped: Home, name: str) -> None:
    """Corrupt, torn, cut at an odd place, from the end of time."""
    (stopped.directory(1) / "times").write_bytes(RUBBISH[name])
    check_serves(stopped)
    assert (stopped.directory(1) / "times").stat().st_size % RECORD.size == 0


def test_what_was_answered_is_not_answered_again_when_times_are_lost(stopped: Home) -> None:
    """Where nobody knows what was answered, it stays unanswered: what comes twice is typed into something."""
    count = stopped.log(1).count(b"heard ")
    birth = json.loads((stopped.directory(1) / "session.json").read_text())
    stopped.until(lambda: time.time() - birth["created_at"] > 2.2, "it to be no new session")
    for number in (1, 2, 3):
        stopped.cw("start")
        stopped.cw("send", "1", "--no-newline", "x")
        stopped.until(lambda number=number: stopped.log(1).count(b"heard ") >= count + number, "its answer")
        stopped.cw("stop")
        (stopped.directory(1) / "times").write_bytes(b"not a record")
    assert stopped.log(1).count(b"heard ") == count + 3


def test_times_of_a_terabyte(stopped: Home) -> None:
    """Nobody reads them from one end to the other."""
    with (stopped.directory(1) / "times").open("wb") as file:
        file.write(b"\xff" * 1600)
        file.truncate(1 << 40)
        file.seek((1 << 40) - 1600)
        file.write(b"\xff" * 1600)
    stopped.cw("start", seconds=10)
    assert "line 2999" in stopped.cw("screen", "1", "--scrollback", "200").stdout
    assert stopped.status(1)["status"] == "running"


def head(**fields: object) -> bytes:
    return json.dumps({"version": 1, "offset": 100, "rows": 40, "cols": 120, **fields}).encode() + b"\n"


CHECKPOINTS = {
    "newer": head(version=2) + b"\x1b[2Jfrom the future", "beyond": head(offset=1 << 40) + b"beyond", "largest": head(offset=(1 << 63) - 1) + b"beyond",
    "negative": head(offset=-5) + b"x", "text": head(offset="5") + b"x", "huge": head(rows=1 << 62, cols=1 << 62) + b"x", "none": head(rows=0, cols=0) + b"x",
    "wrong": head(rows=[], cols={}) + b"x", "nested": b"[" * 1000 + b"\n", "empty": b"", "no paint": head(), "half a head": head()[:20], "list": b"[1]\n", "number": b"5\n",
    "not utf-8": b"\xff\xfe\n" + b"x", "digits": b"9" * 5000 + b"\n", "questions": head() + b"\x1b[c\x1b[6n" * 1000,
    "float": head(offset=1.5) + b"x", "true": head(offset=True) + b"x", "nan": b'{"version": 1, "offset": NaN, "rows": 1, "cols": 1}\n',
}  # fmt: skip


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_checkpoints_that_are_none(stopped: Home, name: str) -> None:
    """Of a newer version, or of none: then everything is read again, as if there were none."""
    (stopped.directory(1) / "checkpoint").write_bytes(CHECKPOINTS[name])
    check_serves(stopped)


MARKS = {
    "huge": {"kind": "size", "rows": 1 << 62, "cols": 1 << 62}, "too huge": {"kind": "size", "rows": 10**400, "cols": 5}, "negative": {"kind": "size", "rows": -1, "cols": -1},
    "none": {"kind": "size", "rows": 0, "cols": 0}, "words": {"kind": "size", "rows": "many", "cols": None}, "missing": {"kind": "size"}, "far": {"kind": "size", "rows": 3, "cols": 3, "at": 1 << 62},
    "sizing": {"kind": "sizing", "sizing": "hexagonal"}, "no sizing": {"kind": "sizing", "sizing": None}, "fixed": {"kind": "sizing", "sizing": "fixed", "rows": 1 << 62, "cols": -1},
    "nowhere": {"kind": "size", "rows": 3, "cols": 3, "at": -1}, "nan": {"kind": "size", "rows": float("nan"), "cols": 3}, "no place": {"kind": "size", "rows": 3, "cols": 3, "at": None},
    "when": {"kind": "size", "rows": 40, "cols": 120, "time": 1e300}, "kinds": {"kind": []}, "true": {"kind": "size", "rows": True, "cols": True, "at": True},
}  # fmt: skip


@pytest.mark.parametrize("name", MARKS)
def test_sizes_that_are_none(stopped: Home, name: str) -> None:
    """What no terminal can have is passed over, and so is half a line; the next real one holds."""
    mark = {"at": len(stopped.log(1)), "time": 1.7e9, **MARKS[name]}
    with (stopped.directory(1) / "marks.jsonl").open("ab") as file:
        file.write(json.dumps(mark).encode() + b"\n" + b'{"at": 5, "kind": "si')
    stopped.cw("start")
    stopped.cw("resize", "1", "30x100")
    assert (stopped.status(1)["rows"], stopped.status(1)["cols"]) == (30, 100)
    assert json.loads(stopped.cw("screen", "1", "--json").stdout)["size"] == [30, 100]
    stopped.cw("resize", "1", "40x120")
    check_serves(stopped)


def test_whose_files_they_are(home: Home, tmp_path: Path) -> None:
    """All that is written may be read by nobody else: modes 0600, in a directory of 0700; also an export."""
    home.cw("start", status=None)
    id = home.python("import os\nos.write(1, b'line\\r\\n' * 400000)\nos.read(0, 1)")
    home.until((home.directory(id) / "checkpoint").exists, "a checkpoint", 20)
    home.until((home.directory(id) / "times").exists, "times")
    before = os.umask(0)
    try:
        home.cw("export", "1", str(tmp_path / "out.cast"))
    finally:
        os.umask(before)
    files = [
        home.directory(id) / name
        for name in ("checkpoint", "times", "output.log", "marks.jsonl", "session.json")
    ]
    assert [
        (path.name, oct(path.stat().st_mode & 0o777))
        for path in [*files, tmp_path / "out.cast"]
        if path.stat().st_mode & 0o077
    ] == []
    assert home.path.stat().st_mode & 0o777 == 0o700
    home.cw("kill", str(id))
