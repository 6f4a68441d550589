"""docs/protocol.md and docs/errors.md say what the code says"""

from __future__ import annotations

import ast
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from codewire_py.daemon import limits
from codewire_py.errors import error_classes
from codewire_py.wire.declare import REQUIRED
from codewire_py.wire.messages import MESSAGES, REQUESTS, Unknown

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs"


def run(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, root / "scripts/protocol", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A tree of one's own to change."""
    shutil.copytree(
        ROOT / "codewire_py", tmp_path / "codewire_py", ignore=shutil.ignore_patterns("__pycache__")
    )
    for place in ("scripts/protocol", "docs/protocol.md", "docs/errors.md"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / place, tmp_path / place)
    return tmp_path


def change(root: Path, place: str, old: str, new: str) -> None:
    text = (root / place).read_text()
    assert old in text
    (root / place).write_text(text.replace(old, new))


def test_the_pages_are_up_to_date() -> None:
    """What is generated is what the code says now; `scripts/protocol` brings it there."""
    done = run(ROOT, "--check")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("place", "old", "new", "page"),
    [
        ("codewire_py/wire/messages.py", "    running: int\n    killed", "    going: int\n    killed", "protocol.md"),
        ("codewire_py/wire/messages.py", "The daemon leaves; its", "The daemon goes; its", "protocol.md"),
        ("codewire_py/daemon/limits.py", "TAGS = 32", "TAGS = 33", "protocol.md"),
        ("codewire_py/errors.py", 'code = "timed-out"', 'code = "too-late"', "errors.md"),
    ],
)  # fmt: skip
def test_a_page_that_falls_behind_is_named(copy: Path, place: str, old: str, new: str, page: str) -> None:
    """--check fails and changes nothing; without it the page is brought up to date, once."""
    change(copy, place, old, new)
    before = (copy / "docs" / page).read_text()
    done = run(copy, "--check")
    assert done.returncode == 1
    assert f"docs/{page}" in done.stderr
    assert (copy / "docs" / page).read_text() == before
    assert run(copy).returncode == 0
    assert (copy / "docs" / page).read_text() != before
    assert run(copy, "--check").returncode == 0


def test_what_a_person_wrote_stays(copy: Path) -> None:
    """Only what is between the markers is generated."""
    change(copy, "docs/protocol.md", "# The protocol\n", "# The protocol\n\nMine.\n")
    with (copy / "docs/protocol.md").open("a") as page:
        page.write("\nMine too.\n")
    change(copy, "codewire_py/daemon/limits.py", "TAGS = 32", "TAGS = 33")
    assert run(copy).returncode == 0
    text = (copy / "docs/protocol.md").read_text()
    assert "Mine.\n" in text
    assert text.endswith("\nMine too.\n")
    assert "| `TAGS` | 33 |" in text


def test_a_page_without_its_markers_is_left_alone(copy: Path) -> None:
    """Better told than written in the wrong place."""
    (copy / "docs/protocol.md").write_text("# Nothing\n")
    done = run(copy)
    assert done.returncode == 1
    assert "markers" in done.stderr
    assert (copy / "docs/protocol.md").read_text() == "# Nothing\n"


def sections(page: str) -> dict[str, str]:
    """The text below each heading."""
    parts = re.split(r"^#+ +(.+)$", (PAGES / page).read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("name", sorted(set(MESSAGES) - {Unknown.type}))
def test_every_message_is_described(name: str) -> None:
    """A heading of its own, with each field, its type and default."""
    text = sections("protocol.md")[f"`{name}`"]
    for field, (kind, default) in MESSAGES[name].fields.items():
        shown = "required" if default is REQUIRED else f"`{default!r}`"
        assert f"| `{field}` | {kind} | {shown} |" in text


@pytest.mark.parametrize("verb", sorted(REQUESTS))
def test_every_request_names_its_reply(verb: str) -> None:
    """The reply that the page promises is the one that the verb returns or says."""
    reply = re.search(r"Answered by `([\w-]+)`", sections("protocol.md")[f"`{verb}`"])
    assert reply
    tree = ast.parse((ROOT / f"codewire_py/daemon/verbs/{verb}.py").read_text())
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert MESSAGES[reply[1]].__name__ in names


def test_every_error_is_explained() -> None:
    """By its code, with what it means and how a command exits."""
    text = (PAGES / "errors.md").read_text()
    for code, cls in error_classes().items():
        if cls.__module__ == "codewire_py.errors":
            assert f"| `{code}` | {cls.exit_status} | {cls.__doc__}" in text.replace("\\|", "|")
            assert f"| `{code}` | {cls.exit_status} |" in sections("protocol.md")["Errors"]


def refusals() -> set[tuple[int, str]]:
    """(status, code) of each answer of the listener that is written out in its source."""
    folder = ROOT / "codewire_py/daemon/listeners"
    trees = [ast.parse(path.read_text()) for path in sorted(folder.glob("*.py"))]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    said = [call.args[:2] for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Refused"]
    return {
        (status.value, code.value)
        for status, code in said
        if isinstance(status, ast.Constant) and isinstance(code, ast.Constant)
    }


def test_every_refusal_of_the_listener_is_described() -> None:
    """With its status and code."""
    text = sections("protocol.md")["By the listener and by ssh"]
    assert len(refusals()) > 5
    for status, code in refusals():
        assert re.search(rf"^\| [\d, ]*\b{status}\b[\d, ]* \| `{code}` \|", text, re.MULTILINE), (
            status,
            code,
        )


def test_every_limit_is_explained() -> None:
    """Each constant has a comment in the code, and so a line in the page."""
    text = sections("protocol.md")["Limits"]
    names = [name for name in vars(limits) if name.isupper()]
    assert names
    for name in names:
        assert re.search(rf"^\| `{name}` \| [\d,.]+ \| \S.+ \|$", text, re.MULTILINE), (
            f"{name} has no comment"
        )


def test_every_link_leads_somewhere() -> None:
    """A link within the page is to a heading of the page."""
    text = (PAGES / "protocol.md").read_text()
    headings = {heading.strip("`").lower().replace(" ", "-") for heading in sections("protocol.md")}
    assert set(re.findall(r"\]\(#([\w-]+)\)", text)) <= headings


def test_help_explains() -> None:
    """--help is answered; anything else is refused with it."""
    assert "usage: scripts/protocol" in run(ROOT, "--help").stdout
    assert run(ROOT, "--frobnicate").returncode == 2
    assert runpy.run_path(str(ROOT / "scripts/protocol"), run_name="looked at")["main"](["--check"]) == 0
