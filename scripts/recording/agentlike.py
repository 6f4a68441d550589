"""what an agent's terminal interface sends: repaints of a live region, streamed Markdown, wide characters"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

ESC = "\x1b"
RESET = f"{ESC}[0m"
SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
TURNS = 5

MARKDOWN = """\
## Plan for turn {turn} ✨

I will look at **three files**, change `parse_header()` and run the tests. 先に設定を読みます。

1. Read `src/header.py` 👀
2. Handle the missing colon: `key value` → `key: value`
3. Run `pytest -q` ✅ (took 1.4 s ⏱️)

```python
def parse_header(line: str) -> tuple[str, str]:
    key, colon, value = line.partition(":")  # 見出し
    if not colon:
        raise ValueError(f"no colon in {line!r}")
    return key.strip(), value.strip()
```

> A family 👨‍👩‍👧‍👦, a flag 🇯🇵, an accent é, a long word: 日本語の文章はどこでも折り返すことができます。

"""


def colour(red: int, green: int, blue: int, text: str) -> str:
    return f"{ESC}[38;2;{red};{green};{blue}m{text}{ESC}[39m"


def dim(text: str) -> str:
    return f"{ESC}[2m{text}{ESC}[22m"


def styled(line: str, is_code: bool) -> str:
    if is_code:
        return f"{ESC}[48;5;236m  {colour(160, 200, 255, line):<60}{ESC}[K{RESET}"
    if line.startswith("## "):
        return f"{ESC}[1;4m{line[3:]}{RESET}"
    if line.startswith("> "):
        return f"{ESC}[2;3m▎ {line[2:]}{RESET}"
    bold = False
    while "**" in line:
        bold = not bold
        line = line.replace("**", f"{ESC}[1m" if bold else f"{ESC}[22m", 1)
    while line.count("`") >= 2:
        line = line.replace("`", f"{ESC}[38;5;180m", 1).replace("`", f"{ESC}[39m", 1)
    return line


def live_region(turn: int, frame: int, cols: int) -> list[str]:
    """What is below the finished text and drawn anew each time: a spinner, a box to write in, a footer."""
    bar = "─" * (cols - 2)
    glyph = SPINNER[frame % len(SPINNER)]
    shade = 120 + frame * 7 % 100
    return [
        f"{colour(shade, 140, 255, glyph)} Thinking… {dim(f'({frame}s · ↑ {frame * 37} tokens)')}",
        "",
        dim(f"╭{bar}╮"),
        f"{dim('│')} > {ESC}[7m {ESC}[27m{dim(f'ask about turn {turn} 🚀')}{ESC}[{cols}G{dim('│')}",
        dim(f"╰{bar}╯"),
        f"  {ESC}[42;30m main {RESET} {ESC}[33m{turn * 3}%{RESET} of the context",
    ]


def erased(lines: int) -> str:
    return f"{ESC}[2K" + f"{ESC}[1A{ESC}[2K" * (lines - 1) + f"{ESC}[G" if lines else ""


def frames(cols: int) -> Iterator[str]:
    """Each is one write: the old live region goes, finished lines come, the new live region is drawn."""
    height = frame = 0
    for turn in range(1, TURNS + 1):
        is_code = False
        for line in MARKDOWN.replace("{turn}", str(turn)).splitlines():
            is_fence = line.startswith("```")
            is_code ^= is_fence
            for is_finished in (False, not is_fence):
                frame += 1
                region = live_region(turn, frame, cols)
                finished = styled(line, is_code) + "\r\n" if is_finished else ""
                yield f"{ESC}[?2026h{erased(height)}{finished}" + "\r\n".join(region) + f"{ESC}[?2026l"
                height = len(region)
        yield f"{ESC}]0;turn {turn}\a"


def main() -> None:
    cols = os.get_terminal_size().columns
    sys.stdout.write(f"{ESC}[?25l{ESC}[?2004h")
    for text in frames(cols):
        sys.stdout.write(text)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
