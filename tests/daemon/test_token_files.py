"""the files with tokens: what is odd, corrupt or cannot be written lets nobody in"""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from codewire_py.daemon import tokenfiles
from codewire_py.daemon.tokens import Tokens
from codewire_py.errors import (
    DiskFull,
)
from tokened import FIRST, HERE, offer, refused


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory as the daemon sees it, with a first token."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "token").write_text(FIRST + "\n")
    return tmp_path


# -- odd files

FINE = {"name": "ci", "sha256": "a" * 64, "scope": "admin"}


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "null", "7", '{"tokens": 7}', '{"tokens": [7]}', "[" * 100_000, "\0", "\udcff",
        json.dumps({"tokens": [{**FINE, "scope": "root"}]}),
        json.dumps({"tokens": [{**FINE, "sha256": "a" * 63}]}),
        json.dumps({"tokens": [{**FINE, "sha256": ""}]}),
        json.dumps({"tokens": [{**FINE, "sessions": "api"}]}),
        json.dumps({"tokens": [{**FINE, "sessions": [7]}]}),
        json.dumps({"tokens": [{**FINE, "expires_at": "never"}]}),
        json.dumps({"tokens": [{**FINE, "expires_at": float("nan")}]}),
        json.dumps({"tokens": [{**FINE, "expires_at": -1}]}),
        json.dumps({"tokens": [{**FINE, "name": ""}]}),
        json.dumps({"tokens": [{**FINE, "name": "token"}]}),
        json.dumps({"tokens": [{**FINE, "name": "\ud800"}]}),
        json.dumps({"tokens": [FINE, FINE]}),
        json.dumps({"tokens": [FINE, {}]}),
        json.dumps({"tokens": [FINE], "first": None}),
        json.dumps({"tokens": [FINE], "first": {"sha256": 7}}),
    ],
)  # fmt: skip
def test_a_corrupt_file_lets_nobody_in(place: Path, text: str, caplog: pytest.LogCaptureFixture) -> None:
    """It is set aside as it was, the journal says so, the first token is valid, and new ones can be made."""
    data = text.encode("utf-8", "surrogateescape")
    (place / "tokens.json").write_bytes(data)
    known = Tokens()
    assert [told["name"] for told in known.listed()] == ["token"]
    [aside] = place.glob("tokens.json.corrupt.*")
    assert aside.read_bytes() == data
    assert "none of its tokens is valid" in caplog.text
    assert known.grant_for(FIRST, HERE)
    assert Tokens().by_name == {}
    secret = known.create("new", offer())
    assert Tokens().grant_for(secret, HERE).name == "new"


def test_what_a_newer_version_wrote_is_read(place: Path) -> None:
    """Fields that we do not know are passed over."""
    secret = Tokens().create("ci", offer())
    found = json.loads((place / "tokens.json").read_text())
    found["tokens"][0]["colour"], found["version"] = "blue", 2
    (place / "tokens.json").write_text(json.dumps(found))
    assert Tokens().grant_for(secret, HERE).name == "ci"


@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_what_lies_in_the_place_of_the_file(place: Path, kind: str) -> None:
    """Is no file of ours: set aside, never followed or waited for."""
    known = Tokens()
    secret = known.create("ci", offer())
    (place / "tokens.json").rename(place / "elsewhere")
    put(place / "tokens.json", place / "elsewhere", kind)
    again = Tokens()
    refused(again, secret)
    again.create("new", offer())
    assert stat.S_ISREG((place / "tokens.json").lstat().st_mode)
    assert json.loads((place / "elsewhere").read_text())["tokens"][0]["name"] == "ci"


def put(path: Path, target: Path, kind: str) -> None:
    if kind == "link":
        path.symlink_to(target)
    elif kind == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)


@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_what_lies_in_the_place_of_the_first(place: Path, kind: str) -> None:
    """Holds no token, wherever it leads."""
    (place / "token").rename(place / "elsewhere")
    put(place / "token", place / "elsewhere", kind)
    known = Tokens()
    refused(known, FIRST)
    assert known.listed() == []


@pytest.mark.parametrize(
    "text", [b"", b"\n", b"short12", b"       1 ", b"\xff" * 20, b"two words here", b"x" * 5000]
)
def test_what_cannot_be_a_first_token(place: Path, text: bytes) -> None:
    """Empty, short, odd or endless: nobody comes in by it."""
    (place / "token").write_bytes(text)
    known = Tokens()
    for secret in {text.decode("latin-1"), text.decode("latin-1").strip(), "x" * 1100, "x"} - {""}:
        refused(known, secret)
    refused(known, "")


async def test_the_last_use_of_the_first_is_known_to_the_next_daemon(place: Path) -> None:
    """By its hash alone; another token in the file was never used, and is an admin whatever is written about one."""
    known = Tokens()
    created = known.listed()[0]["created_at"]
    known.grant_for(FIRST, HERE)
    known.write_used()
    text = (place / "tokens.json").read_text()
    assert FIRST not in text
    [told] = Tokens().listed()
    assert (told["last_from"], told["created_at"], told["scope"]) == (HERE, created, "admin")
    assert told["last_used_at"] == known.listed()[0]["last_used_at"]
    (place / "tokens.json").write_text(text.replace('"admin"', '"observe"'))
    assert Tokens().grant_for(FIRST, HERE).scope == "admin"
    (place / "token").write_text("another-another")
    assert Tokens().listed()[0]["last_from"] is None
    refused(Tokens(), FIRST)


@pytest.mark.parametrize("since", [-1e9, 1e12])
def test_a_first_token_of_another_age(place: Path, since: float) -> None:
    """However odd its time is, it is one."""
    os.utime(place / "token", (since, since))
    known = Tokens()
    assert known.grant_for(FIRST, HERE)
    assert known.listed()[0]["created_at"]


def test_no_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever came by the first token stays, and nobody new comes by it: what is in the file cannot be known."""
    known, left = Tokens(), []
    known.grant_for(FIRST, HERE).leavers.append(lambda: left.append("it"))

    def none_left(*_: Any) -> int:
        raise OSError(errno.EMFILE, "Too many open files", "token")

    monkeypatch.setattr(tokenfiles.os, "open", none_left)
    refused(known, FIRST)
    monkeypatch.undo()
    assert left == []


def full(*_: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device", "tokens.json.new")


def test_a_full_disk(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is made that could not be written down; what is revoked is so all the same, and written later."""
    known = Tokens()
    secret = known.create("ci", offer())
    code = known.pair(offer())
    monkeypatch.setattr(tokenfiles, "write_whole", full)
    for make in (
        lambda: known.create("new", offer()),
        lambda: known.redeem(code, "box"),
        lambda: known.revoke("ci"),
    ):
        with pytest.raises(DiskFull):
            make()
    assert [told["name"] for told in known.listed()] == ["token"]
    refused(known, secret)
    with pytest.raises(DiskFull):
        known.revoke("token")
    refused(known, FIRST)
    monkeypatch.undo()
    monkeypatch.chdir(place)
    assert known.redeem(code, "box")
    refused(Tokens(), secret)


# -- the first token, when the daemon begins


@pytest.mark.parametrize(
    ("said", "there", "holds"),
    [
        ("", None, None),
        ("", "already-there", "already-there"),
        ("chosen-chosen", "already-there", "chosen-chosen"),
        ("chosen-chosen", None, "chosen-chosen"),
        (" chosen-chosen\n", None, "chosen-chosen"),
        ("short", "already-there", "already-there"),
        ("short", None, None),
        ("two words and more", "already-there", "already-there"),
    ],
)
def test_the_first_token_from_the_start(
    place: Path, monkeypatch: pytest.MonkeyPatch, said: str, there: str | None, holds: str | None
) -> None:
    """What is there stays, unless the environment says another, which goes no further; else it is made."""
    (place / "token").unlink()
    if there:
        (place / "token").write_text(there)
    monkeypatch.setenv("CODEWIRE_TOKEN", said)
    tokenfiles.keep_first()
    found = (place / "token").read_text()
    assert found == holds if holds else len(found) == 32
    assert "CODEWIRE_TOKEN" not in os.environ
