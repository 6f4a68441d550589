"""cw export: a recording that real players play, written whole or not at all"""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from codewire_py.home.marks import append_mark
from codewire_py.home.times import TimesWriter
from codewire_py.wire.messages import Export
from homes import Home
from own_terminals import Desk
from peers import refusal

TOOLS = Path(__file__).resolve().parents[2] / ".tools/node_modules/asciinema-player/dist"
ASCIINEMA = Path(sys.executable).with_name("asciinema")
PRINTED = "h\u00e9llo \x1b[31mred\x1b[0m\r\n"

# The web player without its browser: everything of a recording up to its end, as the player understands it.
PLAYER = """
import { readFileSync, readdirSync } from "node:fs";
const [folder, file] = process.argv.slice(2);
const core = readdirSync(folder).find((name) => /^core-.*[.]js$/.test(name));
const { C: Core } = await import(`${folder}/${core}`);
const logger = new Proxy({}, { get: () => () => {} });
const player = new Core({ data: readFileSync(file, "utf8") }, { logger, speed: 1, preload: true });
const heard = [];
for (const name of ["metadata", "reset", "output", "resize", "marker", "error"])
  player.addEventListener(name, (event) => heard.push([name, event]));
player.terminalReady();
await player.init();
await player.seek("100%");
console.log(JSON.stringify({ duration: player.getDuration(), heard }));
process.exit(0);
"""


def play(file: Path, tmp_path: Path) -> dict[str, Any]:
    script = tmp_path / "player.mjs"
    script.write_text(PLAYER)
    done = subprocess.run(
        ["node", script, TOOLS, file], capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def ended(home: Home, *rest: str) -> int:
    """A session that printed something and ended with status 3."""
    code = f"import os, tty; tty.setraw(1); os.write(1, {PRINTED.encode()!r}); " + "; ".join(
        (*rest, "os._exit(3)")
    )
    id = home.python(code)
    home.end(id)
    return id


def events(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()[1:]]


def output(text: str) -> str:
    return "".join(event[2] for event in events(text) if event[1] == "o")


def exported(home: Home, id: int, *words: str) -> str:
    return home.cw("export", str(id), "-", *words).stdout


# ── what real players make of it ──────────────────────────────────────────────────────────────────────


@pytest.mark.skipif(not (shutil.which("node") and TOOLS.exists()), reason="scripts/setup installs the player")
def test_the_web_player_plays_it(home: Home, tmp_path: Path) -> None:
    """Its own parser finds the duration, the markers, the sizes and every character, in both versions."""
    id = ended(home)
    birth = json.loads((home.directory(id) / "session.json").read_text())
    length = len(home.log(id))
    (home.directory(id) / "times").unlink(missing_ok=True)
    writer = TimesWriter(str(home.directory(id)))
    writer.note(0, birth["created_at"] + 0.5)
    writer.note(length - 2, birth["created_at"] + 2.5)
    writer.close()
    append_mark(str(home.directory(id)), "size", length, rows=30, cols=100)
    append_mark(str(home.directory(id)), "attached", length, viewers=1)
    for version in ("3", "2"):
        file = tmp_path / f"{version}.cast"
        home.cw("export", str(id), str(file), *(["--v2"] if version == "2" else []))
        played = play(file, tmp_path)
        heard = played["heard"]
        text = "".join(part for name, event in heard if name == "output" for part in flat(event))
        assert text == PRINTED
        assert played["duration"] >= 2.5
        [metadata] = [event for name, event in heard if name == "metadata"]
        assert [label for _, label in metadata["markers"]][:1] == ["attached"]
        assert [event for name, event in heard if name == "resize"] == [{"cols": 100, "rows": 30}]


def flat(event: Any) -> list[str]:
    return event if isinstance(event, list) else [event]


@pytest.mark.skipif(not ASCIINEMA.exists(), reason="scripts/setup installs asciinema")
def test_asciinema_plays_version_two(home: Home, tmp_path: Path) -> None:
    """`asciinema cat` and `asciinema play` print what the program printed."""
    id = ended(home)
    file = tmp_path / "out.cast"
    home.cw("export", str(id), str(file), "--v2")
    env = {**os.environ, "ASCIINEMA_CONFIG_HOME": str(tmp_path)}
    for words in (["cat"], ["play", "-i", "0.1"]):
        done = subprocess.run(
            [ASCIINEMA, *words, file],
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            timeout=30,
        )
        assert done.stdout.decode() == PRINTED


# ── where it goes ─────────────────────────────────────────────────────────────────────────────────────


def test_to_a_file_or_to_standard_output(home: Home, tmp_path: Path) -> None:
    """The same recording; the file is for its owner, and nothing else is left beside it."""
    id = ended(home)
    file = tmp_path / "out.cast"
    done = home.cw("export", str(id), str(file))
    assert re.fullmatch(rf"Session {id} exported to .*/out.cast \(\d+ bytes\)\n", done.stdout)
    assert file.read_text() == exported(home, id)
    assert output(file.read_text()) == PRINTED
    assert events(file.read_text())[-1][1:] == ["x", "3"]
    assert file.stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["out.cast"]


def test_as_json(home: Home, tmp_path: Path) -> None:
    """What was written where, for programs; with standard output taken that is refused."""
    id = ended(home)
    told = json.loads(home.cw("export", str(id), str(tmp_path / "a"), "--json").stdout)
    assert told == {
        "id": id,
        "name": "",
        "path": str(tmp_path / "a"),
        "bytes": (tmp_path / "a").stat().st_size,
    }
    assert "cannot hold both" in home.cw("export", str(id), "-", "--json", status=2).stderr


def test_what_is_there_is_not_replaced_by_accident(home: Home, tmp_path: Path) -> None:
    """Only with --force, and then a link stays a link."""
    id = ended(home)
    file, link = tmp_path / "old", tmp_path / "link"
    file.write_text("precious")
    link.symlink_to(file)
    for path in (file, link):
        assert (
            "exists already\n\nto replace it: --force"
            in home.cw("export", str(id), str(path), status=1).stderr
        )
    assert file.read_text() == "precious"
    home.cw("export", str(id), str(link), "--force")
    assert link.is_symlink()
    assert output(file.read_text()) == PRINTED


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("", "is not a file"),
        ("/dev/null", "is not a file"),
        ("none/out", "cannot write .*: No such file or directory"),
    ],
)
def test_places_where_no_file_can_be(home: Home, tmp_path: Path, place: str, words: str) -> None:
    """One sentence, also with --force; devices and directories are left as they are."""
    id = ended(home)
    path = place if place.startswith("/") else str(tmp_path / place)
    assert re.match(rf"Error: .*{words}", home.cw("export", str(id), path, "--force", status=1).stderr)
    assert os.listdir(tmp_path) == []
    assert Path("/dev/null").is_char_device()


def test_no_room(home: Home, tmp_path: Path) -> None:
    """One sentence, and no half file."""
    id = ended(home, "os.write(1, b'x' * 100_000)")
    small = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))  # noqa: E731
    done = home.cw("export", str(id), str(tmp_path / "out"), status=1, preexec_fn=small)
    assert re.fullmatch(r"Error: cannot write .*/out: File too large\n", done.stderr)
    assert os.listdir(tmp_path) == []


def test_interrupted(home: Home, tmp_path: Path) -> None:
    """Ctrl+C in the middle leaves nothing behind."""
    id, client, _ = stopped_in_the_middle(home, tmp_path)
    client.send_signal(signal.SIGINT)
    client.send_signal(signal.SIGCONT)
    assert client.wait(20) == 130
    assert os.listdir(tmp_path) == []
    assert home.status(id)["status"] == "completed (3)"


def test_the_daemon_killed_in_the_middle(home: Home, tmp_path: Path) -> None:
    """The client asks the next one from the beginning, and the recording is whole."""
    id, client, daemon = stopped_in_the_middle(home, tmp_path)
    os.kill(daemon, signal.SIGKILL)
    client.send_signal(signal.SIGCONT)
    assert client.wait(40) == 0
    assert output((tmp_path / "out").read_text()) == home.log(id).decode()
    assert os.listdir(tmp_path) == ["out"]
    assert home.daemon() != daemon


def stopped_in_the_middle(home: Home, tmp_path: Path) -> tuple[int, subprocess.Popen[bytes], int]:
    """An export of 24 MB whose client stands still after some of it."""
    id = ended(home, "[os.write(1, b'x' * 50_000 + b'\\r\\n') for n in range(480)]")
    daemon = home.daemon()
    client = home.begin(
        "export", str(id), str(tmp_path / "out"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    home.until(lambda: any(file.stat().st_size for file in tmp_path.glob("out.*.part")), "some of it")
    client.send_signal(signal.SIGSTOP)
    assert client.poll() is None
    assert not (tmp_path / "out").exists(), "it was too quick to be stopped"
    return id, client, daemon


def test_progress_on_a_terminal(home: Home, tmp_path: Path, desk: Desk) -> None:
    """A quick one says only that it is done."""
    id = ended(home)
    terminal = desk.cw("export", str(id), str(tmp_path / "out"))
    assert terminal.end() == 0
    assert terminal.shown.count(b"\r\n") == 1
    assert b"\x1b[K" not in terminal.shown


# ── what is in it ─────────────────────────────────────────────────────────────────────────────────────


def test_a_running_session(home: Home) -> None:
    """What there is until now, without an end."""
    id = home.python("print('so far'); input()")
    home.until_printed(id, b"so far\r\n")
    assert output(exported(home, id)) == "so far\r\n"
    assert "x" not in [event[1] for event in events(exported(home, id))]


def test_no_secret_of_the_environment(home: Home) -> None:
    """TERM and SHELL are told, nothing else."""
    home.env |= {"SHELL": "/bin/odd", "MY_TOKEN": "hunter2", "LANG": "xx_YY.UTF-8"}
    id = ended(home)
    for version in ([], ["--v2"]):
        text = exported(home, id, *version)
        assert "/bin/odd" in text
        assert not re.search("hunter2|xx_YY|CODEWIRE", text)


def test_a_released_beginning_is_said(home: Home) -> None:
    """The recording begins later, and says so beside it."""
    id = ended(home, "os.write(1, b'x' * 5000)")
    append_mark(str(home.directory(id)), "released", len(home.log(id)), to=4096)
    done = home.cw("export", str(id), "-")
    assert done.stderr == "[cw] the oldest 4.0 KiB of this log have been released (log.max_bytes)\n"
    assert output(done.stdout) == home.log(id)[4096:].decode()


def test_output_comes_at_its_time(home: Home) -> None:
    """What was typed for is later than what was there before, by as long as nobody typed."""
    id = home.python("import time; print('one'); input(); print('two', time.time())")
    home.until_printed(id, b"one")
    home.until(lambda: home.status(id)["idle_seconds"] >= 0.4, "a pause")
    home.cw("send", str(id), "")
    home.end(id)
    header, *rest = exported(home, id).splitlines()
    at, shown = 0.0, {}
    for line in rest:
        interval, kind, data = json.loads(line)
        at += interval
        if kind == "o":
            shown |= {word: at for word in ("one", "two") if word in data}
    assert shown["two"] - shown["one"] >= 0.35
    printed = float(re.search(rb"two ([\d.]+)", home.log(id))[1])  # type: ignore[index]
    assert abs(json.loads(header)["timestamp"] + shown["two"] - printed) < 1.5


def test_a_version_that_nobody_knows(home: Home) -> None:
    """Is refused by the daemon, too."""
    id = ended(home)
    assert refusal(home, Export(session=str(id), version=4)).code == "usage"


@pytest.mark.parametrize(
    ("words", "status", "text"),
    [
        (["9999", "-"], 1, "session 9999 not found"),
        (["1"], 2, "Missing argument 'FILE'"),
        ([], 2, "Missing argument"),
        (["1", "-", "x"], 2, "unexpected extra argument"),
    ],
)
def test_bad_words(home: Home, words: list[str], status: int, text: str) -> None:
    """Are told, and nothing is written."""
    assert text in home.cw("export", *words, status=status).stderr


@pytest.mark.slow
def test_a_large_log_is_streamed(home: Home) -> None:
    """40 MB: neither the client nor the daemon ever holds it, and others are answered meanwhile."""
    id = ended(home, "[os.write(1, b'x' * 79_998 + b'\\r\\n') for n in range(500)]")
    home.cw("list")
    before = peak(home.daemon())
    text = exported(home, id)
    assert len(output(text)) == len(home.log(id).decode())
    assert peak(home.daemon()) - before < 8 << 20


def peak(pid: int) -> int:
    """The most memory that it ever had."""
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) << 10 if found else 0
