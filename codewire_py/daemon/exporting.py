"""turn a session's log, marks and times into an asciicast recording, in slices"""

from __future__ import annotations

import codecs
import json
import re
import shlex
from collections.abc import Generator, Iterator
from heapq import merge
from itertools import chain
from operator import itemgetter
from typing import Any

from codewire_py.home.log import Log
from codewire_py.home.marks import Facts, Marks, is_size
from codewire_py.home.records import Birth, End, is_fit
from codewire_py.home.times import Times

PIECE = 64 << 10  # of the log in one event, and of the text in one slice
STEPS = 256  # events and knots in one slice
ENVIRONMENT = ("SHELL", "TERM")
UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029]")  # that JSON leaves as it is
encode = json.JSONEncoder(ensure_ascii=False).encode
LABELS = {"attached": "attached", "detached": "detached", "killed": "killed"}

Event = tuple[float, str, str]  # when, what kind, and its data


class Recording:
    """What a session printed from `start` to `end`, and what happened to it meanwhile."""

    def __init__(self, directory: str, birth: Birth, start: int, end: int) -> None:
        self.directory, self.birth, self.start, self.end = directory, birth, start, end
        self.times = Times(directory)
        self.log = Log(directory)
        created = 0.0 if start else birth.created_at
        self.began = self.now = created or self.times.time_at(start) or 0.0
        self.facts = Facts(birth.name, birth.tags, birth.rows, birth.cols)
        self.marks = [mark for mark in Marks(directory).refresh() if is_pinned(mark) and mark["at"] <= end]
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def header(self, version: int) -> dict[str, Any]:
        for mark in self.marks:
            if mark["at"] < self.start:
                self.facts.fold(mark)
        env = {name: self.birth.env[name] for name in ENVIRONMENT if name in self.birth.env}
        told = {
            "timestamp": int(self.began), "command": shlex.join(self.birth.command),
            "title": self.facts.name or self.birth.prompt,
        }  # fmt: skip
        if version == 2:
            return {"version": 2, "width": self.facts.cols, "height": self.facts.rows, **told, "env": env}
        term = {"cols": self.facts.cols, "rows": self.facts.rows, "type": env.pop("TERM", "xterm-256color")}
        return {"version": 3, "term": term, **told, "env": env}

    def events(self) -> Iterator[Event | None]:
        """In order; None: nothing for once, but time to let others go first."""
        at = self.start
        knots = ((offset, time, None) for offset, time in self.times.between(self.start, self.end))
        marks = ((mark["at"], mark["time"], mark) for mark in self.marks if mark["at"] >= self.start)
        for offset, time, mark in merge(knots, marks, key=itemgetter(0, 1)):
            for text in self.output(at, offset):
                yield self.now, "o", text
            at, self.now = max(at, offset), max(self.now, time)
            yield event_of(self.now, mark) if mark else None
        for text in self.output(at, self.end):
            yield self.now, "o", text
        if cut := self.decoder.decode(b"", final=True):
            yield self.now, "o", cut

    def output(self, start: int, end: int) -> Iterator[str]:
        """What the log says from `start` to `end`; a character that is cut comes with the next piece."""
        while start < end:
            begun, data = self.log.read_kept(start, min(PIECE, end - start))
            start = begun + len(data)
            if not data or begun >= end:
                return
            if text := self.decoder.decode(data[: len(data) - max(0, start - end)]):
                yield text

    def close(self) -> None:
        self.log.close()
        self.times.close()


def is_pinned(mark: dict[str, Any]) -> bool:
    return is_fit(mark.get("at"), int) and is_fit(mark.get("time"), float)


def is_terminal(rows: object, cols: object) -> bool:
    return isinstance(rows, int) and isinstance(cols, int) and is_size((rows, cols))


def event_of(time: float, mark: dict[str, Any]) -> Event | None:
    kind = mark.get("kind")
    if kind == "size" and is_terminal(mark.get("rows"), mark.get("cols")):
        return time, "r", f"{mark['cols']}x{mark['rows']}"
    if kind == "name" and isinstance(mark.get("name"), str):
        return time, "m", f"name: {mark['name']}" if mark["name"] else "no name"
    if kind == "signalled" and is_fit(mark.get("signal"), int):
        return time, "m", f"signal {mark['signal']}"
    return (time, "m", LABELS[kind]) if isinstance(kind, str) and kind in LABELS else None


def record(
    directory: str, birth: Birth, span: tuple[int, int], end: End | None, version: int
) -> Generator[bytes, None, None]:
    """The file in slices, empty ones among them: between any two, others may go first."""
    recording = Recording(directory, birth, *span)
    try:
        yield line(recording.header(version))
        events = chain(recording.events(), ending(recording, end, version))
        yield from in_slices(lines(events, recording.began, version))
    finally:
        recording.close()


def ending(recording: Recording, end: End | None, version: int) -> Iterator[Event]:
    """How the program ended: version 2 has no word for that."""
    if end is not None:
        over = max(recording.now, end.at)
        is_known = end.code is not None or end.signal is not None
        status = str(end.exit_code()) if is_known else "unknown"
        yield (over, "x", status) if is_known and version == 3 else (over, "m", f"ended: {status}")


def lines(events: Iterator[Event | None], began: float, version: int) -> Iterator[bytes]:
    """Version 2 counts from the beginning, version 3 from the event before; neither adds up what is rounded."""
    before = 0
    for event in events:
        if event is None:
            yield b""
            continue
        time, kind, data = event
        now = max(before, round((time - began) * 1000))
        yield line([(now - before if version == 3 else now) / 1000, kind, data])
        before = now


def line(value: object) -> bytes:
    escaped = UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", encode(value))
    return escaped.encode("utf-8", "replace") + b"\n"


def in_slices(lines: Iterator[bytes]) -> Iterator[bytes]:
    held: list[bytes] = []
    steps = size = 0
    for text in lines:
        held.append(text)
        steps, size = steps + 1, size + len(text)
        if steps >= STEPS or size >= PIECE:
            yield b"".join(held)
            held, steps, size = [], 0, 0
    yield b"".join(held)
