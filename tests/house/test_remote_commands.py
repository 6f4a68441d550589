"""every command elsewhere does and says what it does and says at home"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from homes import Done
from own_terminals import new_desk
from remotes import THERE, Remote, new_remote

LOOKING = """
list
list --json
list --status ended --json
list --tag blue
list --tag nobody
status lines
status lines --json
status ended --json
screen lines
screen lines --json
screen lines --ansi --scrollback 5
screen lines --at 5
logs lines
logs lines --raw
logs lines --tail 2
logs lines --rendered
logs lines --json --tail 3
logs ended -f
watch ended
watch ended --tail 1
watch lines --timeout 0.2
search line-7
search line- lines --count
search line- lines --count --json
search -il LINE-1 --json
search no-such-line
export ended -
export ended --v2 -
wait ended
wait ended --json
wait lines --timeout 0.1
wait ended lines --any
resize lines
prune --dry-run --older 7d
attach lines
""".strip().splitlines()
MISTAKEN = """
status nobody
status line
screen 99
screen lines --at 99999999
logs nobody
logs nobody -f
watch 99
wait 99
search ( lines
send ended hello
send 99 hello
kill nobody
rename nobody somebody
rename ended lines
remove lines
resize ended 10x10
resize lines 0x0
launch -- no-such-program-anywhere
launch --name lines -- true
launch --dir /no/such/folder -- true
attach ended
attach nobody
export nobody -
list --status strange
""".strip().splitlines()
# What one does to a session of one's own, called NAME.
CHANGING = """
launch --name NAME --dir /usr --tag green --env COLOUR=red -- sh -c echo${IFS}$COLOUR;exec${IFS}cat
status NAME
send NAME hello --json
send NAME --no-newline more
resize NAME 11x33
resize NAME latest --json
rename NAME NAME-too
rename NAME-too NAME
list --tag green
screen NAME
kill NAME --signal CONT
kill NAME --grace 2
wait NAME
logs NAME
remove NAME
status NAME
launch --name NAME --dir / --json -- sh -c exit${IFS}3
wait NAME --json
kill NAME
remove NAME --json
""".strip().splitlines()
FAR = ("--server", THERE)
AGE = re.compile(r"\b\d+(?:\.\d+)?(?:ms|s|m|h)\b(?: ago)?|just now")
MOMENTS = re.compile(r"(_at|_ago|age|seconds|pid|idle|time|timestamp|id|removed|duration_ms|log)$")


@pytest.fixture(scope="module")
def remote() -> Iterator[Remote]:
    """One for all: a session that has printed lines and goes on, one that has ended."""
    with new_remote() as fresh:
        del fresh.here.env["CODEWIRE_SERVER"]
        lines = "i=1; while [ $i -le 20 ]; do echo line-$i; i=$((i+1)); done; exec sleep 1000"
        fresh.there.launch("sh", "-c", lines, options=("--name", "lines", "--tag", "blue"))
        fresh.there.launch("sh", "-c", "echo over; exit 3", options=("--name", "ended"))
        fresh.there.cw("wait", "ended", status=3)
        fresh.there.cw("wait", "lines", "--timeout", "0.5", status=124)  # until it is idle
        yield fresh


def at_home(remote: Remote, words: list[str]) -> Done:
    return remote.there.cw(*words, status=None)


def elsewhere(remote: Remote, words: list[str]) -> Done:
    return remote.here.cw(*FAR, *words, status=None)


def told(done: Done, name: str = "lines") -> tuple[Any, ...]:
    """What can be compared: without what differs from one moment to the next, and from one session to another."""
    return done.returncode, *(timeless(said.replace(name, "NAME")) for said in (done.stdout, done.stderr))


def timeless(text: str) -> Any:
    try:
        return pick(json.loads(text))
    except ValueError:
        text = re.sub(
            r"PID:?\s+\d+|sessions/\d+|[Ss]ession \d+|Created: .*|^\d+ ",
            "THIS",
            AGE.sub("AGE", text),
            flags=re.MULTILINE,
        )
        return re.sub(r" +", " ", text)


def pick(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: pick(one) for key, one in value.items() if not MOMENTS.search(key)}
    return [pick(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("words", [*LOOKING, *MISTAKEN])
def test_it_says_the_same(remote: Remote, words: str) -> None:
    """Text, JSON, errors with their hints, exit statuses."""
    assert told(elsewhere(remote, words.split())) == told(at_home(remote, words.split()))


def test_it_does_the_same(remote: Remote) -> None:
    """A session's whole life, command by command."""
    lives = {name: live(remote, run, name) for name, run in (("one", at_home), ("two", elsewhere))}
    for words, one, other in zip(CHANGING, lives["one"], lives["two"], strict=True):
        assert other == one, words


def live(remote: Remote, run: Callable[[Remote, list[str]], Done], name: str) -> list[tuple[Any, ...]]:
    lived = []
    for words in CHANGING:
        done = run(remote, words.replace("NAME", name).split())
        lived.append(told(done, name))
    return lived


def test_stdin_and_files(remote: Remote, tmp_path: Any) -> None:
    """What is read and written here is read and written here."""
    session = remote.there.launch("cat")
    text = tmp_path / "text"
    text.write_text("from a file")
    remote.here.cw(*FAR, "send", str(session), "--stdin", input="from a pipe")
    remote.here.cw(*FAR, "send", str(session), "--file", str(text))
    remote.there.until_printed(session, b"from a pipe")
    remote.there.until_printed(session, b"from a file")
    remote.here.cw(*FAR, "kill", str(session))
    exported = [tmp_path / "far", tmp_path / "near"]
    remote.here.cw(*FAR, "export", str(session), str(exported[0]))
    remote.there.cw("export", str(session), str(exported[1]))
    assert exported[0].read_bytes() == exported[1].read_bytes() != b""


def test_what_is_launched_there_lives_there(remote: Remote) -> None:
    """Its directory is there, so is its environment; of ours it has what a terminal needs, and what was asked for."""
    here = remote.here
    show = (
        'echo "$PWD"; echo "$SECRET-$WANTED-$LANG-$TERM-$CODEWIRE_TOKEN-$CODEWIRE_SERVER-$CODEWIRE_LISTEN-"'
    )
    env = {**here.env, "SECRET": "not to be sent", "LANG": "xx_XX.UTF-8", "TERM": "xterm-odd"}
    words = ("launch", "--name", "lives", "--env", "WANTED=yes", "--", "sh", "-c", show)
    here.cw(*FAR, *words, env=env, cwd="/usr")
    here.cw(*FAR, "wait", "lives")
    shown = here.cw(*FAR, "logs", "lives").stdout.splitlines()
    assert shown == [remote.there.env.get("HOME", ""), "-yes-xx_XX.UTF-8-xterm-odd----"]


def test_attached_in_a_terminal(remote: Remote) -> None:
    """Launched, attached, typed into, detached from, attached again, ended: words and exit statuses as at home."""
    lives = []
    for home, far in ((remote.there, ()), (remote.here, FAR)):
        with new_desk(home) as desk:
            first = desk.cw(*far, "launch", "-a", "--", "sh", "-c", "read line; echo got $line; exit 4")
            session = first.attached()
            first.type(b"\x02d")
            statuses = [first.end()]
            again = desk.cw(*far, "attach", str(session))
            again.attached()
            again.type(b"words\r")
            again.until_shown(b"got words")
            statuses.append(again.end())
            assert first.is_as_before()
            assert again.is_as_before()
            shown = re.sub(rb"session \d+", b"session ID", first.shown + again.shown)
            lives.append((statuses, shown))
    assert lives[0] == lives[1]
    assert lives[0][0] == [0, 4]


def test_a_variable_or_a_default_will_do(remote: Remote) -> None:
    """`--server`, CODEWIRE_SERVER, an address, a default: the same sessions; `local` is this machine all the same."""
    here = remote.here
    wanted = here.cw(*FAR, "list", "--json").stdout
    ids = [session["id"] for session in json.loads(wanted)]

    def listed(*words: str, **env: str) -> list[int]:
        found = here.cw(*words, "list", "--json", env={**here.env, **env}).stdout
        return [session["id"] for session in json.loads(found)]

    assert listed(CODEWIRE_SERVER=THERE) == ids
    address = remote.link.url.removesuffix("/ws").removeprefix("ws://")
    assert listed("--server", address) == ids
    assert listed("--server", address, CODEWIRE_TOKEN=remote.there.token()) == ids
    here.cw("server", "default", THERE)
    assert listed() == ids
    assert listed("--server", "local") == []
    here.cw("server", "default", "--none")
    assert listed() == []
    here.cw("stop")


def test_the_daemon_elsewhere_is_restarted_and_stopped(remote: Remote) -> None:
    """Its sessions go on; nobody elsewhere begins it again."""
    said = [told(run(remote, ["restart"])) for run in (at_home, elsewhere)]
    assert said[0] == said[1]
    said = []
    for run in (at_home, elsewhere):
        said.append(told(run(remote, ["stop"])))
        assert not (remote.there.path / "daemon.pid").exists()
        remote.there.cw("start")
    assert said[0] == said[1]
    remote.here.cw(*FAR, "stop")
    remote.link.refuse()  # it would take calls for which there is nobody
    done = elsewhere(remote, ["list"])
    assert done.returncode == 1
    assert "cannot reach there" in done.stderr
    assert not (remote.there.path / "daemon.pid").exists()
    remote.link.admit()
    remote.there.cw("start")
    assert remote.there.status("lines")["status"] == "running"
