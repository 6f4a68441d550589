"""the cw to be measured: the one named, or this checkout installed for the occasion"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from benching.clock import Budget
from benching.contestants import KINDS, Installed
from benching.processes import MARK
from benching.spawning import Failed

PYTHON = re.compile(r"/[^\s\"']*/python[0-9.]*(?=[\s\"']|$)", re.MULTILINE)
LAUNCHER_LIMIT = 4096
CHECKOUT = Path(__file__).resolve().parents[2]


def find_contestants(names: list[str], cw: str | None, prefix: Path) -> dict[str, Installed]:
    """What there is of the contestants asked for; a peer that is not installed is left out."""
    found = {name: path for name in names if name != "cw" and (path := find_peer(name))}
    installed = {name: Installed(path) for name, path in found.items()}
    if "cw" in names:
        binary = resolve(cw) if cw else install(prefix)
        installed["cw"] = Installed(binary, find_interpreter(binary))
    return {name: installed[name] for name in KINDS if name in installed}


def find_peer(name: str) -> str | None:
    own = CHECKOUT / ".tools" / name / "bin" / "python"  # what scripts/setup --bench put there
    return str(own) if own.exists() else shutil.which(name)


def resolve(cw: str) -> str:
    path = shutil.which(cw)
    if not path:
        raise Failed(f"no cw at {cw}")
    return os.path.abspath(path)


def install(prefix: Path) -> str:
    script = CHECKOUT / "install.sh"
    if not script.exists():
        raise Failed(
            "there is no install.sh: name the installed cw (--cw PATH) or leave it out (--without cw)"
        )
    print("installing this checkout …", file=sys.stderr)
    try:
        done = subprocess.run(
            [str(script), "--prefix", str(prefix)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=max(1.0, Budget.left()),
            env=os.environ | {MARK: f"{prefix}/"},
        )
    except subprocess.TimeoutExpired as late:
        raise Failed("install.sh took longer than the whole budget") from late
    if done.returncode != 0:
        raise Failed(f"install.sh ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    return str(prefix / "bin" / "cw")


def find_interpreter(cw: str) -> str:
    """The interpreter its launcher names; failing that, ours."""
    text = Path(cw).resolve().read_bytes()[:LAUNCHER_LIMIT].decode(errors="replace")
    candidates = [path for path in PYTHON.findall(text) if os.access(path, os.X_OK)]
    return candidates[0] if candidates else sys.executable
