"""the listener's certificate: what TLS is spoken with, and the fingerprint others know it by"""

from __future__ import annotations

import hashlib
import os
import ssl
import stat

from codewire_py.errors import ConfigError


def open_tls(cert: str, key: str) -> ssl.SSLContext | None:
    """None: no certificate was named, so nothing is encrypted."""
    if not cert and not key:
        return None
    if not cert or not key:
        raise ConfigError("daemon.listen_tls_cert and daemon.listen_tls_key belong together")
    check_secret(key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(cert, key, password=lambda: "")  # never asks a terminal
    except (OSError, ValueError) as error:  # an SSLError is an OSError
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
        said = str(reason).lower().replace("_", " ")
        raise ConfigError(f"cannot use the certificate {cert} with its key {key}: {said}") from error
    return context


def check_secret(key: str) -> None:
    try:
        mode = os.stat(key).st_mode
    except OSError as error:
        raise ConfigError(f"cannot read the key {key}: {str(error.strerror).lower()}") from error
    if not stat.S_ISREG(mode):
        raise ConfigError(f"the key {key} is not a file")
    if mode & 0o077:
        raise ConfigError(f"the key {key} can be read by others", f"chmod 600 {key}")


def fingerprint_of(cert: str) -> str:
    """Of the first certificate in the file, which is the one that is shown."""
    try:
        with open(cert, encoding="latin-1") as file:
            text = file.read(1 << 20)
        begin = text.index("-----BEGIN CERTIFICATE-----")
        end = text.index("-----END CERTIFICATE-----", begin) + len("-----END CERTIFICATE-----")
        der = ssl.PEM_cert_to_DER_cert(text[begin:end])
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot read the certificate {cert}") from error
    return "sha256:" + hashlib.sha256(der).hexdigest()
