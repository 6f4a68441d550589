"""who is foremost changes at any byte, and no byte is lost for it"""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from codewire_py.client.attach import Attachment
from codewire_py.client.presence import Presence

STREAM = (
    b"a\x1b[31mred\x1b[0m \xe2\x9c\x93 \x1b]0;title\x07\x1b[?25l\x1b]8;;http://a/?b\x1b\\link\x1b[5;2Hend"
)
QUERY = b"\x1b[c"
CLIPBOARD = b"\x1b]52;c;?\x07"


def attachment() -> Attachment:
    made = Attachment.__new__(Attachment)
    made.presence, made.quiet = cast("Presence", SimpleNamespace(is_foremost=False)), None
    return made


@pytest.mark.parametrize("cut", range(len(STREAM)))
def test_nothing_is_lost_when_a_viewer_becomes_foremost(cut: int) -> None:
    """Also when the daemon makes it so in the middle of a sequence, and unmakes it later."""
    viewer = attachment()
    shown = viewer.filter(STREAM[:cut])
    viewer.presence.is_foremost = True
    shown += viewer.filter(STREAM[cut:])
    viewer.presence.is_foremost = False
    assert shown + viewer.filter(STREAM) == STREAM * 2


@pytest.mark.parametrize("cut", range(1, len(CLIPBOARD)))
def test_what_is_left_out_is_left_out_to_its_end(cut: int) -> None:
    """A question that began when it was not ours comes whole, or not at all: its end alone would be shown as text."""
    viewer = attachment()
    shown = viewer.filter(b"a" + CLIPBOARD[:cut])
    viewer.presence.is_foremost = True
    shown += viewer.filter(CLIPBOARD[cut:] + b"b")
    assert shown in (b"ab", b"a" + CLIPBOARD + b"b")
    assert viewer.filter(QUERY) == QUERY
