"""the lines of a stream as they ended up: what a person would have read"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from codewire_py.daemon.screen import controls
from codewire_py.daemon.screen.canvas import Canvas
from codewire_py.daemon.screen.row import Row
from codewire_py.daemon.screen.screen import Screen
from codewire_py.daemon.screen.scrollback import Scrollback
from codewire_py.daemon.screen.style import Style

Line = tuple[int, str]  # the offset by which it read so, and the text
PIECE = 2048  # bytes drawn at once: an offset is at most so much too late
MOST_ROWS = 512  # that are joined to one line
MOVING = "ABEFHJLMSTdefr"  # how sequences end that lead to other rows, or draw there
VARYING = re.compile(r"[\d\s]+")


class Settling:
    """A line has settled when it leaves the main screen at its top, the rows that it took joined.

    What an alternate screen showed when it was left comes before the line at which the program had entered it. What
    was on the main screen when all of it was erased has been read too, unless half of it is there again (numbers
    aside) when next a line leaves, or all is erased again: that was a redraw. Whatever is drawn over in place, such
    as progress, is only told as it was in the end. What has settled is never taken back into the screen.
    """

    def __init__(self, rows: int, cols: int, offset: int = 0) -> None:
        self.offset = self.end = offset  # what was drawn, and where what is being drawn ends
        self.settled: list[Line] = []
        self.known: dict[Row, tuple[list[str], int]] = {}  # what each row reads, and since when
        self.begun = ""  # of a line that runs on into a row that has not left yet
        self.rows_begun = 0
        self.cleared: list[Line] = []
        self.aside: dict[Row, list[Line]] = {}  # alternate screens, by the row that they come before
        self.entered_at: Row | None = None
        self.told: dict[Row, list[str]] = {}  # what rows said that were settled before they left
        self.is_mute = False
        self.screen = Watched(rows, cols)
        self.screen.watcher = self
        self.screen.scrollback = Departures(self.leave)

    # -- following a stream

    def feed(self, data: bytes, cuts: Iterable[int] = ()) -> None:
        """`cuts`: offsets at which what stands behind came later."""
        stop = self.offset + len(data)
        begun, lines = self.offset, max(1, self.screen.height // 2)
        for cut in (*cuts, stop):
            while self.offset < min(cut, stop):
                start = self.offset - begun
                self.draw(data[start : start + piece_of(data, start, min(cut, stop) - begun, lines)])

    def draw(self, piece: bytes) -> None:
        self.end = self.offset + len(piece)
        self.screen.feed(piece)
        self.offset = self.end
        self.look()

    def look(self) -> None:
        """Note which rows read otherwise than before."""
        screen, before = self.screen, self.known
        known = {}
        for row in (*screen.main, *screen.other) if screen.is_alternate else screen.main:
            entry = before.get(row)
            if entry is None or entry[0] != row.chars:
                entry = row.chars.copy(), self.offset
            known[row] = entry
        self.known = known
        if self.aside:
            self.settle_strays()

    def resize(self, rows: int, cols: int) -> None:
        """Rows are made anew: those that were told must be known by what they are now."""
        is_told = bool(self.told) and not self.screen.has_moved
        if is_told:
            self.settle_above()
        self.is_mute = is_told
        self.screen.resize(rows, cols)
        self.is_mute = False
        self.told = {row: row.chars.copy() for row in self.screen.main[: self.screen.y]} if is_told else {}
        self.look()

    def settle_above(self) -> None:
        """A program that only prints line below line will not come back to those above the cursor."""
        if self.screen.has_moved or self.screen.is_alternate:
            return
        for row in self.screen.main[: self.screen.y]:
            if row not in self.told:
                self.settle(row)
                self.told[row] = row.chars.copy()

    def hand_over(self) -> list[Line]:
        """What has settled since this was last asked."""
        lines, self.settled = self.settled, []
        return lines

    def finish(self) -> list[Line]:
        """No more will come: the rest is what can be seen."""
        if self.screen.is_alternate:
            self.leave_alternate()
        self.judge()
        self.settle_all()
        return self.hand_over()

    # -- what goes

    def leave(self, row: Row) -> None:
        """At the top of the main screen."""
        if not self.is_mute:
            self.judge(row)
            self.settle(row)

    def settle(self, row: Row) -> None:
        if self.told and self.told.pop(row, None) == row.chars:
            return
        if self.aside and row in self.aside:
            self.end_line(self.offset_of(row))
            self.settled += self.aside.pop(row)
        self.begun = joined(self.begun, row)
        self.rows_begun += 1
        if not row.wraps or self.rows_begun >= MOST_ROWS:
            self.settled.append((self.offset_of(row), self.begun.rstrip(" ")))
            self.begun, self.rows_begun = "", 0

    def settle_all(self) -> None:
        """What is on the main screen."""
        for row in until_blank(self.screen.main):
            self.settle(row)
        self.end_line(self.end)
        for block in self.aside.values():
            self.settled += block
        self.aside = {}

    def settle_strays(self) -> None:
        """Alternate screens that wait for a row that is no more."""
        for row in [row for row in self.aside if row not in self.screen.main]:
            self.settled += self.aside.pop(row)

    def end_line(self, offset: int) -> None:
        if self.rows_begun:
            self.settled.append((offset, self.begun.rstrip(" ")))
            self.begun, self.rows_begun = "", 0

    def offset_of(self, row: Row) -> int:
        entry = self.known.get(row)
        return entry[1] if entry and entry[0] == row.chars else self.end

    def clear(self) -> None:
        """All of the main screen is about to be erased."""
        if self.screen.is_alternate:
            return
        self.judge()
        self.settle_strays()
        if self.aside or self.rows_begun or self.told:
            self.settle_all()
        else:
            self.cleared = self.read(until_blank(self.screen.main))

    def judge(self, leaving: Row | None = None) -> None:
        """Was what was erased drawn again?"""
        if not self.cleared:
            return
        cleared, self.cleared = self.cleared, []
        rows = [leaving, *self.screen.main] if leaving else self.screen.main
        shown = {shape(text) for _, text in self.read(rows)}
        there = [shape(text) for _, text in cleared if text]
        if sum(text in shown for text in there) * 2 < len(there):
            self.settled += cleared

    def read(self, rows: list[Row]) -> list[Line]:
        """As lines."""
        lines: list[Line] = []
        text = ""
        for row in rows:
            text = joined(text, row)
            if not row.wraps:
                lines.append((self.offset_of(row), text.rstrip(" ")))
                text = ""
        return [*lines, (self.end, text.rstrip(" "))] if text else lines

    def enter_alternate(self) -> None:
        main, y = self.screen.main, self.screen.y
        is_within = bool(main[y].text()) and y + 1 < len(main)
        self.entered_at = main[y + is_within]

    def leave_alternate(self) -> None:
        row, block = self.entered_at, without_gaps(self.read(until_blank(self.screen.other)))
        if row is None or row not in self.screen.main:
            self.settled += block
            return
        self.settled += self.aside.pop(row, [])
        self.aside[row] = block


class Watched(Screen):
    """Says what is about to go."""

    rushes = False  # every row that leaves is looked at
    watcher: Settling | None = None
    has_moved = False  # to other rows than the next one, ever

    def show(self, alternate: int) -> None:
        if self.watcher and bool(alternate) != self.is_alternate:
            (self.watcher.enter_alternate if alternate else self.watcher.leave_alternate)()
        super().show(alternate)

    def reset(self) -> None:
        if self.watcher:
            self.show(0)
            self.watcher.clear()
        super().reset()

    def plan(self, body: str) -> tuple[controls.Action | None, list[int]]:
        action, parameters = super().plan(body)
        self.has_moved = self.has_moved or body[-1:] in MOVING
        if action is controls.erase_in_display:
            action = self.erase
            self.plans[body] = action, parameters
        return action, parameters

    @staticmethod
    def erase(screen: Canvas, parameters: list[int]) -> None:
        kind = parameters[0]
        is_all = kind == 2 or (kind == 0 and screen.x == 0 and screen.y == 0)
        if is_all and isinstance(screen, Watched) and screen.watcher:
            screen.watcher.clear()
        controls.erase_in_display(screen, parameters)


class Departures(Scrollback):
    """In place of a scrollback: nothing is kept."""

    def __init__(self, take: Callable[[Row], None]) -> None:
        super().__init__(0)
        self.take = take

    def push(self, row: Row, plain: Style) -> None:
        self.pushed += 1
        self.take(row)


def piece_of(data: bytes, start: int, stop: int, lines: int) -> int:
    """How much to draw at once: whole lines if there are any, not many."""
    end = start
    for _ in range(lines):
        following = data.find(b"\n", end, min(stop, start + PIECE)) + 1
        if not following:
            break
        end = following
    return (end if end > start else min(stop, start + PIECE)) - start


def joined(text: str, row: Row) -> str:
    """A wide character that had no room left a blank at the end of the row before."""
    had_no_room = text.endswith(" ") and row.chars[1:2] == [""]
    return text[: len(text) - had_no_room] + "".join(row.chars)


def until_blank(rows: list[Row]) -> list[Row]:
    """Without the blank rows at the end."""
    end = len(rows)
    while end and not rows[end - 1].text():
        end -= 1
    return rows[:end]


def without_gaps(lines: list[Line]) -> list[Line]:
    """One blank line is enough, and none at the beginning."""
    before = ("", *(text for _, text in lines))
    return [line for line, above in zip(lines, before, strict=False) if line[1] or above]


def shape(text: str) -> str:
    return VARYING.sub("0", text)
