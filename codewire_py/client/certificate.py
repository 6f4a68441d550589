"""make the certificate that a listener shows: self-signed, so that others trust it by its fingerprint"""

from __future__ import annotations

import os

from codewire_py.client.addresses import named, six
from codewire_py.client.transports.sockets import fingerprint
from codewire_py.errors import CodewireError, UsageError
from codewire_py.home.paths import make_home

CERT, KEY = "tls-cert.pem", "tls-key.pem"
DAYS = 3650
AT_HOME = ("localhost", "127.0.0.1", "::1")
LARGEST = 1 << 20
BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
SEQUENCE = b"\x30"  # how every certificate in DER form begins
REQUEST = """\
[req]
prompt = no
distinguished_name = name
x509_extensions = extensions
[name]
CN = {name}
[extensions]
subjectAltName = {others}
subjectKeyIdentifier = hash
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
"""


def make(home: str, hosts: list[str] | tuple[str, ...] = (), force: bool = False) -> tuple[str, str, str]:
    """(certificate, key, fingerprint): files in the home. They appear whole, and nobody else can ever read the key."""
    import shutil
    import tempfile

    names = names_of(hosts) if hosts else own_names()
    make_home(home)
    cert, key = f"{home}/{CERT}", f"{home}/{KEY}"
    there = [path for path in (cert, key) if os.path.lexists(path)]
    if there and not force:
        raise CodewireError(
            f"there is a certificate already: {there[0]}",
            "whoever trusts it would have to trust the new one: cw server cert --force",
        )
    workshop = tempfile.mkdtemp(prefix=".tls-", dir=home)
    try:
        sign(workshop, names)
        found = fingerprint_of(f"{workshop}/{CERT}")
        for path, name in ((key, KEY), (cert, CERT)):
            os.replace(f"{workshop}/{name}", path)
    finally:
        shutil.rmtree(workshop, ignore_errors=True)
    return cert, key, found


def own_names() -> list[str]:
    host = named(os.uname().nodename)
    return [*([host] if host and host not in AT_HOME else []), *AT_HOME]


def names_of(hosts: list[str] | tuple[str, ...]) -> list[str]:
    """As they stand in a certificate, each once."""
    found = []
    for host in hosts:
        name = named(host) or six(host.strip("[]")).strip("[]")
        if not name or "%" in name:
            raise UsageError(f"{host!r} names no host", "like gpu-box.lan or 192.168.0.7")
        found.append(name)
    return list(dict.fromkeys(found))


def is_number(name: str) -> bool:
    import _socket

    for family in (_socket.AF_INET, _socket.AF_INET6):
        try:
            _socket.inet_pton(family, name)
        except OSError:
            continue
        return True
    return False


def sign(workshop: str, names: list[str]) -> None:
    import subprocess

    others = ", ".join(f"{'IP' if is_number(name) else 'DNS'}:{name}" for name in names)
    with open(f"{workshop}/request", "w", encoding="ascii") as file:
        file.write(REQUEST.format(name=names[0][:64], others=others))
    command = [
        "openssl", "req", "-x509", "-config", "request", "-sha256", "-days", str(DAYS), "-nodes",
        "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-keyout", KEY, "-out", CERT,
    ]  # fmt: skip
    try:
        done = subprocess.run(
            command, cwd=workshop, umask=0o077, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
    except OSError as error:
        raise CodewireError(
            f"cannot make a certificate: openssl: {str(error.strerror).lower()}",
            "install it: apt install openssl",
        ) from error
    if done.returncode != 0:
        last = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise CodewireError(f"cannot make a certificate: openssl says: {last}")


def fingerprint_of(path: str) -> str:
    """Of the first certificate in a file, which is the one that is shown."""
    import ssl

    try:
        with open(path, encoding="latin-1") as file:
            text = file.read(LARGEST)
        begin = text.index(BEGIN)
        der = ssl.PEM_cert_to_DER_cert(text[begin : text.index(END, begin) + len(END)])
        if not der.startswith(SEQUENCE):
            raise ValueError(path)
    except OSError as error:
        raise CodewireError(f"cannot read the certificate {path}: {str(error.strerror).lower()}") from error
    except ValueError as error:
        raise CodewireError(f"there is no certificate in {path}") from error
    return fingerprint(der)
