"""say who may come in from elsewhere"""

from __future__ import annotations

from codewire_py.daemon import limits
from codewire_py.daemon.pairing import Offer
from codewire_py.daemon.talk import Talk
from codewire_py.errors import UsageError
from codewire_py.home.paths import number_of
from codewire_py.wire import messages

ACTIONS = ("create", "list", "revoke", "pair")


async def handle(request: messages.Token, talk: Talk) -> messages.Tokens:
    house, tokens, secret, waits = talk.house, talk.house.tokens, "", 0.0
    if request.action not in ACTIONS:
        raise UsageError(f"no action of token is called {request.action!r}", f"one of: {', '.join(ACTIONS)}")
    if request.action == "revoke":
        about = [tokens.revoke(request.name, talk.scope.cancel)]
    elif request.action == "list":
        about = tokens.listed()
    elif request.action == "pair":
        secret, about = tokens.pair(offer_in(request, talk), talk.grant), []
        waits = limits.PAIR_SECONDS
    else:
        secret = tokens.create(request.name, offer_in(request, talk), talk.grant)
        about = [told for told in tokens.listed() if told["name"] == request.name]
    return messages.Tokens(
        tokens=about,
        secret=secret,
        url=house.url,
        fingerprint=house.fingerprint,
        trouble=house.trouble,
        waits=waits,
    )


def offer_in(request: messages.Token, talk: Talk) -> Offer:
    """A name may be of a session to come; an id is of one that is there, or whoever gets it would be seen."""
    words = tuple(dict.fromkeys(word.removeprefix("@") for word in request.sessions))
    for word in words:
        if number_of(word):
            talk.sessions.find(word)
    return Offer(request.name, request.scope, words, request.expires)
