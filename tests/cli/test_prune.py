"""cw prune: forget every session that has ended, or that ended long enough ago"""

from __future__ import annotations

import json

import pytest

from homes import Home


def ended(home: Home, hours_ago: float = 0) -> int:
    id = home.launch("echo", "over")
    home.cw("wait", str(id))
    if hours_ago:
        home.cw("stop")
        record = home.directory(id) / "exit.json"
        found = json.loads(record.read_text())
        record.write_text(json.dumps({**found, "ended_at": found["ended_at"] - hours_ago * 3600}))
        home.cw("start")
    return id


def test_what_has_ended_is_forgotten(home: Home) -> None:
    """Every one, with its log; what runs stays, and so does a second time."""
    running, ids = home.launch("sleep", "60"), [ended(home) for _ in range(3)]
    done = home.cw("prune")
    assert [f"Session {id} removed: echo over" for id in ids] == done.stdout.splitlines()[-4:-1]
    assert not any(home.directory(id).exists() for id in ids)
    assert home.status(running)["status"] == "running"
    assert home.cw("prune").stdout == "0 session(s), 0 bytes.\n"


def test_only_what_ended_long_ago(home: Home) -> None:
    """--older with seconds, minutes, hours or days."""
    home.cw("prune")
    old, young = ended(home, hours_ago=5), ended(home)
    for age in ("6h", "1d", "301m", "21600", "21600s"):
        assert home.cw("prune", "--older", age).stdout == "0 session(s), 0 bytes.\n"
    assert f"Session {old} removed" in home.cw("prune", "--older", "4.5h").stdout
    assert home.directory(young).exists()


def test_a_dry_run_only_tells(home: Home) -> None:
    """Which it would be; nothing is removed."""
    id = ended(home)
    done = home.cw("prune", "--dry-run")
    assert f"Session {id} would be removed: echo over\n" in done.stdout
    assert home.directory(id).exists()


def test_json(home: Home) -> None:
    """Which, and how much room that made."""
    home.cw("prune")
    id = ended(home)
    assert json.loads(home.cw("prune", "--dry-run", "--json").stdout)["would be removed"] == [id]
    told = json.loads(home.cw("prune", "--json").stdout)
    assert told["removed"] == [id]
    assert told["bytes"] > 0


@pytest.mark.parametrize("age", ["", "soon", "-1", "nan", "inf", "1w", "5 m m", "d", "1e400"])
def test_an_age_that_is_none(home: Home, age: str) -> None:
    """Exit status 2, and nothing is removed."""
    id = ended(home)
    done = home.cw("prune", f"--older={age}", status=2)
    assert "is not a time" in done.stderr
    assert home.directory(id).exists()
