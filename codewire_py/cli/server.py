"""cw server: the daemons elsewhere that are saved by name, and how others come to this one"""

from __future__ import annotations

import os

from codewire_py.cli import context, show
from codewire_py.cli.table import JSON, MANY, Argument, Command, Option
from codewire_py.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from codewire_py.cli.table import Given
    from codewire_py.client.servers import Server, Servers

# Each action: its words, and the options that mean something to it.
ACTIONS = {
    "add": ("NAME URL", "token token_stdin fingerprint code default json"),
    "list": ("", "json"),
    "remove": ("NAME", "json"),
    "rename": ("OLD NEW", "json"),
    "default": ("[NAME]", "none json"),
    "cert": ("", "host force json"),
    "pair": ("", "scope expires json"),
}
LONGEST_TOKEN = 4096


def run(given: Given) -> int:
    context.stay_here("server")
    action = given["action"]
    check(action, given)
    if action in ("cert", "pair"):
        from codewire_py.cli import opening

        return opening.certify(given) if action == "cert" else opening.pair(given)
    if action == "list":
        from codewire_py.cli import probing

        return probing.run(given)
    doing: dict[str, Callable[..., int]] = {
        "add": add,
        "remove": remove,
        "rename": rename,
        "default": default,
    }
    return doing[action](given, *given["words"])


def check(action: str, given: Given) -> None:
    if action not in ACTIONS:
        raise UsageError(f"no action of cw server is called {action!r}", f"one of: {', '.join(ACTIONS)}")
    words, options = ACTIONS[action]
    count = len(given["words"])
    if count > len(words.split()) or count < len(words.replace("[NAME]", "").split()):
        raise UsageError(f"cw server {action} takes {words or 'no words'}", "see: cw server --help")
    for option in COMMAND.options:
        if given[option.name] not in (None, False, []) and option.name not in options.split():
            raise UsageError(
                f"{option.names[0]} means nothing to cw server {action}", "see: cw server --help"
            )
        if given[option.name] == "":  # a script's variable that is not set
            raise UsageError(f"{option.names[0]} is given, and empty", "give it a value, or leave it out")


# -- add


def add(given: Given, name: str, word: str) -> int:
    from codewire_py.client.addresses import normalised
    from codewire_py.client.servers import Server, change, check_name, load

    server = Server(check_name(name), normalised(word))
    same = load(context.home()).at(server.url, name)
    server.fingerprint = fingerprint(given, server, same)
    warn(given, server)
    server.token = token_for(given, server, same)

    def save(servers: Servers) -> None:
        servers.put(server)
        if given["default"]:
            servers.set_default(name)

    change(context.home(), save)
    if not given["json"]:
        show.say(f"Server '{name}' saved.")
    return tell_found(server, given["json"])


def fingerprint(given: Given, server: Server, same: Server | None) -> str:
    """As it is said; else the one that is saved with this address: it is not given up by saying nothing."""
    from codewire_py.client.transports.sockets import parse_fingerprint

    has_certificate = server.url.startswith("wss://")
    if not given["fingerprint"]:
        return same.fingerprint if same and has_certificate else ""
    said = parse_fingerprint(given["fingerprint"])
    if not has_certificate:
        raise UsageError(
            "a fingerprint is of a certificate, which only wss:// has", f"is it wss://? {server.url}"
        )
    return said


def warn(given: Given, server: Server) -> None:
    from codewire_py.client.addresses import is_loopback

    if given["token"]:
        show.note(
            "[cw] a token given as a word is seen in the process list and in histories: better --token-stdin"
        )
    if server.url.startswith("ws://") and not is_loopback(server.url):
        show.note(
            "[cw] ws:// to another machine is not encrypted: whoever is in between reads the token and all else"
        )


def token_for(given: Given, server: Server, same: Server | None) -> str:
    """From where it was said to come; else the one that is saved with this address; else it is asked for."""
    from codewire_py.client.servers import check_token, token_of

    said = [option for option in ("token", "token_stdin", "code") if given[option]]
    if len(said) > 1:
        raise UsageError(
            "--token, --token-stdin and --code are three ways to one token", "choose one of them"
        )
    if given["code"]:
        return redeemed(server, given["code"])
    if given["token"] or given["token_stdin"]:
        return check_token(given["token"] or piped())
    if same and same.token:
        return token_of(same, {})
    if token_of(server, os.environ) or server.url.startswith("ssh://"):
        return ""
    if not os.isatty(0):
        raise UsageError(
            "a server needs a token", "--token-stdin reads it, --code takes a code of cw server pair there"
        )
    return check_token(asked(server.name))


def redeemed(server: Server, code: str) -> str:
    from codewire_py.client.transports.pairing import redeem

    token, name, scope = redeem(server, code, os.uname().nodename)
    show.note(f"[cw] it knows this machine as {show.clean(name)!r}, which may {show.clean(scope)}")
    return token


def piped() -> str:
    token = os.read(0, LONGEST_TOKEN)
    while (
        token
        and not token.endswith(b"\n")
        and len(token) < LONGEST_TOKEN
        and (more := os.read(0, LONGEST_TOKEN))
    ):
        token += more
    found = token.decode("ascii", "replace").strip()
    if not found:
        raise UsageError(
            "there is no token on standard input", "like: cw server add NAME URL --token-stdin < file"
        )
    return found


def asked(name: str) -> str:
    from getpass import getpass

    found = getpass(f"Token for {name}: ").strip()
    if not found:
        raise UsageError("a server needs a token", "make one there with: cw token create NAME")
    return found


def tell_found(server: Server, as_json: bool) -> int:
    """It is saved whatever is found now: laptops sleep, and machines are set up in any order."""
    from codewire_py.cli.probing import probe
    from codewire_py.client.servers import token_of

    server.token = server.token or token_of(server, os.environ)
    found = probe(server, may_ask=True)
    if as_json:
        show.say_json({"name": server.name, "url": server.url, **found})
    elif found["reachable"]:
        show.note(f"[cw] it answers: version {show.clean(found['version'])}, {found['sessions']} session(s)")
    else:
        show.note(f"[cw] but for now: {show.clean(found['error'])}\n{show.clean(found['hint'])}".rstrip())
    return 0


# -- the rest


def remove(given: Given, name: str) -> int:
    from codewire_py.client.servers import change

    change(context.home(), lambda servers: servers.remove(name))
    return tell(given["json"], f"Server '{show.clean(name)}' removed.", {"removed": name})


def rename(given: Given, old: str, new: str) -> int:
    from codewire_py.client.servers import change, check_name

    check_name(new)
    change(context.home(), lambda servers: servers.rename(old, new))
    return tell(
        given["json"], f"Server '{show.clean(old)}' is called '{new}' now.", {"name": new, "was": old}
    )


def default(given: Given, name: str = "") -> int:
    from codewire_py.client.servers import LOCAL, change, load

    if name and given["none"]:
        raise UsageError("a name and --none cannot both be", "cw server default NAME, or --none")
    if name or given["none"]:
        name = "" if name == LOCAL else name
        change(context.home(), lambda servers: servers.set_default(name))
    else:
        name = load(context.home()).default
    told = (
        f"Without --server, commands go to '{show.clean(name)}'." if name else "Commands go to this machine."
    )
    return tell(given["json"], told, {"default": name or None})


def tell(as_json: bool, sentence: str, facts: dict[str, str | None]) -> int:
    if as_json:
        show.say_json(facts)
    else:
        show.say(sentence)
    return 0


COMMAND = Command(
    run,
    "Save servers by name, see which of them answer, and let others come to this one.",
    Argument("action", metavar="|".join(ACTIONS), offers=" ".join(ACTIONS)),
    Argument("words", MANY, "WORD"),
    Option("--token", "add: the token; seen in the process list.", str, metavar="TOKEN"),
    Option("--token-stdin", "add: read the token from standard input."),
    Option(
        "--code", "add: the code that cw server pair shows there, instead of a token.", str, metavar="CODE"
    ),
    Option("--fingerprint", "add: the certificate it must have, and no other.", str, metavar="SHA256"),
    Option("--default", "add: commands without --server go to it from now on."),
    Option("--none", "default: commands go to this machine again."),
    Option(
        "--host",
        "cert: a name or address by which this machine is reached (repeatable).",
        list,
        metavar="NAME",
    ),
    Option("--force", "cert: replace the one that there is."),
    Option(
        "--scope", "pair: what it may do: observe, send, control or admin (control).", str, metavar="SCOPE"
    ),
    Option(
        "--expires",
        "pair: for how long the token is good, once it is fetched (for ever).",
        str,
        metavar="TIME",
    ),
    JSON,
    examples="cw server add gpu-box wss://gpu-box:9100 --token-stdin < token\n"
    "cw server add laptop ssh://me@laptop     no listener, no token: your own ssh\n"
    "cw server list                           who answers, and how fast\n"
    "cw server default gpu-box                from now on without --server\n"
    "cw --server gpu-box attach 1\n"
    "cw server pair                           here: a code to add this machine elsewhere\n"
    "cw server cert --host gpu-box.lan        here: a certificate for wss://",
)
