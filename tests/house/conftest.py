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


@pytest.fixture
def remote() -> Iterator[Remote]:
    """Two homes and a link between them."""
    with new_remote() as fresh:
        yield fresh


@pytest.fixture
def far_viewers(remote: Remote) -> Iterator[Viewers]:
    """Clients that stay, on this side of the link."""
    with new_viewers(remote.here) as fresh:
        yield fresh
