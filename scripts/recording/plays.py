"""what is recorded: each program, its terminal's size, and the keys that are pressed"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from recording.props import ENVIRONMENT_OF_CLAUDE, sign_in_nowhere

ROOT = Path(__file__).resolve().parent.parent.parent
MODULES = ROOT / ".tools" / "node_modules"
UP, DOWN, ENTER, ESCAPE = "\x1b[A", "\x1b[B", "\r", "\x1b"

# A step is a pattern to wait for (quiet follows), and the keys to press then.
Step = tuple[str, str]


@dataclass(frozen=True)
class Play:
    rows: int
    cols: int
    command: list[str]
    how: str
    steps: list[Step] = field(default_factory=list)
    last: str = ""  # what it shows after the last key
    ends: bool = False  # the last key ends it
    version: list[str] = field(default_factory=list)  # the command that tells it
    environment: dict[str, str] = field(default_factory=dict)
    prepare: Callable[[], None] = lambda: None


def native(package: str, program: str) -> str:
    """The program of the platform's package."""
    found = [path for path in MODULES.glob(f"{package}-*/**/{program}") if path.is_file()]
    return str(found[0]) if found else f"{package} (run scripts/setup)"


VIM = ["vim", "--clean", "-c", "set hlsearch number laststatus=2", "shop.py"]
VIM_STEPS = [
    ("All|Top", "\x06"),
    ("", "\x05\x05\x05\x19"),
    ("", ":split stock.txt\r"),
    ("stock", "/tea\rn"),
    ("", ":vsplit\r"),
    ("", "\x17jGzz"),
    ("", "V5k"),
]
CLAUDE = [native("@anthropic-ai/claude-code", "claude")]
CLAUDE_STEPS = [
    ("❯", "/"), ("", DOWN + DOWN), ("", ESCAPE), ("", "\x15?"), ("", "\x7fhello 緑茶 👩‍💻"), ("", ENTER),
    ("", ESCAPE), ("", "\x0f"), ("", "\x0f"),
]  # fmt: skip
VERSION_OF_CLAUDE = [*CLAUDE, "--version"]
GEMINI = ["node", str(MODULES / "@google/gemini-cli/bundle/gemini.js")]
NEIGHBOURS = "for name in web-server mail-queue 'tea 緑茶'; do (exec -a \"$name\" sleep 999) & done; "

PLAYS: dict[str, Play] = {
    "vim": Play(
        24, 80, VIM, "opens a source file, scrolls, splits twice, searches, selects lines; is not left", VIM_STEPS,
        "VISUAL", version=["vim", "--version"],
    ),
    "vim-left": Play(
        24, 80, VIM, "as vim, then left with :qa", [*VIM_STEPS, ("VISUAL", "\x1b:qa!\r")],
        ends=True, version=["vim", "--version"],
    ),
    "less": Play(
        24, 80, ["less", "-N", "stock.txt"], "pages down, searches, goes to the end and half a page up",
        [("stock", " "), ("", " "), ("", "/tea\r"), ("", "n"), ("", "G"), ("END", "u"), ("", "30g")],
        version=["less", "--version"],
    ),
    "htop": Play(
        30, 100, ["bash", "-c", NEIGHBOURS + "exec htop"], "moves down, shows the tree, opens the setup",
        [("Help", DOWN + DOWN), ("", "t"), ("", "\x1bOQ"), ("Meters", DOWN + DOWN), ("", "\x1b"), ("", "/web")],
        version=["htop", "--version"],
    ),
    "top": Play(
        24, 80, ["bash", "-c", NEIGHBOURS + "exec top -d 1"], "shows colours, each processor, the help, and goes on",
        [("PID", "z"), ("", "1"), ("", "x"), ("", "h"), ("Help", "\x1b"), ("PID", "c")],
        version=["top", "-V"],
    ),
    "bash": Play(
        24, 80, ["bash", "--noprofile", "--rcfile", "../home/prompt", "-i"],
        "a prompt of two lines with text at the right; lists, completes, searches the history, edits, clears",
        [
            ("❯", "ls -la\r"), ("❯", "ls a\t\r"), ("❯", "seq 1 40\r"),
            ("❯", "echo 'wide 緑茶 👩‍💻 é' " + "and long " * 12),
            ("", "\x01\x0b\x19"), ("", "\r"), ("❯", "\x12seq"), ("", "\x07"), ("", "\x0c"), ("❯", "ls -F\r"),
            ("❯", "printf 'no end of line'\r"), ("❯", "git status --short; cat stock.txt | head -30\r"),
            ("❯", "\x1b[A\x1b[A"),
        ],
        version=["bash", "--version"],
    ),
    "git-log": Play(
        24, 80, ["git", "log", "--graph", "--color", "--oneline", "--decorate", "--stat"],
        "through less -R, without its alternate screen left: pages, goes to the end, searches back",
        [(":", " "), ("", " "), ("", "G"), ("END", "?aisle\r"), ("", "n")],
        version=["git", "--version"], environment={"LESS": "R", "PAGER": "less"},
    ),
    "git-log-left": Play(
        24, 80, ["git", "log", "--graph", "--color", "--oneline", "--decorate", "-30"],
        "through less -RX, which draws on the first screen; left with q", [(":", " "), ("", "j"), ("", "q")],
        ends=True, version=["git", "--version"], environment={"LESS": "RX", "PAGER": "less"},
    ),
    "claude-welcome": Play(
        40, 120, CLAUDE, "Claude Code's first questions, the theme changed",
        [("Welcome", DOWN), ("", DOWN), ("", ENTER)],
        version=VERSION_OF_CLAUDE, environment={**ENVIRONMENT_OF_CLAUDE, "CLAUDE_CODE_USE_BEDROCK": "1"},
    ),
    "claude": Play(
        40, 120, CLAUDE, "Claude Code's start screen; a menu opens and closes, a prompt is written and finds no server",
        CLAUDE_STEPS, version=VERSION_OF_CLAUDE, environment=ENVIRONMENT_OF_CLAUDE, prepare=sign_in_nowhere,
    ),
    "claude-inline": Play(
        30, 90, CLAUDE, "as claude, drawn on the first screen below what was there", CLAUDE_STEPS,
        version=VERSION_OF_CLAUDE, prepare=sign_in_nowhere,
        environment={**ENVIRONMENT_OF_CLAUDE, "CLAUDE_CODE_DISABLE_ALTERNATE_SCREEN": "1"},
    ),
    "codex": Play(
        40, 120, [native("@openai/codex", "codex")], "Codex's first questions",
        [("Sign in", DOWN), ("", DOWN), ("", UP)], version=[native("@openai/codex", "codex"), "--version"],
    ),
    "gemini": Play(
        40, 120, GEMINI, "Gemini CLI's first questions: the folder is not trusted, a way to sign in is looked for",
        [("trust", DOWN), ("", DOWN), ("", ENTER), ("", DOWN), ("", DOWN)], version=[*GEMINI, "--version"],
        environment={"GEMINI_CLI_NO_RELAUNCH": "true"},
    ),
    "agentlike": Play(
        40, 100, [sys.executable, str(ROOT / "scripts/recording/agentlike.py")],
        "made by scripts/recording/agentlike.py: a live region drawn again and again below streamed Markdown",
        ends=True, version=["echo", "1"],
    ),
}  # fmt: skip


def version_of(play: Play) -> str:
    done = subprocess.run(play.version, capture_output=True, text=True, check=True)
    return (done.stdout or done.stderr).strip().splitlines()[0]
