"""a link that is cut in the middle of a command: what was asked happens once, or it is told that nobody knows"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from homes import Done
from links import RESET, Way
from load import same
from remotes import Remote, new_remote
from seeing import MEBIBYTE

TEXT = 4 * MEBIBYTE
PRINTER = f"""
for number in range({TEXT} // 40):
    print("%015d is a line of ordinary text" % number)
"""


@pytest.fixture(scope="module")
def remote() -> Iterator[Remote]:
    with new_remote() as fresh:
        yield fresh


def cut_off(remote: Remote, way: Way, size: int, *words: str) -> tuple[Done, bool]:
    """Run it while the link is to be cut there; whether it came to that."""
    before = remote.link.cuts
    remote.link.cut_after(way, size, how=RESET)
    done = remote.here.cw(*words, status=None)
    was_cut = remote.link.cuts > before
    remote.link.do(way.cuts.clear)
    assert "Traceback" not in done.stderr
    return done, was_cut


def places(remote: Remote, way: Way, *words: str) -> range:
    """Every so many bytes of what such a command says, or is told."""
    before = way.passed
    remote.here.cw(*words)
    return range(1, way.passed - before, max(1, (way.passed - before) // 8))


@pytest.mark.slow
@pytest.mark.parametrize("direction", ["up", "down"])
def test_a_launch_happens_once(remote: Remote, direction: str) -> None:
    """Wherever the link is cut: it is repeated and said to have happened, and there is one session more; or it was not
    possible to call at all, and there is none.
    """
    way = getattr(remote.link, direction)
    statuses = set()
    for size in places(remote, way, "launch", "--", "true"):
        before = {session["id"] for session in remote.there.list()}
        done, was_cut = cut_off(remote, way, size, "launch", "--", "sh", "-c", f": {direction} {size}")
        more = {session["id"] for session in remote.there.list()} - before
        assert was_cut
        assert len(more) == (done.returncode == 0), (size, done, more)
        statuses.add(done.returncode)
    assert statuses == {0, 1}


@pytest.mark.slow
@pytest.mark.parametrize("direction", ["up", "down"])
def test_what_is_sent_is_sent_once(remote: Remote, direction: str) -> None:
    """It is never repeated: it arrived, or it did not, or it is said that nobody knows."""
    way = getattr(remote.link, direction)
    session = remote.there.launch("sh", "-c", "stty -echo; echo ready; exec cat")
    remote.there.until_printed(session, b"ready")
    words = ("send", str(session))
    sure, unsure = [], []
    for size in places(remote, way, *words, "first"):
        done, _ = cut_off(remote, way, size, *words, f"text {size}.")
        (sure if done.returncode == 0 else unsure).append(b"text %d." % size)
        assert done.returncode in (0, 1), done
    remote.here.cw(*words, "the last")
    remote.there.until_printed(session, b"the last")
    log = remote.there.log(session)
    assert [log.count(text) for text in sure] == [1] * len(sure)
    assert all(log.count(text) <= 1 for text in unsure)
    assert unsure
    remote.there.cw("kill", str(session))


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        "logs {} --raw",
        "logs {} --rendered",
        "export {} -",
        "search line {} -c",
        "logs {} --json",
        "screen {} --json",
    ],
)
def test_nothing_is_cut_short_in_silence(remote: Remote, words: str) -> None:
    """Whoever reads gets all of it, though the link broke."""
    session = remote.there.python(PRINTER)
    remote.there.end(session)
    command = words.format(session).split()
    whole = remote.there.cw(*command).stdout
    before = remote.link.down.passed
    assert remote.here.cw(*command).stdout == whole
    size = remote.link.down.passed - before
    for place in (size // 3, size // 3 * 2, size - 100):
        done, was_cut = cut_off(remote, remote.link.down, place, *command)
        assert was_cut
        assert done.returncode == 0, done.stderr
        same(done.stdout.encode(), whole.encode(), words)
