"""peers with a token that mean harm: what they cost the daemon, and what they keep others from"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from codewire_py.daemon import limits
from codewire_py.wire import messages
from codewire_py.wire.codec import encode
from codewire_py.wire.frames import CONTROL
from codewire_py.wire.frames import frame as framed
from homes import new_home
from tokened import There, heard
from webs import frame

MIB = 1 << 20


@pytest.fixture(scope="module")
def there() -> Iterator[There]:
    with new_home() as home:
        port = home.listen()
        mine = home.launch("cat", options=("--name", "mine"))
        other = home.launch("sh", "-c", "stty raw -echo; echo ready; sleep 600", options=("--name", "deaf"))
        home.until_printed(other, b"ready")
        found = There(home, port, mine, other, {})
        for scope in ("observe", "send"):
            found.make(scope, "--scope", scope)
        yield found


def memory(there: There, which: str) -> int:
    """Bytes that the daemon has (VmRSS), or had at most (VmHWM) since this was asked last."""
    process = Path(f"/proc/{there.home.daemon()}")
    found = int((process / "status").read_text().partition(which)[2].split()[1]) * 1024
    (process / "clear_refs").write_text("5")
    return found


@pytest.mark.parametrize("part", [b"\x90", b"\x80"], ids=["lists", "maps"])
def test_a_message_takes_no_more_memory_than_it_has_bytes(there: There, part: bytes) -> None:
    """Millions of empty lists were a third of a gigabyte and stopped the daemon for a second, for the least of tokens."""
    size = limits.WEB_MESSAGE_BYTES - 100
    before = memory(there, "VmRSS")
    payload = b"\x82\xa4type\xa4list\xa4tags\xdd" + size.to_bytes(4, "big") + part * size
    with there.come("observe") as peer:
        peer.say(frame(framed(CONTROL, payload)))
        [refused] = heard(peer)
    assert isinstance(refused, messages.Failed)
    assert refused.code == "bad-protocol"
    assert memory(there, "VmHWM") - before < 100 * MIB


def test_a_list_that_no_honest_peer_sends_is_refused(there: There) -> None:
    """Each of its words would be looked for among all sessions."""
    with there.come("observe") as peer:
        payload = b"\x82\xa4type\xa4list\xa4tags\xdd\x00\x01\x86\xa0" + b"\xa0" * 100_000
        peer.say(frame(framed(CONTROL, payload)))
        [refused] = heard(peer)
    assert isinstance(refused, messages.Failed)
    assert "msgpack" in refused.message


def test_a_paste_that_does_not_go_on_holds_nobody_up_for_long(there: There) -> None:
    """Whoever pastes holds the terminal for that one paste; one from elsewhere that stops would hold it for ever."""
    with there.come("send") as peer:
        peer.tell(messages.Send(session="mine", data=b"begun ", more=True))
        there.home.until_printed(there.mine, b"begun ")
        begun = time.monotonic()
        there.home.cw("send", "mine", "goes-on")
        assert time.monotonic() - begun < limits.PIECE_SECONDS + 3
        [refused] = heard(peer)
    assert isinstance(refused, messages.Failed)
    assert (refused.code, limits.PIECE_SECONDS) == ("timed-out", 5.0)
    there.home.until_printed(there.mine, b"goes-on")


def test_single_bytes_that_wait_count_for_what_they_take(there: There) -> None:
    """A million typed messages of one byte took a hundred times as much."""
    with there.come("send") as peer:
        peer.tell(messages.Attach(session="deaf"))
        assert isinstance(peer.hear(), messages.Attached)
        full = b"x" * (64 << 10)  # the terminal takes no more
        peer.tell(messages.Typed(seq=1, data=full))
        most = (limits.TYPED_BYTES - len(full)) // (1 + limits.TYPED_OVERHEAD)
        one = [frame(encode(messages.Typed(seq=2 + count, data=b"x"))) for count in range(most + 10)]
        peer.say(b"".join(one))
        told = list(heard(peer))
    assert isinstance(told[-1], messages.Failed), told[-1]
    assert told[-1].code == "limit-reached"
