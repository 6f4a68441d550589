"""no test hangs: each phase of each test has a deadline; and where all is to be checked, none is left out unnoticed"""

from __future__ import annotations

import faulthandler
import os
import signal
from collections.abc import Iterator
from types import FrameType
from typing import Any, Self

import pytest
from hypothesis import settings

from homes import Home, new_home

# The same examples every time, so that a run says something about the change before it and not about luck.
# HYPOTHESIS_PROFILE=default looks for new ones.
settings.register_profile("house", derandomize=True, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "house"))

DEFAULT_SECONDS = 60.0
SECONDS_TO_TRY_AGAIN = 5.0  # the first interrupt may come where exceptions are swallowed: in a __del__
SECONDS_TO_UNWIND = 20.0

# Where the variable CI is set, a test may be skipped for these reasons, and for no other.
ALLOWED_SKIPS = {
    "root may read everything",
    "passed in a namespace of its own, where it may mount",
}
left_out: list[str] = []  # each test that may not, and its reason

stderr_of_pytest = os.dup(2)  # before output is captured
# Whoever is begun in the background of a script may ignore it, and so would every program of a test.
signal.signal(signal.SIGINT, signal.default_int_handler)


class DeadlinePassed(Exception):
    """Takes the place of whatever the interrupted test raised on its way out."""


class Deadline:
    """Interrupts the main thread when time is up, and ends the whole run if even that does not help."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.passed = False

    def __enter__(self) -> Self:
        signal.signal(signal.SIGALRM, self.interrupt)
        signal.setitimer(signal.ITIMER_REAL, self.seconds, SECONDS_TO_TRY_AGAIN)
        faulthandler.dump_traceback_later(self.seconds + SECONDS_TO_UNWIND, exit=True, file=stderr_of_pytest)
        return self

    def interrupt(self, number: int, frame: FrameType | None) -> None:
        if not self.passed:
            faulthandler.dump_traceback(file=2)
        self.passed = True
        # As Ctrl+C would: trio's own handler delivers it to the main task, and `except Exception` does not
        # swallow it.
        handler = signal.getsignal(signal.SIGINT)
        if callable(handler):
            handler(signal.SIGINT, frame)
        else:
            raise KeyboardInterrupt

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        faulthandler.cancel_dump_traceback_later()


def seconds_for(item: pytest.Item) -> float:
    marker = item.get_closest_marker("deadline")
    return float(marker.args[0]) if marker else DEFAULT_SECONDS


def run_within_deadline(item: pytest.Item) -> Iterator[Any]:
    deadline = Deadline(seconds_for(item))
    try:
        with deadline:
            return (yield)
    except BaseException as error:
        if deadline.passed:
            raise DeadlinePassed(f"took longer than {deadline.seconds:g} s") from error
        raise


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[Any]:
    return (yield from run_within_deadline(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[Any]:
    return (yield from run_within_deadline(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[Any]:
    return (yield from run_within_deadline(item))


def note_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail") and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if reason not in ALLOWED_SKIPS:
            left_out.append(f"{report.nodeid}: {reason}")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    note_skip(report)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    note_skip(report)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if left_out and os.environ.get("CI"):
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in left_out if os.environ.get("CI") else ():
        terminalreporter.write_line(f"not run, although CI is set: {line}", red=True)


@pytest.fixture
def home() -> Iterator[Home]:
    """A home of its own; everything in it has ended when the test is over."""
    with new_home() as fresh:
        yield fresh


@pytest.fixture(scope="module")
def shared_home() -> Iterator[Home]:
    """One home for a whole file, whose tests do not disturb one another."""
    with new_home() as fresh:
        yield fresh
