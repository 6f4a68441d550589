"""a byte stream is cut into frames, wherever its reads end"""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewire_py.errors import ProtocolError
from codewire_py.wire.frames import CONTROL, DATA, HEADER, MAX_PAYLOAD, Frames, frame

FRAMES = st.lists(st.tuples(st.sampled_from([CONTROL, DATA]), st.binary(max_size=40)), max_size=8)


def test_a_header_is_kind_and_length() -> None:
    """Five bytes: the kind, then the length, big-endian."""
    assert frame(DATA, b"x" * 258) == b"\x01\x00\x00\x01\x02" + b"x" * 258
    assert frame(CONTROL, b"") == b"\x00\x00\x00\x00\x00"
    assert HEADER == 5


@given(FRAMES, st.lists(st.integers(0, 400), max_size=12))
def test_frames_come_out_as_they_went_in(sent: list[tuple[int, bytes]], cuts: list[int]) -> None:
    """Several frames in one read, one frame in several reads, empty payloads: all the same."""
    stream = b"".join(frame(kind, payload) for kind, payload in sent)
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    frames = Frames()
    heard = [got for a, b in pairwise(edges) for got in frames.feed(stream[a:b])]
    assert heard == sent
    assert not frames._unread


@given(st.binary(min_size=1, max_size=30), st.data())
def test_of_a_part_no_frame_comes(payload: bytes, data: st.DataObject) -> None:
    """An end in the middle of a header or a payload gives no frame."""
    stream = frame(CONTROL, payload)
    frames = Frames()
    assert list(frames.feed(stream[: data.draw(st.integers(1, len(stream) - 1))])) == []


@pytest.mark.parametrize("kind", [2, 3, 127, 255])
def test_an_unknown_kind_is_an_error(kind: int) -> None:
    """Nothing after it can be understood."""
    with pytest.raises(ProtocolError, match=f"unknown frame type: 0x{kind:02x}"):
        list(Frames().feed(bytes((kind, 0, 0, 0, 0))))


def test_a_payload_has_a_limit() -> None:
    """16 MiB is taken; a byte more is refused by its header alone, before anything is kept for it."""
    frames = Frames()
    assert list(frames.feed(b"\x00" + MAX_PAYLOAD.to_bytes(4, "big"))) == []
    with pytest.raises(ProtocolError, match="frame payload too large: 16777217 bytes"):
        list(Frames().feed(b"\x00" + (MAX_PAYLOAD + 1).to_bytes(4, "big")))


def test_what_comes_before_an_error_is_heard() -> None:
    """A good frame in the same read as a bad one is not lost."""
    frames = Frames().feed(frame(CONTROL, b"good") + b"\xff\0\0\0\0")
    assert next(frames) == (CONTROL, b"good")
    with pytest.raises(ProtocolError):
        next(frames)
