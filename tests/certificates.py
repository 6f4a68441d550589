"""a self-signed certificate and its key, made for one test"""

from __future__ import annotations

import hashlib
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Pair:
    certificate: Path
    key: Path
    fingerprint: str


def new_pair(folder: Path, *hosts: str) -> Pair:
    """`hosts`: names, or addresses as `IP:10.0.0.1`."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    names = ",".join(host if host.startswith("IP:") else f"DNS:{host}" for host in hosts)
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=cw", "-addext", f"subjectAltName={names}", "-keyout", str(key), "-out", str(certificate),
        ],
        check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    key.chmod(0o600)
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate.read_text())).hexdigest()
    return Pair(certificate, key, digest)
