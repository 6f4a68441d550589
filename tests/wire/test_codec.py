"""messages become frames and come back, and whatever else comes is refused politely"""

from __future__ import annotations

import string
from typing import Any

import msgpack
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from codewire_py.errors import ProtocolError
from codewire_py.wire.codec import decode, encode
from codewire_py.wire.declare import REQUIRED, Message
from codewire_py.wire.frames import CONTROL, Frames
from codewire_py.wire.messages import MESSAGES, REPLIES, REQUESTS, STREAM, Attach, Launch, Sent, Unknown

# Text as it comes from command lines: any character, and bytes that are none, as surrogates.
TEXT = st.binary(max_size=20).map(lambda raw: raw.decode("utf-8", "surrogateescape"))
INTEGER = st.integers(-(2**63), 2**64 - 1)
INFO = st.dictionaries(TEXT, TEXT | INTEGER | st.booleans(), max_size=3)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "int": INTEGER, "float": st.floats(allow_nan=False), "bool": st.booleans(), "str": TEXT, "bytes": st.binary(),
    "list[str]": st.lists(TEXT, max_size=4), "list[int]": st.lists(INTEGER, max_size=4), "list[Info]": st.lists(INFO, max_size=2), "Info": INFO,
    "dict[str, str]": st.dictionaries(TEXT, TEXT, max_size=4),
}  # fmt: skip
WRONG: dict[str, list[object]] = {
    "int": [True, 1.5, "1", None, [1]], "float": [True, "1", None], "bool": [1, "true", None],
    "str": [b"x", 1, None, ["x"]], "bytes": ["x", 1, None], "list[str]": ["x", [1], [b"x"], {"x": "y"}, None],
    "list[int]": [["x"], [True], [1.5], 1, None], "list[Info]": [[1], {}, None], "Info": [[], "x", None], "dict[str, str]": [{"a": 1}, {"a": None}, [], None],
}  # fmt: skip
SENT = sorted(set(MESSAGES) - {Unknown.type})


def unpack(message: Message) -> dict[str, Any]:
    [(_, payload)] = Frames().feed(encode(message))
    return dict(msgpack.unpackb(payload, unicode_errors="surrogateescape"))


def same(one: Message, other: Message) -> bool:
    return type(one) is type(other) and all(getattr(one, f) == getattr(other, f) for f in type(one).fields)


@pytest.mark.parametrize("name", SENT)
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_every_message_comes_back(name: str, data: st.DataObject) -> None:
    """Whatever may be in its fields, any bytes included."""
    cls = MESSAGES[name]
    message = cls(**{field: data.draw(VALUES[kind]) for field, (kind, _) in cls.fields.items()})
    [(kind, payload)] = Frames().feed(encode(message))
    assert kind == CONTROL
    assert same(decode(payload), message)


@pytest.mark.parametrize("name", SENT)
def test_a_field_of_another_type_is_refused(name: str) -> None:
    """By the name of the message and the field, so that whoever wrote the client finds it."""
    cls = MESSAGES[name]
    good = unpack(cls(**{field: sample(kind) for field, (kind, _) in cls.fields.items()}))
    for field, (kind, _) in cls.fields.items():
        for wrong in WRONG[kind]:
            with pytest.raises(ProtocolError, match=f"^{name}: {field} is not "):
                decode(msgpack.packb({**good, field: wrong}))


def sample(kind: str) -> object:
    samples: dict[str, object] = {
        "int": 1, "float": 1.0, "bool": True, "str": "x", "bytes": b"x", "list[str]": ["x"], "list[int]": [1],
        "list[Info]": [{}], "Info": {}, "dict[str, str]": {"x": "y"},
    }  # fmt: skip
    return samples[kind]


@pytest.mark.parametrize("name", SENT)
def test_missing_fields_have_defaults(name: str) -> None:
    """An older peer leaves out what it does not know; only what nothing can stand for is missed."""
    cls = MESSAGES[name]
    required = {field: sample(kind) for field, (kind, default) in cls.fields.items() if default is REQUIRED}
    message = decode(msgpack.packb({"type": name, **required}))
    for field, (_, default) in cls.fields.items():
        assert getattr(message, field) == required.get(field, default)
    for field in required:
        rest = {other: value for other, value in required.items() if other != field}
        with pytest.raises(ProtocolError, match=f"^{name}: {field} is missing$"):
            decode(msgpack.packb({"type": name, **rest}))


@given(st.dictionaries(st.text(string.ascii_lowercase, min_size=9), INTEGER, max_size=4))
def test_unknown_fields_are_ignored(more: dict[str, int]) -> None:
    """A newer peer may say more."""
    assert same(decode(msgpack.packb({"type": "sent", "id": 7, "size": 9, **more})), Sent(id=7, size=9))


def test_an_unknown_message_is_told_by_its_name() -> None:
    """A request from the future can be refused by name; however long the name, little is kept."""
    assert same(decode(msgpack.packb({"type": "teleport", "to": 1})), Unknown(name="teleport"))
    assert same(decode(msgpack.packb({"type": "x" * 100_000})), Unknown(name="x" * 64))


NOT_MESSAGES = [b"", b"\xc1", b"\x80", b"\x93\x01\x02", b'{"type":"list"}', b"\xdd\xff\xff\xff\xff", b"\x91" * 5000,
                b"\xdf\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\x81\xa4type\x01", b"\x81\x01\x02",
                b"\x82\xa4type\xa4list", b"\x81\xa4type\xd6\xff\0\0\0\0", b"\x81\xa4type\xa4list\x00"]  # fmt: skip


@pytest.mark.parametrize("payload", NOT_MESSAGES)
def test_what_is_no_message_is_refused(payload: bytes) -> None:
    """A map with a type, or nothing."""
    with pytest.raises(ProtocolError):
        decode(payload)


@given(st.binary(max_size=200))
@settings(max_examples=500, deadline=None)
@example(b"\x82\xa4type\xa4kill\xa5grace\xcb\x7f\xf8\0\0\0\0\0\0")
def test_no_bytes_do_more_than_be_refused(payload: bytes) -> None:
    """Whatever arrives is a message or a ProtocolError, never anything else."""
    try:
        assert isinstance(decode(payload), Message)
    except ProtocolError:
        pass


def test_a_number_too_large_is_said_to_be() -> None:
    """`cw logs 1 --tail 99999999999999999999999` is a mistake, not a bug."""
    with pytest.raises(ProtocolError, match="too large"):
        encode(Sent(id=1, size=2**64))


def test_a_message_can_be_read_in_a_journal() -> None:
    """Its repr names the fields."""
    assert repr(Sent(id=1, size=2)) == "Sent(id=1, size=2)"


def test_defaults_are_not_shared() -> None:
    """A list that one message changes is not the next one's default."""
    first = Attach()
    one = Launch(request="r", command=["x"], directory="/", env={})
    one.tags.append("mine")
    one.overrides["A"] = "1"
    assert Launch(request="r", command=["x"], directory="/", env={}).tags == []
    assert Launch(request="r", command=["x"], directory="/", env={}).overrides == {}
    assert first.session == ""


def test_a_misspelt_field_is_our_mistake() -> None:
    """Not a message that silently says something else."""
    with pytest.raises(TypeError, match="sent has no field sise"):
        Sent(id=1, size=1, sise=2)  # type: ignore[call-arg]


def test_every_message_has_one_place() -> None:
    """Request, reply or said within a stream: the three tables share nothing and leave nothing out."""
    assert len(REQUESTS) + len(REPLIES) + len(STREAM) + 1 == len(MESSAGES)
    assert set(REQUESTS) | set(REPLIES) | set(STREAM) | {Unknown.type} == set(MESSAGES)
