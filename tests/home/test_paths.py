"""the home directory is found, made, and ours alone; sockets in it are reached however long its path"""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from codewire_py.errors import HomeError
from codewire_py.home.paths import check_home, connect, home_path, make_home, session_path

SOMEBODY_ELSE = 12345


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize(
    ("environ", "path"),
    [
        ({"CODEWIRE_HOME": "/a/b", "HOME": "/h"}, "/a/b"),
        ({"CODEWIRE_HOME": "", "HOME": "/h"}, "/h/.codewire"),
        ({"HOME": "/h"}, "/h/.codewire"),
        ({"HOME": "/h/"}, "/h/.codewire"),
        ({"CODEWIRE_HOME": "/a/../b//c"}, "/b/c"),
    ],
)
def test_where_the_home_is(environ: dict[str, str], path: str) -> None:
    """$CODEWIRE_HOME, else ~/.codewire; as one absolute path, so that two spellings are one home."""
    assert home_path(environ) == path


def test_a_relative_home_is_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The daemon works elsewhere, so the path it is told is absolute."""
    monkeypatch.chdir(tmp_path)
    assert home_path({"CODEWIRE_HOME": "mine"}) == str(tmp_path / "mine")


def test_without_a_home_nothing_is_guessed() -> None:
    """No fallback that others could write to."""
    with pytest.raises(HomeError, match="neither CODEWIRE_HOME nor HOME"):
        home_path({})


def test_a_home_is_made_for_us_alone(tmp_path: Path) -> None:
    """0700, whatever the umask, with what lies above it; again is the same."""
    before = os.umask(0)
    try:
        make_home(str(tmp_path / "above/home"))
        make_home(str(tmp_path / "above/home"))
    finally:
        os.umask(before)
    assert mode(tmp_path / "above/home") == 0o700


@pytest.mark.parametrize("found", [0o755, 0o750, 0o705, 0o711])
def test_a_home_others_can_look_into_is_closed(tmp_path: Path, found: int) -> None:
    """Others never wrote there, so it is enough to shut them out from now on."""
    tmp_path.chmod(found)
    make_home(str(tmp_path))
    assert mode(tmp_path) == 0o700


@pytest.mark.parametrize("found", [0o777, 0o770, 0o702, 0o1777, 0o720])
def test_a_home_others_may_write_in_is_refused(tmp_path: Path, found: int) -> None:
    """Whoever can write there could already have put a socket or a log in our way."""
    tmp_path.chmod(found)
    with pytest.raises(HomeError, match="others may write") as refused:
        make_home(str(tmp_path))
    assert "chmod 700" in refused.value.hint
    assert mode(tmp_path) == found & 0o777


def test_a_home_that_is_no_directory_is_refused(tmp_path: Path) -> None:
    """With a sentence, not a traceback; also a link to nowhere and a place that cannot be."""
    (tmp_path / "file").touch()
    (tmp_path / "nowhere").symlink_to(tmp_path / "missing")
    for path in ("file", "nowhere", "file/below"):
        with pytest.raises(HomeError):
            make_home(str(tmp_path / path))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_somebody_elses_home_is_refused(tmp_path: Path) -> None:
    """Nor a link of somebody else's to a directory of ours."""
    theirs, ours, link = tmp_path / "theirs", tmp_path / "ours", tmp_path / "link"
    for path in (theirs, ours):
        path.mkdir(mode=0o700)
    link.symlink_to(ours)
    check_home(str(ours))
    os.chown(theirs, SOMEBODY_ELSE, SOMEBODY_ELSE)
    os.lchown(link, SOMEBODY_ELSE, SOMEBODY_ELSE)
    for path in (theirs, link):
        with pytest.raises(HomeError, match="belongs to somebody else"):
            check_home(str(path))


def test_a_home_may_be_a_link_of_ours(tmp_path: Path) -> None:
    """People keep it on another disk."""
    (tmp_path / "disk").mkdir(mode=0o700)
    (tmp_path / "home").symlink_to(tmp_path / "disk")
    make_home(str(tmp_path / "home"))


@pytest.mark.parametrize("length", [20, 99, 100, 101, 107, 108, 109, 500, 3000])
def test_a_socket_is_reached_however_long_its_path(tmp_path: Path, length: int) -> None:
    """Longer than an address can hold: from within its directory; and we are where we were afterwards."""
    folder = tmp_path
    while len(str(folder)) + 13 < length:
        folder /= "x" * min(200, max(1, length - len(str(folder)) - 14))
    folder.mkdir(parents=True, exist_ok=True)
    here = Path.cwd()
    with socket.socket(socket.AF_UNIX) as listener:
        bind_within(listener, folder)
        listener.listen()
        peer = connect(f"{folder}/server.sock", 5.0)
        listener.accept()[0].close()
        peer.close()
    assert Path.cwd() == here


def bind_within(listener: socket.socket, folder: Path) -> None:
    back = os.open(".", os.O_RDONLY)
    os.chdir(folder)
    listener.bind("server.sock")
    os.fchdir(back)
    os.close(back)


def test_a_missing_socket_is_missing(tmp_path: Path) -> None:
    """Near and far the same error, nothing left open, and we are where we were."""
    here, descriptors = Path.cwd(), os.listdir("/proc/self/fd")
    far = tmp_path / ("x" * 120)
    far.mkdir()
    for folder in (tmp_path, far):
        with pytest.raises(FileNotFoundError):
            connect(f"{folder}/server.sock", 1.0)
    assert Path.cwd() == here
    assert os.listdir("/proc/self/fd") == descriptors


def test_a_session_has_a_directory() -> None:
    """Named after its id."""
    assert session_path("/h", 12) == "/h/sessions/12"
