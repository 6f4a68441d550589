"""a real daemon that listens, and what is asked of it whatever was done to it"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from websockets.sync.client import connect

from codewire_py.wire.codec import decode, encode
from codewire_py.wire.frames import HEADER
from codewire_py.wire.messages import Hello, List, Listed
from homes import Home, new_home

HI = Hello(version=1)
PAIR = {"Content-Type": "application/json"}
PATIENT = """
import sys
if 'daemon' in sys.orig_argv:
    from codewire_py.daemon import limits
    limits.FAILURES = limits.FAILURE_LINES = 1000000
"""


def prepare(home: Home, code: str) -> None:
    """Python that every `cw` and daemon of this home runs first."""
    folder = home.path.parent / "prepared"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(code)
    before = os.environ.get("PYTHONPATH")
    home.env["PYTHONPATH"] = os.pathsep.join([str(folder), *([before] if before else [])])


@contextmanager
def patient_home() -> Iterator[Home]:
    """Its patience with wrong tokens does not run out, and its journal hears of each."""
    with new_home() as home:
        prepare(home, PATIENT)
        home.listen()
        yield home
        assert_quiet(home)


def port_at(home: Home) -> int:
    return int(home.env["CODEWIRE_LISTEN"].rpartition(":")[2])


def can_talk(home: Home, port: int) -> bool:
    """A good client, after whatever was done."""
    said = {"Authorization": f"Bearer {home.token()}"}
    with connect(f"ws://127.0.0.1:{port}/ws", additional_headers=said, proxy=None, open_timeout=20) as peer:
        peer.send(encode(HI))
        peer.send(encode(List()))
        hello, listed = peer.recv(20), peer.recv(20)
    assert isinstance(hello, bytes)
    assert isinstance(listed, bytes)
    return isinstance(decode(hello[HEADER:]), Hello) and isinstance(decode(listed[HEADER:]), Listed)


def assert_quiet(home: Home) -> None:
    """No error, no control character, no secret."""
    journal = home.journal()
    assert "Traceback" not in journal
    assert " ERROR " not in journal
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", journal)
    assert home.token() not in journal
