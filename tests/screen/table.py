"""tricky sequences, each with what it proves: all of them"""

from __future__ import annotations

from screen import (
    table_erasing,
    table_looks,
    table_moving,
    table_screens,
    table_strings,
    table_unicode,
    table_writing,
)

PARTS = (table_writing, table_unicode, table_moving, table_erasing, table_looks, table_strings, table_screens)
CASES = [entry for part in PARTS for entry in part.CASES]
