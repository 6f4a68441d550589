"""what a peer could say to the daemon that nobody in their right mind would"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator

import msgpack

from codewire_py.wire.declare import Message
from codewire_py.wire.frames import CONTROL, DATA, MAX_PAYLOAD, frame
from codewire_py.wire.messages import FEATURES, MESSAGES, PROTOCOL, REQUESTS

NEVER = {"stop", "restart", "kill"}  # rightly asked, these do what they say: `odd_kill` asks wrongly
INTS = [
    0,
    1,
    -1,
    2,
    39,
    120,
    9999,
    10000,
    65536,
    -(1 << 31),
    (1 << 31) - 1,
    -(1 << 63),
    (1 << 63) - 1,
    (1 << 64) - 1,
]
FLOATS = [0.0, 0.01, -1.0, 1e-300, 1e300, -1e300, float("nan"), float("inf"), float("-inf")]
TEXTS = [
    "", "1", "0", "-1", "@", "@2", "no-such", "²", "٣", "1" * 400, "x" * 5000, "\0", "a\0b", "\udcff\udc80", "../..",
    "/", "true", "/bin/true", "/nowhere/at/all", "%s%n", "\x1b[2J", "💥", " ", "running", "api", "=", "PATH",
]  # fmt: skip
SANE = {
    "umask": 0o22, "nofile": 1024, "rows": 40, "cols": 120, "name": "", "tags": [], "env": {}, "overrides": {},
    "directory": "/", "command": ["true"],
}  # fmt: skip
BLOBS = [b"", b"\0", b"\xff" * 300, b"x" * 70_000, b"\x03\x04\x1a\x1c", b"\r\n" * 100]


def packed(value: object) -> bytes:
    return msgpack.packb(value, unicode_errors="surrogateescape")


def hello(version: object = PROTOCOL) -> bytes:
    return frame(
        CONTROL, packed({"type": "hello", "version": version, "software": "fuzz", "features": FEATURES})
    )


class Babbler:
    """The same seed says the same."""

    def __init__(self, source: random.Random) -> None:
        self.random = source
        self.kinds = [
            self.noise, self.greeted_noise, self.cut, self.flipped, self.huge, self.wrong_kind, self.nested,
            self.other_version, self.data_frame, self.no_message, self.wrong_types, self.odd_values, self.odd_kill,
            self.chatter,
        ]  # fmt: skip

    def speeches(self, count: int) -> Iterator[tuple[str, bytes]]:
        """Each kind equally often."""
        for number in range(count):
            kind = self.kinds[number % len(self.kinds)]
            yield kind.__name__, kind()

    def noise(self) -> bytes:
        return self.random.randbytes(self.random.choice([1, 4, 5, 6, 100, 5000]))

    def greeted_noise(self) -> bytes:
        return hello() + self.noise()

    def cut(self) -> bytes:
        whole = self.odd_values()
        return whole[: self.random.randrange(len(whole))]

    def flipped(self) -> bytes:
        """A list, with one bit wrong: never another request by accident."""
        said = bytearray(
            hello() + frame(CONTROL, packed({"type": "list", "status": "all", "tags": [], "old": True}))
        )
        said[self.random.randrange(len(said))] ^= 1 << self.random.randrange(8)
        return bytes(said)

    def huge(self) -> bytes:
        """More than there may be; all that there may be, and then nothing of it; all that there may be."""
        if self.random.random() < 0.05:
            return hello() + frame(CONTROL, bytes(MAX_PAYLOAD))
        size = self.random.choice([MAX_PAYLOAD, MAX_PAYLOAD + 1, (1 << 31) - 1, (1 << 32) - 1])
        begun = struct.pack(">BI", self.random.choice([CONTROL, DATA]), size) + b"\x81\xa4type"
        return self.random.choice([b"", hello()]) + begun

    def wrong_kind(self) -> bytes:
        return self.random.choice([b"", hello()]) + frame(self.random.randrange(2, 256), self.noise())

    def nested(self) -> bytes:
        """Lists in lists and maps in maps, deeper than any stack."""
        depth = self.random.choice([10, 511, 512, 600, 100_000, 1_000_000])
        bomb = self.random.choice([b"\x91" * depth + b"\xc0", b"\x81\xa4type" * depth + b"\xa4list"])
        return self.random.choice([b"", hello()]) + frame(CONTROL, bomb)

    def other_version(self) -> bytes:
        return hello(self.random.choice([*INTS, "1", None, 1.5, [], True])) + frame(
            CONTROL, packed({"type": "list"})
        )

    def data_frame(self) -> bytes:
        return self.random.choice([b"", hello(), hello() + self.request("logs")]) + frame(DATA, self.noise())

    def no_message(self) -> bytes:
        """Well packed, and yet nothing that anybody could mean."""
        odd = [
            None, 1, [], {}, {"type": 1}, {"type": None}, {"type": b"list"}, {1: 2}, {"type": "no-such"},
            {"type": "x" * 9999}, {b"type": "list"}, msgpack.ExtType(5, b"x"),
            {"type": "list", "tags": msgpack.Timestamp(1)},
        ]  # fmt: skip
        return self.random.choice([b"", hello()]) + frame(CONTROL, packed(self.random.choice(odd)))

    def wrong_types(self) -> bytes:
        """Any message there is, at least one field of it of a type that it cannot have."""
        name = self.random.choice([name for name in MESSAGES if MESSAGES[name].fields])
        fields = self.fields_of(MESSAGES[name])
        wrong = self.random.choice(list(fields))
        other = another_type(fields[wrong])
        fields[wrong] = self.random.choice(
            [None, msgpack.ExtType(1, b""), {"a": {}}, [[]], [None, 1, ""], other]
        )
        return hello() + frame(CONTROL, packed({**fields, "type": name}))

    def odd_values(self) -> bytes:
        """Any message there is, its fields of the right types, their values what nobody would choose."""
        names = REQUESTS if self.random.random() < 0.8 else MESSAGES
        return hello() + self.request(self.random.choice(sorted(set(names) - NEVER)))

    def odd_kill(self) -> bytes:
        fields = self.fields_of(MESSAGES["kill"])
        nobody = self.random.choice(["no-such", "²", "", "2", "9" * 30])
        fields |= {"everything": False, "sessions": [nobody], "tags": []}
        return hello() + frame(CONTROL, packed({**fields, "type": "kill"}))

    def chatter(self) -> bytes:
        """A viewer, who then says everything that comes to mind."""
        attach = {
            "type": "attach",
            "session": "1",
            "local": self.random.random() < 0.5,
            "rows": 40,
            "cols": 120,
        }
        words = ["typed", "resize", "typed", "resize", "hello", "detach"]
        said = [self.request(self.random.choice(words)) for _ in range(9)]
        return hello() + frame(CONTROL, packed(attach)) + b"".join(said)

    def request(self, name: str) -> bytes:
        return frame(CONTROL, packed({**self.fields_of(MESSAGES[name]), "type": name}))

    def fields_of(self, cls: type[Message]) -> dict[str, object]:
        return {field: self.value_of(field, kind) for field, (kind, _) in cls.fields.items()}

    def value_of(self, field: str, kind: str) -> object:
        pick = self.random.choice
        if field in SANE and self.random.random() < 0.75:
            return SANE[field]
        if field == "command":
            return pick(
                [["/bin/true", pick(TEXTS)], [pick(TEXTS)], [], ["true"] * 5000, ["true", "x" * (2 << 20)]]
            )
        if field == "directory":
            return pick(TEXTS)
        some = range(self.random.randrange(4))
        return {
            "int": lambda: pick(INTS),
            "float": lambda: pick(FLOATS),
            "bool": lambda: pick([True, False]),
            "str": lambda: pick(TEXTS),
            "bytes": lambda: pick(BLOBS),
            "list[str]": lambda: [pick(TEXTS) for _ in some],
            "list[int]": lambda: [pick(INTS) for _ in some],
            "list[Info]": lambda: [{pick(TEXTS): pick(INTS)} for _ in some],
            "Info": lambda: {pick(TEXTS): pick(INTS)},
            "dict[str, str]": lambda: {pick(TEXTS): pick(TEXTS) for _ in some},
        }[kind]()


def another_type(value: object) -> object:
    return [value] if not isinstance(value, list) else {"was": value}
