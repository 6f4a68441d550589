"""the run itself: no test hangs, none is left out unnoticed, and no process stays behind"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

ROOT = Path(__file__).resolve().parent.parent


def run(*command: str | Path, cwd: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=cwd, check=False, capture_output=True, text=True, timeout=50, env={**os.environ, **env}
    )


def run_tests(folder: Path, source: str, **env: str) -> subprocess.CompletedProcess[str]:
    """As tests of ours."""
    for name in ("conftest.py", "homes.py"):
        shutil.copy(ROOT / "tests" / name, folder)
    shutil.copy(ROOT / "pyproject.toml", folder)
    (folder / "test_some.py").write_text(dedent(source))
    return run(sys.executable, "-m", "pytest", "-q", folder, cwd=folder, **env)


def test_a_test_that_hangs_is_interrupted(tmp_path: Path) -> None:
    """A test past its deadline fails, async or not, and the others still run."""
    done = run_tests(
        tmp_path,
        """
        import os, pytest, trio

        @pytest.mark.deadline(0.2)
        def test_blocking(): os.read(os.pipe()[0], 1)

        @pytest.mark.deadline(0.2)
        async def test_async(): await trio.sleep_forever()

        def test_fine(): pass
        """,
    )
    assert "2 failed, 1 passed" in done.stdout
    assert done.stdout.count("DeadlinePassed: took longer than 0.2 s") >= 2


SKIPPING = """
    import pytest

    @pytest.mark.skipif(True, reason="there is no zsh")
    def test_marked(): pass

    @pytest.fixture
    def host(): pytest.skip("needs ssh")

    def test_set_up(host): pass

    def test_allowed(): pytest.skip("root may read everything")

    @pytest.mark.xfail(reason="not yet")
    def test_to_be_mended(): assert False
    """


def test_where_all_is_to_be_checked_nothing_is_left_out(tmp_path: Path) -> None:
    """Where CI is set, a test that did not run for want of something fails the run, which names both."""
    done = run_tests(tmp_path, SKIPPING, CI="true")
    assert done.returncode == 1
    assert re.findall(r"^not run, although CI is set: (.+)$", done.stdout, re.MULTILINE) == [
        "test_some.py::test_marked: there is no zsh",
        "test_some.py::test_set_up: needs ssh",
    ]


def test_elsewhere_what_is_missing_only_shows(tmp_path: Path) -> None:
    """Whoever has no zsh can still run the tests."""
    done = run_tests(tmp_path, SKIPPING, CI="")
    assert done.returncode == 0
    assert "3 skipped, 1 xfailed" in done.stdout
    assert "not run" not in done.stdout


def test_a_file_that_is_left_out_counts(tmp_path: Path) -> None:
    """As all of its tests."""
    done = run_tests(tmp_path, "import pytest; pytest.skip('no trio', allow_module_level=True)", CI="1")
    assert done.returncode != 0
    assert "not run, although CI is set: test_some.py: no trio" in done.stdout


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux hands orphans to an ancestor")
def test_a_process_left_behind_is_found(tmp_path: Path) -> None:
    """scripts/test fails when a passing test leaves a process, even one that detached itself, and ends it."""
    (tmp_path / "test_leaving.py").write_text(
        dedent("""
        import subprocess

        def test_leaves():
            subprocess.run("setsid sleep 4321 & setsid true", shell=True, check=True)
    """)
    )
    done = run(ROOT / "scripts/test", "-q", str(tmp_path))
    assert "1 passed" in done.stdout
    assert done.returncode == 1
    assert re.search(r"left behind by the tests: \d+ sleep 4321", done.stderr)
    assert "sleep 4321" not in run("ps", "-A", "-o", "args=").stdout
