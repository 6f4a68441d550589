"""what Python source speaks of, its comments, docstrings and imports aside"""

from __future__ import annotations

import ast
import re


def names_used(source: str) -> set[str]:
    """Names, attributes, and words in strings: `limits.FEW`, `FEW`, `setattr(limits, "FEW", 1)`, `"limits.FEW = 1"`."""
    nodes = list(ast.walk(ast.parse(source)))
    docstrings = {node.value for node in nodes if isinstance(node, ast.Expr)}
    used: set[str] = set()
    for node in nodes:
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name):
                used.add(name)
            case ast.Constant(value=str(text)) if node not in docstrings:
                used.update(re.findall(r"\w+", text))
    return used
