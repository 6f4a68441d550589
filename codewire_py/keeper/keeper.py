"""keep one program alive in a terminal, and write down what it says

One plain loop, no threads. It carries no data: it appends output to the log, rings a one-byte bell to
whoever visits its door, and hands the terminal to a visitor that asks for it. The contract: docs/keeper.md.
"""

from __future__ import annotations

import _signal
import _socket
import fcntl
import json
import mmap
import os
import select
import struct
import time
from typing import Any

from .door import drain, let_in, open_door, send_with, wait_for_children
from .processes import command_of, in_session, signal_session

VERSION = b"\x01"
VISITORS = 128  # at one door; more are closed at once
READS = 8  # of the terminal in one turn, so that a flood cannot keep visitors waiting
BUFFER = 65536
SHORT = 2048  # bytes of a read after which there is hardly more: poll tells cheaper than another read
FULL_RETRY = 0.2  # seconds between looks whether the disk has room again
LAST_WORDS = 1.0, 1 << 20  # seconds and bytes that descendants may go on printing after the program's end
UNKNOWN = -10000  # an exit status that nobody can know any more
RECORD, RECORD_ROOM = "exit.json.new", 4096  # bytes taken while there is room, for when there is none

TIOCGPTPEER = 0x5441
SIOCOUTQ = 0x5411
BELL, TERMINAL, FULL, DONE, NOBODY = b".", b"t", b"!", b"+", b"-"
PROGRAM, FOREGROUND, SESSION = 0, 1, 2


class Visitor:
    __slots__ = ("peer", "file", "unsaid", "quiet_until")

    def __init__(self, peer: _socket.socket) -> None:
        self.peer, self.file = peer, peer.fileno()
        self.unsaid = b""
        self.quiet_until = 0

    def has_unread_bell(self) -> bool:
        """Whether our last byte still waits for the visitor; another would tell it nothing new."""
        return fcntl.ioctl(self.file, SIOCOUTQ, b"\0\0\0\0") != b"\0\0\0\0"


class Keeper:
    """One program's terminal, log and door. The program is our child, or the hatchery's if we are a successor."""

    def __init__(self, channel: _socket.socket) -> None:
        """Open all that can fail before there is a program; the working directory is the session's."""
        self.channel = channel
        self.log = os.open("output.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self.length = os.fstat(self.log).st_size
        self.buffer = memoryview(mmap.mmap(-1, BUFFER))  # mapped, so that only the pages in use count
        self.pending = b""  # read from the terminal, but the disk had no room for it
        self.status: dict[str, Any] | None = None
        self.is_hurried = False  # killed for good: its end does not wait for room
        self.visitors: dict[int, Visitor] = {}
        self.door = open_door("keeper.sock", VISITORS)
        self.wake = wait_for_children()
        self.poll = select.poll()
        self.terminal = self.slave = self.program = self.watched = -1
        for source in (self.door.fileno(), self.wake, channel.fileno()):
            self.poll.register(source, select.POLLIN)

    def keep(self, terminal: int, program: int) -> None:
        self.terminal, self.program = terminal, program
        os.set_blocking(terminal, False)
        # While a slave is open the terminal never reports EIO: the end is the program's exit, nothing else.
        self.slave = fcntl.ioctl(terminal, TIOCGPTPEER, os.O_RDWR | os.O_NOCTTY)
        self.poll.register(terminal, select.POLLIN)

    def watch_program(self) -> None:
        """It is the hatchery's child now; should the hatchery die too, this still tells us *that* it ended."""
        try:
            self.watched = os.pidfd_open(self.program)
        except OSError:
            return
        self.poll.register(self.watched, select.POLLIN)

    def serve_program(self) -> None:
        self.see_exit()
        while True:
            wait = FULL_RETRY * 1000 if self.pending or self.status is not None else None
            ready = [descriptor for descriptor, _ in self.poll.poll(wait)]
            before = self.length
            if self.pending:
                self.write(self.pending)
            elif self.terminal in ready:
                self.read(READS)
            if self.length != before:
                self.ring()
            for descriptor in ready:
                if descriptor != self.terminal:
                    self.attend(descriptor)
            if self.status is not None and self.end():
                return

    def attend(self, descriptor: int) -> None:
        if descriptor in self.visitors:
            self.listen_to(self.visitors[descriptor])
        elif descriptor == self.door.fileno():
            self.welcome()
        elif descriptor == self.wake:
            drain(self.wake)
            self.see_exit()
        elif descriptor == self.channel.fileno():
            self.hear_hatchery()
        elif descriptor == self.watched:
            self.poll.unregister(self.watched)
            if self.channel.fileno() < 0:
                self.status = as_record(UNKNOWN)

    # -- the log

    def read(self, times: int) -> None:
        """Append what the terminal has: one read, one write, so that a kill can lose only the read in hand."""
        for _ in range(times):
            try:
                size = os.readv(self.terminal, [self.buffer])
            except OSError:
                return
            self.write(self.buffer[:size])
            if self.pending or size < SHORT:
                return

    def write(self, data: bytes | memoryview) -> None:
        while data:
            try:
                size = os.write(self.log, data)
            except OSError:
                self.wait_for_room(data)
                return
            self.length += size
            data = data[size:]
        if self.pending:
            self.pending = b""
            self.poll.register(self.terminal, select.POLLIN)
            self.tell_all(BELL)

    def wait_for_room(self, data: bytes | memoryview) -> None:
        if not self.pending:
            self.poll.unregister(self.terminal)
            self.tell_all(FULL)
        self.pending = bytes(data)

    # -- the door

    def welcome(self) -> None:
        peer = let_in(self.door)
        if peer is None or len(self.visitors) >= VISITORS:
            if peer is not None:
                peer.close()
            return
        self.visitors[peer.fileno()] = visitor = Visitor(peer)
        self.poll.register(peer, select.POLLIN)
        self.tell(visitor, VERSION + FULL if self.pending else VERSION)

    def dismiss(self, visitor: Visitor) -> None:
        if self.visitors.pop(visitor.peer.fileno(), None):
            self.poll.unregister(visitor.peer)
            visitor.peer.close()

    def tell(self, visitor: Visitor, word: bytes, terminal: int = -1) -> None:
        try:
            if terminal >= 0:
                send_with(visitor.peer, word, terminal)
            else:
                visitor.peer.send(word)
        except BlockingIOError:
            if word != BELL:
                self.dismiss(visitor)
        except OSError:
            self.dismiss(visitor)

    def tell_all(self, word: bytes) -> None:
        for visitor in list(self.visitors.values()):
            self.tell(visitor, word)

    def ring(self) -> None:
        """After a part was written and then the disk was full, this must not sound as if it had room again.

        Who came last is rung first: the daemon, who came first, shows nobody anything.
        """
        word = FULL if self.pending else BELL
        for visitor in reversed(list(self.visitors.values())):
            if self.length >= visitor.quiet_until and not visitor.has_unread_bell():
                self.tell(visitor, word)

    def listen_to(self, visitor: Visitor) -> None:
        try:
            said = visitor.peer.recv(256)
        except BlockingIOError:
            return
        except OSError:
            said = b""
        if not said:
            self.dismiss(visitor)
            return
        said = visitor.unsaid + said
        while len(said) >= 4 and visitor.peer.fileno() >= 0:
            self.obey(visitor, said[:4])
            said = said[4:]
        visitor.unsaid = said

    def obey(self, visitor: Visitor, order: bytes) -> None:
        kind, number, target = order[:1], order[1], order[2]
        if kind == b"t":
            self.tell(visitor, TERMINAL, self.terminal)
        elif kind == b"S" and 0 < number < _signal.NSIG and target <= SESSION:
            self.tell(visitor, DONE if self.send_signal(number, target) else NOBODY)
        elif kind == b"q":
            step = int.from_bytes(order[1:], "big") << 20
            visitor.quiet_until = self.length + step if step else 1 << 62
        else:
            self.dismiss(visitor)

    def send_signal(self, number: int, target: int) -> bool:
        """Our program cannot have lost its pid to another: nobody reaps it before its end is recorded."""
        try:
            if target == SESSION:
                self.is_hurried |= number == _signal.SIGKILL
                return signal_session(self.program, number)
            # The slave would not tell the foreground group: it is not our controlling terminal.
            group = os.tcgetpgrp(self.terminal) if target == FOREGROUND else self.program
            if group > 0:  # 0: there is none, and killpg would take it for our own
                os.killpg(group, number)
        except OSError:
            return False
        return group > 0

    # -- the end

    def see_exit(self) -> None:
        """Reap what a session left to us as their subreaper. Our program stays unreaped until its end is recorded: it
        keeps its pid, and if we are killed meanwhile a successor can still learn how it ended.
        """
        while self.status is None:
            try:
                end = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if end is None:
                return
            if end.si_pid == self.program:
                self.status = as_record(exit_code(end))
            else:
                os.waitpid(end.si_pid, 0)

    def hear_hatchery(self) -> None:
        try:
            word = self.channel.recv(4)
        except OSError:
            word = b""
        if len(word) == 4:
            self.status = as_record(struct.unpack("i", word)[0])
            return
        self.poll.unregister(self.channel)
        self.channel.close()
        if self.watched >= 0 and select.select([self.watched], [], [], 0)[0]:
            self.status = as_record(UNKNOWN)

    def end(self) -> bool:
        """Record, then hang up. False: the disk has no room for the last words or the record yet.

        The system has hung up on the foreground group already, when the program, its session's leader, ended.
        """
        seconds, size = LAST_WORDS
        until, limit = time.monotonic() + seconds, self.length + size
        before = -1
        while before != self.length < limit and time.monotonic() < until and not self.pending:
            before = self.length
            self.read(READS)
        if self.pending and not self.is_hurried:
            return False
        return self.record()

    def count_unread(self) -> int:
        """Bytes that the terminal still has; they go with it."""
        count = 0
        try:
            while count < LAST_WORDS[1]:
                count += os.readv(self.terminal, [self.buffer])
        except OSError:
            pass
        return count

    def record(self) -> bool:
        survivors = [{"pid": p, "start": s, "command": command_of(p)} for p, s in in_session(self.program)]
        end = dict(self.status or {}, ended_at=time.time(), length=self.length, survivors=survivors)
        if self.pending:
            end["unwritten"] = len(self.pending) + self.count_unread()
        try:
            write_record(json.dumps(end).encode())
            os.rename(RECORD, "exit.json")
            os.unlink("keeper.sock")
        except FileNotFoundError:
            pass
        except OSError:
            return False
        return True


def write_record(text: bytes) -> None:
    """Over what `reserve_record` wrote, so that a full disk has room for it."""
    file = os.open(RECORD, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        if os.write(file, text) < len(text):
            raise OSError("no room for a whole record")
        os.ftruncate(file, len(text))
    finally:
        os.close(file)


def reserve_record() -> None:
    write_record(b" " * RECORD_ROOM)


def exit_code(end: os.waitid_result) -> int:
    return end.si_status if end.si_code == os.CLD_EXITED else -end.si_status


def as_record(code: int) -> dict[str, Any]:
    """A program's end: its exit code, the signal that ended it, or a code that nobody knows."""
    if code == UNKNOWN:
        return {"code": None}
    return {"code": code} if code >= 0 else {"signal": -code}
