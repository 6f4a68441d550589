"""the house rules, as tests: who imports whom, how big things get, and that no part of a verb is forgotten"""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import limits
from sources import names_used

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "codewire_py"
COMMANDS = [path.name for path in sorted((ROOT / "scripts").iterdir()) if not path.suffix and path.is_file()]

# What no client command may pay for at start; msgpack alone brings collections and datetime.
BANNED_AT_START = {
    "asyncio", "click", "dataclasses", "enum", "importlib.metadata", "json", "logging", "pathlib", "re",
    "rich", "socket", "ssl", "trio", "typing", "websockets",
}  # fmt: skip


def run(*command: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, check=False, capture_output=True, text=True, timeout=50)


def loaded_modules(code: str) -> set[str]:
    """The modules that `code` loads in a fresh interpreter, those every interpreter loads aside."""
    listing = "\nimport sys; print('\\n'.join(['loaded:', *sys.modules]))"
    loaded = []
    for program in (code + listing, listing):
        done = run(sys.executable, "-c", program)
        assert done.returncode == 0, done.stderr
        loaded.append(set(done.stdout.rpartition("loaded:\n")[2].splitlines()))
    return loaded[0] - loaded[1]


def source_files() -> list[Path]:
    return sorted(path.relative_to(ROOT) for path in PACKAGE.rglob("*.py"))


def verbs() -> list[str]:
    return sorted(path.stem for path in (PACKAGE / "daemon/verbs").glob("*.py") if path.stem != "__init__")


def load_messages() -> Any:
    return importlib.import_module("codewire_py.wire.messages")


# ── who imports whom ──────────────────────────────────────────────────────────────────────────────────


def test_nobody_imports_what_is_above_them() -> None:
    """Every import contract in pyproject.toml is kept."""
    done = run(Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo")
    assert done.returncode == 0, done.stdout + done.stderr


def test_reaching_the_daemon_costs_no_heavy_import() -> None:
    """The part every client command loads stays out of the modules that cost milliseconds at start."""
    loaded = loaded_modules("import codewire_py.client.connection")
    assert "codewire_py.client.connection" in loaded
    assert sorted(loaded & BANNED_AT_START) == []


def test_loaded_modules_sees_what_is_imported() -> None:
    """The measure itself: a module loaded indirectly counts, one that every interpreter has does not."""
    loaded = loaded_modules("import json")
    assert "json.decoder" in loaded
    assert "sys" not in loaded


# ── how big things get ────────────────────────────────────────────────────────────────────────────────


def test_nothing_passes_the_house_limits() -> None:
    """Functions, nesting, arguments and files stay as small as CONTRIBUTING.md says."""
    assert limits.find_violations() == []


@pytest.mark.parametrize(
    ("depth", "source"),
    [
        (0, "def f(): return [x for x in y if x]"),
        (1, "def f():\n if a: pass\n elif b: pass\n elif c: pass\n else: pass"),
        (2, "def f():\n if a: pass\n else:\n  if b: pass"),
        (2, "def f():\n try: pass\n except E:\n  while a: pass"),
        (3, "async def f():\n async with a:\n  async for b in c:\n   match d:\n    case 1: pass"),
        (1, "def f():\n with a:\n  def g():\n   for b in c: pass"),
    ],
)
def test_nesting_counts_blocks_inside_blocks(depth: int, source: str) -> None:
    """An elif chain is one block; an inner function starts again."""
    assert next(limits.find_functions(ast.parse(source))).nesting == depth


@pytest.mark.parametrize(
    ("count", "source"),
    [
        (0, "class C:\n def f(self): pass"),
        (1, "def f(self): pass"),
        (5, "def f(a, /, b, *c, d, **e): pass"),
    ],
)
def test_arguments_count_what_a_caller_may_pass(count: int, source: str) -> None:
    """Keyword-only and starred arguments count, self does not."""
    assert next(limits.find_functions(ast.parse(source))).arguments == count


def test_too_long_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line over a limit, and the limit speaks."""
    monkeypatch.setattr(limits, "ROOT", tmp_path)
    for name, lines in (("fits.py", 49), ("grown.py", 50), ("huge.py", 350)):
        (tmp_path / name).write_text("def f():\n" + "    pass\n" * lines)
    found = list(limits.find_long([limits.measure(path) for path in sorted(tmp_path.iterdir())]))
    assert [line.split(":")[0] for line in found] == ["grown.py", "huge.py", "huge.py"]


# ── the parts of a verb ───────────────────────────────────────────────────────────────────────────────


def find_missing_parts(verb: str) -> Iterator[str]:
    requests = load_messages().REQUESTS
    if verb not in requests or requests[verb].type != verb:
        yield f"a request of type {verb!r} in codewire_py/wire/messages.py, and in REQUESTS"
    if not (PACKAGE / f"cli/{verb}.py").exists():
        yield f"codewire_py/cli/{verb}.py"
    if not any((ROOT / f"tests/{floor}/test_{verb}.py").exists() for floor in ("cli", "daemon")):
        yield f"tests/cli/test_{verb}.py or tests/daemon/test_{verb}.py"


def test_every_verb_has_all_its_parts() -> None:
    """A verb has one name on every floor: its request, its handler, its command, its tests."""
    assert verbs(), "there are no verbs"
    assert {verb: missing for verb in verbs() if (missing := list(find_missing_parts(verb)))} == {}


def test_every_request_has_a_verb() -> None:
    """No request can be sent that nobody answers."""
    assert sorted(set(load_messages().REQUESTS) - set(verbs())) == []


def test_every_message_is_in_a_table() -> None:
    """A message class that stands in no table would never be decoded."""
    messages = load_messages()
    classes = {value for value in vars(messages).values() if isinstance(value, type(messages.Message))}
    assert classes - set(messages.MESSAGES.values()) - {messages.Message} == set()


# ── what the documents say ────────────────────────────────────────────────────────────────────────────


def test_the_protocol_page_lists_every_message() -> None:
    """Each message that can be sent is a heading or starts a table row of docs/protocol.md."""
    text = (ROOT / "docs/protocol.md").read_text()
    listed = set(re.findall(r"^(?:#+|\|) *`?([\w.-]+)`?", text, re.MULTILINE))
    messages = load_messages()
    assert sorted(set(messages.MESSAGES) - {messages.Unknown.type} - listed) == []


def test_the_readme_lists_every_command() -> None:
    """By its name, and by the others that it has."""
    commands = importlib.import_module("codewire_py.cli.commands")
    table = (ROOT / "README.md").read_text().partition("## Every command")[2].partition("## How fast")[0]
    told = set(re.findall(r"`(?:cw )?([a-z]+)\b", table))
    assert sorted({*commands.NAMES, *commands.ALIASES} - told) == []


def read_tree(text: str) -> dict[str, str]:
    """The descriptions in the fenced block that begins with `codewire_py/`, by path."""
    block = re.search(r"^```\w*\n(codewire_py/.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert block, "docs/architecture.md has no fenced block that begins with codewire_py/"
    found = {}
    folders: list[tuple[int, str]] = []
    for line in filter(str.strip, block[1].splitlines()):
        name, _, description = line.strip().partition(" ")
        indent = len(line) - len(line.lstrip())
        folders = [folder for folder in folders if folder[0] < indent]
        path = "".join(part for _, part in folders) + name
        if name.endswith("/"):
            folders.append((indent, name))
            path += "__init__.py"
        found[path] = description.strip()
    return found


def test_the_tree_in_the_documents_is_the_tree() -> None:
    """Every file stands in docs/architecture.md with its docstring's first line (a folder: its __init__)."""
    listed = read_tree((ROOT / "docs/architecture.md").read_text())
    actual = {
        str(path): (ast.get_docstring(ast.parse((ROOT / path).read_text())) or "").partition("\n")[0]
        for path in source_files()
    }
    assert [f"{path}  {line}" for path, line in actual.items() if listed.get(path) != line] == []
    assert sorted(set(listed) - set(actual)) == []


def test_reading_the_tree() -> None:
    """Indentation gives the folder, and a folder's line stands for its __init__."""
    text = "# x\n```\ncodewire_py/   the root\n  wire/  frames\n    a.py   an a\n  b.py  a b\n```\n"
    assert read_tree(text) == {
        "codewire_py/__init__.py": "the root",
        "codewire_py/wire/__init__.py": "frames",
        "codewire_py/wire/a.py": "an a",
        "codewire_py/b.py": "a b",
    }


def test_the_changelog_goes_as_far_as_this_version() -> None:
    """The newest changes of CHANGELOG.md are of this version or still to come; no section is of a later one."""
    version = importlib.import_module("codewire_py.version").VERSION
    text = (ROOT / "CHANGELOG.md").read_text()
    sections = re.findall(r"^## \[(.+?)\](.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    newest = next(heading for heading, changes in sections if "\n* " in changes)
    assert newest in {"Unreleased", version}
    released = [numbers(heading) for heading, _ in sections if heading != "Unreleased"]
    assert released == sorted(released, reverse=True)
    assert all(number <= numbers(version) for number in released)


def numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def repository_files() -> list[Path]:
    done = run("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    if done.returncode != 0:  # a copy without its history
        return [path for path in ROOT.rglob("*") if path.is_file() and ".venv" not in path.parts]
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def names_of_this_machine() -> re.Pattern[bytes]:
    """Where the repository lies and who looks at it, as paths; and options that name an index of packages."""
    shared = Path(tempfile.gettempdir())  # which everybody has
    places = [place for place in (ROOT, Path.home()) if not shared.is_relative_to(place)]
    paths = "|".join(re.escape(str(place)) for place in places)
    return re.compile(rf"(?<![\w~./-])(?:{paths})(?![\w-])|(?:index|find)-(?:url|links)\b".encode())


def test_nothing_is_bound_to_one_machine() -> None:
    """No text of the repository names a place or a package index that only one machine has."""
    bound = names_of_this_machine()
    assert bound.search(f"from {ROOT}/docs".encode())
    files = repository_files()
    assert files
    assert [str(path) for path in files if bound.search(path.read_bytes())] == []


# ── what nobody may gain ──────────────────────────────────────────────────────────────────────────────

# Typing into a terminal as if its user had, and becoming somebody else or letting others become us.
GAINING = {"TIOCSTI", "S_ISUID", "S_ISGID"} | {
    f"set{what}{kind}" for what in ("", "e", "re", "res", "fs") for kind in ("uid", "gid")
}


def gains(source: str) -> Iterator[str]:
    yield from sorted(names_used(source) & GAINING)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "").endswith("chmod"):
            modes = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
            yield from (f"chmod {mode:o}" for mode in modes if isinstance(mode, int) and mode & 0o6000)


def test_nothing_types_for_others_or_becomes_somebody_else() -> None:
    """No part of cw pushes input into a terminal, changes its user, or makes a program that would."""
    assert {
        str(path): found for path in source_files() if (found := list(gains((ROOT / path).read_text())))
    } == {}


@pytest.mark.parametrize(
    "source",
    ["fcntl.ioctl(0, termios.TIOCSTI, b'x')", "from os import setuid\nsetuid(0)", "os.setresgid(0, 0, 0)",
     "os.chmod(path, 0o4755)", "path.chmod(mode | stat.S_ISUID)", "os.fchmod(3, 0o755 | 0o2000)"],
)  # fmt: skip
def test_what_gains_is_found(source: str) -> None:
    """The measure itself."""
    assert list(gains(source))


def test_nothing_that_is_installed_lends_its_rights() -> None:
    """install.sh sets no mode and asks for no rights: what it makes is as its user's umask says."""
    script = re.sub(r"^ *#.*", "", (ROOT / "install.sh").read_text(), flags=re.MULTILINE)
    words = set(re.findall(r"[\w-]+", script))
    assert words & {"chmod", "chown", "setcap", "sudo", "su", "doas", "umask"} == set()
    assert not re.search(r"(?<!pip )\binstall +-", script)


# ── the habits ────────────────────────────────────────────────────────────────────────────────────────


def find_undescribed(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if is_function and node.name.startswith("test_") and not ast.get_docstring(node):
            yield f"{path.relative_to(ROOT)}: {node.name}"


def test_every_test_states_its_promise() -> None:
    """In a docstring: the name alone says what is done, and not what for."""
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    assert files
    assert [line for path in files for line in find_undescribed(path)] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_script_explains_itself(command: str) -> None:
    """--help is answered from any directory, and does nothing else."""
    done = run(ROOT / "scripts" / command, "--help", cwd=Path("/"))
    assert done.returncode == 0, done.stderr
    assert "scripts/" + command in done.stdout or command == "run"
