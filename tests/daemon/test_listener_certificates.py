"""the certificates that the listener takes, and what it says of the others"""

from __future__ import annotations

import subprocess
from pathlib import Path

from codewire_py.config import load
from codewire_py.daemon.listeners.opening import (
    open_door,
)
from codewire_py.errors import CodewireError
from lobbies import make_certificate


def door_with(cert: Path, key: Path) -> str:
    """The fingerprint, or why not."""
    environ = {
        "CODEWIRE_LISTEN": "127.0.0.1:0",
        "CODEWIRE_DAEMON_LISTEN_TLS_CERT": str(cert),
        "CODEWIRE_DAEMON_LISTEN_TLS_KEY": str(key),
    }
    try:
        door = open_door(load("/nowhere", environ))
    except CodewireError as error:
        return f"{error.message}; {error.hint}"
    door.listener.close()
    return door.fingerprint


def test_certificates(tmp_path: Path) -> None:
    """A good pair is known by its fingerprint, as openssl tells it; what is wrong with another is named."""
    cert, key = make_certificate(tmp_path)
    told = subprocess.run(
        ["openssl", "x509", "-in", cert, "-noout", "-fingerprint", "-sha256"],
        capture_output=True, text=True, check=True, timeout=10,
    ).stdout  # fmt: skip
    assert door_with(cert, key) == "sha256:" + told.partition("=")[2].strip().replace(":", "").lower()
    for mode in (0o640, 0o604, 0o644):
        key.chmod(mode)
        assert door_with(cert, key) == f"the key {key} can be read by others; chmod 600 {key}"
    key.chmod(0o600)
    (tmp_path / "other").mkdir()
    other, other_key = make_certificate(tmp_path / "other")
    assert "cannot use the certificate" in door_with(cert, other_key)
    assert "cannot use the certificate" in door_with(tmp_path / "none.pem", key)
    assert "cannot read the key" in door_with(cert, tmp_path / "none.pem")
    assert "is not a file" in door_with(cert, tmp_path)
    other.write_bytes(b"\0\xffrubbish")
    assert "cannot use the certificate" in door_with(other, key)
    locked = tmp_path / "locked.pem"
    subprocess.run(
        ["openssl", "ec", "-in", key, "-aes128", "-passout", "pass:secret", "-out", locked],
        capture_output=True, check=True, timeout=10,
    )  # fmt: skip
    locked.chmod(0o600)
    assert "cannot use the certificate" in door_with(cert, locked)
