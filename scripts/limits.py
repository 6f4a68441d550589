"""measure our functions and files, and say which pass the house limits"""

from __future__ import annotations

import argparse
import ast
import math
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

FUNCTION_LINES = 50
FUNCTION_LINES_P95 = 30
NESTING = 3
ARGUMENTS = 6
FILE_LINES = 350
FILE_LINES_MEDIAN = 120

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match)


@dataclass(frozen=True)
class Function:
    name: str
    line: int
    lines: int
    nesting: int
    arguments: int


@dataclass(frozen=True)
class File:
    path: Path
    lines: int
    functions: list[Function]


def nesting(node: ast.AST, depth: int = 0) -> int:
    """How many blocks stand inside each other at the deepest place under `node`, inner functions aside."""
    deepest = depth
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (*FUNCTIONS, ast.ClassDef)):
            continue
        deeper = isinstance(child, BLOCKS) and not is_elif(node, child)
        deepest = max(deepest, nesting(child, depth + deeper))
    return deepest


def is_elif(parent: ast.AST, child: ast.AST) -> bool:
    """Whether `child` is an elif of `parent`: in the tree an `else: if` differs only by its indentation."""
    return (
        isinstance(parent, ast.If)
        and isinstance(child, ast.If)
        and child in parent.orelse
        and child.col_offset == parent.col_offset
    )


def count_arguments(function: ast.FunctionDef | ast.AsyncFunctionDef, *, is_method: bool) -> int:
    spec = function.args
    names = [arg.arg for arg in (*spec.posonlyargs, *spec.args)]
    if is_method and names[:1] in (["self"], ["cls"]):
        names.pop(0)
    return len(names) + len(spec.kwonlyargs) + bool(spec.vararg) + bool(spec.kwarg)


def find_functions(node: ast.AST) -> Iterator[Function]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, FUNCTIONS):
            yield Function(
                name=child.name,
                line=child.lineno,
                lines=(child.end_lineno or child.lineno) - child.lineno + 1,
                nesting=nesting(child),
                arguments=count_arguments(child, is_method=isinstance(node, ast.ClassDef)),
            )
        yield from find_functions(child)


def measure(path: Path) -> File:
    text = path.read_text(encoding="utf-8")
    return File(path.relative_to(ROOT), len(text.splitlines()), list(find_functions(ast.parse(text))))


def is_python(path: Path) -> bool:
    if path.suffix or not path.is_file():
        return path.suffix == ".py"
    with path.open("rb") as file:
        first_line = file.readline()
    return first_line.startswith(b"#!") and b"python" in first_line


def measure_tree(folder: str) -> list[File]:
    return [measure(path) for path in sorted((ROOT / folder).rglob("*")) if is_python(path)]


def percentile(values: list[int], share: float) -> int:
    return sorted(values)[math.ceil(len(values) * share) - 1]


def find_long(files: list[File]) -> Iterator[str]:
    for file in files:
        if file.lines > FILE_LINES:
            yield f"{file.path}: {file.lines} lines, the limit is {FILE_LINES}"
        for function in file.functions:
            if function.lines > FUNCTION_LINES:
                yield (
                    f"{file.path}:{function.line}: {function.name} has {function.lines} lines, "
                    f"the limit is {FUNCTION_LINES}"
                )


def find_tangled(files: list[File]) -> Iterator[str]:
    for file in files:
        for function in file.functions:
            place = f"{file.path}:{function.line}: {function.name}"
            if function.nesting > NESTING:
                yield f"{place} nests {function.nesting} blocks, the limit is {NESTING}"
            if function.arguments > ARGUMENTS:
                yield f"{place} takes {function.arguments} arguments, the limit is {ARGUMENTS}"


def find_bloated(files: list[File]) -> Iterator[str]:
    lengths = [function.lines for file in files for function in file.functions]
    if lengths and (p95 := percentile(lengths, 0.95)) > FUNCTION_LINES_P95:
        yield f"one function in twenty has {p95} lines or more, the limit is {FUNCTION_LINES_P95}"
    if (median := statistics.median(file.lines for file in files)) > FILE_LINES_MEDIAN:
        yield f"the median file has {median:g} lines, the limit is {FILE_LINES_MEDIAN}"


def find_violations() -> list[str]:
    package, scripts, tests = (measure_tree(folder) for folder in ("codewire_py", "scripts", "tests"))
    return [
        *find_long([*package, *scripts, *tests]),
        *find_tangled([*package, *scripts]),
        *find_bloated(package),
    ]


def format_row(files: list[File]) -> str:
    functions = [function for file in files for function in file.functions]
    lines = [function.lines for function in functions] or [0]
    file_lines = [file.lines for file in files]
    return (
        f"{len(files)} files, median {statistics.median(file_lines):g} lines, max {max(file_lines)}; "
        f"{len(functions)} functions, median {statistics.median(lines):g} lines, "
        f"p95 {percentile(lines, 0.95)}, max {max(lines)}; "
        f"nesting max {max((function.nesting for function in functions), default=0)}; "
        f"arguments max {max((function.arguments for function in functions), default=0)}"
    )


def main() -> int:
    argparse.ArgumentParser(description="Print our own row, and what passes the house limits.").parse_args()
    print(f"codewire_py: {format_row(measure_tree('codewire_py'))}")
    violations = find_violations()
    for violation in violations:
        print(violation, file=sys.stderr)
    return bool(violations)


if __name__ == "__main__":
    sys.exit(main())
