"""promises are proved with clients that stay"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from homes import Home
from viewers import Viewers, new_viewers


@pytest.fixture
def viewers(home: Home) -> Iterator[Viewers]:
    with new_viewers(home) as fresh:
        yield fresh
