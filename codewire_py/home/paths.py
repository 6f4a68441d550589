"""where things lie in the home directory, and the checks that make it ours alone"""

from __future__ import annotations

import _socket
import os
import stat

from codewire_py.errors import HomeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

SOCKET, LOCK, PID, JOURNAL = "server.sock", "daemon.lock", "daemon.pid", "daemon.log"
SESSIONS, INDEX, LAST_ID = "sessions", "sessions.json", "last_id"
TOKEN, TOKENS = "token", "tokens.json"
BIRTH, END, LOG, MARKS, DOOR, TYPING = (
    "session.json", "exit.json", "output.log", "marks.jsonl", "keeper.sock", "typing.lock",
)  # fmt: skip
LONGEST_ADDRESS = 100  # bytes that a socket path may have everywhere


def home_path(environ: Mapping[str, str]) -> str:
    """$CODEWIRE_HOME, else ~/.codewire."""
    chosen = environ.get("CODEWIRE_HOME")
    if chosen:
        return os.path.abspath(chosen)
    home = environ.get("HOME")
    if not home:
        raise HomeError("neither CODEWIRE_HOME nor HOME is set")
    return os.path.join(os.path.abspath(home), ".codewire")


def number_of(word: str) -> int:
    """The id that a word is; 0: it is none."""
    return int(word) if word.isascii() and word.isdigit() and len(word) < 19 else 0


def session_path(home: str, number: int) -> str:
    return f"{home}/{SESSIONS}/{number}"


def make_home(path: str) -> None:
    """Create it if it is missing, and refuse one that others could reach into."""
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.mkdir(path, 0o700)
    except FileExistsError:
        pass
    except OSError as error:
        raise HomeError(f"cannot make the home directory {path}: {error.strerror}") from error
    check_home(path)


def check_home(path: str) -> None:
    try:
        link, found = os.lstat(path), os.stat(path)
    except OSError as error:
        raise HomeError(f"cannot use the home directory {path}: {error.strerror}") from error
    if not stat.S_ISDIR(found.st_mode):
        raise HomeError(f"the home {path} is not a directory")
    if os.geteuid() not in (found.st_uid, -1) or link.st_uid != os.geteuid():
        raise HomeError(f"the home directory {path} belongs to somebody else")
    if found.st_mode & 0o022:
        raise HomeError(
            f"others may write in the home directory {path}", f"if it is yours alone: chmod 700 {path}"
        )
    if found.st_mode & 0o055:
        os.chmod(path, 0o700)


def connect(path: str, timeout: float | None) -> _socket.socket:
    """A connection to a Unix socket, however long its path. Blocking clients only: it may change directory."""
    peer = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    peer.settimeout(timeout)
    try:
        if len(os.fsencode(path)) <= LONGEST_ADDRESS:
            peer.connect(path)
        else:
            connect_from_within(peer, path)
    except BaseException:
        peer.close()
        raise
    return peer


def connect_from_within(peer: _socket.socket, path: str) -> None:
    back = os.open(".", os.O_RDONLY)
    try:
        os.chdir(os.path.dirname(path))
        peer.connect(os.path.basename(path))
    finally:
        os.fchdir(back)
        os.close(back)
