"""which Host and Origin the listener accepts: the rules that keep web pages out"""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewire_py.config import load
from codewire_py.daemon.listeners import hosts
from codewire_py.daemon.listeners.hosts import Guests, is_loopback, neighbourhood, origin_of, split_host

NAME = os.uname().nodename.lower()
HERE, THERE = "127.0.0.1", "192.0.2.7"


def guests(is_encrypted: bool = False, **environ: str) -> Guests:
    return Guests(
        load("/nowhere", {f"CODEWIRE_{name}": value for name, value in environ.items()}), is_encrypted
    )


ELSEWHERE = guests(
    LISTEN="box.lan:9100",
    EXTERNAL_URL="wss://box.example:8443/ws",
    DAEMON_ALLOWED_HOSTS="other.example, 203.0.113.9",
    DAEMON_ALLOWED_ORIGINS="https://app.example, http://localhost:3000",
)


@pytest.mark.parametrize(
    ("host", "own", "may"),
    [
        ("127.0.0.1:9100", HERE, True),
        ("127.0.0.1", HERE, True),
        ("localhost:9100", HERE, True),
        ("LocalHost", HERE, True),
        ("[::1]:9100", "::1", True),
        ("[::1]", HERE, True),
        ("127.0.0.2:1", HERE, True),
        ("localhost:8022", HERE, True),  # a tunnel has another port
        ("localhost:9100", THERE, False),  # from another machine, that name is a lie
        ("127.0.0.1:9100", THERE, False),
        (THERE, THERE, True),
        (f"{THERE}:9100", THERE, True),
        (f"{THERE}:9100", HERE, False),
        ("192.0.2.8", THERE, False),
        ("[2001:db8::1]:9100", "2001:db8:0::1", True),
        (THERE, f"::ffff:{THERE}", True),
        ("localhost", "::ffff:127.0.0.1", True),
        (NAME, HERE, True),
        (NAME.upper() + ":9100", THERE, True),
        (NAME.partition(".")[0] + ".local", THERE, True),
        ("box.lan", THERE, True),
        ("box.example", HERE, True),
        ("box.example:8443", HERE, True),
        ("other.example:80", HERE, True),
        ("203.0.113.9", HERE, True),
        ("app.example", HERE, False),  # may talk to us, but is not us
        ("evil.example", HERE, False),  # a name that was made to point here
        ("127.0.0.1.evil.example", HERE, False),
        ("localhost.evil.example", HERE, False),
        ("evil.example:9100", HERE, False),
        ("x.box.example", HERE, False),
        ("", HERE, False),
        (":9100", HERE, False),
        (".", HERE, False),
        ("localhost.", HERE, False),
        ("box.example.", HERE, False),
        ("user@localhost", HERE, False),
        ("localhost@evil.example", HERE, False),
        ("localhost:9100@evil.example", HERE, False),
        ("localhost:", HERE, False),
        ("localhost:http", HERE, False),
        ("localhost:99999", HERE, False),
        ("localhost:٣", HERE, False),
        ("localhost:80:80", HERE, False),
        ("[::1", HERE, False),
        ("::1", HERE, False),
        ("[fe80::1%25eth0]", HERE, False),
        ("[::1%lo]", HERE, False),
        ("[localhost]", HERE, False),
        ("[::1]x", HERE, False),
        ("localhost/x", HERE, False),
        ("localhost evil", HERE, False),
        ("localhost,evil.example", HERE, False),
        ("0x7f.1", HERE, False),
        ("2130706433", HERE, False),
        ("0.0.0.0", HERE, False),
    ],
)
def test_a_peer_names_a_host_that_is_us(host: str, own: str, may: bool) -> None:
    """Ours by name or address, as far as the place where it came in can know; whatever is odd is refused."""
    assert ELSEWHERE.may_go_to(host, own) is may


def test_all_addresses_are_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever listens everywhere is still not called 0.0.0.0, nor by an empty name."""
    everywhere = guests(LISTEN="0.0.0.0:9100")
    assert not everywhere.may_go_to("0.0.0.0:9100", THERE)
    assert not everywhere.may_go_to("", THERE)
    assert everywhere.may_go_to(THERE, THERE)


@pytest.mark.parametrize(
    ("origin", "host", "may"),
    [
        ("http://localhost:9100", "localhost:9100", True),
        ("https://box.example", "box.example", True),
        ("HTTP://Box.Example", "box.example", True),
        ("wss://box.example:8443", "other.example", False),
        ("https://box.example:8443", "localhost", True),  # the external one, whoever is asked
        ("https://app.example", "localhost", True),
        ("http://localhost:3000", "localhost:9100", True),
        ("http://localhost:3001", "localhost:9100", False),
        ("http://127.0.0.1:9100", "localhost:9100", False),
        ("http://app.example", "localhost", False),
        ("https://app.example.evil.example", "localhost", False),
        ("https://evil.example", "evil.example:9100", False),
        ("null", "null", False),
        ("null", "localhost", False),
        ("", "localhost", False),
        ("file://localhost", "localhost", False),
        ("ftp://localhost", "localhost", False),
        ("http://localhost:9100/", "localhost:9100", False),
        ("http://user@localhost:9100", "localhost:9100", False),
        ("http://localhost:9100, http://evil.example", "localhost:9100", False),
        ("*", "localhost", False),
    ],
)
def test_a_page_talks_to_where_it_came_from(origin: str, host: str, may: bool) -> None:
    """Or is named in the configuration; scheme, host and port count, and nothing else will do."""
    assert ELSEWHERE.may_come_from(origin, host) is may


def test_an_encrypted_listener_hears_no_unencrypted_page() -> None:
    """What came in the clear may have been written by anybody on the way."""
    assert guests(is_encrypted=True).may_come_from("https://localhost:9100", "localhost:9100")
    assert not guests(is_encrypted=True).may_come_from("http://localhost:9100", "localhost:9100")


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("wss://box.example/ws", "https://box.example"),
        ("ws://box.example:80/ws", "http://box.example"),
        ("https://box.example:443", "https://box.example"),
        ("https://user:word@Box.Example:8443/x", "https://box.example:8443"),
        ("https://[::1]:8443", "https://[::1]:8443"),
        ("ssh://box.example", ""),
        ("nonsense", ""),
        ("https://", ""),
        ("https://[::1", ""),
        ("https://box:port", ""),
    ],
)
def test_origins_of_urls(url: str, origin: str) -> None:
    """As a browser tells them: the usual port is left out."""
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    ("text", "is_it"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("::ffff:127.0.0.1", True), ("0.0.0.0", False),
     ("::", False), ("192.168.0.1", False), ("fe80::1%lo", False), ("localhost", False), ("", False)],
)  # fmt: skip
def test_what_is_loopback(text: str, is_it: bool) -> None:
    """Addresses only: a name could be anything. All addresses are more than this machine."""
    assert is_loopback(text) is is_it


def test_neighbours_of_version_6_count_as_one() -> None:
    """Every host there has 2^64 addresses to fail from."""
    assert (
        neighbourhood("2001:db8::1") == neighbourhood("2001:db8::ffff:1") != neighbourhood("2001:db8:0:1::1")
    )
    assert neighbourhood("192.0.2.1") == neighbourhood("::ffff:192.0.2.1") != neighbourhood("192.0.2.2")
    assert neighbourhood("fe80::1%eth0") == "fe80::/64"
    assert neighbourhood("::1") == "::1"


def test_this_machines_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole, the first part, and what the local network calls it; a name that is none is left out."""

    class Uname:
        nodename = "Box.Example.ORG"

    monkeypatch.setattr(hosts.os, "uname", Uname)  # type: ignore[attr-defined]
    assert hosts.own_names() == {"box.example.org", "box", "box.local"}
    Uname.nodename = "a b"
    assert hosts.own_names() == set()


@given(st.text(alphabet=st.sampled_from("lochst127.:[]@%/\\ \t\0é٣-_,0"), max_size=20))
def test_whatever_is_said_only_us_is_us(host: str) -> None:
    """No spelling of anything else is let in, and none makes trouble."""
    found = split_host(host)
    if guests().may_go_to(host, HERE):
        assert found is not None
        assert found[0] in ("localhost", *hosts.own_names()) or is_loopback(found[0])
