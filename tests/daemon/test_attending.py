"""the daemon is the terminal: what a program asks is answered once, in order, whoever looks"""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator

import pytest

from codewire_py.home.times import TIMES
from codewire_py.stream.quiet import Quiet
from codewire_py.version import VERSION
from homes import Home, new_home, until
from load import kill
from own_terminals import Desk, new_desk
from past import grow_old
from remotes import prepare

QUERIES = b"\x1b[H\x1b[c\x1b[6n\x1b]11;?\x1b\\\x1b[>q\x1b[?u\x1b[?2004$p"
ANSWERS = (
    b"\x1b[?62;22c\x1b[1;1R\x1b]11;rgb:0000/0000/0000\x1b\\\x1bP>|codewire(" + VERSION.encode() + b")\x1b\\"
    b"\x1b[?0u\x1b[?2004;2$y"
)
MOST_SECONDS = 1.0  # until the last answer has come
OLD_SECONDS = 2.0  # what was asked before is not answered by a new daemon

# Asks at once, and again on SIGUSR1 or when it is typed a question mark; says what it is typed, and after how many ms.
ASKING = f"""
import os, signal, time, tty
def ask(*_):
    global asked_at
    asked_at = time.monotonic()
    os.write(1, {QUERIES!r} + b"asked")
tty.setraw(0)
signal.signal(signal.SIGUSR1, ask)
ask()
while data := os.read(0, 65536):
    if data in (b"?", b"!"):
        ask() if data == b"?" else os.write(1, b"\\x1b[5n")
        continue
    said = data.removesuffix(b"\\x1b[0n")
    os.write(1, b"<%s@%d>" % (said.hex().encode(), (time.monotonic() - asked_at) * 1000))
    os.write(1, b"fenced" if said != data else b"")
"""
TYPED = re.compile(rb"<([0-9a-f]*)@(\d+)>")


@pytest.fixture(scope="module")
def home(shared_home: Home) -> Home:
    shared_home.cw("start")
    return shared_home


@pytest.fixture(scope="module")
def patient_home() -> Iterator[Home]:
    """Its daemons answer what is older as well: on a busy machine the next one does not come back within OLD_SECONDS."""
    with new_home() as fresh:
        prepare(fresh, "from codewire_py.daemon import limits; limits.ANSWER_SECONDS = 60.0")
        fresh.cw("start")
        yield fresh


@pytest.fixture
def desk(home: Home) -> Iterator[Desk]:
    with new_desk(home) as fresh:
        yield fresh


def typed(home: Home, session: int) -> bytes:
    """All that its program was typed so far."""
    return b"".join(bytes.fromhex(found[1].decode()) for found in TYPED.finditer(home.log(session)))


def until_typed(home: Home, session: int, wanted: bytes) -> None:
    """That, and nothing else: what comes next would be part of the next answer that is waited for."""
    try:
        home.until(lambda: len(typed(home, session)) >= len(wanted), "the answers")
    finally:
        assert typed(home, session) == wanted


def ask_again(home: Home, session: int, answered: int) -> None:
    """Once more; what was answered twice, or too late, shows before or after it."""
    fence(home, session, answered)
    home.cw("send", str(session), "--no-newline", "?")
    until_typed(home, session, ANSWERS * (answered + 1))
    fence(home, session, answered + 1)


def fence(home: Home, session: int, answered: int) -> None:
    """Answers come in order, so whatever was to be answered before this has been."""
    count = home.log(session).count(b"fenced")
    home.cw("send", str(session), "--no-newline", "!")
    home.until(lambda: home.log(session).count(b"fenced") > count, "an answer")
    assert typed(home, session) == ANSWERS * answered


def lose_daemon(home: Home) -> float:
    """Killed with -9, and no client is there to bring it back; when that was."""
    kill(home.daemon())
    return time.monotonic()


def ask_without_a_daemon(home: Home, session: int, program: int) -> None:
    """For the second time."""
    os.kill(program, signal.SIGUSR1)
    home.until(lambda: home.log(session).count(b"asked") == 2, "it to ask without a daemon")


def test_each_query_is_answered_once_and_in_order(home: Home) -> None:
    """Nobody is attached; all in one write; within a second."""
    id = home.python(ASKING)
    until_typed(home, id, ANSWERS)
    ask_again(home, id, 1)
    times = [int(found[2]) for found in TYPED.finditer(home.log(id))]
    assert max(times) < MOST_SECONDS * 1000


@pytest.mark.parametrize("count", [1, 2])
def test_viewers_change_nothing(home: Home, desk: Desk, count: int) -> None:
    """One or two attached: still once, and none of them sees a query, in what is painted and in what comes."""
    id = home.python(ASKING)
    until_typed(home, id, ANSWERS)
    viewers = [desk.attach(str(id)) for _ in range(count)]
    ask_again(home, id, 1)
    ask_again(home, id, 2)
    for viewer in viewers:
        viewer.until_shown(b"asked", 2)
        assert Quiet().feed(viewer.shown) == viewer.shown
        viewer.type(b"\x02d")
        assert viewer.end() == 0
    ask_again(home, id, 3)


def test_a_new_daemon_does_not_answer_again(home: Home, desk: Desk) -> None:
    """What was asked and answered before the old one was killed; nor when it is replayed to a viewer, or drawn."""
    id = home.python(ASKING)
    until_typed(home, id, ANSWERS)
    lose_daemon(home)
    home.cw("list")
    viewer = desk.attach(str(id))
    viewer.until_shown(b"asked")
    viewer.type(b"\x02d")
    assert viewer.end() == 0
    assert "asked" in home.cw("screen", str(id)).stdout
    home.cw("logs", str(id))
    ask_again(home, id, 1)


def test_what_was_asked_just_now_is_answered_by_the_next_daemon(patient_home: Home) -> None:
    """There was none when it was asked."""
    home = patient_home
    id = home.python(ASKING)
    until_typed(home, id, ANSWERS)
    home.cw("rename", str(id), "touched", status=None)
    program = home.status(id)["pid"]
    lose_daemon(home)
    ask_without_a_daemon(home, id, program)
    home.cw("list")
    until_typed(home, id, ANSWERS * 2)
    ask_again(home, id, 2)


def test_what_is_asked_soon_after_a_daemon_left_is_answered_in_a_quiet_house(patient_home: Home) -> None:
    """Nothing was printed for long: it has written down when it left."""
    home = patient_home
    id = home.python(ASKING)
    until_typed(home, id, ANSWERS)
    program = home.status(id)["pid"]
    home.cw("stop")
    for times in home.path.glob(f"sessions/*/{TIMES}"):
        grow_old(times.parent, 3600)
    ask_without_a_daemon(home, id, program)
    home.cw("list")
    until_typed(home, id, ANSWERS * 2)
    ask_again(home, id, 2)


def test_what_was_asked_long_ago_stays_unanswered(home: Home) -> None:
    """Whoever asked has given up; an answer would be typed into whatever reads now."""
    id = home.python(ASKING)
    until_typed(home, id, ANSWERS)
    program = home.status(id)["pid"]
    lost_at = lose_daemon(home)
    ask_without_a_daemon(home, id, program)
    until(lambda: time.monotonic() - lost_at > OLD_SECONDS + 0.2, "it to be long ago")
    home.cw("list")
    ask_again(home, id, 1)


# -- what the daemon does not answer

UNKNOWN = {
    "notification": b"\x1b]99;i=1:p=?;\x1b\\",
    "graphics": b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\",
}
ASKING_FOR = """
import os, sys, tty
tty.setraw(0)
query = bytes.fromhex(sys.argv[1])
os.write(1, b"ready")
number = 0
while os.read(0, 65536):
    number += 1
    os.write(1, query + b"asked %d." % number)
"""


@pytest.mark.parametrize("query", UNKNOWN.values(), ids=UNKNOWN)
def test_the_others_go_to_whoever_typed_last(home: Home, desk: Desk, query: bytes) -> None:
    """Alone: each comes to one viewer or, while that changes, to none."""
    id = home.python(ASKING_FOR, query.hex())
    home.until_printed(id, b"ready")
    viewers = [desk.attach(str(id)) for _ in range(3)]
    asked = 0
    for typist in (viewers[1], viewers[0]):
        others = [viewer for viewer in viewers if viewer is not typist]
        is_settled = False
        deadline = time.monotonic() + 20
        while not is_settled:
            before = [viewer.shown.count(query) for viewer in viewers]
            typist.type(b"x")
            asked += 1
            for viewer in viewers:
                viewer.until_shown(b"asked %d." % asked)
            counts = [viewer.shown.count(query) for viewer in viewers]
            assert sum(counts) - sum(before) <= 1
            is_settled = typist.shown.endswith(query + b"asked %d." % asked)
            assert is_settled or time.monotonic() < deadline
        assert not any(query + b"asked %d." % asked in viewer.shown for viewer in others)


# -- programs that ask oddly

FLOOD = """
import os, signal, termios, tty
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
tty.setraw(0)
os.write(1, b"ready")
os.read(0, 10)
for _ in range(1000):
    os.write(1, b"\\x1b[c" * 1000)
os.write(1, b"asked")
signal.sigwait([signal.SIGUSR1])
while True:
    termios.tcflush(0, termios.TCIFLUSH)
    os.write(1, b"\\x1b[5n")
    data = b""
    while not data.endswith((b"n", b"c")):
        data += os.read(0, 65536)
    if data.endswith(b"\\x1b[0n"):
        break
os.write(1, b"answered")
os.read(0, 1)
"""


@pytest.mark.slow
def test_who_asks_a_million_times_and_does_not_read_hurts_nobody(home: Home) -> None:
    """Others are served as quickly as ever; once it reads, what it asks then is answered, and not all of before."""
    other = home.python(ASKING)
    until_typed(home, other, ANSWERS)
    id = home.python(FLOOD)
    home.until_printed(id, b"ready")
    home.cw("send", str(id), "go")
    home.until_printed(id, b"asked")
    for answered in range(1, 11):
        began = time.monotonic()
        home.cw("list")
        assert time.monotonic() - began < MOST_SECONDS
        ask_again(home, other, answered)
    times = [int(found[2]) for found in TYPED.finditer(home.log(other))]
    assert max(times) < MOST_SECONDS * 1000
    os.kill(home.status(id)["pid"], signal.SIGUSR1)
    home.until_printed(id, b"answered", seconds=10)
    assert len(home.log(id)) < 3_100_000


MEETING = """
import os, sys, tty
tty.setraw(0)
count, letters, answer = int(sys.argv[1]), int(sys.argv[2]), bytes.fromhex(sys.argv[3])
os.write(1, b"ready")
got = os.read(0, 1)
for _ in range(count):
    os.write(1, b"\\x1b[>q")
    got += os.read(0, 7)
while len(got) < letters + count * len(answer):
    got += os.read(0, 4096)
rest = got.replace(answer, b"")
print(f"{(len(got) - len(rest)) // len(answer)} answers, {rest.count(b'x')} letters of {len(rest)}.")
os.read(0, 1)
"""


def test_answers_are_not_torn_by_what_is_typed(home: Home, desk: Desk) -> None:
    """Somebody types while they come: each arrives whole, and so does every letter."""
    count, batches, size = 300, 200, 50
    answer = b"\x1bP>|codewire(" + VERSION.encode() + b")\x1b\\"
    id = home.python(MEETING, str(count), str(batches * size), answer.hex())
    home.until_printed(id, b"ready")
    terminal = desk.attach(str(id))
    for _ in range(batches):
        terminal.type(b"x" * size)
    home.until_printed(id, b"letters of")
    assert b"%d answers, %d letters of %d." % (count, batches * size, batches * size) in home.log(id)


# What fish 4 does before its first prompt: it asks for a capability, and waits until the question every terminal
# answers is answered.
FISH = """
import os, time, tty
began = time.monotonic()
tty.setraw(0)
os.write(1, b"\\x1b[?u\\x1bP+q696e646e\\x1b\\\\\\x1b]11;?\\x1b\\\\\\x1b[0c")
heard = b""
while not heard.endswith(b"c"):
    heard += os.read(0, 65536)
os.write(1, b"prompt after %d ms> " % ((time.monotonic() - began) * 1000))
os.read(0, 1)
"""


@pytest.mark.parametrize("looks", [False, True])
def test_a_shell_that_asks_first_does_not_wait(home: Home, desk: Desk, looks: bool) -> None:
    """Its prompt is there at once, whether or not somebody looks."""
    if looks:
        terminal = desk.cw("launch", "-a", "--", "python3", "-c", FISH)
        id = terminal.attached()
        terminal.until_shown(b"ms> ")
    else:
        id = home.python(FISH)
    home.until_printed(id, b"ms> ")
    found = re.search(rb"prompt after (\d+) ms> ", home.log(id))
    assert found
    assert int(found[1]) < MOST_SECONDS * 1000
