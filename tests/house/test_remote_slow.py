"""a slow link is merely behind: keys and what they do are not stuck behind a flood"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from remotes import Remote, new_remote
from seeing import MEBIBYTE, rss
from viewers import Viewer, new_viewers

RATE, DELAY = 256_000, 0.02  # bytes a second, and seconds one way
FLOOD = 5_000_000  # bytes a second: nearly twenty times what the link takes
KEY_SECONDS = 3.0  # a queue of all that was printed would take more than a minute
MOST_IN_FLIGHT = MEBIBYTE  # bytes that the daemon has sent and the link has not handed on
MOST_GROWTH = 16 * MEBIBYTE
# Floods until it is interrupted; every line says how many keys were typed.
FLOODER = f"""
import os, select, signal, time, tty
tty.setcbreak(0)
keys, is_over = 0, []
signal.signal(signal.SIGINT, lambda *_: is_over.append(1))
begun, printed = time.monotonic(), 0
while not is_over:
    if select.select([0], [], [], 0)[0]:
        keys += len(os.read(0, 100))
    for _ in range(50):
        printed += os.write(1, b"keys=%d %s\\n" % (keys, b"x" * 90))
    time.sleep(max(0, begun + printed / {FLOOD} - time.monotonic()))
print("interrupted after", keys, "keys", flush=True)
input()
"""


@pytest.fixture
def slow() -> Iterator[Remote]:
    with new_remote(buffer=16 << 10) as remote:
        for way in (remote.link.up, remote.link.down):
            way.rate, way.delay, way.room = RATE, DELAY, 1 << 30
        yield remote


def seconds_until(viewer: Viewer, text: bytes) -> float:
    begun = time.monotonic()
    viewer.until_shown(text)
    return time.monotonic() - begun


@pytest.mark.slow
def test_keys_in_the_middle_of_a_flood(slow: Remote) -> None:
    """What a key did is seen soon, Ctrl+C stops the flood at once; bytes in flight are bounded, and so is the daemon."""
    with new_viewers(slow.here) as viewers:
        session = slow.there.python(FLOODER, options=("--rows", "24", "--cols", "80"))
        viewer = viewers.in_terminal("attach", str(session))
        viewer.until_shown(b"keys=0")
        slow.there.until(lambda: len(slow.there.log(session)) > FLOOD, "the flood to rise")
        before = rss(slow.there.daemon())
        took = []
        for count in range(1, 6):
            viewer.type(b"k")
            took.append(seconds_until(viewer, b"keys=%d " % count))
        viewer.type(b"\x03")
        slow.there.until_printed(session, b"interrupted", KEY_SECONDS)
        took.append(seconds_until(viewer, b"interrupted after 5 keys"))
        print(f"keys after {[round(one, 2) for one in took]} s, {slow.link.down.most} bytes in flight")
        assert max(took) < KEY_SECONDS
        assert slow.link.down.most < MOST_IN_FLIGHT
        assert rss(slow.there.daemon()) - before < MOST_GROWTH
        viewer.type(b"\r")
        assert viewer.end() == 0
