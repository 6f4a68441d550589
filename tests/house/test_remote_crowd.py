"""looking from elsewhere never hurts, however many look and however slowly they read"""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from codewire_py.wire.messages import Attach, Attached, Logs, Reading
from crowds import Onlooker, read_all
from homes import Home
from links import LOOPBACK
from load import same
from seeing import MEBIBYTE, rss

VIEWERS = 100
OUTPUT = 8 * MEBIBYTE
MOST_GROWTH = (
    VIEWERS * MEBIBYTE * 5 // 4
)  # of the daemon: what is under way to each, not what they have missed
LAST = b"that was all"
PRINTER = f"""
import sys
sys.stdin.readline()
lines = b"".join(b"%015d\\n" % number for number in range({OUTPUT} // 17))
sys.stdout.buffer.write(lines)
sys.stdout.write("{LAST.decode()}")
"""


@pytest.mark.slow
@pytest.mark.deadline(120)
def test_a_hundred_viewers_from_elsewhere(home: Home) -> None:
    """While none of them reads the program prints all it has and ends; then each gets the last byte, those that read
    the log every byte. One more that never reads costs nothing to the others, and the daemon does not keep what they have
    not read.
    """
    url = f"ws://{LOOPBACK}:{home.listen()}/ws"
    session = home.python(PRINTER)
    with ExitStack() as stack:
        crowd = [stack.enter_context(Onlooker(url, home.token())) for _ in range(VIEWERS)]
        attached, logging = crowd[::2], crowd[1::2]
        stuck = stack.enter_context(Onlooker(url, home.token()))
        for one in [*attached, stuck]:
            one.ask(Attach(session=str(session), rows=40, cols=120)).hear(Attached)
        for one in logging:
            one.ask(Logs(session=str(session), follow=True)).hear(Reading)
        before = rss(home.daemon())
        home.cw("send", str(session), "go")
        assert home.end(session)["code"] == 0
        assert rss(home.daemon()) - before < MOST_GROWTH
        read_all(crowd, 60)
        log = home.log(session)
        assert len(log) > OUTPUT
        for one in logging:
            same(one.data, log, "a log from elsewhere")
        for one in attached:
            assert LAST in one.painted + one.data
            assert log.endswith(one.data)
        assert rss(home.daemon()) - before < MOST_GROWTH


def test_one_that_never_reads(home: Home) -> None:
    """Another one is shown each line at once all the same."""
    url = f"ws://{LOOPBACK}:{home.listen()}/ws"
    flood = home.python("while True: print('x' * 1000)")
    echo = home.launch("cat")
    with Onlooker(url, home.token()) as stuck, Onlooker(url, home.token()) as reader:
        stuck.ask(Logs(session=str(flood), follow=True)).hear(Reading)
        home.until(lambda: len(home.log(flood)) > 8 * MEBIBYTE, "a flood")
        home.cw("kill", str(flood))
        reader.ask(Logs(session=str(echo), follow=True)).hear(Reading)
        home.cw("send", str(echo), "hello")
        while b"hello" not in reader.data:
            reader.pull()
        assert stuck.socket.recv(1)  # it is still there, merely behind
