"""adopt the sessions there are, open the listeners, serve until told to stop"""

from __future__ import annotations

import fcntl
import logging
import logging.handlers
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import trio

from codewire_py.config import Config, load
from codewire_py.daemon import limits
from codewire_py.daemon.departure import Departure
from codewire_py.daemon.descriptors import use_descriptors
from codewire_py.daemon.listeners.unix import bind, serve_unix
from codewire_py.daemon.sessions import Sessions
from codewire_py.daemon.talk import House
from codewire_py.daemon.tokenfiles import keep_first
from codewire_py.errors import CodewireError, ConfigError, DaemonFailed
from codewire_py.home.paths import JOURNAL, LOCK, PID, SESSIONS, SOCKET, home_path, make_home
from codewire_py.home.records import write_whole
from codewire_py.version import VERSION

if TYPE_CHECKING:
    from codewire_py.daemon.listeners.web import Listening

journal = logging.getLogger("codewire")
CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if code not in b"\n\t"}


def run(inherited: str = "", is_foreground: bool = False, must_listen: bool = False) -> int:
    """Be the daemon of the home that the environment names. `inherited`: descriptors of lock and listeners."""
    home = home_path(os.environ)
    make_home(home)
    os.umask(0o077)
    os.chdir(home)
    lock, listener, web = inherit(inherited) if inherited else (take_lock(), None, None)
    open_journal(is_foreground)
    config = load(home, os.environ) if must_listen else configure(home)
    listening = prepare_listening(config, web, must_listen)
    use_descriptors()
    step_back()
    keep_first()
    departure = Departure()
    tell_pid()  # before anybody can reach us, so that whoever does finds it
    listener = listener or bind()
    journal.info("daemon %s serves %s as pid %d", VERSION, home, os.getpid())
    trio.run(serve, home, config, listener, listening, departure)
    journal.info("leaving: %s", departure.why)
    if departure.why == "restart":
        become(departure.python, lock, listener, listening, is_foreground)
    forget(PID)
    return 0


def forget(name: str) -> None:
    with suppress(OSError):
        os.unlink(name)


def configure(home: str) -> Config:
    """A mistake in config.toml costs what it says, not the daemon; `cw config` names it."""
    try:
        return load(home, os.environ)
    except ConfigError as error:
        journal.error("%s; the defaults are in force", error.message)
        return load(SESSIONS, {"HOME": os.environ.get("HOME", "")})


def prepare_listening(config: Config, handed: socket.socket | None, must_open: bool) -> Listening | None:
    """Who does not listen does not pay for TLS, HTTP and WebSocket. `must_open`: or there is no daemon."""
    if not config.daemon_listen:
        if handed is not None:
            handed.close()
        return None
    from codewire_py.daemon.listeners.opening import is_literal
    from codewire_py.daemon.listeners.web import Listening

    listening = Listening(config, handed)
    if must_open or is_literal(config.daemon_listen):  # a name may take its time
        try:
            listening.open()
        except CodewireError:  # tried again, and told, when we serve
            if must_open:
                raise
    return listening


async def serve(
    home: str, config: Config, listener: socket.socket, listening: Listening | None, departure: Departure
) -> None:
    async with trio.open_nursery() as nursery:
        sessions = Sessions(home, config, nursery)
        await nursery.start(heed_signals, departure)
        await sessions.adopt()
        nursery.start_soon(keep_telling_pid)
        nursery.start_soon(sessions.keep_index)
        house = House(sessions, departure)
        nursery.start_soon(house.tokens.run)
        nursery.start_soon(serve_unix, listener, house)
        if listening is not None:
            nursery.start_soon(listening.serve, house)
        await departure.begun.wait()
        if departure.why == "stop":
            forget(SOCKET)  # whoever comes now starts another daemon, which waits for our lock
        with trio.move_on_after(limits.LEAVE_SECONDS):
            await departure.calm.wait()
        with trio.move_on_after(limits.GOODBYE_SECONDS):
            await departure.farewell()
        await trio.sleep(0.05)  # for the last words of the conversations to be sent
        house.tokens.write_used()
        await sessions.write_index()
        nursery.cancel_scope.cancel()


async def heed_signals(
    departure: Departure, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        task_status.started()
        async for _ in signals:
            departure.leave("stop")


def take_lock() -> int:
    lock = os.open(LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    until = time.monotonic() + limits.LEAVE_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if os.path.exists(SOCKET) or time.monotonic() > until:
                raise DaemonFailed("a daemon is running already", "replace it with: cw restart") from error
            time.sleep(0.02)  # it is leaving: it has taken its socket away
        else:
            return lock


def inherit(descriptors: str) -> tuple[int, socket.socket, socket.socket | None]:
    """What the daemon we replace held: nobody could begin another one in between, and no connection was refused."""
    lock, listener, *web = map(int, descriptors.split(","))
    for descriptor in (lock, listener, *web):
        os.set_inheritable(descriptor, False)
    return lock, socket.socket(fileno=listener), socket.socket(fileno=web[0]) if web else None


def become(
    python: str, lock: int, listener: socket.socket, listening: Listening | None, is_foreground: bool
) -> None:
    """Another daemon in our place: it holds what we held, and tells its journal where we told ours."""
    door = listening.door if listening else None
    handed = [lock, os.dup(listener.fileno())] + ([os.dup(door.listener.fileno())] if door else [])
    for descriptor in handed:
        os.set_inheritable(descriptor, True)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    command = [python, "-m", "codewire_py", "daemon", "--inherit", ",".join(map(str, handed))]
    command += ["--foreground"] if is_foreground else []
    sys.stderr.flush()
    os.execv(python, command)


def tell_pid() -> None:
    """For people and scripts. While there is no room for it, none is better than that of an earlier daemon."""
    try:
        write_whole(PID, str(os.getpid()))
    except OSError:
        with suppress(OSError):
            os.unlink(PID)


async def keep_telling_pid() -> None:
    while not os.path.exists(PID):
        await trio.sleep(1)
        tell_pid()


class Harmless(logging.Formatter):
    """Whatever peers and programs have said: a terminal that shows the journal obeys none of it."""

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).translate(CONTROLS)


def open_journal(is_foreground: bool) -> None:
    handlers: list[logging.Handler] = [
        logging.handlers.RotatingFileHandler(JOURNAL, maxBytes=limits.JOURNAL_BYTES, backupCount=1)
    ]
    if is_foreground:
        handlers.append(logging.StreamHandler())
    for handler in handlers:
        handler.setFormatter(Harmless("%(asctime)s %(levelname)s %(message)s"))
        journal.addHandler(handler)
    journal.setLevel(logging.INFO)
    logging.raiseExceptions = False  # a full disk must not fill stderr as well


def step_back() -> None:
    """Whoever shows a key to a person, or prints, goes first. The hatchery undoes it for itself. Only Linux can."""
    with suppress(AttributeError, OSError):
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
