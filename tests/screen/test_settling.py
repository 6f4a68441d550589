"""lines as they ended up: each once, in order, whatever the program drew over"""

from __future__ import annotations

import random

import pytest

from codewire_py.daemon.screen.settling import Line, Settling
from screen.pictures import drawn, recorded

RECORDED = recorded()


def settled(data: bytes, rows: int = 6, cols: int = 40) -> list[Line]:
    settling = Settling(rows, cols)
    settling.feed(data)
    return settling.finish()


def texts(data: bytes, rows: int = 6, cols: int = 40) -> list[str]:
    return [text for _, text in settled(data, rows, cols)]


# ── what settles ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (b"", []),
        (b"\r\n\r\n", []),
        (b"one\r\n\r\ntwo", ["one", "", "two"]),
        (b"".join(b"line %d\r\n" % n for n in range(50)), [f"line {n}" for n in range(50)]),
        (b"x" * 100 + b"\r\nshort", ["x" * 100, "short"]),
        (b"x" * 1000 + b"\r\n" + b"y" * 41, ["x" * 1000, "y" * 41]),
        (b"trailing   \r\n", ["trailing"]),
        (b"".join(b"\r%d%%" % n for n in range(101)) + b"\r\ndone\r\n", ["100%", "done"]),
        (b"a\r\n" + b"".join(b"\r\x1b[K| / - \\"[: 5 + n] for n in range(4)) + b"\x1b[2K\rready\r\n", ["a", "ready"]),
        (b"begin\r\n" + b"".join(b"up %d\r\nlow %d\r\n\x1b[2A" % (n, n) for n in range(9)), ["begin", "up 8", "low 8"]),
        (b"\x1b[31mred\x1b[m \x1b]0;title\x07and \x1b[1mbold\x1b[m\r\n", ["red and bold"]),
        ("wide 漢字 e\u0301 👩‍👩‍👧\r\n".encode(), ["wide 漢字 e\u0301 👩‍👩‍👧"]),
        (("x" * 39 + "漢字\r\n").encode(), ["x" * 39 + "漢字"]),
        (b"kept\r\n\x1b7gone\x1b8\x1b[K", ["kept"]),
        (b"bell\x07 and \x00\x7fnothing\r\n\x1b(0qqx\x1b(B\r\n", ["bell and nothing", "──│"]),
    ],
)  # fmt: skip
def test_what_was_there_in_the_end(data: bytes, wanted: list[str]) -> None:
    """Rows that ran on are one line; what was drawn over in place is not told."""
    assert texts(data) == wanted


def test_the_order_is_that_of_the_screen() -> None:
    """A row that is drawn late but stands above is told first."""
    assert texts(b"\x1b[3;1Hthird\x1b[1;1Hfirst\x1b[2;1Hsecond") == ["first", "second", "third"]


def test_a_line_without_end_is_told_in_parts() -> None:
    """A program that never ends its line costs no more than a part of it."""
    settling = Settling(6, 40)
    settling.feed(b"x" * 40 * 2000)
    lines = [text for _, text in settling.hand_over()]
    assert max(map(len, lines)) <= 40 * 512
    assert "".join(lines + [text for _, text in settling.finish()]) == "x" * 40 * 2000


# ── a screen that is cleared ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "clear", [b"\x1b[H\x1b[2J", b"\x1b[H\x1b[2J\x1b[3J", b"\x1b[H\x1b[J", b"\x1bc", b"\x1b[2J\x1b[H"]
)
def test_what_was_cleared_has_been_read(clear: bytes) -> None:
    """`clear` and Ctrl+L lose nothing."""
    data = b"$ make\r\nall good\r\n$ clear\r\n" + clear + b"$ date\r\nSaturday\r\n$ "
    assert texts(data) == ["$ make", "all good", "$ clear", "$ date", "Saturday", "$"]


def test_a_clock_that_clears_and_draws_is_one_picture() -> None:
    """What is there again, numbers aside, was redrawn."""
    frames = b"".join(
        b"\x1b[H\x1b[2JEvery 2s: date\r\n\r\n12:00:%02d\r\nload 0.%d" % (n, n) for n in range(50)
    )
    assert texts(frames) == ["Every 2s: date", "", "12:00:49", "load 0.49"]


def test_two_pictures_are_two() -> None:
    """Each was read, and is told where it was left."""
    assert texts(b"one\r\ntwo\r\n\x1b[H\x1b[2Jthree\r\nfour\r\n\x1b[H\x1b[2Jfive") == [
        "one",
        "two",
        "three",
        "four",
        "five",
    ]


def test_a_cleared_screen_that_scrolls_is_not_told_twice() -> None:
    """A program that clears and draws everything again, more than there is room for."""
    lines = b"".join(b"line %c\r\n" % n for n in b"abcd")
    more = b"".join(b"more %d\r\n" % n for n in range(9))
    assert texts(lines + b"\x1b[H\x1b[2J" + lines + more)[:5] == [
        "line a",
        "line b",
        "line c",
        "line d",
        "more 0",
    ]


# ── the alternate screen ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("mode", [47, 1047, 1049])
def test_an_alternate_screen_is_told_as_it_was_left(mode: int) -> None:
    """Once, without what scrolled by in it, where the program was called."""
    inside = b"\x1b[H\x1b[2Jfirst page\x1b[H\x1b[2J\x1b[2;1Hsecond page\r\n\r\n\r\nstatus"
    data = b"$ less file\r\n\x1b[?%dh" % mode + inside + b"\x1b[?%dl\x1b[2;1H$ date\r\nSaturday\r\n" % mode
    assert texts(data) == ["$ less file", "second page", "", "status", "$ date", "Saturday"]


def test_an_alternate_screen_that_is_never_left() -> None:
    """The session ended, or is still in it: it is what can be seen."""
    assert texts(b"$ vim\r\n\x1b[?1049h\x1b[Htext\r\n~") == ["$ vim", "text", "~"]


def test_alternate_screens_one_after_the_other() -> None:
    """Each is told, also when the main screen has not moved in between."""
    data = b"$ " + b"".join(b"\x1b[?1049h\x1b[Hpage %c\x1b[?1049l" % n for n in b"abc") + b"done"
    assert sorted(texts(data)) == ["$ done", "page a", "page b", "page c"]


def test_alternate_screens_are_not_kept_for_ever() -> None:
    """Only the last one waits for the line that comes after it."""
    settling = Settling(6, 40)
    settling.feed(b"".join(b"\x1b[?1049h\x1b[Hpage %d\x1b[?1049l" % n for n in range(1000)))
    assert len(settling.hand_over()) == 999


# ── recordings ────────────────────────────────────────────────────────────────────────────────────────


def test_claude_code_inline() -> None:
    """Its box is drawn many times and told once; a menu that opened and closed is not there."""
    data, rows, cols = RECORDED["claude-inline"]
    lines = texts(data, rows, cols)
    assert sum("Claude Code v" in line for line in lines) == 1
    assert [line for line in lines if line.startswith("❯")] == ["❯\u00a0hello 緑茶 👩‍💻"]
    assert len(lines) < rows


def test_claude_code_full_screen() -> None:
    """What its screen showed last, without the emptiness between."""
    data, rows, cols = RECORDED["claude"]
    lines = texts(data, rows, cols)
    assert sum("Claude Code v" in line for line in lines) == 1
    assert sum(line.startswith("❯") for line in lines) == 1
    assert "" not in [line for line, above in zip(lines[1:], lines, strict=False) if not above]


def test_vim() -> None:
    """What was in the window when it was left, and none of its status messages on the way."""
    data, rows, cols = RECORDED["vim-left"]
    lines = texts(data, rows, cols)
    assert any("field guide" in line for line in lines)
    assert len(lines) <= rows


def test_a_shell() -> None:
    """Every command and every line of output, once, prompts that were edited as they were sent."""
    data, rows, cols = RECORDED["bash"]
    lines = texts(data, rows, cols)
    start = lines.index("❯ seq 1 40") + 1
    assert lines[start : start + 40] == [str(n) for n in range(1, 41)]
    assert sum("ls: cannot access 'a'" in line for line in lines) == 1


# ── offsets ───────────────────────────────────────────────────────────────────────────────────────────


def test_an_offset_shows_the_line() -> None:
    """Drawn up to a line's offset, the screen has it; for a slow program it is where the next output began."""
    data = b"".join(b"line %d\r\n" % n for n in range(9))
    cuts = [at + 1 for at, byte in enumerate(data) if byte == 10]
    settling = Settling(6, 40)
    settling.feed(data, cuts)
    assert settling.finish() == [(cut, f"line {n}") for n, cut in enumerate(cuts)]


@pytest.mark.parametrize("name", ["claude-inline", "bash", "gemini", "agentlike"])
def test_offsets_in_recordings(name: str) -> None:
    """At its offset each line stands on the screen as it was told, or left it within the last piece."""
    data, rows, cols = RECORDED[name]
    lines = [(offset, text) for offset, text in settled(data, rows, cols) if text and len(text) < cols / 2]
    there = 0
    for offset, text in lines:
        replay = Settling(rows, cols)
        replay.draw(data[:offset])
        there += text in [row.text() for row in (*replay.screen.main, *replay.screen.other)]
    assert there >= 0.9 * len(lines) > 0


# ── cuts ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("seed", range(40))
def test_however_it_is_cut(seed: int) -> None:
    """The same lines in the same order, wherever reads, pieces and moments cut the stream."""
    data = drawn(seed, 400)
    chance = random.Random(seed)
    whole = sorted(texts(data, 8, 20))
    settling = Settling(8, 20)
    at = 0
    while at < len(data):
        size = chance.randrange(1, 60)
        settling.feed(data[at : at + size], sorted(chance.sample(range(at, at + 60), 3)))
        at += size
    assert sorted(text for _, text in settling.finish()) == whole


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_recordings_however_they_are_cut(name: str) -> None:
    """Real programs' lines are those of the whole, in pieces as well."""
    data, rows, cols = RECORDED[name]
    settling = Settling(rows, cols)
    for at in range(0, len(data), 777):
        settling.feed(data[at : at + 777])
    assert [text for _, text in settling.finish()] == texts(data, rows, cols)


# ── told before they leave ────────────────────────────────────────────────────────────────────────────


def told_early(pieces: list[bytes], rows: int = 6, cols: int = 20) -> tuple[list[str], list[str]]:
    settling = Settling(rows, cols)
    early = []
    for piece in pieces:
        settling.feed(piece)
        settling.settle_above()
        early += [text for _, text in settling.hand_over()]
    return early, [text for _, text in settling.finish()]


def test_line_below_line_is_told_at_once() -> None:
    """Whoever follows a build need not wait for a screenful; and nothing is told twice."""
    pieces = [b"line %d\r\n" % n for n in range(20)] + [b"no end"]
    assert told_early(pieces) == ([f"line {n}" for n in range(20)], ["no end"])


def test_a_program_that_moves_about_is_told_when_it_settles() -> None:
    """It may come back to any row that can be seen."""
    early, late = told_early([b"one\r\n", b"\x1b[A", b"two\r\n", b"three\r\n"])
    assert early + late == ["one", "two", "three"] or early + late == ["two", "three"]
    early, late = told_early([b"\x1b[Hone\r\n\x1b[A", b"two\r\n", b"three\r\n"])
    assert (early, late) == ([], ["two", "three"])


def test_told_lines_stay_told_when_the_size_changes() -> None:
    """They are broken anew, pushed out, or come down again: each is told once all the same."""
    settling = Settling(6, 20)
    settling.feed(b"".join(b"line %d\r\n" % n for n in range(4)))
    settling.settle_above()
    for rows, cols in ((3, 20), (8, 5), (6, 40), (2, 3)):
        settling.resize(rows, cols)
    settling.feed(b"end\r\n")
    lines = [text for _, text in (*settling.hand_over(), *settling.finish())]
    assert lines == ["line 0", "line 1", "line 2", "line 3", "end"]


def test_lines_survive_a_change_of_size() -> None:
    """Each is told once, whatever is broken anew and pushed out."""
    settling = Settling(6, 20)
    for n, (rows, cols) in enumerate([(3, 10), (10, 30), (2, 4), (6, 20)]):
        settling.feed(b"a line of output number %d\r\n" % n)
        settling.resize(rows, cols)
    lines = [text for _, text in settling.finish()]
    assert lines == [f"a line of output number {n}" for n in range(4)]
