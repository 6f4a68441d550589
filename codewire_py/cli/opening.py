"""let others come to this daemon: a certificate for its listener, a code for another machine"""

from __future__ import annotations

import os
import time

from codewire_py.cli import context, show
from codewire_py.errors import CodewireError, ConfigError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codewire_py.cli.table import Given
    from codewire_py.wire.messages import Token, Tokens

NO_LISTENER = """give it one in config.toml, then cw restart:

  [daemon]
  listen = "127.0.0.1:9100"    # for other machines: 0.0.0.0:9100 and a certificate (cw server cert)

by ssh none is needed: cw server add NAME ssh://{user}@{host}"""
LOOK_SECONDS = 2.0  # at most: a name of the address may take its time


# -- the listener


def tell_listener(home: str) -> None:
    """Whoever starts the daemon on purpose hears what its listener lacks, if it is to have one."""
    from codewire_py.client.connection import ask
    from codewire_py.wire.messages import Token, Tokens

    try:
        listen = context.config().daemon_listen
    except ConfigError as error:
        show.note(f"[cw] {error.message}; the defaults are in force")
        return
    until = time.monotonic() + LOOK_SECONDS
    while listen and time.monotonic() < until:
        told = ask(home, Token(), Tokens)
        if told.trouble:
            show.note(f"[cw] there is no listener: {told.trouble}")
        if told.url or told.trouble:
            return
        time.sleep(0.02)


# -- a certificate


def certify(given: Given) -> int:
    from codewire_py.client.certificate import make
    from codewire_py.client.toml import text

    cert, key, fingerprint = make(context.home(), given["host"], given["force"])
    if given["json"]:
        show.say_json({"cert": cert, "key": key, "fingerprint": fingerprint})
        return 0
    show.say(fingerprint)
    show.note(
        f"[cw] certificate {show.clean(cert)}, key {show.clean(key)}; to use them, in config.toml, then cw restart:\n\n"
        f'  [daemon]\n  listen = "0.0.0.0:9100"\n  listen_tls_cert = {text(cert)}\n  listen_tls_key = {text(key)}'
    )
    return 0


# -- a code


def pair(given: Given) -> int:
    """The very line to type on the other machine."""
    from codewire_py.client.connection import ask
    from codewire_py.wire.messages import Token, Tokens

    told = ask(context.home(), Token(), Tokens)
    if told.trouble:
        raise CodewireError(told.trouble, "when that is mended: cw restart")
    if not told.url:
        host, user = os.uname().nodename, os.environ.get("USER", "you")
        raise CodewireError("this daemon has no listener", NO_LISTENER.format(host=host, user=user))
    request = request_for(given, told.url)
    told = ask(context.home(), request, Tokens) if request else told
    line = line_for(told)
    if given["json"]:
        show.say_json({"line": line, "code": told.secret, "url": told.url, "fingerprint": told.fingerprint})
        return 0
    soon = f"within {told.waits / 60:.0f} minutes" if told.waits else "soon"
    when = f"once, {soon}" if told.secret else "for whoever may log in here by ssh"
    show.note(f"[cw] on the other machine, {when}:\n")
    if os.isatty(1):
        show.say(f"{drawn(line)}\n")
    show.say(line)
    return 0


def request_for(given: Given, url: str) -> Token | None:
    """None: who comes by ssh needs no code, and is the user that logs in, whatever a code would say."""
    from codewire_py.cli.moments import duration
    from codewire_py.wire.messages import Token

    if not url.lower().startswith("ssh://"):
        expires = duration(given["expires"]) if given["expires"] else 0.0
        return Token(action="pair", scope=given["scope"] or "control", expires=expires)
    if given["scope"] or given["expires"]:
        raise UsageError(
            "others come here by ssh (external_url), as the user that logs in: --scope and --expires mean nothing",
            "without them: cw server pair",
        )
    return None


def line_for(told: Tokens) -> str:
    from shlex import quote

    url = reachable(told.url)
    words = ["cw", "server", "add", own_name(), url]
    if told.secret:
        words += ["--code", told.secret]
    if told.fingerprint and url.startswith("wss://") and is_own(context.config().daemon_listen_tls_cert):
        words += ["--fingerprint", told.fingerprint]
    return " ".join(map(quote, words))


def is_own(cert: str) -> bool:
    """One that an authority signed is trusted without, and will be another one in a few weeks."""
    from codewire_py.client.certificate import CERT

    return not cert or os.path.realpath(cert) == os.path.realpath(f"{context.home()}/{CERT}")


def own_name() -> str:
    """By which the other machine will call this one; what is too long or odd is cut."""
    from codewire_py.client.servers import LOCAL, LONGEST_NAME, NAME_LETTERS

    name = "".join(char for char in context.config().daemon_name if char in NAME_LETTERS)
    name = name.lstrip("-")[:LONGEST_NAME]
    return name if name and name != LOCAL else "server"


def reachable(url: str) -> str:
    """Whole; if it is this machine alone that can reach it, say so."""
    from codewire_py.client.addresses import is_loopback, normalised

    url = normalised(url)
    if is_loopback(url):
        show.note(
            "[cw] it listens for this machine alone; if others reach it through a tunnel or proxy, say by which "
            "address: external_url in [daemon] of config.toml"
        )
    return url


def drawn(line: str) -> str:
    """As a picture for a camera, two rows of it in one line of text."""
    import io

    import segno

    picture = io.StringIO()
    segno.make(line, error="l").terminal(picture, compact=True)
    return picture.getvalue().rstrip("\n")
