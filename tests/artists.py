"""real programs that draw whole screens, always the same, and how a test plays them"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from coming_back import Pane, Picture

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "codewire_py" / "errors.py"
NO_KEY = "not-a-key-" + "0" * 30


@dataclass(frozen=True)
class Artist:
    """`command` is told a folder of its own; `keys` come in batches, each when the screen shows something and rests."""

    command: Callable[[Path], list[str]]
    keys: list[tuple[str, list[str]]]
    ready: str  # what it shows at last, at any size
    size: tuple[int, int] = (24, 80)
    other_size: tuple[int, int] = (19, 101)
    looks: int = 10
    not_yet: str = "\0"  # what goes away by itself before the screen rests

    def is_ready(self, picture: Picture) -> bool:
        screen = "\n".join(picture.text)
        return self.ready in screen and self.not_yet not in screen

    def rests(self, pane: Pane) -> Picture:
        return pane.settled(self.is_ready, repr(self.ready), self.looks)

    def play(self, pane: Pane) -> Picture:
        for wanted, keys in self.keys:
            pane.until_shown(wanted, self.looks)
            pane.press(*keys)
        return self.rests(pane)


def installed(name: str) -> str:
    assert shutil.which(name), f"{name} is missing: run scripts/setup"
    return name


def vim(folder: Path) -> list[str]:
    text = SOURCE.read_text().replace("\n\n\n", "\n# 緑茶 👩‍💻 café 🇯🇵 ✅\n\n", 3)
    (folder / "source.py").write_text(text)
    settings = "set background=dark hlsearch number laststatus=2 mouse=a listchars=tab:→. list"
    place = ["env", "-C", str(folder), f"HOME={folder}"]
    return [*place, installed("vim"), "--clean", "-n", "-c", settings, "source.py"]


def htop(folder: Path) -> list[str]:
    """Only what does not change by itself: us, no times, no loads."""
    settings = folder / "htoprc"
    settings.write_text(
        "fields=0 48 17 18 1\nheader_layout=two_50_50\ncolumn_meters_0=Hostname\ncolumn_meter_modes_0=2\n"
        "column_meters_1=System\ncolumn_meter_modes_1=2\nhide_userland_threads=1\nhighlight_base_name=1\n"
    )
    place = ["env", f"HTOPRC={settings}", f"HOME={folder}"]
    return [*place, installed("htop"), "-d", "100", "-p", str(os.getpid())]


def claude(folder: Path) -> list[str]:
    """Past its first questions, with a key that no server knows, and nobody to reach."""
    program = next((ROOT / ".tools/node_modules/@anthropic-ai").glob("claude-code-*/claude"), None)
    assert program, "Claude Code is not in .tools: run scripts/setup"
    shop = folder / "shop"
    shop.mkdir()
    settings = {
        "hasCompletedOnboarding": True,
        "theme": "dark",
        "customApiKeyResponses": {"approved": [NO_KEY[-20:]], "rejected": []},
        "projects": {str(shop): {"hasTrustDialogAccepted": True, "allowedTools": []}},
    }
    (folder / ".claude.json").write_text(json.dumps(settings))
    env = {
        "HOME": str(folder),
        "ANTHROPIC_API_KEY": NO_KEY,
        "ANTHROPIC_BASE_URL": "http://127.0.0.1:9",
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "DISABLE_AUTOUPDATER": "1",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }
    return ["env", "-C", str(shop), *(f"{name}={value}" for name, value in env.items()), str(program)]


ARTISTS = {
    "vim": Artist(
        vim,
        [
            ("Top", ["/", "class", "Enter"]),
            ("class", ["n", "z", "t", ":split", "Enter"]),
            ("class", ["C-d", "j", ":set list?", "Enter"]),
            ("list", ["V", "j", "j"]),
        ],
        "VISUAL",
    ),
    "htop": Artist(htop, [("F10", ["F6"]), ("Sort", ["Down"])], "Sort by"),
    "claude": Artist(
        claude, [("auto mode", ["-l", "hello 緑茶 👩‍💻 ✅ "])], "hello",
        size=(30, 90), other_size=(24, 110), looks=24, not_yet="/effort",
    ),
}  # fmt: skip
