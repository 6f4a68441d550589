"""the small parser and click: two ways to read a command line, one meaning"""

from __future__ import annotations

from typing import Any

import click
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codewire_py.cli.clicked import as_click, root
from codewire_py.cli.commands import ALIASES, GROUPS, NAMES, load
from codewire_py.cli.table import Command, parse

REFUSED = "refused"


def command_named(name: str) -> Command:
    command = load(name)
    assert command
    return command


def through_click(command: Command, words: list[str]) -> Any:
    """What click would run the command with; REFUSED when it explains or refuses instead."""
    heard: list[Any] = []
    spy = Command(lambda given: heard.append(given) or 0, command.help, *command.arguments, *command.options)
    spy.name = command.name
    try:
        as_click(spy).main(list(words), prog_name="cw", standalone_mode=False)
    except click.ClickException:
        return REFUSED
    return heard[0] if heard else REFUSED


# Words for the small parser, and what they mean beside the defaults.
PLAIN: list[tuple[str, dict[str, Any]]] = [
    ("launch ls", {"command": ["ls"]}),
    ("launch -- ls -l --json", {"command": ["ls", "-l", "--json"]}),
    ("launch ls -- -l", {"command": ["ls", "--", "-l"]}),
    ("launch ls --json -t x", {"command": ["ls", "--json", "-t", "x"]}),
    ("launch -- -- ls", {"command": ["--", "ls"]}),
    ("launch - ls", {"command": ["-", "ls"]}),
    ("launch", {"command": []}),
    ("launch --name api -t a --tag b --json -- x", {"name": "api", "tag": ["a", "b"], "json": True, "command": ["x"]}),
    ("launch -e A=1 --env=B=2 -d /x x", {"env": ["A=1", "B=2"], "dir": "/x", "command": ["x"]}),
    ("launch --rows 10 --cols=-3 -a x", {"rows": 10, "cols": -3, "attach": True, "command": ["x"]}),
    ("launch --name --json x", {"name": "--json", "command": ["x"]}),
    ("launch --name -- x", {"name": "--", "command": ["x"]}),
    ("list", {"status": "all", "tag": []}),
    ("list --status running --json --all -t x", {"status": "running", "json": True, "all": True, "tag": ["x"]}),
    ("list --status running --status=lost", {"status": "lost"}),
    ("status 1 --json", {"session": "1", "json": True}),
    ("status -- --json", {"session": "--json"}),
    ("status -", {"session": "-"}),
    ("attach", {"session": None, "detach_keys": None}),
    ("attach api -r --detach-keys ^a", {"session": "api", "read_only": True, "detach_keys": "^a"}),
    ("watch 1 2 --timeout 1.5 --tail 3", {"sessions": ["1", "2"], "timeout": 1.5, "tail": 3}),
    ("watch", {"sessions": []}),
    ("logs 1 -f --tail -1 --raw", {"session": "1", "follow": True, "tail": -1, "raw": True}),
    ("logs 1 --since 10m --until=14:05", {"session": "1", "since": "10m", "until": "14:05"}),
    ("logs 1 --rendered", {"session": "1", "rendered": True, "raw": False}),
    ("screen 1 --ansi --at 10m", {"session": "1", "ansi": True, "at": "10m", "scrollback": 0, "json": False}),
    ("screen api --scrollback 9 --json", {"session": "api", "scrollback": 9, "json": True, "at": None}),
    ("search error", {"pattern": "error", "session": [], "tag": [], "max": None}),
    ("search -i -F x 1 api -t a --max 3 -c", {
        "pattern": "x", "session": ["1", "api"], "ignore_case": True, "literal": True, "tag": ["a"], "max": 3,
        "count": True, "sessions_only": False,
    }),
    ("search -l --json -- -x", {"pattern": "-x", "sessions_only": True, "json": True}),
    ("export 1 out.cast --v2", {"session": "1", "file": "out.cast", "v2": True, "force": False}),
    ("export 1 -", {"session": "1", "file": "-"}),
    ("send 1 text -n", {"session": "1", "input": "text", "no_newline": True}),
    ("send 1", {"session": "1", "input": None}),
    ("send --enter 1 -- -x", {"session": "1", "enter": True, "input": "-x"}),
    ("send 1 -f path --stdin", {"session": "1", "file": "path", "stdin": True}),
    ("token create ci --scope send --session api --session=1 --expires 7d", {
        "action": "create", "names": ["ci"], "scope": "send", "session": ["api", "1"], "expires": "7d", "json": False,
    }),
    ("token revoke a b --json", {"action": "revoke", "names": ["a", "b"], "json": True, "session": []}),
    ("wait 1 api --any --timeout 0", {"sessions": ["1", "api"], "any": True, "timeout": 0.0}),
    ("kill 1 --grace 2 2", {"sessions": ["1", "2"], "grace": 2.0}),
    ("kill --all --signal INT --tree", {"all": True, "signal": "INT", "tree": True, "sessions": []}),
    ("rename 1 api", {"session": "1", "name": "api"}),
    ("rename 1", {"session": "1", "name": None}),
    ("resize 1 40x120", {"session": "1", "size": "40x120"}),
    ("resize 1 --json", {"session": "1", "size": None, "json": True}),
    ("remove 1 2 --json", {"sessions": ["1", "2"], "json": True}),
    ("prune", {"older": "0", "dry_run": False}),
    ("prune --older 7d --dry-run", {"older": "7d", "dry_run": True}),
    ("start", {"foreground": False}),
    ("start -f", {"foreground": True}),
    ("stop --kill", {"kill": True, "session": None}),
    ("stop 1", {"session": "1"}),
    ("restart --json", {"json": True}),
    ("daemon --background", {"background": True}),
    ("config --json", {"json": True}),
    ("server list", {"action": "list", "words": [], "json": False}),
    ("server add box wss://x --token-stdin --default --fingerprint=aa", {
        "action": "add", "words": ["box", "wss://x"], "token_stdin": True, "default": True, "fingerprint": "aa",
    }),
    ("server cert --host a --host b --force", {"action": "cert", "host": ["a", "b"], "force": True}),
    ("server pair --scope send --expires 7d", {"scope": "send", "expires": "7d", "code": None, "token": None}),
    ("stdio", {}),
    ("completion bash", {"shell": "bash"}),
]  # fmt: skip

# Words that are click's to parse, to explain or to refuse.
CLICKS = [
    "launch -tx ls", "launch --bogus ls", "launch --rows x ls", "launch --name", "launch --attach=yes ls",
    "launch -t=x ls", "list x", "list --status bogus", "list --status", "list --help", "list -h", "list --stat all",
    "list --json=1", "status", "status 1 2", "status -1", "send", "send 1 a b", "send -x 1", "logs", "logs 1 2", "export 1", "screen",
    "screen 1 2", "screen 1 --scrollback x", "search", "search x --max y",
    "logs 1 -t3", "logs 1 --tail 1.5", "watch 1 --timeout soon", "watch 1 --timeout -1", "watch 1 --timeout nan",
    "watch 1 --timeout 1e99", "wait 1 --timeout", "kill 1 --grace x", "attach 1 2", "rename", "rename 1 2 3", "resize",
    "prune x", "start now", "stop 1 2", "restart x", "config x", "completion", "completion bash zsh", "daemon x",
    "remove --older 1", "server", "server add box --token",
]  # fmt: skip
MEANT = {"launch -tx ls", "launch -t=x ls", "logs 1 -t3"}  # those that click understands


@pytest.mark.parametrize(("line", "meant"), PLAIN, ids=[line for line, _ in PLAIN])
def test_plain_words_mean_the_same_to_both(line: str, meant: dict[str, Any]) -> None:
    """The small parser understands them without click, and what it finds is what click finds."""
    name, *words = line.split()
    command = command_named(name)
    found = parse(command, words)
    assert found is not None
    assert {key: found[key] for key in meant} == meant
    assert found == through_click(command, words)
    assert {key: type(value) for key, value in found.items() if key in meant} == {
        key: type(value) for key, value in meant.items()
    }


@pytest.mark.parametrize("line", CLICKS)
def test_other_words_are_left_to_click(line: str) -> None:
    """The small parser never guesses, and never refuses by itself."""
    name, *words = line.split()
    command = command_named(name)
    assert parse(command, words) is None
    assert (through_click(command, words) == REFUSED) is (line not in MEANT)


def test_every_command_has_plain_words() -> None:
    """A new command is compared as well: nobody can forget it."""
    assert {line.split()[0] for line, _ in PLAIN} == set(NAMES)


VALUES = [
    "",
    "-",
    "--",
    "1",
    "api",
    "-1",
    "1.5",
    "nan",
    " 7 ",
    "1_0",
    "=",
    "a=b",
    "all",
    "lost",
    "é",
    "\udcff",
]


def words_for(command: Command) -> st.SearchStrategy[list[str]]:
    """What may be typed after a command: its own options, rightly and wrongly used, and anything else."""
    names = [name for option in command.options for name in option.names]
    values = st.one_of(st.sampled_from(VALUES), st.text(max_size=4))
    options = st.sampled_from([*names, "--help", "-h", "--bogus"])
    joined = st.builds(
        lambda name, mark, value: name + mark + value, options, st.sampled_from(["=", ""]), values
    )
    pair = st.builds(lambda name, value: [name, value], options, values)
    single = st.one_of(options, joined, values).map(lambda word: [word])
    return st.lists(st.one_of(pair, single), max_size=5).map(
        lambda parts: [word for part in parts for word in part]
    )


@pytest.mark.parametrize("name", NAMES)
def test_whatever_is_typed_means_one_thing(name: str) -> None:
    """For any words, the small parser finds what click finds, or leaves them to click."""
    command = command_named(name)
    understood = 0

    @settings(max_examples=60, deadline=None, derandomize=True, database=None)
    @given(words_for(command))
    def agree(words: list[str]) -> None:
        nonlocal understood
        found = parse(command, words)
        if found is not None:
            understood += 1
            assert found == through_click(command, words), words

    agree()
    assert understood


def test_an_alias_is_the_command_itself() -> None:
    """ps, ls, run and rm: to the small parser and to click."""
    for alias, name in ALIASES.items():
        assert load(alias) is load(name)
        assert root().get_command(click.Context(root()), alias).name == name  # type: ignore[union-attr]
        assert alias in command_named(name).aliases


def test_every_command_is_in_the_help_once() -> None:
    """`cw --help` lists each one, in its group, with a sentence."""
    text = root().get_help(click.Context(root(), info_name="cw"))
    assert len(NAMES) == len(set(NAMES))
    for title, names in GROUPS.items():
        assert f"\n{title}:\n" in text
        for name in names:
            assert sum(line.startswith(f"  {name}  ") for line in text.splitlines()) == 1
            assert command_named(name).help


@pytest.mark.parametrize(
    ("name", "usage"),
    [
        ("attach", "[SESSION]"),
        ("status", "SESSION"),
        ("rename", "SESSION [NAME]"),
        ("resize", "SESSION [SIZE]"),
        ("send", "SESSION [TEXT]"),
        ("kill", "[SESSION]..."),
        ("launch", "COMMAND…"),
        ("stop", ""),
        ("list", ""),
    ],
)
def test_the_help_says_what_may_be_left_out(name: str, usage: str) -> None:
    """In brackets: what is optional; with dots: what repeats. What only catches mistakes is not shown."""
    page = as_click(command_named(name))
    line = page.get_usage(click.Context(page, info_name=f"cw {name}"))
    assert line.split() == f"Usage: cw {name} [OPTIONS] {usage}".split()
