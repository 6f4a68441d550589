"""how a program starts: as from its caller's shell, in a terminal of its own, or not at all"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from keeper.hatching import Hatchery, Session, children, descriptors, hear_word, send_word, status_field

CAT = "/bin/cat"  # a program that changes nothing about itself and stays


def test_the_terminal_is_the_programs_own(hatchery: Hatchery) -> None:
    """It leads a session of its own, and the terminal is its controlling one, of the size that was ordered."""
    session = hatchery.sh("stty size; echo hello > /dev/tty; exec cat", rows=33, cols=101)
    assert session.until_printed(b"hello") == b"33 101\r\nhello\r\n"
    fields = Path(f"/proc/{session.program}/stat").read_text().rpartition(")")[2].split()
    group, leader = fields[2:4]
    assert group == leader == str(session.program)


def test_directory_environment_and_name_are_the_callers(hatchery: Hatchery) -> None:
    """Exactly the environment of the order, its directory, and its argv from the first word on."""
    directory = hatchery.home / "töst \n dir"
    directory.mkdir()
    env = {"PATH": "/nowhere", "ODD": "a=b\n\udcff ü", "CODEWIRE_HOME": str(hatchery.home)}
    session = hatchery.launch(CAT, argv=["not cat", "-", "\udcfe"], directory=str(directory), env=env)
    proc = Path(f"/proc/{session.program}")
    environ = [os.fsencode(f"{name}={value}") for name, value in env.items()]
    assert (proc / "environ").read_bytes().split(b"\0") == [*environ, b""]
    assert (proc / "cmdline").read_bytes() == b"not cat\0-\0\xfe\0"
    assert (proc / "cwd").readlink() == directory


@pytest.mark.parametrize(("umask", "nofile"), [(0o022, 256), (0o007, 1024), (0, 333)])
def test_umask_and_open_files_are_the_callers(hatchery: Hatchery, umask: int, nofile: int) -> None:
    """Not the keeper's own: its umask is 077, and it may open more."""
    session = hatchery.launch(CAT, umask=umask, nofile=nofile)
    assert int(status_field(session.program, "Umask"), 8) == umask
    assert limit(session.program, "Max open files") == nofile
    assert limit(session.keeper, "Max open files") > nofile


def limit(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    return next(int(line[26:].split()[0]) for line in lines if line.startswith(name))


def test_nofile_beyond_what_is_allowed_starts_all_the_same(hatchery: Hatchery) -> None:
    """The caller may have had a higher hard limit than the hatchery has: the program gets what there is."""
    session = hatchery.launch(CAT, nofile=1 << 40)
    assert limit(session.program, "Max open files") == limit(session.keeper, "Max open files")


def test_no_signal_is_ignored_or_blocked(hatchery: Hatchery) -> None:
    """The keeper ignores some, and an exec would hand that on; `yes | head` must end its `yes`."""
    session = hatchery.launch(CAT)
    for field in ("SigIgn", "SigBlk", "SigCgt"):
        assert int(status_field(session.program, field), 16) == 0, field
    assert int(status_field(session.keeper, "SigIgn"), 16) & 1 << signal.SIGPIPE - 1


def test_the_program_has_its_terminal_and_nothing_else_open(hatchery: Hatchery) -> None:
    """No descriptor of the keeper or the hatchery is handed on; with one, ends would not be noticed."""
    hatchery.launch(CAT)
    session = hatchery.launch(CAT)
    found = descriptors(session.program)
    assert set(found) == {0, 1, 2}
    assert len(set(found.values())) == 1


def test_a_keeper_has_only_its_own_open(hatchery: Hatchery) -> None:
    """No other session's terminal, door or conversation: a hundredth keeper holds as much as the first."""
    first, second = hatchery.launch(CAT), hatchery.launch(CAT)
    for session in (first, second):
        session.visit()  # its door is open: it has opened all that it will
    counts = [len(descriptors(session.keeper)) for session in (first, second)]
    assert counts[0] == counts[1]
    terminals = [name for name in descriptors(second.keeper).values() if name.startswith("/dev/pts/")]
    assert terminals == [descriptors(second.program)[0]]


def test_a_script_without_an_interpreter_line_runs(hatchery: Hatchery) -> None:
    """As a shell would run it: with /bin/sh."""
    script = hatchery.home / "script"
    script.write_text('echo "script $1 $#"; exit 4\n')
    script.chmod(0o755)
    session = hatchery.launch(str(script), "one")
    assert session.end()["code"] == 4
    assert session.log() == b"script one 1\r\n"


def nothing_runs(hatchery: Hatchery, answer: dict[str, Any], kind: str) -> None:
    """The reason was told, the session's keeper has left, and no process remains."""
    assert answer["kind"] == kind, answer
    assert answer["error"]
    directory = hatchery.home / hatchery.last
    hatchery.until(lambda: not children(hatchery.process.pid), "every process to be gone")
    assert not (directory / "exit.json").exists()
    assert not (directory / "output.log").exists() or not (directory / "output.log").read_bytes()


def test_what_is_not_there_is_reported(hatchery: Hatchery) -> None:
    """A program that does not exist does not run, and the answer says why."""
    nothing_runs(hatchery, hatchery.order("/nowhere/prog"), "FileNotFoundError")


def test_what_is_no_program_is_reported(hatchery: Hatchery) -> None:
    """Neither is a file that is not executable, nor a directory."""
    plain = hatchery.home / "plain"
    plain.write_text("echo never")
    answer = hatchery.order(str(plain))
    nothing_runs(hatchery, answer, answer["kind"])
    answer = hatchery.order(str(hatchery.home))
    nothing_runs(hatchery, answer, answer["kind"])


def test_a_bad_interpreter_is_reported(hatchery: Hatchery) -> None:
    """The file is there and executable, but the program its first line names is not."""
    script = hatchery.home / "script"
    script.write_text("#!/nowhere/interpreter\n")
    script.chmod(0o755)
    nothing_runs(hatchery, hatchery.order(str(script)), "FileNotFoundError")


def test_a_bad_directory_is_reported(hatchery: Hatchery) -> None:
    """A program never starts in some other directory than it should."""
    nothing_runs(hatchery, hatchery.order(CAT, directory="/nowhere"), "FileNotFoundError")
    nothing_runs(hatchery, hatchery.order(CAT, directory=CAT), "NotADirectoryError")


def test_a_command_that_is_too_long_is_reported(hatchery: Hatchery) -> None:
    """What the system refuses (here: one word of 4 MiB) is told, however long the words are."""
    nothing_runs(hatchery, hatchery.order(CAT, argv=["cat", "x" * (4 << 20)]), "OSError")
    nothing_runs(hatchery, hatchery.order("/" + "x" * (1 << 20)), "FileNotFoundError")


@pytest.mark.parametrize("lacking", ["path", "argv", "directory", "env", "rows", "umask"])
def test_an_order_that_lacks_something_is_reported(hatchery: Hatchery, lacking: str) -> None:
    """Half an order is no order; the hatchery goes on to the next."""
    answer = hatchery.order(CAT, **{lacking: None})
    nothing_runs(hatchery, answer, answer["kind"])
    assert isinstance(hatchery.launch(CAT), Session)


@pytest.mark.parametrize("size", [-1, 65536, "24", [24]])
def test_an_impossible_size_is_reported(hatchery: Hatchery, size: object) -> None:
    """And once only: neither the keeper nor what was to be the program says it again later."""
    for side in ("rows", "cols") * 5:
        answer = hatchery.order(CAT, **{side: size})
        nothing_runs(hatchery, answer, answer["kind"])
    assert isinstance(hatchery.launch(CAT), Session)


def test_a_directory_of_the_session_that_is_missing_is_reported(hatchery: Hatchery) -> None:
    """The keeper has nowhere to write: nothing runs, and that is said."""
    send_word(hatchery.peer, "sessions/none", b'{"path": "/bin/true"}')
    answer = hear_word(hatchery.peer, "sessions/none")
    assert "before the program ran" in answer["error"]
    hatchery.until(lambda: not children(hatchery.process.pid), "every process to be gone")
