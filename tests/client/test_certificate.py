"""the certificate that a listener shows: what is in it, who can read it, and when it is not made"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import threading
from pathlib import Path

import pytest

from codewire_py.client.certificate import CERT, KEY, fingerprint_of, make
from codewire_py.errors import CodewireError, UsageError

SAN = "subjectAltName"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "home"
    path.mkdir(0o700)
    return path


def shown(cert: Path, *what: str) -> str:
    done = subprocess.run(
        ["openssl", "x509", "-in", str(cert), "-noout", *what],
        check=True,
        capture_output=True,
        text=True,
        timeout=20,
    )
    return done.stdout


def names_in(cert: Path) -> list[str]:
    return re.findall(r"(?:DNS|IP Address):([^,\s]+)", shown(cert, "-ext", SAN))


def test_what_is_made(folder: Path) -> None:
    """An elliptic key, ten years, this machine's names; its fingerprint is the one openssl sees."""
    cert, key, fingerprint = make(str(folder))
    assert (cert, key) == (f"{folder}/{CERT}", f"{folder}/{KEY}")
    text = shown(folder / CERT, "-text")
    assert "NIST CURVE: P-256" in text
    assert "CA:FALSE" in text
    subprocess.run(
        ["openssl", "x509", "-in", cert, "-noout", "-checkend", str(3640 * 86400)], check=True, timeout=20
    )
    host = os.uname().nodename.lower()
    assert names_in(folder / CERT) == [
        *([host] if host != "localhost" else []), "localhost", "127.0.0.1", "0:0:0:0:0:0:0:1",
    ]  # fmt: skip
    digits = (
        shown(folder / CERT, "-fingerprint", "-sha256").partition("=")[2].strip().replace(":", "").lower()
    )
    assert fingerprint == fingerprint_of(cert) == f"sha256:{digits}"


def test_the_hosts_that_are_named(folder: Path) -> None:
    """Names and addresses, each once and as what it is."""
    make(str(folder), ["GPU-box.lan", "10.1.2.3", "[::1]", "::1", "gpu-box.lan"])
    assert shown(folder / CERT, "-ext", SAN).splitlines()[1].strip() == (
        "DNS:gpu-box.lan, IP Address:10.1.2.3, IP Address:0:0:0:0:0:0:0:1"
    )


@pytest.mark.parametrize(
    "host", ["", "a b", "x,IP:1.2.3.4", "$ENV::HOME", "-x", "x\ny", "fe80::1%eth0", "a/b"]
)
def test_what_names_no_host(folder: Path, host: str) -> None:
    """Nothing can be smuggled into a certificate, and nothing is made."""
    with pytest.raises(UsageError):
        make(str(folder), [host])
    assert os.listdir(folder) == []


def test_nobody_else_ever_reads_the_key(folder: Path) -> None:
    """Whatever the umask: while openssl runs, its folder is closed to others, and the key is 0600."""
    before = os.umask(0)
    try:
        _, key, _ = make(str(folder))
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat(key).st_mode) == 0o600
    assert os.stat(key).st_size > 0


def test_the_key_is_closed_from_its_first_moment(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also while it is written: looked at from within openssl."""
    saw = wrap_openssl(tmp_path, monkeypatch, 'umask > "$SAW"; stat -c %a . >> "$SAW"; exec "$REAL" "$@"')
    make(str(folder))
    assert saw.read_text().split() == ["0077", "700"]


def wrap_openssl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Path:
    """Another openssl is found first; the file where it may leave what it saw."""
    real = shutil.which("openssl")
    assert real
    programs, saw = tmp_path / "programs", tmp_path / "saw"
    programs.mkdir()
    (programs / "openssl").write_text(f"#!/bin/sh\n{script}\n")
    (programs / "openssl").chmod(0o755)
    for name, value in (("SAW", str(saw)), ("REAL", real), ("PATH", f"{programs}:{os.environ['PATH']}")):
        monkeypatch.setenv(name, value)
    return saw


def test_one_that_is_there_is_kept(folder: Path) -> None:
    """Others trust it: it is replaced only on request, and then wholly."""
    cert, key, first = make(str(folder))
    with pytest.raises(CodewireError, match="there is a certificate already") as caught:
        make(str(folder))
    assert caught.value.hint.endswith("cw server cert --force")
    assert fingerprint_of(cert) == first
    old_key = Path(key).read_bytes()
    assert make(str(folder), force=True)[2] == fingerprint_of(cert) != first
    assert Path(key).read_bytes() != old_key


@pytest.mark.parametrize("name", [CERT, KEY])
def test_half_a_pair_is_kept_too(folder: Path, name: str) -> None:
    """A key without its certificate may still be somebody's."""
    (folder / name).write_text("mine")
    with pytest.raises(CodewireError, match=name):
        make(str(folder))
    assert (folder / name).read_text() == "mine"
    assert os.listdir(folder) == [name]


def test_without_openssl(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said, with what to install; nothing is left behind."""
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(CodewireError, match="cannot make a certificate: openssl") as caught:
        make(str(folder))
    assert "apt install openssl" in caught.value.hint
    assert os.listdir(folder) == []


def test_an_openssl_that_fails(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last words are told; what there was stays."""
    _, _, first = make(str(folder))
    wrap_openssl(
        tmp_path,
        monkeypatch,
        "echo begun > tls-key.pem; echo one >&2; echo no curve of that name >&2; exit 1",
    )
    with pytest.raises(CodewireError, match="openssl says: no curve of that name"):
        make(str(folder), force=True)
    assert fingerprint_of(f"{folder}/{CERT}") == first
    assert sorted(os.listdir(folder)) == [CERT, KEY]


def test_no_half_certificate_is_ever_seen(folder: Path) -> None:
    """Somebody who reads all the while finds a whole one each time."""
    cert, _, _ = make(str(folder))
    over, trouble = threading.Event(), []

    def look() -> None:
        while not over.is_set():
            try:
                fingerprint_of(cert)
            except CodewireError as error:
                trouble.append(error)

    looking = threading.Thread(target=look)
    looking.start()
    for _ in range(3):
        make(str(folder), force=True)
    over.set()
    looking.join(20)
    assert trouble == []


def test_a_file_that_is_no_certificate(tmp_path: Path) -> None:
    """Named, whether it is missing or something else."""
    with pytest.raises(CodewireError, match="no such file"):
        fingerprint_of(str(tmp_path / "missing"))
    for text in (
        "",
        "-----BEGIN CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n",
    ):
        (tmp_path / "odd").write_text(text)
        with pytest.raises(CodewireError, match="there is no certificate in"):
            fingerprint_of(str(tmp_path / "odd"))


def test_of_a_chain_it_is_the_first(folder: Path, tmp_path: Path) -> None:
    """That is the one a listener shows."""
    cert, _, first = make(str(folder))
    (tmp_path / "other").mkdir(0o700)
    other, _, _ = make(str(tmp_path / "other"))
    (tmp_path / "chain").write_text("some words\n" + Path(cert).read_text() + Path(other).read_text())
    assert fingerprint_of(str(tmp_path / "chain")) == first
