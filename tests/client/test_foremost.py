"""who is foremost changes at any byte, and no byte is lost for it"""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from codewire_py.client.presence import Presence
from codewire_py.client.showing import Showing

STREAM = (
    b"a\x1b[31mred\x1b[0m \xe2\x9c\x93 \x1b]0;title\x07\x1b[?25l\x1b]8;;http://a/?b\x1b\\link\x1b[5;2Hend"
)
KNOWN = b"\x1b[c"  # the daemon answers it
UNKNOWN = b"\x1b]52;c;?\x07"


def showing() -> Showing:
    made = Showing.__new__(Showing)
    made.presence, made.quiet = cast("Presence", SimpleNamespace(is_foremost=False)), None
    return made


@pytest.mark.parametrize("cut", range(len(STREAM)))
def test_nothing_is_lost_when_a_viewer_becomes_foremost(cut: int) -> None:
    """Also when the daemon makes it so in the middle of a sequence, and unmakes it later."""
    viewer = showing()
    shown = viewer.filter(STREAM[:cut])
    viewer.presence.is_foremost = True
    shown += viewer.filter(STREAM[cut:])
    viewer.presence.is_foremost = False
    assert shown + viewer.filter(STREAM) == STREAM * 2


@pytest.mark.parametrize("cut", range(len(UNKNOWN)))
@pytest.mark.parametrize("becomes", [True, False])
def test_a_question_comes_whole_or_not_at_all(cut: int, becomes: bool) -> None:
    """One that spans the moment at which it became ours, or another's: its end alone would be shown as text."""
    viewer = showing()
    viewer.presence.is_foremost = not becomes
    shown = viewer.filter(b"a" + UNKNOWN[:cut])
    viewer.presence.is_foremost = becomes
    shown += viewer.filter(UNKNOWN[cut:] + b"b")
    assert shown in (b"ab", b"a" + UNKNOWN + b"b")
    assert viewer.filter(UNKNOWN) == (UNKNOWN if becomes else b"")


@pytest.mark.parametrize("is_foremost", [True, False])
def test_what_the_daemon_answers_reaches_nobody(is_foremost: bool) -> None:
    """Foremost or not: a second answer would be typed into the program, or into a shell."""
    viewer = showing()
    viewer.presence.is_foremost = is_foremost
    assert viewer.filter(b"a" + KNOWN + b"b\x1b[6n") == b"ab"
