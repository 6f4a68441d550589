"""cw logs: the whole log of any size, any bytes, followed to the end of the session"""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from homes import CW, Home
from own_terminals import Desk

ODD = (
    b"plain\r\n\x1b[1;31mred\x1b[0m\r\n\xc3\xa9 \xff\xfe \xe2\x9c\x93\r\n\x1b]0;title\x07after\r\nprogress 1%\r"
    b"progress 99%\r\n\x1b[6n\x1b]52;c;c2VjcmV0\x07\x00\x08end\xe2\x9c"
)
PLAIN = "plain\nred\né �� ✓\nafter\nprogress 1%\nprogress 99%\nend�".encode()


def printing(home: Home, data: bytes, *rest: str) -> int:
    """A session that printed these bytes and ended, or does what `rest` says."""
    code = f"import os, sys, tty; tty.setraw(1); os.write(1, bytes.fromhex('{data.hex()}')); " + "; ".join(
        rest
    )
    id = home.python(code)
    home.until(lambda: len(home.log(id)) >= len(data), "it to print")
    if not rest:
        home.end(id)
    return id


def logs(home: Home, *words: str) -> bytes:
    done = subprocess.run([*CW, "logs", *words], env=home.env, capture_output=True, check=True, timeout=30)
    assert done.stderr == b""
    return done.stdout


def test_the_exact_bytes(home: Home) -> None:
    """--raw is output.log, whatever is in it."""
    id = printing(home, ODD)
    assert logs(home, str(id), "--raw") == home.log(id) == ODD


def test_plain_text_where_no_terminal_is(home: Home) -> None:
    """Without sequences and control characters, in lines, always UTF-8."""
    assert logs(home, str(printing(home, ODD))) == PLAIN


def test_every_byte_there_is(home: Home) -> None:
    """None of them crashes anything."""
    everything = bytes(range(256)) * 20
    id = printing(home, everything)
    assert logs(home, str(id), "--raw") == everything
    assert logs(home, str(id)).decode()


def test_on_a_terminal_old_output_is_harmless(home: Home, desk: Desk) -> None:
    """Colours stay; queries, which would be answered into the shell, and clipboard writes do not."""
    id = printing(home, ODD)
    terminal = desk.cw("logs", str(id))
    assert terminal.end() == 0
    assert b"\x1b[1;31mred\x1b[0m" in terminal.shown
    assert b"\x1b[6n" not in terminal.shown
    assert b"]52;" not in terminal.shown


def test_a_running_session_has_a_log_too(home: Home) -> None:
    """What it has printed so far, and then it is done."""
    id = home.python("print('so far'); input()")
    home.until_printed(id, b"so far")
    assert logs(home, str(id)) == b"so far\n"


@pytest.mark.parametrize(
    ("tail", "wanted"),
    [
        ("1", b"line 99\n"), ("3", b"line 97\nline 98\nline 99\n"), ("0", b""), ("-5", b""),
        ("100", b"".join(b"line %d\n" % n for n in range(100))),
        ("9" * 12, b"".join(b"line %d\n" % n for n in range(100))),
    ],
)  # fmt: skip
def test_the_last_lines(home: Home, tail: str, wanted: bytes) -> None:
    """As many as asked for, or all there are."""
    id = home.python("for n in range(100): print('line', n)")
    home.end(id)
    assert logs(home, str(id), "--tail", tail) == logs(home, str(id), "-t", tail) == wanted


def test_a_progress_bar_is_lines(home: Home) -> None:
    """Redrawn with a return, each drawing is a line: --tail 1 is the last one, not the whole bar."""
    id = printing(home, b"begin\r\n" + b"".join(b"\r%d%%" % n for n in range(1000)))
    assert logs(home, str(id), "--tail", "1", "--raw") == b"999%"


def test_a_last_line_without_an_end(home: Home) -> None:
    """Counts as a line; nothing is added to it."""
    id = printing(home, b"one\r\ntwo\r\nthree")
    assert logs(home, str(id), "--tail", "2") == b"two\nthree"


def test_a_large_log_is_streamed(home: Home) -> None:
    """40 MB: every byte, and neither the client nor the daemon ever holds it."""
    id = home.python("import sys; [sys.stdout.write('x' * 79 + '\\n') for n in range(500000)]")
    home.end(id)
    before = memory(home.daemon())
    client = subprocess.Popen([*CW, "logs", str(id), "--raw"], env=home.env, stdout=subprocess.PIPE)
    assert client.stdout
    size, peak = 0, 0
    while data := client.stdout.read(1 << 20):
        size += len(data)
        peak = max(peak, memory(client.pid))
    client.stdout.close()
    assert client.wait(10) == 0
    assert size == 500_000 * 81 == len(home.log(id))
    assert peak < 40 << 20
    assert memory(home.daemon()) - before < 8 << 20


def memory(pid: int) -> int:
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) << 10 if found else 0


def test_following_ends_with_the_session(home: Home) -> None:
    """What is there, what comes, the last byte; then status 0 by itself."""
    id = home.python("print('begun'); input(); print('é over', end='')")
    for words in (("-f",), ("--follow", "--raw"), ("-f", "--tail", "1")):
        client = home.begin("logs", str(id), *words, stdout=subprocess.PIPE)
        assert client.stdout
        assert client.stdout.read(6) == b"begun\n" if "--raw" not in words else b"begun\r\n"
    home.cw("send", str(id), "")
    for client in home.started[-3:]:
        assert client.stdout
        rest = client.stdout.read()
        assert rest.endswith("é over".encode())
        assert client.wait(10) == 0


def test_following_an_ended_session(home: Home) -> None:
    """Is the same as not following."""
    id = printing(home, ODD)
    assert logs(home, str(id), "-f") == PLAIN


def test_characters_are_never_split(home: Home) -> None:
    """However the bytes of one arrive while following."""
    id = home.python(
        "import os, tty; tty.setraw(0)\nfor byte in '✓é漢😀'.encode() * 3: os.write(1, bytes([byte])); os.read(0, 1)"
    )
    client = home.begin("logs", str(id), "-f", stdout=subprocess.PIPE)
    assert client.stdout
    for count in range(1, 37):
        home.until(lambda count=count: len(home.log(id)) == count, "the next byte")
        home.cw("send", str(id), "-n", ".")
    assert client.stdout.read().decode() == "✓é漢😀" * 3
    assert client.wait(10) == 0


def test_what_was_released_is_said(tmp_path: Path) -> None:
    """With log.max_bytes the oldest bytes go; the log says how much, and every later byte is there."""
    home = Home(tmp_path / "home")
    home.path.mkdir(mode=0o700)
    (home.path / "config.toml").write_text("log.max_bytes = '2MiB'\n")
    try:
        id = home.python("import sys; [sys.stdout.write('%07d\\n' % n) for n in range(400_000)]; input()")
        home.until_printed(id, b"0399999")
        home.until(lambda: home.status(id).get("released_bytes"), "old output to be released")
        released = home.status(id)["released_bytes"]
        assert released % 4096 == 0
        log = home.directory(id) / "output.log"
        assert log.stat().st_size == 3_600_000
        assert log.stat().st_blocks * 512 <= 2 << 20
        done = home.cw("logs", str(id), "--raw")
        assert re.match(
            r"\[cw\] the oldest \d\.\d MiB of this log have been released \(log\.max_bytes\)\n$", done.stderr
        )
        shown = subprocess.run(
            [*CW, "logs", str(id), "--raw"], env=home.env, capture_output=True, check=True
        ).stdout
        assert len(shown) == 3_600_000 - released
        assert shown.endswith(b"0399998\r\n0399999\r\n")
        assert b"\0" not in shown
        assert home.cw("logs", str(id), "--tail", "1").stderr == ""
        assert "bytes, the oldest" in home.cw("status", str(id)).stdout
    finally:
        home.close()


@pytest.mark.parametrize(
    ("words", "status", "text"),
    [
        (["9999"], 1, "Error: session 9999 not found\n\nUse 'cw list' to see active sessions\n"),
        (["nobody"], 1, 'Error: no session named "nobody"\n'),
        ([""], 1, "Error: no session named"),
        (["²"], 1, "Error: no session named"),
        (["1", "--tail", "x"], 2, "'x' is not a valid integer"),
        (["1", "--tail", "9" * 30], 1, "a number is too large"),
        ([], 2, "Missing argument"),
        (["1", "2"], 2, "unexpected extra argument"),
    ],
)
def test_bad_words(home: Home, words: list[str], status: int, text: str) -> None:
    """Told in a sentence, on standard error."""
    home.launch("true")
    done = home.cw("logs", *words, status=status)
    assert text in done.stderr
    assert done.stdout == ""


def test_a_reader_that_leaves(home: Home) -> None:
    """`cw logs 1 | head` ends quietly."""
    id = home.python("for n in range(100000): print('line', n)")
    home.end(id)
    command = " ".join([*CW, "logs", str(id)]) + " | head -n 2"
    done = subprocess.run(
        command, shell=True, env=home.env, capture_output=True, text=True, check=False, timeout=30
    )
    assert (done.stdout, done.stderr) == ("line 0\nline 1\n", "")


def test_a_log_that_is_gone(home: Home) -> None:
    """What was taken away is a sentence, and the daemon serves on."""
    id = printing(home, b"hidden")
    log = home.directory(id) / "output.log"
    log.rename(log.with_name("elsewhere"))
    done = home.cw("logs", str(id), status=1)
    assert "output.log" in done.stderr
    assert "Traceback" not in done.stderr + home.journal()
    assert home.cw("status", str(id)).stdout
    log.with_name("elsewhere").rename(log)
    assert logs(home, str(id)) == b"hidden"


def test_json_is_for_people_who_script(home: Home) -> None:
    """The log's place is in the status, for whoever wants to read it without us."""
    id = printing(home, b"file")
    path = json.loads(home.cw("status", str(id), "--json").stdout)["log"]
    assert Path(path).read_bytes() == b"file"
    assert os.path.samefile(path, home.directory(id) / "output.log")


def test_an_end_comes_however_fast_it_prints(home: Home) -> None:
    """Whoever does not follow is told what there was when it asked; here each page that is taken brings another."""
    id = home.python("import sys; sys.stdout.write('x' * 1_000_000); sys.stdout.flush(); input()")
    home.until(lambda: len(home.log(id)) == 1_000_000, "it to print")
    client = home.begin("logs", str(id), "--raw", stdout=subprocess.PIPE)
    assert client.stdout
    taken = 0
    with (home.directory(id) / "output.log").open("ab") as log:
        while page := os.read(client.stdout.fileno(), 4096):
            taken += len(page)
            log.write(b"y" * 8192)
            log.flush()
    assert client.wait(10) == 0
    assert taken < 2_000_000
