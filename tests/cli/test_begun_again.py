"""what comes in many parts is begun again when the daemon goes away: whole, and nothing twice"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable

import pytest

from codewire_py.home.marks import append_mark
from homes import Home

SOME = 1 << 20  # bytes that are read before the daemon goes; no pipe or socket holds the rest
PRINTER = "[print('line', n, 'x' * 60) for n in range(200_000)]"


@pytest.fixture(scope="module")
def session(home: Home) -> int:
    id = home.python(PRINTER, options=("--name", "printer"))
    home.end(id)
    home.end(home.python("print('line of another')", options=("--name", "earlier")))
    return id


def meanwhile(home: Home, *words: str, do: Callable[[], object] = lambda: None) -> tuple[str, str, int]:
    """What it says of which the daemon is killed in the middle, and what follows when there is another."""
    client = home.begin(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert client.stdout
    first = b""
    while len(first) < SOME:
        first += os.read(client.stdout.fileno(), SOME)
    do()
    os.kill(home.daemon(), signal.SIGKILL)
    rest, errors = client.communicate(timeout=50)
    return (first + rest).decode(), errors.decode(), client.returncode


@pytest.mark.parametrize(
    "words",
    ["search line", "search --json line earlier printer", "search line --max 150000", "export printer -", "export --v2 printer -"],
)  # fmt: skip
def test_nothing_is_lost_or_told_twice(home: Home, session: int, words: str) -> None:
    """It is as if the daemon had stayed; only standard error may say that another was started."""
    whole = home.cw(*words.split())
    output, errors, status = meanwhile(home, *words.split())
    assert status == 0, errors
    assert output == whole.stdout
    assert errors.endswith(whole.stderr)


def test_a_running_session_is_recorded_up_to_now(home: Home) -> None:
    """What it prints meanwhile comes at the end."""
    id = home.python(f"{PRINTER}; input(); print('more'); input()")
    home.until_printed(id, b"line 199999")
    output, errors, status = meanwhile(home, "export", str(id), "-", do=lambda: more(home, id))
    assert status == 0, errors
    shown = "".join(json.loads(line)[2] for line in output.splitlines()[1:])
    assert shown.encode() == home.log(id)
    home.cw("kill", str(id))


def more(home: Home, id: int) -> None:
    home.cw("send", str(id), "")
    home.until_printed(id, b"more\r\n")


def test_another_recording_is_not_glued_to_the_first(home: Home) -> None:
    """If what was written would read otherwise by now, that is told."""
    id = home.python(PRINTER)
    home.end(id)
    change = lambda: append_mark(str(home.directory(id)), "name", 10, name="another")  # noqa: E731
    output, errors, status = meanwhile(home, "export", str(id), "-", do=change)
    assert status == 1
    assert "its next recording is another: what was written is not whole" in errors
    assert len(output) < len(home.cw("export", str(id), "-").stdout)
