"""a way between a client and a server that can be cut"""

from __future__ import annotations

import os
import select
import socket
import struct
import threading

AT_ONCE = struct.pack("ii", 1, 0)  # closing sends a reset, and drops what is on its way
CHUNK = 65536


class Relay:
    """Passes bytes on between whoever comes to `port` and a server on loopback, in a thread of its own."""

    def __init__(self, server: int) -> None:
        self.server = server
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.others: dict[socket.socket, socket.socket] = {}
        self.hears, self.orders = os.pipe()
        self.done = threading.Semaphore(0)
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def cut(self) -> None:
        """Every connection there is; the next may come at once."""
        os.write(self.orders, b"c")
        self.done.acquire()

    def close(self) -> None:
        os.write(self.orders, b"e")
        self.thread.join()
        for descriptor in (self.hears, self.orders):
            os.close(descriptor)

    def work(self) -> None:
        order = b""
        while order != b"e":
            waited: list[int | socket.socket] = [self.hears, self.listener, *self.others]
            for ready in select.select(waited, [], [])[0]:
                if ready is self.listener:
                    self.connect(self.listener.accept()[0])
                elif ready == self.hears:
                    order = os.read(self.hears, 1)
                    self.drop_all()
                    self.done.release()
                elif ready in self.others:
                    self.pass_on(ready)
        self.listener.close()

    def connect(self, client: socket.socket) -> None:
        server = socket.create_connection(("127.0.0.1", self.server))
        for one, other in ((client, server), (server, client)):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.others[one] = other

    def pass_on(self, ready: socket.socket) -> None:
        try:
            data = ready.recv(CHUNK)
            self.others[ready].sendall(data)
        except OSError:
            data = b""
        if not data:
            self.drop(ready)

    def drop(self, one: socket.socket) -> None:
        other = self.others.pop(one)
        del self.others[other]
        for end in (one, other):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            end.close()

    def drop_all(self) -> None:
        while self.others:
            self.drop(next(iter(self.others)))
