"""cw status: everything about one session, with what it printed last"""

from __future__ import annotations

import json
import os
import re

import pytest

from homes import Home
from own_terminals import Desk


def block(home: Home, id: int) -> dict[str, str]:
    head, *lines = home.cw("status", str(id)).stdout.splitlines()
    assert head == f"Session {id}"
    facts = [line for line in lines if not line.startswith("    ")]
    assert all(line.startswith("  ") for line in facts)
    return {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in facts)}


def test_a_running_session(home: Home) -> None:
    """The lines that users know, in their order, and the last five lines it printed."""
    id = home.python(
        "for n in range(8): print('line', n)\ninput()", options=("--name", "shown", "-t", "a", "-t", "b")
    )
    home.until_printed(id, b"line 7")
    told = home.cw("status", "shown").stdout
    facts = block(home, id)
    wanted = {"Name": "shown", "Tags": "a b", "Status": "running", "Working Dir": os.getcwd(), "Attached": "no",
              "Size": "40x120", "Output Size": f"{len(home.log(id))} bytes",
              "PID": str(home.status(id)["pid"])}  # fmt: skip
    assert {name: facts[name] for name in wanted} == wanted
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", facts["Created"])
    order = [
        word
        for word in facts
        if word in ("Status", "Command", "Working Dir", "Created", "Attached", "PID", "Output Size")
    ]
    assert order == ["Status", "Command", "Working Dir", "Created", "Attached", "PID", "Output Size"]
    assert told.endswith("  Last Output:\n" + "".join(f"    line {n}\n" for n in range(3, 8)))


def test_a_session_that_said_nothing(home: Home) -> None:
    """Has no last output, and no line for what it has not."""
    id = home.launch("sleep", "60")
    told = home.cw("status", str(id)).stdout
    assert "Last Output" not in told
    assert not {"Name", "Tags", "Ended", "Released", "Paused", "Left Behind"} & set(block(home, id))


def test_an_ended_session(home: Home) -> None:
    """How and when it ended, and who is left of it."""
    id = home.launch("sh", "-c", "trap '' HUP; sleep 73 & echo $!; exit 3")
    home.end(id)
    facts = block(home, id)
    assert facts["Status"] == "completed (3)"
    assert re.fullmatch(r"\d+ sleep 73", facts["Left Behind"]) or "sh -c" in facts["Left Behind"]
    assert facts["Ended"] > facts["Created"]
    [left] = json.loads(home.cw("status", str(id), "--json").stdout)["survivors"]
    assert left["pid"] == int(home.log(id).split()[0])
    os.kill(left["pid"], 9)


def test_viewers_are_counted(home: Home, desk: Desk) -> None:
    """yes; with several, how many."""
    id = home.launch("sleep", "60")
    desk.attach(str(id))
    home.until(lambda: block(home, id)["Attached"] == "yes", "one viewer")
    desk.attach(str(id))
    home.until(lambda: block(home, id)["Attached"] == "yes (2 viewers)", "two viewers")


def test_json(home: Home) -> None:
    """The list's fields, and the size, the log's place and the last lines besides."""
    id = home.launch("sh", "-c", "echo hello; sleep 60")
    home.until_printed(id, b"hello")
    text = home.cw("status", str(id), "--json").stdout
    assert text.startswith('{\n  "id": ')
    told, [listed] = json.loads(text), [session for session in home.list() if session["id"] == id]
    assert set(listed) < set(told)
    assert (told["output_size"], told["last_output_snippet"]) == (7, "hello")
    assert told["log"] == str(home.directory(id) / "output.log")


def test_any_output_can_be_shown(home: Home) -> None:
    """Sequences, control characters, bytes that are no text: what is shown is text."""
    data = b"\x1b[2J\x1b]0;x\x07\xff\xfe\x00\x9b31m".hex(), "é\r\n\x1b[6nend".encode().hex()
    id = home.python(
        f"import os; os.write(1, bytes.fromhex('{data[0]}') + b'x' * 20_000 + bytes.fromhex('{data[1]}')); input()"
    )
    home.until_printed(id, b"end")
    for words in ((), ("--json",)):
        told = home.cw("status", str(id), *words).stdout
        assert not [char for char in told if char != "\n" and not char.isprintable()]
        assert len(told) < 20_000


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("9999", "Error: session 9999 not found\n\nUse 'cw list' to see active sessions\n"),
        ("0", "session 0 not found"),
        ("9" * 500, "not found"),
        ("-0", "No such option"),
        ("nobody", 'no session named "nobody"'),
        ("", 'no session named ""'),
        ("@", 'no session named ""'),
        ("²", "no session named"),
        ("1.5", "no session named"),
        ("1e3", "no session named"),
        ("\x1b[31m", r"\x1b[31m"),
        ("\udcff", r"\xff"),
        ("a\nb", "no session named"),
        ("../1", "no session named"),
        ("x" * 100_000, "no session named"),
    ],
)
def test_bad_ids(home: Home, word: str, text: str) -> None:
    """Wrong, of the wrong kind, huge, empty, binary: a sentence, and no traceback in the journal."""
    home.launch("sleep", "60")
    done = home.cw("status", word, status=None)
    assert done.returncode == (2 if "option" in text else 1)
    assert text in done.stderr
    assert done.stdout == ""
    assert "\x1b" not in done.stderr
    assert "Traceback" not in home.journal()
