"""one home for each file of tests, and own terminals for each test"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from homes import Home
from own_terminals import Desk, new_desk


@pytest.fixture(scope="module")
def home(shared_home: Home) -> Home:
    """A daemon runs, so that no command says that it started one."""
    shared_home.cw("start")
    return shared_home


@pytest.fixture
def desk(home: Home) -> Iterator[Desk]:
    with new_desk(home) as fresh:
        yield fresh
