"""one daemon's conversation with the hatchery: a length, then JSON, both ways"""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

ORDER_LIMIT = 64 << 20  # an environment and a command line may be large; the kernel's own limit is far below


class Asker:
    def __init__(self, peer: socket.socket) -> None:
        self.peer, self.unread = peer, bytearray()

    def take_orders(self) -> list[dict[str, Any]] | None:
        """What it has asked since; None when it is gone or talks nonsense."""
        try:
            data = self.peer.recv(1 << 20)
        except BlockingIOError:
            return []
        except OSError:
            return None
        self.unread += data
        try:
            orders = self.split()
        except (ValueError, RecursionError):
            return None
        return orders if data else None

    def split(self) -> list[dict[str, Any]]:
        orders = []
        while len(self.unread) >= 4:
            size = int.from_bytes(self.unread[:4], "big")
            if size > ORDER_LIMIT:
                raise ValueError("no order is so long")
            if len(self.unread) < 4 + size:
                break
            orders.append(parse(bytes(self.unread[4 : 4 + size])))
            del self.unread[: 4 + size]
        return orders

    def reply(self, **answer: Any) -> None:
        """Whole or not at all: a daemon that is gone, or does not read, finds the session by its directory."""
        word = json.dumps(answer).encode()
        word = struct.pack(">I", len(word)) + word
        try:
            if self.peer.send(word) < len(word):
                self.peer.shutdown(socket.SHUT_RDWR)
        except BlockingIOError:
            self.peer.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def parse(word: bytes) -> dict[str, Any]:
    """An order or a question; ValueError when it is neither."""
    order = json.loads(word)
    if not isinstance(order, dict) or not isinstance(order.get("ask", order.get("session")), str):
        raise ValueError("neither an order nor a question")
    return order
