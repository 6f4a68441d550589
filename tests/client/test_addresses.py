"""what can be the address of a server"""

from __future__ import annotations

import pytest

from codewire_py.client.addresses import host_of, is_address, is_loopback, normalised
from codewire_py.errors import UsageError

MEANT = {
    "ws://gpu:9100": "ws://gpu:9100/ws",
    "ws://gpu:9100/": "ws://gpu:9100/ws",
    "ws://gpu:9100/ws": "ws://gpu:9100/ws",
    "ws://gpu:9100/ws/": "ws://gpu:9100/ws",
    "ws://gpu": "ws://gpu:80/ws",
    "wss://gpu": "wss://gpu:443/ws",
    "wss://gpu:9100/codewire": "wss://gpu:9100/codewire/ws",
    "wss://gpu/a/b/ws": "wss://gpu:443/a/b/ws",
    "wss://gpu/news": "wss://gpu:443/news/ws",
    "wss://gpu/~me/c%20w": "wss://gpu:443/~me/c%20w/ws",
    "http://gpu:9100": "ws://gpu:9100/ws",
    "https://gpu": "wss://gpu:443/ws",
    "HTTPS://GPU.Example.COM/": "wss://gpu.example.com:443/ws",
    "gpu:9100": "ws://gpu:9100/ws",
    "10.0.0.7:9100": "ws://10.0.0.7:9100/ws",
    "localhost:9100/ws": "ws://localhost:9100/ws",
    "gpu:": "ws://gpu:80/ws",
    "[::1]:9100": "ws://[::1]:9100/ws",
    "ws://[2001:DB8::7]": "ws://[2001:db8::7]:80/ws",
    "ws://[fe80::1%eth0]:9100": "ws://[fe80::1%eth0]:9100/ws",
    "wss://bücher.example": "wss://xn--bcher-kva.example:443/ws",
    "ssh://gpu": "ssh://gpu",
    "ssh://gpu/": "ssh://gpu",
    "ssh://me@gpu:2222": "ssh://me@gpu:2222",
    "ssh://Me.x-1@GPU": "ssh://Me.x-1@gpu",
    "ssh://me@[::1]:22": "ssh://me@[::1]:22",
}
NONE = [
    "", "ws://", "ws://:9100", "ws:///ws", ":9100", "ftp://gpu", "://gpu", "ws://gpu:0", "ws://gpu:65536", "ws://gpu:x",
    "ws://gpu:-1", "ws://gpu:+1", "ws://gpu:9100:9100", "::1:9100", "ws://[::1", "ws://[::1]9100", "ws://[gpu]:1",
    "ws://[::1%]:1", "ws://[::1%a/b]:1", "ws://-gpu:1", "ws://.gpu:1", "ws://gp u:1", " ws://gpu:1", "ws://gpu:1\n",
    "ws://gpu\x1b:1", "ws://gpu\\x:1", "ws://gpu'x:1", "ws://$(id):1", "ws://gpu:1/a b", "ws://gpu:1/<x>", "ws://gpu:१",
    "ws://gpu:1/é", "ws://gp\u200bu:1", "ws://" + "a" * 300 + ":1", "ws://gpu:1/" + "a" * 3000,
    "ssh://-oProxyCommand=id", "ssh://-l@gpu", "ssh://@gpu", "ssh://me@", "ssh://me@-gpu", "ssh://me you@gpu",
    "ssh://me;id@gpu", "ssh://gpu/home/me", "ssh://gpu:22x", "ssh://a@b@gpu",
]  # fmt: skip
SECRETS = [
    "ws://gpu:9100/ws?token=hunter2", "ws://gpu:9100?hunter2", "ws://gpu:9100#hunter2", "wss://me:hunter2@gpu",
    "wss://hunter2@gpu", "ssh://me:hunter2@gpu", "gpu:9100?token=hunter2", "hunter2@gpu:9100", "wss://gpu/#hunter2",
    "ws://x hunter2:1", "ssh://gpu?hunter2", "ws://a@hunter2@gpu:1",
]  # fmt: skip


@pytest.mark.parametrize(("word", "url"), MEANT.items(), ids=MEANT)
def test_what_is_meant(word: str, url: str) -> None:
    """One way of writing for each, and writing it so changes nothing any more."""
    assert normalised(word) == url
    assert normalised(url) == url


@pytest.mark.parametrize("word", NONE, ids=lambda word: ascii(word)[:40])
def test_what_is_none(word: str) -> None:
    """Nothing that a shell, ssh or a terminal would act on gets through; each refusal is one line that says why."""
    with pytest.raises(UsageError) as refused:
        normalised(word)
    assert refused.value.message
    assert refused.value.message.isprintable()
    assert refused.value.hint


@pytest.mark.parametrize("word", SECRETS)
def test_a_secret_in_an_address_is_refused_and_not_repeated(word: str) -> None:
    """The sentence says where a token belongs, and does not show the one that was typed."""
    with pytest.raises(UsageError) as refused:
        normalised(word)
    assert "hunter2" not in refused.value.message + refused.value.hint


def test_a_token_in_an_address_is_told_where_it_belongs() -> None:
    """It is refused there: addresses are shown and logged."""
    with pytest.raises(UsageError) as refused:
        normalised("ws://gpu:9100/ws?token=x")
    assert "--token-stdin" in refused.value.hint
    assert "CODEWIRE_TOKEN" in refused.value.hint


@pytest.mark.parametrize(
    ("word", "yes"), [("gpu", False), ("gpu-box.lan", False), ("gpu:1", True), ("ws://x", True)]
)
def test_names_have_no_colons(word: str, yes: bool) -> None:
    """So a word that has one was meant as an address."""
    assert is_address(word) is yes


@pytest.mark.parametrize(
    ("url", "host", "near"),
    [
        ("ws://localhost:1/ws", "localhost", True),
        ("ws://a.localhost:1/ws", "a.localhost", True),
        ("ws://127.0.0.1:1/ws", "127.0.0.1", True),
        ("ws://127.1.2.3:1/ws", "127.1.2.3", True),
        ("ws://[::1]:1/ws", "[::1]", True),
        ("ws://127.example.com:1/ws", "127.example.com", False),
        ("ws://127.a.b.c:1/ws", "127.a.b.c", False),
        ("ws://[::2]:1/ws", "[::2]", False),
        ("ws://gpu:1/localhost/ws", "gpu", False),
        ("ssh://localhost@gpu", "gpu", False),
    ],
)
def test_whether_it_is_this_machine(url: str, host: str, near: bool) -> None:
    """A name that only begins like an address of this machine is not one."""
    assert host_of(url) == host
    assert is_loopback(url) is near
