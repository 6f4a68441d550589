"""every test here runs with today's keeper and with each old one that may still be alive"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from keeper.hatching import KEEPERS, Hatchery


@pytest.fixture(params=list(KEEPERS))
def hatchery(request: pytest.FixtureRequest) -> Iterator[Hatchery]:
    """A warm one; when the test is over it has ended, and all that it kept."""
    warm = Hatchery(KEEPERS[request.param])
    try:
        yield warm
    finally:
        warm.close()
