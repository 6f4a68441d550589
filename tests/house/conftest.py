"""promises are proved with clients that stay"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from homes import Home
from remotes import Remote, new_remote
from viewers import Viewers, new_viewers


@pytest.fixture
def viewers(home: Home) -> Iterator[Viewers]:
    with new_viewers(home) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def shared_remote() -> Iterator[Remote]:
    """Two homes and a link between them, for a whole file."""
    with new_remote() as fresh:
        yield fresh


@pytest.fixture
def remote(shared_remote: Remote) -> Iterator[Remote]:
    """As if they were new: nothing runs there, and the link is well."""
    yield shared_remote
    shared_remote.renew()


@pytest.fixture
def far_viewers(remote: Remote) -> Iterator[Viewers]:
    """Clients that stay, on this side of the link."""
    with new_viewers(remote.here) as fresh:
        yield fresh
