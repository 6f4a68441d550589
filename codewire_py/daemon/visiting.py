"""one viewer's time with a session: bytes of the log while its terminal has the session's size, else paints"""

from __future__ import annotations

import time
from contextlib import suppress

import trio

from codewire_py.daemon.describing import activity_of, describe
from codewire_py.daemon.keys import Keys
from codewire_py.daemon.limits import (
    FRAME_SECONDS,
    GOODBYE_SECONDS,
    HANDOVER_SECONDS,
    PAINT_SECONDS,
    REPAINT_SECONDS,
    STATUS_SECONDS,
    VIEWER_NAME,
)
from codewire_py.daemon.pacing import Pace
from codewire_py.daemon.reading import Reader
from codewire_py.daemon.screen.view import View
from codewire_py.daemon.session import Session
from codewire_py.daemon.talk import Talk
from codewire_py.daemon.viewers import Viewer
from codewire_py.errors import NotReading, NotRunning, ProtocolError
from codewire_py.home.log import BLOCK, Log
from codewire_py.home.marks import is_size
from codewire_py.wire import messages
from codewire_py.wire.declare import Message

FRAME_REST = 3  # times as long as a picture took to draw, before the next
LONGEST_COLOUR = 64


class Visit:
    """`offset`: up to where the viewer has been shown the log."""

    def __init__(self, request: messages.Attach, session: Session, talk: Talk) -> None:
        self.request, self.session, self.talk = request, session, talk
        self.viewer = Viewer(request.read_only, (request.rows, request.cols), self.tell_foremost, self.turn)
        self.viewer.name, self.viewer.oust = name_of(request, talk), talk.scope.cancel
        typist = "" if request.read_only else self.viewer.name
        self.typist, self.is_known = session.viewers.meet(typist, request.seq)
        self.keys = Keys(session, self.typist, talk)
        self.pace = Pace(request.paced)
        self.offset, self.painted_at = request.offset, 0.0
        self.view: View | None = None
        self.is_beside = False  # what the viewer's main screen showed before is there still
        self.repaint: messages.Repaint | None = None
        self.turned = trio.Event()  # the size or something else changed: look again what is to be shown
        self.waiting: trio.CancelScope | None = None
        self.told_foremost, self.foremost_turned = False, trio.Event()

    # -- what is to be shown

    def is_rendered(self) -> bool:
        """Whether the log's bytes mean nothing on its terminal. One without a size takes what it gets.

        They do while the session is about to have its size: a window that is dragged is not to flicker.
        """
        size, session = (self.viewer.rows, self.viewer.cols), self.session
        return is_size(size) and (
            self.request.rendered or size not in (session.size(), session.wanted_size())
        )

    async def begin(self) -> tuple[int, bytes]:
        """Where the log goes on, and the paint before that. One who has seen some of it goes on where it was."""
        if self.is_rendered():
            paint = await self.draw()
            return self.offset, paint
        if self.offset <= 0:
            return await self.paint(self.request.scrollback, False)
        log = Log(self.session.directory)
        try:
            self.offset = min(max(self.offset, log.released()), log.length())
        finally:
            log.close()
        return self.offset, b""

    async def paint(self, scrollback: int, afresh: bool, note: str = "") -> tuple[int, bytes]:
        """From the view to the log, too."""
        depiction = await self.session.attending.depict()
        left = self.view.leave() if self.view else b""
        self.view, self.painted_at = None, trio.current_time()
        unfinished = depiction.screen.unfinished()
        self.offset = depiction.offset - unfinished
        self.is_beside = not afresh and depiction.screen.leaves_main_alone()
        return self.offset, left + depiction.screen.paint(scrollback, afresh, note, not unfinished)

    async def draw(self) -> bytes:
        depiction = await self.session.attending.depict()
        if self.view is None:
            self.view = View(self.viewer.rows, self.viewer.cols)
        self.view.resize(self.viewer.rows, self.viewer.cols)
        self.offset = depiction.offset
        return self.view.draw(depiction.screen)

    def turn(self) -> None:
        self.turned.set()
        if self.waiting:
            self.waiting.cancel()

    # -- the visit

    async def run(self) -> None:
        async with trio.open_nursery() as nursery:
            scope = nursery.cancel_scope
            nursery.start_soon(self.hear, scope)
            nursery.start_soon(self.pass_on_foremost)
            nursery.start_soon(self.keys.run)
            nursery.start_soon(self.leave_with_daemon, scope)
            await self.show()
            await self.keys.tell()
            await self.talk.say(messages.Ended(session=describe(self.session)))
            scope.cancel()

    async def show(self) -> None:
        """Until the session has ended and all of it was shown."""
        while True:
            self.turned = trio.Event()
            wish, self.repaint = self.repaint, None
            if self.view is not None and not self.is_rendered():
                await self.go_on(self.request.scrollback, self.offset)
            elif wish:
                await self.start_over(wish)
            if self.is_rendered():
                is_over = await self.render()
            elif self.request.local:
                is_over = await self.wait_beside()
            else:
                is_over = await self.read_out()
            if is_over and not self.repaint:
                return

    async def leave_with_daemon(self, scope: trio.CancelScope) -> None:
        """What was typed and not taken by then, the viewer can send to the next daemon: we have stopped before.

        It hears that, and leaves: closed over what it still says, the connection would be reset, and the farewell lost.
        """
        await self.talk.departure.begun.wait()
        if self.request.viewer:
            await self.keys.stop()
        await self.talk.say(messages.Leaving(why=self.talk.departure.why))
        await trio.sleep(GOODBYE_SECONDS)
        scope.cancel()

    async def start_over(self, wish: messages.Repaint) -> None:
        if self.is_rendered():
            self.view = None
        else:
            await self.go_on(wish.scrollback, wish.offset)

    async def go_on(self, scrollback: int, seen: int) -> None:
        """A paint with the lines that were missed, and the log from there. Whoever asks for more has to wait."""
        await trio.sleep_until(self.painted_at + REPAINT_SECONDS)
        await self.session.attending.depict(seen)  # so that it is known what leaves the screen from there on
        depiction = await self.session.attending.depict()
        skipped = max(0, depiction.offset - seen) if seen >= 0 else 0
        note = f"[cw] {skipped / 2**20:.1f} MiB skipped" if skipped > self.pace.far_behind() // 2 else ""
        lines = min(scrollback, self.pace.lines(), depiction.missed_since(seen))
        offset, paint = await self.paint(lines, True, note)
        await self.show_paint(messages.Painted(paint=paint, offset=offset, skipped=skipped))

    async def show_paint(self, painted: messages.Painted) -> None:
        self.pace.note_sent(len(painted.paint))
        await self.talk.say(painted)

    async def wait_beside(self) -> bool:
        """A local viewer reads by itself."""
        with trio.CancelScope() as self.waiting:
            if not self.turned.is_set():
                await self.session.ended.wait()
                return True
        return False

    async def read_out(self) -> bool:
        with Reader(self.session, max(0, self.offset)) as reader:
            while not self.turned.is_set():
                data = await self.next_data(reader)
                if data is None:
                    break
                if not data:
                    return True
                self.pace.note_sent(len(data))
                await self.talk.send_data(data)
                self.offset = reader.offset
                if self.is_far_behind(reader):
                    self.repaint = messages.Repaint(offset=self.offset, scrollback=self.request.scrollback)
                    break
        return False

    def is_far_behind(self, reader: Reader) -> bool:
        is_time = trio.current_time() - self.painted_at > PAINT_SECONDS
        return is_time and reader.log.length() - self.offset > self.pace.far_behind()

    async def next_data(self, reader: Reader) -> bytes | None:
        """None: something turned meanwhile."""
        with trio.CancelScope() as self.waiting:
            return await reader.read_on(min(BLOCK, await self.pace.wait_for_room()))
        return None

    async def render(self) -> bool:
        """Paint after paint, as the screen changes, no more often than anybody sees."""
        said = ("", "")
        while not self.turned.is_set():
            await self.pace.wait_for_room()
            is_over, grown = self.session.ended.is_set(), self.session.attending.grown
            began = time.thread_time()
            drawn = await self.draw()
            name, activity = says = self.session.facts.name, activity_of(self.session)
            if drawn or says != said:
                await self.show_paint(
                    messages.Painted(
                        paint=drawn, offset=self.offset, rendered=True, name=name, activity=activity
                    )
                )
                said = says
            if is_over:
                return True
            await trio.sleep(max(FRAME_SECONDS, FRAME_REST * (time.thread_time() - began)))
            await self.wait_for_change(grown)
        return False

    async def wait_for_change(self, grown: trio.Event) -> None:
        """A status line is also to say, now and then, that nothing happens."""
        with trio.move_on_after(STATUS_SECONDS if self.request.rendered else float("inf")) as self.waiting:
            if self.turned.is_set():
                return
            async with trio.open_nursery() as nursery:
                for event in (grown, self.session.ended):
                    nursery.start_soon(cancel_after, event, nursery.cancel_scope)

    # -- what the viewer says

    def tell_foremost(self, yes: bool) -> None:
        self.foremost_turned.set()

    def is_foremost(self) -> bool:
        return self.session.viewers.foremost() is self.viewer

    async def pass_on_foremost(self) -> None:
        """Not at once to whom it is now: the one before is to know first, lest both show one query."""
        while True:
            await self.foremost_turned.wait()
            self.foremost_turned = trio.Event()
            if self.is_foremost() and not self.told_foremost and self.session.viewers.yielded:
                await trio.sleep(HANDOVER_SECONDS)
            if self.is_foremost() is not self.told_foremost:
                self.told_foremost = self.is_foremost()
                await self.talk.say(messages.Foremost(yes=self.told_foremost))

    async def hear(self, scope: trio.CancelScope) -> None:
        while (message := await self.talk.receive()) is not None:
            self.typist.is_met = True
            if isinstance(message, messages.Detach):
                await self.talk.say(messages.Detached())
                break
            await self.obey(message)
        scope.cancel()

    async def obey(self, message: Message) -> None:
        if isinstance(message, messages.Typed):
            await self.type(message)
        elif isinstance(message, messages.Measured):
            self.viewer.measure((message.rows, message.cols))
            await self.fit()
            self.turn()
        elif isinstance(message, messages.Seen):
            self.pace.note_seen(message.size)
        elif isinstance(message, messages.Repaint):
            self.repaint = message
            self.turn()
        elif isinstance(message, messages.Looks):
            if not self.viewer.read_only and is_modest(message):
                self.session.attending.looks = message
        elif not isinstance(message, messages.Unknown):
            raise ProtocolError(f"a viewer cannot say {type(message).type!r}")

    async def type(self, message: messages.Typed) -> None:
        """Without bytes: it typed them by itself."""
        if self.viewer.read_only:
            raise ProtocolError("a read-only viewer cannot type")
        self.session.viewers.has_typed(self.viewer)
        await self.fit()
        if message.data:
            self.keys.add(message)

    async def fit(self) -> None:
        with suppress(NotRunning, NotReading):
            await self.session.fit()


def name_of(request: messages.Attach, talk: Talk) -> str:
    """By which it is known again; nobody is taken for a viewer that came by another token."""
    if not 0 < len(request.viewer) <= VIEWER_NAME:
        return ""
    return f"{talk.grant.name}/{request.viewer}"


def is_modest(looks: messages.Looks) -> bool:
    """They are remembered as long as the session runs."""
    return max(map(len, (looks.foreground, looks.background, looks.cursor))) <= LONGEST_COLOUR


async def cancel_after(event: trio.Event, scope: trio.CancelScope) -> None:
    await event.wait()
    scope.cancel()
