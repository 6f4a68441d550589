"""shells that a test is run in, and not every system has"""

from __future__ import annotations

import shutil
from typing import Any

import pytest


def each(*names: str) -> list[Any]:
    """A parameter for each; where there is no such shell, its test says so instead of vanishing."""
    return [
        pytest.param(name, marks=pytest.mark.skipif(not shutil.which(name), reason=f"there is no {name}"))
        for name in names
    ]
