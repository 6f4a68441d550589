"""two homes on one machine stand in for two machines, and a link between them that can be misused"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from homes import Home, new_home
from links import LOOPBACK, Link, new_link

THERE = "there"
# Else a silence would be noticed after 25 s, and nothing would be sent for 10 s.
IMPATIENT = """
from codewire_py.client import far
from codewire_py.client.transports import web
from codewire_py.daemon import limits
far.LOOK_SECONDS, web.SILENCE_SECONDS = 0.3, 2.0
limits.PING_SECONDS = 0.5
"""


@dataclass(frozen=True)
class Remote:
    """`there`: the home whose daemon listens. `here`: a person's home, which knows it by that name over the `link`, and
    whose commands go there. What is told to the two homes in the same words happens to the same sessions.
    """

    there: Home
    link: Link
    here: Home

    def renew(self) -> None:
        """For the next test: no session runs, the link is well and has counted nothing."""
        self.link.renew()
        self.there.cw("kill", "--all", "--grace", "1", status=None)


@contextmanager
def new_remote(buffer: int = 0, prepared: str = "") -> Iterator[Remote]:
    """`buffer`: as a link's. `prepared`: Python that every `cw` and daemon of both homes runs first."""
    with new_home() as there, new_home() as here:
        for home in (there, here) if prepared else ():
            prepare(home, prepared)
        with new_link((LOOPBACK, there.listen()), buffer) as link:
            here.server(THERE, link.url, there.token())
            here.env["CODEWIRE_SERVER"] = THERE
            yield Remote(there, link, here)


def prepare(home: Home, code: str) -> None:
    """Every Python that is begun for this home runs it first."""
    folder = home.path.parent / "prepared"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(code)
    home.env["PYTHONPATH"] = os.pathsep.join(filter(None, (str(folder), home.env.get("PYTHONPATH"))))
