"""cw send: type into a session; the reply comes when the terminal has taken every byte"""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from pathlib import Path

import pytest

from codewire_py.cli import send
from codewire_py.client.connection import Connection
from codewire_py.client.servers import Server
from codewire_py.errors import Unreachable
from homes import CW, Home
from programs import COUNT_BYTES, GIVE_BACK, SHOW_HEX

READ_LINES = """
import sys, termios
mode = termios.tcgetattr(0)
mode[3] &= ~termios.ECHO
termios.tcsetattr(0, 0, mode)
print("ready", flush=True)
seen = [line.strip() for line in sys.stdin]
print(seen == [f"line {n} {'x' * 60}" for n in range(2000)])
"""


def raw_program(home: Home) -> int:
    """Shows what it is typed, in hexadecimal."""
    id = home.python(SHOW_HEX)
    home.until_printed(id, b"ready")
    return id


def typed(home: Home, id: int, size: int) -> bytes:
    """What arrived, once so much did."""
    home.until(lambda: len(arrived(home, id)) >= size, f"{size} bytes to arrive")
    return arrived(home, id)


def arrived(home: Home, id: int) -> bytes:
    text = home.log(id).partition(b"ready")[2].translate(None, b"<>\r\n")
    return bytes.fromhex(text[: len(text) // 2 * 2].decode())


@pytest.mark.parametrize(
    ("words", "data"),
    [
        (["text"], b"text\n"),
        (["text\n"], b"text\n"),
        (["text", "--no-newline"], b"text"),
        (["-n", "text"], b"text"),
        (["text", "--enter"], b"text\r"),
        (["", "--enter"], b"\r"),
        ([""], b"\n"),
        (["two words"], b"two words\n"),
        ([r"a\nb"], rb"a\nb" + b"\n"),
        (["é✓"], "é✓\n".encode()),
        (["\udcff\udcfe"], b"\xff\xfe\n"),
        (["\x03\x04\x1b[A"], b"\x03\x04\x1b[A\n"),
        (["--", "--help"], b"--help\n"),
        (["-"], b"-\n"),
    ],
)
def test_what_arrives_is_what_was_said(home: Home, words: list[str], data: bytes) -> None:
    """Byte for byte, with a line end unless it has one or none is wanted; the count includes it."""
    id = raw_program(home)
    options = [word for word in words if word in ("--no-newline", "-n", "--enter")]
    rest = [word for word in words if word not in options]
    assert home.cw("send", *options, str(id), *rest).stdout == f"Sent {len(data)} bytes to session {id}\n"
    assert typed(home, id, len(data)) == data


def test_from_standard_input_and_from_a_file(home: Home, tmp_path: Path) -> None:
    """Any bytes; a line end is added unless there is one; the argument comes first, then --stdin, then --file."""
    id, data = raw_program(home), bytes(range(1, 256)) + b"\0end"
    (tmp_path / "file").write_bytes(data)
    done = subprocess.run(
        [*CW, "send", str(id), "--stdin"], input=data, env=home.env, capture_output=True, check=True
    )
    assert done.stdout == f"Sent {len(data) + 1} bytes to session {id}\n".encode()
    home.cw("send", str(id), "--file", str(tmp_path / "file"))
    home.cw("send", str(id), "-n", "-f", str(tmp_path / "file"))
    home.cw("send", str(id), "argument", "--stdin", "--file", str(tmp_path / "file"))
    wanted = data + b"\n" + data + b"\n" + data + b"argument\n"
    assert typed(home, id, len(wanted)) == wanted


def test_nothing_to_send(home: Home) -> None:
    """Without any source: an error that names them. Empty input is a line end."""
    id = raw_program(home)
    done = home.cw("send", str(id), status=2)
    assert done.stderr.startswith("Error: must provide input via argument, --stdin, or --file")
    assert home.cw("send", str(id), "--stdin", input="").stdout.startswith("Sent 1 bytes")
    assert home.cw("send", str(id), "--stdin", "-n", input="").stdout.startswith("Sent 0 bytes")
    assert typed(home, id, 1) == b"\n"


def test_any_size(home: Home) -> None:
    """5 MB to a program that reads raw; every byte, and the reply when the terminal took the last one."""
    id = home.python(COUNT_BYTES, "5000001")
    home.until_printed(id, b"ready")
    done = subprocess.run(
        [*CW, "send", str(id), "--stdin"],
        input=b"x" * 5_000_000,
        env=home.env,
        capture_output=True,
        check=True,
    )
    assert done.stdout == f"Sent 5000001 bytes to session {id}\n".encode()
    home.until_printed(id, b"got it all 0")


def test_many_lines_to_a_program_that_reads_lines(home: Home) -> None:
    """2000 lines are far more than a terminal holds: none is lost, none mixed."""
    id = home.python(READ_LINES)
    home.until_printed(id, b"ready")
    text = "".join(f"line {n} {'x' * 60}\n" for n in range(2000)) + "\x04"
    home.cw("send", str(id), "--stdin", "-n", input=text)
    home.end(id)
    assert b"True" in home.log(id)


@pytest.mark.parametrize("size", [4096, 100_000])
def test_a_line_that_the_terminal_would_cut_is_refused(home: Home, size: int) -> None:
    """In canonical mode 4095 bytes are the most; nothing of it is typed, and the hint says what to do."""
    id = home.launch("cat")
    done = home.cw("send", str(id), "--stdin", status=1, input="x" * size)
    assert re.match(
        r"Error: a line of \d{4,} bytes is longer than the 4095 that the terminal keeps", done.stderr
    )
    assert "send shorter lines" in done.stderr
    home.cw("send", str(id), "fine")
    home.until_printed(id, b"fine\r\nfine\r\n")
    assert b"xxx" not in home.log(id)


def test_the_longest_line_that_fits(home: Home) -> None:
    """4095 bytes and their end arrive whole."""
    id = home.launch("sh", "-c", "stty -echo; echo ready; read line; echo ${#line}")
    home.until_printed(id, b"ready")
    home.cw("send", str(id), "x" * 4095)
    home.end(id)
    assert b"4095" in home.log(id)


def test_a_program_that_does_not_read(home: Home) -> None:
    """A clear error after send.timeout, with how much was taken; the session is unharmed."""
    (home.path / "config.toml").write_text("send.timeout = 0.3\n")
    home.cw("restart")
    try:
        id = home.python("import time, tty; tty.setraw(0); print('ready', flush=True); time.sleep(60)")
        home.until_printed(id, b"ready")
        started = time.monotonic()
        done = home.cw("send", str(id), "--stdin", status=1, input="x" * 1_000_000)
        assert time.monotonic() - started < 10
        assert "the program does not read: its terminal took " in done.stderr
        assert int(done.stderr.split("took ")[1].split()[0]) >= 4095
        assert home.status(id)["status"] == "running"
    finally:
        (home.path / "config.toml").unlink()
        home.cw("restart")


def test_without_attaching(home: Home) -> None:
    """Nobody is attached by it, and it is in the log."""
    id = home.launch("cat")
    home.cw("send", str(id), "hello")
    home.until_printed(id, b"hello\r\nhello\r\n")
    assert home.status(id)["attached"] is False
    assert "attached" not in [mark["kind"] for mark in home.marks(id)]


def test_pastes_do_not_mix(home: Home) -> None:
    """Four at once, none of which the terminal can take whole: each arrives as one piece."""
    id = home.python(GIVE_BACK, "160000")
    home.until_printed(id, b"ready")
    clients = [home.begin("send", str(id), "-n", "--stdin", stdin=subprocess.PIPE) for _ in range(4)]
    for letter, client in zip(b"abcd", clients, strict=True):
        assert client.stdin
        client.stdin.write(bytes((letter,)) * 40_000)
        client.stdin.close()
    home.until(lambda: opened(home.daemon(), "typing.lock") == 4, "all four to type")
    home.cw("kill", str(id), "--signal", "USR1")
    assert [client.wait(20) for client in clients] == [0] * 4
    home.end(id)
    text = home.log(id).partition(b"ready")[2]
    pieces = {text[at : at + 40_000] for at in range(0, 160_000, 40_000)}
    assert pieces == {letter * 40_000 for letter in (b"a", b"b", b"c", b"d")}


def opened(pid: int, name: str) -> int:
    """How often the process has a file of that name open."""
    folder = Path(f"/proc/{pid}/fd")
    return sum(os.path.basename(link) == name for link in map(os.readlink, folder.iterdir()))


def test_a_sender_killed_half_way_leaves_the_terminal_free(home: Home) -> None:
    """Others can type at once."""
    id = raw_program(home)
    client = home.begin("send", str(id), "--stdin", stdin=subprocess.PIPE)
    assert client.stdin
    client.stdin.write(b"x" * 600_000)
    client.stdin.flush()
    home.until(lambda: len(home.log(id)) > 100, "some to arrive")
    client.kill()
    client.wait()
    assert home.cw("send", str(id), "next").stdout == f"Sent 5 bytes to session {id}\n"
    home.until(lambda: arrived(home, id).endswith(b"next\n"), "the next to arrive")


def test_json(home: Home) -> None:
    """Id and bytes."""
    id = raw_program(home)
    assert json.loads(home.cw("send", str(id), "x", "--json").stdout) == {"id": id, "bytes": 2}


@pytest.mark.parametrize(
    ("words", "status", "text"),
    [
        (["9999", "x"], 1, "Error: session 9999 not found"),
        (["", "x"], 1, "no session named"),
        (["@", "x"], 1, "no session named"),
        (["1", "--file", "/no/where"], 1, "cannot read /no/where: No such file or directory"),
        (["1", "--file", "/"], 1, "cannot read the input: Is a directory"),
        (["1", "x", "y"], 2, "unexpected extra argument"),
        ([], 2, "Missing argument"),
    ],
)
def test_bad_words(home: Home, words: list[str], status: int, text: str) -> None:
    """Told in a sentence; an unset variable in a script never types into another session."""
    raw_program(home)
    done = home.cw("send", *words, status=status)
    assert text in done.stderr
    assert done.stdout == ""


def test_an_ended_session_takes_nothing(home: Home) -> None:
    """It says so."""
    id = home.launch("true")
    home.end(id)
    done = home.cw("send", str(id), "x", status=1)
    assert (
        done.stderr == f"Error: session {id} is not running\n\nUse 'cw status <id>' to check session status\n"
    )


def test_a_file_without_permission(home: Home, tmp_path: Path) -> None:
    """Told with the reason."""
    (tmp_path / "locked").write_text("x")
    (tmp_path / "locked").chmod(0)
    id = raw_program(home)
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    done = home.cw("send", str(id), "--file", str(tmp_path / "locked"), status=1)
    assert "Permission denied" in done.stderr


def test_elsewhere_all_of_it_is_there_before_the_first_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon elsewhere lets nobody hold up the others: who makes the input may take long all the same."""
    source = iter([b"made at once", b"made much later"])

    def reach(_where: object) -> Connection:
        assert next(source, None) is None
        raise Unreachable("that was all")

    monkeypatch.setattr(send, "reach", reach)
    monkeypatch.setattr("codewire_py.cli.context.where", lambda: Server("box", "ws://box:9100/ws"))
    with pytest.raises(Unreachable):
        send.send_pieces("1", source)
