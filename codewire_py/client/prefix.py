"""lines of several sessions in one output, each with its session's name"""

from __future__ import annotations

import os


class Prefix:
    """Writes whole lines only, so that no two sessions share one."""

    def __init__(self, name: str) -> None:
        self.lead = f"[{name}] ".encode()
        self.rest = b""

    def write(self, data: bytes) -> None:
        *lines, self.rest = (self.rest + data).split(b"\n")
        out = b"".join(self.lead + line + b"\n" for line in lines)
        while out:
            out = out[os.write(1, out) :]

    def finish(self) -> None:
        if self.rest:
            self.write(b"\n")
