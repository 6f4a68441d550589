"""cw export: a session as a recording that asciinema plays"""

from __future__ import annotations

import os
import stat
import time

from codewire_py.cli import context, show
from codewire_py.cli.table import JSON, Argument, Command, Option
from codewire_py.client.connection import Again
from codewire_py.client.fetch import fetch
from codewire_py.errors import CodewireError, ConnectionLost, NoDaemon, Unreachable, UsageError
from codewire_py.wire.messages import Export

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codewire_py.cli.table import Given
    from codewire_py.wire.messages import Reading

QUICK, REFRESH = 1.0, 0.2  # seconds


def run(given: Given) -> int:
    request = Export(session=given["session"], version=2 if given["v2"] else 3)
    if given["file"] == "-":
        if given["json"]:
            raise UsageError("standard output cannot hold both the recording and JSON", "name a file")
        write_out(request)
        return 0
    path = os.path.realpath(given["file"])
    check(path, given["file"], given["force"])
    begun, size = save(request, path, given["file"])
    if given["json"]:
        show.say_json({"id": begun.id, "name": begun.name, "path": path, "bytes": size})
    else:
        show.say(
            f"Session {begun.name or begun.id} exported to {show.clean(given['file'])} ({show.size(size)})"
        )
    return 0


def write_out(request: Export) -> None:
    """If the daemon goes away meanwhile, the next one begins again."""
    output, again = Output(), Again()
    while True:
        try:
            fetch(context.where(), request, output.write, output.begin, may_start=again.may_start)
            return output.finish()
        except (ConnectionLost, NoDaemon, Unreachable) as error:
            again.pause(error, output.size)


class Output:
    """Standard output takes nothing back: what comes once more is passed over, if it is what was written."""

    def __init__(self) -> None:
        self.size = self.passing = 0
        self.sum = self.written = 0  # check sums: of what comes, and of what was written before

    def begin(self, begun: Reading) -> None:
        if not self.size:
            tell_released(begun)
        if not self.passing:
            self.written = self.sum
        self.passing, self.sum = self.size, 0

    def write(self, data: bytes) -> None:
        from zlib import crc32

        passed, more = data[: self.passing], data[self.passing :]
        self.passing -= len(passed)
        self.sum = crc32(passed, self.sum)
        if passed and not self.passing and self.sum != self.written:
            raise another()
        show.write(1, more)
        self.sum = crc32(more, self.sum)
        self.size += len(more)

    def finish(self) -> None:
        if self.passing:
            raise another()


def another() -> CodewireError:
    return CodewireError(
        "the daemon went away, and its next recording is another: what was written is not whole",
        "a file is begun again: cw export SESSION FILE",
    )


def tell_released(begun: Reading) -> None:
    if begun.offset:
        show.note(f"[cw] the oldest {show.size(begun.offset)} of this log have been released (log.max_bytes)")


def check(path: str, word: str, may_replace: bool) -> None:
    """Nothing that is there is lost by accident, and only a file is ever replaced."""
    try:
        found = os.stat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(found):
        raise CodewireError(f"{word} is not a file", "for standard output: cw export SESSION -")
    if not may_replace:
        raise CodewireError(f"{word} exists already", "to replace it: --force")


def save(request: Export, path: str, word: str) -> tuple[Reading, int]:
    """The whole recording under its name, or nothing."""
    part = f"{path}.{os.getpid()}.part"
    try:
        done = fetch_patiently(part, request, word)
        os.rename(part, path)
    except OSError as error:
        raise CodewireError(f"cannot write {word}: {error.strerror}") from error
    finally:
        if os.path.lexists(part):
            os.unlink(part)
    return done


def fetch_patiently(part: str, request: Export, word: str) -> tuple[Reading, int]:
    """If the daemon goes away meanwhile, the next one begins again."""
    again = Again()
    while True:
        try:
            return fetch_into(part, request, word, again.may_start)
        except (ConnectionLost, NoDaemon, Unreachable) as error:
            again.pause(error, os.path.getsize(part))


def fetch_into(part: str, request: Export, word: str, may_start: bool) -> tuple[Reading, int]:
    """From the beginning, whatever an earlier try has left."""
    if os.path.lexists(part):
        os.unlink(part)
    file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    progress = Progress(file, word)
    try:
        begun = fetch(context.where(), request, progress.write, tell_released, may_start=may_start)
    finally:
        progress.clear()
        os.close(file)
    return begun, progress.size


class Progress:
    """Written so far; said on a terminal, if it takes long."""

    def __init__(self, file: int, word: str) -> None:
        self.file, self.word, self.size = file, show.clean(word), 0
        self.next = time.monotonic() + QUICK if os.isatty(2) else float("inf")
        self.is_shown = False

    def write(self, data: bytes) -> None:
        show.write(self.file, data)
        self.size += len(data)
        if time.monotonic() >= self.next:
            self.next = time.monotonic() + REFRESH
            self.is_shown = True
            show.write(2, f"\r\x1b[K[cw] {self.word}: {show.size(self.size)}")

    def clear(self) -> None:
        if self.is_shown:
            show.write(2, "\r\x1b[K")


COMMAND = Command(
    run,
    "Write a session as an asciicast recording, which asciinema plays; a running one up to now.",
    Argument("session", metavar="SESSION", is_session=True),
    Argument("file", metavar="FILE"),
    Option("--v2", "Version 2 of the format, for asciinema before 3.0."),
    Option("--force", "Replace the file if there is one."),
    JSON,
    examples="cw export 1 session.cast && asciinema play session.cast\ncw export api --v2 - | gzip > api.cast.gz",
)
