"""clients in terminals of their own, and what arrives there"""

from __future__ import annotations

import fcntl
import os
import select
import struct
import termios
import time
from collections.abc import Mapping, Sequence

from benching.clock import Deadline, Late
from benching.processes import end_process
from benching.spawning import await_exit

ROWS, COLUMNS = 50, 200
CHUNK = 65536
NOTHING_MORE = 0.2  # seconds of silence after which a client has said what it had to say


class Client:
    """A command in a terminal of 50 rows and 200 columns that we hold the other end of."""

    def __init__(self, argv: list[str], env: Mapping[str, str]) -> None:
        self.terminal, inner = os.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        os.set_blocking(self.terminal, False)
        actions = [
            (
                os.POSIX_SPAWN_OPEN,
                0,
                os.ttyname(inner),
                os.O_RDWR,
                0,
            ),  # the leader's first terminal is its own
            (os.POSIX_SPAWN_DUP2, 0, 1),
            (os.POSIX_SPAWN_DUP2, 0, 2),
        ]
        self.received = 0
        self.is_gone = False
        self.started = time.perf_counter()
        self.pid = os.posix_spawn(argv[0], argv, env, file_actions=actions, setsid=True)
        os.close(inner)

    def read(self) -> bytes:
        """What is there now, up to one chunk; nothing when there is nothing."""
        try:
            data = os.read(self.terminal, CHUNK)
        except BlockingIOError:
            return b""
        except OSError:  # EIO: it has left its terminal
            data = b""
        self.is_gone = not data
        shown = self.shown(data)
        self.received += len(shown)
        return shown

    def shown(self, data: bytes) -> bytes:
        """What of the bytes that came is for the eye: in a terminal, all."""
        return data

    def read_soon(self, deadline: Deadline) -> bytes:
        """The next bytes to arrive."""
        if not select.select([self.terminal], [], [], deadline.left())[0]:
            deadline.left()
        data = self.read()
        if self.is_gone:
            raise Late(f"the client left: {deadline.what}")
        return data

    def type(self, data: bytes) -> None:
        os.write(self.terminal, data)

    def hang_up(self) -> None:
        if self.terminal >= 0:
            os.close(self.terminal)
            self.terminal = -1

    def close(self) -> None:
        """Hang up, which makes it detach, and wait until it has."""
        self.hang_up()
        if not self.pid:
            return
        try:
            await_exit(self.pid, Deadline.past_budget(2, "a client that was hung up"))
        except Late:
            end_process(self.pid)
        os.waitpid(self.pid, 0)
        self.pid = 0


class Audience:
    """Several clients, read side by side as fast as they print."""

    def __init__(self, clients: Sequence[Client]) -> None:
        self.clients = list(clients)
        self.seen_at: dict[int, float] = {}  # client's terminal -> when it showed what we look for

    def count_anew(self) -> None:
        for client in self.clients:
            client.received = 0

    def look_for(self, token: bytes, deadline: Deadline, *, stall: float) -> bool:
        """Read until every client has shown `token`; False when nothing comes any more from those left."""
        self.seen_at = {}
        tails = {client.terminal: b"" for client in self.clients}
        readers = {client.terminal: client for client in self.clients if not client.is_gone}
        with select.epoll() as waiting:
            for terminal in readers:
                waiting.register(terminal, select.EPOLLIN)
            while len(self.seen_at) < len(self.clients):
                ready = waiting.poll(min(stall, deadline.left()))
                if not ready:
                    return False
                for terminal, _ in ready:
                    tails[terminal] = self.take(readers[terminal], token, tails[terminal])
                for terminal in [terminal for terminal, _ in ready if readers[terminal].is_gone]:
                    waiting.unregister(terminal)
        return True

    def take(self, client: Client, token: bytes, tail: bytes) -> bytes:
        """Read once, look for `token` there and across the seam; what the next seam needs is returned."""
        data = client.read()
        seam = tail + data[: len(token)]
        if client.terminal not in self.seen_at and (token in data or token in seam):
            self.seen_at[client.terminal] = time.perf_counter()
        return (seam if len(data) < len(token) else data)[-len(token) :]

    def drain(self) -> None:
        """Read until nobody has said anything for a moment."""
        deadline = Deadline(10, "silence of the clients")
        terminals = [client.terminal for client in self.clients]
        while terminals:
            ready = select.select(terminals, [], [], min(NOTHING_MORE, deadline.left()))[0]
            if not ready:
                return
            for client in self.clients:
                if client.terminal in ready and not client.read() and client.is_gone:
                    terminals.remove(client.terminal)
