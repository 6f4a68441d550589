"""every question that the daemon answers is found, once, and nobody else is asked it"""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from codewire_py.stream.queries import QUERY_MAX, Queries, is_known
from codewire_py.stream.quiet import Quiet, is_query
from stream.cutting import bytewise, cut_up
from stream.plain_terminal import Terminal, asks, is_ours
from stream.test_quiet import BROKEN, HARMLESS, KNOWN, PARTS, QUESTIONS, STREAMS, UNKNOWN, watch

Event = tuple[str, str]
ALIKE = [
    b"\x1b[1c",
    b"\x1b[?5n",
    b"\x1b[7n",
    b"\x1b[1;2$p",
    b"\x1b[10t",
    b"\x1b[?1u",
    b"\x1b[2q",
    b"\x1b]14;?\x07",
]
BEFORE_THEIR_END = [b"\x1b[6", b"\x1b]11;?", b"\x1bP$qm", b"\x1bP+q", b"\x1b]4;1;?"]


def ask(data: bytes, cuts: list[int]) -> list[tuple[int, bytes]]:
    questions = Queries()
    return [found for piece in cut_up(data, cuts) for found in questions.feed(piece)]


def events_of(query: bytes) -> list[Event]:
    terminal = Terminal()
    terminal.feed(query)
    return terminal.events


def questions_of(events: list[Event]) -> list[Event]:
    """Those that are sequences, and no longer than any real one."""
    return [event for event in events if asks(*event) and event[0] != "control" and len(event[1]) <= 256]


@pytest.mark.parametrize("query", KNOWN)
def test_a_question_is_found_wherever_it_is_cut(query: bytes) -> None:
    """Once, whole, when its last byte has come."""
    data = b"some text \xc3\xa9 " + query + b"c5n more"
    end = data.index(query) + len(query)
    for cut in range(len(data)):
        assert ask(data, [cut]) == [(end, query)]
    questions = Queries()
    found = [(at + 1, questions.feed(piece)) for at, piece in enumerate(bytewise(data))]
    assert [(at, what) for at, what in found if what] == [(end, [(end, query)])]
    assert is_known(query)


@pytest.mark.parametrize("sequence", [*UNKNOWN, *HARMLESS, *ALIKE])
def test_what_is_not_for_the_daemon_is_left_alone(sequence: bytes) -> None:
    """Queries that it cannot answer, and what is none."""
    assert ask(b"a" + sequence + b"b", []) == []
    assert ask(b"a" + sequence + b"b", list(range(len(sequence)))) == []
    assert not is_known(sequence)


@pytest.mark.parametrize("begun", BEFORE_THEIR_END)
@pytest.mark.parametrize("broken", [b"\x18", b"\x1a", b"\x1b[m"])
def test_a_question_that_is_broken_off_is_none(begun: bytes, broken: bytes) -> None:
    """And the next one is found all the same."""
    data = begun + broken + b"n\x07\x1b[5n"
    assert ask(data, []) == [(len(data), b"\x1b[5n")]
    assert ask(data, list(range(len(data)))) == [(len(data), b"\x1b[5n")]


@pytest.mark.parametrize(
    ("endless", "end"),
    [(b"\x1b]11;?;", b"\x07"), (b"\x1bP+q", b"\x1b\\"), (b"\x1b[", b"n"), (b"\x1b]4;", b"\x1b\\")],
)
def test_an_endless_question_costs_no_memory(endless: bytes, end: bytes) -> None:
    """It is left unanswered, and what follows it is heard."""
    questions = Queries()
    for piece in [endless, *[b"1;?;" * 500] * 50]:
        assert questions.feed(piece) == []
        assert len(questions._held) <= QUERY_MAX + 1
    assert [query for _, query in questions.feed(end + b"\x1b[6n")] == [b"\x1b[6n"]


@pytest.mark.parametrize("longer", [-1, 0, 1, 2])
def test_how_long_a_question_may_be_does_not_depend_on_the_reads(longer: int) -> None:
    """The same one is answered, or not, wherever it was cut."""
    begun = b"\x1b]11;?;"
    query = begun + b"x" * (QUERY_MAX - len(begun) + longer) + b"\x1b\\"
    wanted = [(len(query), query)] if longer <= 0 else []
    for cut in (0, 5, len(query) - 3, len(query) - 2, len(query) - 1):
        assert ask(query, [cut]) == wanted


@given(STREAMS, st.lists(st.integers(0, 1 << 20), max_size=8))
@example(b"\x1b[6\x1b[cn", [3, 5])
@example(b"\x1b]11;?\x1b", [])
@settings(max_examples=1500, deadline=None)
def test_where_the_stream_is_cut_does_not_matter(data: bytes, cuts: list[int]) -> None:
    """The same questions are found at the same places, and each ends where it is said to end."""
    found = ask(data, cuts)
    assert found == ask(data, [])
    assert all(data[:end].endswith(query) and is_query(query) for end, query in found)


@given(STREAMS, st.lists(st.integers(0, 1 << 20), max_size=8))
@example(b"\x1b]4;1;?\x1b[?15n\x07\x1b[c", [4])
@settings(max_examples=2000, deadline=None)
def test_each_question_has_exactly_one_who_answers(data: bytes, cuts: list[int]) -> None:
    """Every question of a stream is found for the daemon or passed to the viewer that typed last: none to both,
    none to neither, in their order."""
    data += b"\x18"  # whatever is unfinished is cut short, so that nothing is held
    asked = questions_of(watch(data).events)
    found = [event for _, query in ask(data, cuts) for event in questions_of(events_of(query))]
    quiet = Quiet(clipboard=True, unknown=True)
    passed = watch(b"".join(quiet.feed(piece) for piece in cut_up(data, cuts)))
    assert found == [event for event in asked if is_ours(*event)]
    assert questions_of(passed.events) == [event for event in asked if not is_ours(*event)]


def test_the_lists_are_of_both_kinds() -> None:
    """The streams above hold questions for both, and what is none."""
    ours = [query for query in QUESTIONS if is_known(query)]
    assert 20 < len(ours) < len(QUESTIONS) - 20
    assert set(QUESTIONS) | set(HARMLESS) | set(BROKEN) <= set(PARTS)
