"""a session whose program prints a file when it is told to, by a way that is not its terminal"""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Sequence

from benching.clock import Deadline, Late
from benching.contestants import Contestant
from benching.material import READY, Materials
from benching.terminals import Audience, Client

Attach = Callable[[str], Client]  # to a session
BETWEEN_CALLS = 0.3
SECONDS_TO_ATTACH = 20.0


class Player:
    def __init__(self, host: Contestant, materials: Materials, file: str) -> None:
        stem = f"{host.directory}/player-{host.launched}"
        self.gate = open_pipe(host, f"{stem}.gate")
        self.played = open_pipe(host, f"{stem}.played")
        argv = ["/bin/sh", materials.player, f"{stem}.gate", f"{stem}.played", file]
        self.session = host.launch(argv)

    def order(self, word: str) -> None:
        os.write(self.gate, f"{word}\n".encode())

    def await_played(self, seconds: float) -> None:
        """Until the program has handed its last byte to its terminal."""
        deadline = Deadline(seconds, "the program's end")
        if not select.select([self.played], [], [], deadline.left())[0]:
            deadline.left()
        os.read(self.played, 64)


def open_pipe(host: Contestant, path: str) -> int:
    os.mkfifo(path, 0o600)
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)  # both ends: neither side ever waits to open
    host.closing.callback(os.close, descriptor)
    return descriptor


def attach(host: Contestant, player: Player, count: int = 1, by: Attach | None = None) -> Audience:
    """Attach `count` clients; each has shown output printed after all were started, and is silent again."""
    attach_one = by or host.attach
    audience = Audience([attach_one(player.session) for _ in range(count)])
    deadline = Deadline(SECONDS_TO_ATTACH, f"{count} clients attached")
    player.order("hello")
    while not audience.look_for(READY, deadline, stall=BETWEEN_CALLS):
        if any(client.is_gone for client in audience.clients):
            raise Late("a client left while attaching")
        player.order("hello")
    audience.drain()
    return audience


def launch_detached(host: Contestant, materials: Materials, files: Sequence[str]) -> list[Player]:
    """A player for each file, each once attached to and left: screen gives a terminal its size only then."""
    players = [Player(host, materials, file) for file in files]
    audiences = [attach(host, player) for player in players]
    for audience in audiences:
        for client in audience.clients:
            client.close()
    return players
