"""the files and the repository that recorded programs show: made anew, always the same"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from recording.stage import ENVIRONMENT, FOLDER, HOME

ARROW = "\ue0b0"  # of the private use area
CLOCK = r"\[\e[s\e[999C\e[9D\e[38;5;244m\]◷ 12:34\[\e[u\]"  # at the right edge
PLACE = r"\[\e[48;5;24;97m\] ⌂ \w \[\e[38;5;24;48;5;71m\]" + ARROW
BRANCH = r"\[\e[30m\] main ✚2 \[\e[0;38;5;71m\]" + ARROW + r"\[\e[0m\]"
PROMPT = rf"""
PS1='\n{CLOCK}{PLACE}{BRANCH}\n\[\e[1;35m\]❯\[\e[0m\] '
PROMPT_COMMAND='printf "\e]0;%s\a" "${{PWD/#$HOME/\~}}"'
alias ls='ls --color=always'
"""

SOURCE = '''\
"""orders of a small shop: 注文 and their lines"""

from dataclasses import dataclass, field

RATES = {"books": 0.07, "tea": 0.07, "tools": 0.19}  # 税率


@dataclass
class Line:
    """One article of an order."""

    name: str
    kind: str
    cents: int
    count: int = 1

    def total(self) -> int:
        net = self.cents * self.count
        return round(net * (1 + RATES[self.kind]))


@dataclass
class Order:
    number: int
    lines: list[Line] = field(default_factory=list)

    def add(self, line: Line) -> None:
        if line.count < 1:
            raise ValueError(f"order {self.number}: no {line.name} to add")
        self.lines.append(line)

    def total(self) -> int:
        return sum(line.total() for line in self.lines)
'''

ARTICLES = ["green tea 緑茶", "field guide", "hand plane", "café filter", "ink 墨", "notebook 📓"]


def long_source() -> str:
    """Enough to scroll."""
    checks = [
        f"\n\ndef check_{number}(order: Order) -> None:\n"
        f'    """{ARTICLES[number % len(ARTICLES)]}: number {number}."""\n'
        f'    order.add(Line("{ARTICLES[number % len(ARTICLES)]}", "tea", {number * 25}, {number % 4 + 1}))\n'
        f"    assert order.total() > {number}, order\n"
        for number in range(1, 40)
    ]
    return SOURCE + "".join(checks)


def long_text() -> str:
    lines = [
        f"{number:4}  {ARTICLES[number % len(ARTICLES)]:<20} {'tea and tools ' * (number % 9)}"
        for number in range(1, 300)
    ]
    lines[20] += " " + "a very long line that has to be folded " * 8
    return "\n".join(lines) + "\n"


def git(*words: str, day: int = 1) -> None:
    when = f"2024-05-{day:02}T12:00:00+0000"
    person = {"NAME": "Ada Example", "EMAIL": "ada@example.org", "DATE": when}
    names = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in person.items()}
    subprocess.run(["git", *words], cwd=FOLDER, env={**ENVIRONMENT, **names}, check=True, capture_output=True)


def commit(name: str, message: str, day: int) -> None:
    (FOLDER / name).write_text(f"{message}\n")
    git("add", name)
    git("commit", "-m", message, day=day)


def make_repository() -> None:
    git("init", "-b", "main")
    commit("README", "Open the shop", 1)
    for number in range(2, 27, 3):
        git("checkout", "-b", f"aisle-{number}")
        commit(f"aisle-{number}", f"Fill aisle {number}: {ARTICLES[number % len(ARTICLES)]}", number)
        commit(f"label-{number}", "Label what is in it", number + 1)
        git("checkout", "main")
        commit(f"till-{number}", f"Count the till, day {number} ✨", number + 1)
        git("merge", "--no-ff", "-m", f"Open aisle {number}", f"aisle-{number}", day=number + 2)
    git("tag", "spring")


def sign_in_nowhere() -> None:
    """Claude Code past its first questions, with a key that no server knows."""
    key = ENVIRONMENT_OF_CLAUDE["ANTHROPIC_API_KEY"]
    settings = {
        "hasCompletedOnboarding": True,
        "theme": "dark",
        "customApiKeyResponses": {"approved": [key[-20:]], "rejected": []},
        "projects": {str(FOLDER): {"hasTrustDialogAccepted": True, "allowedTools": []}},
    }
    (HOME / ".claude.json").write_text(json.dumps(settings))


ENVIRONMENT_OF_CLAUDE = {
    "DISABLE_AUTOUPDATER": "1",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "ANTHROPIC_BASE_URL": "http://127.0.0.1:9",
    "ANTHROPIC_API_KEY": "not-a-key-" + "0" * 30,
}


def set_up() -> None:
    (FOLDER / "shop.py").write_text(long_source())
    (FOLDER / "stock.txt").write_text(long_text())
    (FOLDER / "a folder").mkdir()
    (FOLDER / "run.sh").write_text("#!/bin/sh\n")
    (FOLDER / "run.sh").chmod(0o755)
    Path(FOLDER / "link").symlink_to("stock.txt")
    (HOME / "prompt").write_text(PROMPT)
    (HOME / ".gitconfig").write_text("[advice]\n\tdetachedHead = false\n")
    make_repository()
