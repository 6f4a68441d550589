"""two machines with a cable between them, as far as their networks are concerned"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

NEAR, FAR = "10.77.0.2", "10.77.0.1"
ELSEWHERE = "10.77.0.3"  # where the near machine is when it has moved


class Network:
    """`here` and `there` begin a command on either machine."""

    def __init__(self) -> None:
        self.names = [f"cw-{os.getpid()}-{side}" for side in ("here", "there")]
        self.here, self.there = (["ip", "netns", "exec", name] for name in self.names)

    def lay(self) -> None:
        for name in self.names:
            run("ip", "netns", "add", name)
        here, there = self.names
        run("ip", "-n", here, "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", there)
        for name, address in ((here, NEAR), (there, FAR)):
            run("ip", "-n", name, "addr", "add", f"{address}/24", "dev", "cable")
            for device in ("lo", "cable"):
                run("ip", "-n", name, "link", "set", device, "up")

    def unplug(self) -> None:
        run("ip", "-n", self.names[1], "link", "set", "cable", "down")

    def plug(self) -> None:
        run("ip", "-n", self.names[1], "link", "set", "cable", "up")

    def move(self) -> None:
        """Here is another address from now on; nobody tells those who knew the old one."""
        run("ip", "-n", self.names[0], "addr", "del", f"{NEAR}/24", "dev", "cable")
        run("ip", "-n", self.names[0], "addr", "add", f"{ELSEWHERE}/24", "dev", "cable")

    def carried(self) -> int:
        """Bytes from there to here so far."""
        told: list[dict[str, Any]] = json.loads(
            run("ip", "-n", self.names[0], "-s", "-j", "link", "show", "cable")
        )
        return int(told[0]["stats64"]["rx"]["bytes"])

    def remove(self) -> None:
        for name in self.names:
            with suppress(subprocess.CalledProcessError):
                run("ip", "netns", "del", name)


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=20).stdout


@contextmanager
def new_network() -> Iterator[Network]:
    """Skips the test where we may not make one."""
    network = Network()
    try:
        try:
            network.lay()
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"no network namespaces here: {getattr(error, 'stderr', error)}")
        yield network
    finally:
        network.remove()
