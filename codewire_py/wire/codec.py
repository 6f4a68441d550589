"""messages to frames and back"""

from __future__ import annotations

import msgpack

from codewire_py.errors import LimitReached, ProtocolError
from codewire_py.wire.frames import CONTROL, MAX_PAYLOAD, frame
from codewire_py.wire.messages import MESSAGES, Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from codewire_py.wire.declare import Message

PARTS, ITEMS = 16, 1 << 16  # lists and maps of a request, and what each may hold


def encode(message: Message) -> bytes:
    """The whole frame, no longer than the other side takes. Text may hold any bytes, as surrogates."""
    fields: dict[str, object] = {field: getattr(message, field) for field in type(message).fields}
    fields["type"] = type(message).type
    try:
        payload: bytes = msgpack.packb(fields, unicode_errors="surrogateescape")
    except OverflowError as error:
        raise ProtocolError(f"{type(message).type}: a number is too large", "64 bits are the most") from error
    if len(payload) > MAX_PAYLOAD:
        raise LimitReached(f"{type(message).type}: {len(payload)} bytes are too many", "16 MiB are the most")
    return frame(CONTROL, payload)


def decode(payload: bytes) -> Message:
    """Unknown fields are left out, missing ones have defaults, an unknown type is told."""
    return unpack(payload, {})


def decode_request(payload: bytes) -> Message:
    """The same of a stranger: what it means to us takes not much more memory than it has bytes."""
    count = counter(PARTS)
    return unpack(
        payload, {"max_array_len": ITEMS, "max_map_len": ITEMS, "list_hook": count, "object_hook": count}
    )


def counter(most: int) -> Callable[[object], object]:
    left = iter(range(most))

    def count(part: object) -> object:
        if next(left, None) is None:
            raise ValueError("too many lists and maps")
        return part

    return count


def unpack(payload: bytes, limits: dict[str, object]) -> Message:
    try:
        fields = msgpack.unpackb(payload, unicode_errors="surrogateescape", **limits)
    except Exception as error:  # msgpack raises many kinds for forged input
        raise ProtocolError(f"not a msgpack message: {type(error).__name__}") from error
    if not isinstance(fields, dict) or not isinstance(fields.get("type"), str):
        raise ProtocolError("a message must be a map with a type")
    cls = MESSAGES.get(fields["type"])
    if cls is None:
        return Unknown(name=fields["type"][:64])
    return cls(**{field: fields[field] for field in cls.fields if field in fields})
