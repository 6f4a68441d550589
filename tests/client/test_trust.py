"""whom a client trusts: the certificate with the saved fingerprint, or one from an authority; and when TLS is missing"""

from __future__ import annotations

import hashlib
import re
import socket
import subprocess
from pathlib import Path

import pytest

from codewire_py.client.certificate import make
from codewire_py.client.servers import Server
from codewire_py.client.transports import web
from codewire_py.client.transports.sockets import connect, fingerprint, not_understood, parse_fingerprint
from codewire_py.errors import ConfigError, Unreachable, Untrusted, UsageError
from listeners import SECRET, Pair, encrypted, listening, plain_http, refused, server, talk


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    folder = tmp_path_factory.mktemp("pair")
    folder.chmod(0o700)
    return Pair(*make(str(folder), ["localhost", "127.0.0.1"]))


# ── which certificate is trusted ──────────────────────────────────────────────────────────────────────


def test_one_that_is_pinned_is_trusted_whatever_it_says(pair: Pair) -> None:
    """The fingerprint alone decides, in every form it may be written in; names do not matter."""
    digest = pair.fingerprint.removeprefix("sha256:")
    colons = ":".join(digest[at : at + 2] for at in range(0, 64, 2)).upper()
    with listening(encrypted(pair.cert, pair.key)) as listener:
        for form in (pair.fingerprint, digest.upper(), f"SHA256:{colons}", f"sha256 Fingerprint={colons}"):
            assert talk(server(listener.port, form)) == SECRET


def test_one_from_a_known_authority_is_trusted(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a fingerprint the system's authorities decide, as SSL_CERT_FILE names them."""
    monkeypatch.setenv("SSL_CERT_FILE", pair.cert)
    with listening(encrypted(pair.cert, pair.key)) as listener:
        assert talk(server(listener.port)) == SECRET
        assert talk(server(listener.port, host="localhost")) == SECRET


def test_one_from_nobody_known_is_not_trusted_and_the_hint_trusts_it(pair: Pair) -> None:
    """The command in the hint holds the very fingerprint it showed, and following it works."""
    with listening(encrypted(pair.cert, pair.key)) as listener:
        error = refused(server(listener.port), Untrusted)
        assert "no authority that this machine knows" in error.message
        found = re.search(r"cw server add box (\S+) --fingerprint (\S+)$", error.hint)
        assert found
        assert found[2] == pair.fingerprint
        assert talk(Server("box", found[1], "", found[2])) == SECRET


def test_one_for_another_host_is_not_trusted(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An authority we know may have signed it: it is not for this host."""
    tmp_path.chmod(0o700)
    other = Pair(*make(str(tmp_path), ["somewhere.else"]))
    monkeypatch.setenv("SSL_CERT_FILE", other.cert)
    with listening(encrypted(other.cert, other.key)) as listener:
        error = refused(server(listener.port), Untrusted)
        assert "its certificate is not for 127.0.0.1" in error.message
        error = refused(server(listener.port, host="localhost"), Untrusted)
        assert "its certificate is not for localhost" in error.message


def test_one_that_has_expired_is_not_trusted(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even when its authority is known."""
    request, cert, names = tmp_path / "request", tmp_path / "cert", tmp_path / "names"
    names.write_text("subjectAltName = IP:127.0.0.1\n")
    openssl("req", "-new", "-key", pair.key, "-subj", "/CN=x", "-out", str(request))
    openssl(
        "x509", "-req", "-in", str(request), "-signkey", pair.key, "-days", "-1", "-extfile", str(names),
        "-out", str(cert),
    )  # fmt: skip
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    with listening(encrypted(str(cert), pair.key)) as listener:
        error = refused(server(listener.port), Untrusted)
    assert "its certificate has expired" in error.message


def openssl(*words: str) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True, timeout=20)


def test_another_one_than_the_pinned_one_hears_nothing(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even if its authority is known: whoever is in between gets no byte."""
    tmp_path.chmod(0o700)
    other = Pair(*make(str(tmp_path), ["127.0.0.1"]))
    monkeypatch.setenv("SSL_CERT_FILE", other.cert)
    with listening(encrypted(other.cert, other.key)) as listener:
        error = refused(server(listener.port, pair.fingerprint), Untrusted)
    assert f"another certificate than the one that is trusted: {other.fingerprint}" in error.message
    assert listener.heard in ([], [b""])


def test_a_saved_fingerprint_that_is_none_is_told_before_anything_is_done(pair: Pair) -> None:
    """No connection is made for it."""
    with pytest.raises(ConfigError, match="the fingerprint of server 'box'"):
        connect(server(1, "sha256:AB"), 5)


@pytest.mark.parametrize(
    "text", ["", "sha256:", "ab" * 31, "ab" * 33, "zz" * 32, "sha1:" + "ab" * 32, "é" * 64]
)
def test_what_is_no_fingerprint(text: str) -> None:
    """Anything but 64 hex digits is refused."""
    with pytest.raises(UsageError):
        parse_fingerprint(text)


def test_a_fingerprint_is_the_hash_of_the_certificate() -> None:
    """The form others can compare: SHA-256 over the DER."""
    assert fingerprint(b"der") == "sha256:" + hashlib.sha256(b"der").hexdigest()
    assert parse_fingerprint(fingerprint(b"der").upper()) == fingerprint(b"der")


# ── TLS on one side only ──────────────────────────────────────────────────────────────────────────────


def test_a_plain_listener_at_a_wss_address() -> None:
    """Said so, with the address that would do."""
    with listening(plain_http) as listener:
        error = refused(server(listener.port), Unreachable)
        assert "it speaks no TLS" in error.message
        assert error.hint == f"without TLS that is ws://127.0.0.1:{listener.port}/ws"


def test_a_listener_that_hangs_up_at_a_wss_address() -> None:
    """Some say nothing to what they do not understand."""
    with listening(lambda peer: b"") as listener:
        assert "it hung up on TLS" in refused(server(listener.port), Unreachable).message


def test_a_tls_listener_at_a_ws_address(pair: Pair) -> None:
    """Whoever got no sensible answer finds out why."""
    with listening(encrypted(pair.cert, pair.key)) as listener:
        error = not_understood(server(listener.port, scheme="ws"))
        assert "it speaks TLS" in error.message
        assert error.hint == f"with TLS that is wss://127.0.0.1:{listener.port}/ws"
    with listening(plain_http) as listener:
        assert "no listener of cw" in not_understood(server(listener.port, scheme="ws")).message


def test_a_websocket_to_a_tls_listener(pair: Pair) -> None:
    """The same for whoever dials: it is not left at a closed connection."""
    with (
        listening(encrypted(pair.cert, pair.key)) as listener,
        pytest.raises(Unreachable, match="it speaks TLS"),
    ):
        web.dial(server(listener.port, scheme="ws"), 5)


def test_a_websocket_to_a_proxy_that_speaks_only_tls() -> None:
    """Some answer in plain HTTP that they do not; here nobody speaks it after all."""
    said = b"Client sent an HTTP request to an HTTPS server.\n"

    def proxy(peer: socket.socket) -> bytes:
        data = peer.recv(2000)
        peer.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\n\r\n%s" % (len(said), said))
        return data

    with listening(proxy) as listener, pytest.raises(Unreachable, match="no listener of cw"):
        web.dial(server(listener.port, scheme="ws"), 5)
