"""the sessions there are: launch, adopt, find, forget"""

from __future__ import annotations

import json
import logging
import os
import shutil
import time
from contextlib import suppress
from typing import Any

import trio

from codewire_py.config import Config
from codewire_py.daemon import launching, limits
from codewire_py.daemon.caring import Care
from codewire_py.daemon.describing import describe_several
from codewire_py.daemon.following import Following
from codewire_py.daemon.keeping import CannotAsk, Hatchery, HatcheryLost, ask_hatchery
from codewire_py.daemon.lending import AGENT_VARIABLE, DISPLAY_VARIABLE, lend
from codewire_py.daemon.session import Session
from codewire_py.errors import CannotLaunch, CodewireError, DiskFull, LimitReached, NameTaken, NoSuchSession
from codewire_py.home.paths import BIRTH, INDEX, LAST_ID, SESSIONS, number_of
from codewire_py.home.records import Birth, is_passing, read_birth, set_aside, write_whole
from codewire_py.home.times import TIMES
from codewire_py.wire import messages

journal = logging.getLogger("codewire")
NO_ROOM = (28, 122)  # ENOSPC, EDQUOT


class Sessions:
    """The registry of one home, which is also the working directory."""

    def __init__(self, home: str, config: Config, nursery: trio.Nursery) -> None:
        self.home, self.config, self.nursery = home, config, nursery
        self.by_id: dict[int, Session] = {}
        self.hatchery = Hatchery(nursery)
        self.following = Following()
        self.care = Care()
        self.seen_alive = 0.0  # when an earlier daemon of this home was known to be there
        self.launching: dict[str, trio.Event] = {}  # by request id, while the program is being started
        self.requests: dict[str, Session] = {}
        self.reserved: set[str] = set()  # names that launches under way will have
        self.last_id = 0
        self.stale, self.indexing = trio.Event(), trio.Lock()

    # -- adopt

    async def adopt(self) -> None:
        """Find what earlier daemons left. Unfinished launches are completed or removed before anybody is served."""
        os.makedirs(SESSIONS, mode=0o700, exist_ok=True)
        check_index()
        self.seen_alive = last_touch()
        numbers = sorted(number_of(name) for name in os.listdir(SESSIONS) if name == str(number_of(name)))
        self.last_id = max([await read_last_id(), *numbers])
        async with trio.open_nursery() as adopting:
            for number in numbers:
                adopting.start_soon(self.adopt_one, number)
        self.nursery.start_soon(self.care.run)
        running = len(self.running())
        journal.info("adopted %d sessions, %d running", len(self.by_id), running)

    async def adopt_one(self, number: int) -> None:
        try:
            await self.take_in(number)
        except Exception as error:  # noqa: BLE001  whatever one directory holds, the others are served
            if is_passing(error):
                journal.warning("session %d cannot be adopted yet: %s", number, error)
                self.nursery.start_soon(self.adopt_later, number)
            else:
                journal.exception("session %d cannot be adopted", number)

    async def adopt_later(self, number: int) -> None:
        """The others are served meanwhile."""
        await trio.sleep(limits.AGAIN_SECONDS)
        await self.adopt_one(number)

    async def take_in(self, number: int) -> None:
        session = Session(birth_of(number), self.config.log_max_bytes, self.changed)
        with trio.move_on_after(limits.VISIT_SECONDS):
            await session.find_door()
        if session.facts.is_launched or await self.finish_launch(session):
            self.enroll(session)
            self.nursery.start_soon(session.keep_in_touch)

    async def finish_launch(self, session: Session) -> bool:
        """A daemon died between the order and its reply: did the program run?"""
        if session.is_lost and not session.log_stat()[0]:
            journal.warning("session %d was never launched; removed", session.number)
            shutil.rmtree(session.directory, ignore_errors=True)
            return False
        try:
            known = await ask_hatchery(session.birth.hatchery, session.directory)
        except CannotAsk:
            if session.door is not None:
                session.door.close()
            raise
        session.note("launched", pid=known.get("program", 0), keeper=known.get("keeper", 0))
        return True

    def enroll(self, session: Session) -> None:
        self.by_id[session.number] = session
        session.attending.seen_alive = self.seen_alive
        session.attending.wants_care = self.care.want
        if session.birth.request:
            self.requests[session.birth.request] = session

    # -- launch

    async def launch(self, request: messages.Launch) -> Session:
        """A repeated request finds the session of the first."""
        while request.request in self.launching:
            await self.launching[request.request].wait()
        if request.request in self.requests:
            return self.requests[request.request]
        launching.settle(request)
        launching.check_launch(request)
        launching.check_directory(request.directory)
        if len(self.by_id) >= limits.SESSION_COUNT:
            raise LimitReached(
                f"there are {len(self.by_id)} sessions already", "forget ended ones with: cw prune"
            )
        self.check_free(request.name)
        self.launching[request.request] = trio.Event()
        self.reserved.add(request.name)
        try:
            return await self.begin(request)
        finally:
            self.reserved.discard(request.name)
            self.launching.pop(request.request).set()

    def check_free(self, name: str) -> None:
        taken = any(session.facts.name == name for session in self.running())
        if name and (taken or name in self.reserved):
            raise NameTaken(f"a running session is named {name!r} already")

    async def begin(self, request: messages.Launch) -> Session:
        number = self.last_id + 1
        env = launching.environment(request, self.home, number)
        path = launching.find_program(request.command[0], request.directory, env.get("PATH", os.defpath))
        birth = Birth(
            {
                "id": number, "command": request.command, "directory": request.directory, "created_at": time.time(),
                "request": request.request, "name": request.name, "tags": request.tags, "rows": request.rows,
                "cols": request.cols, "hatchery": self.hatchery.name, "env_names": sorted(request.overrides),
                "env": launching.remembered(env),
            }
        )  # fmt: skip
        directory = f"{SESSIONS}/{number}"
        try:
            self.last_id = number
            write_whole(LAST_ID, str(number))
            os.mkdir(directory, 0o700)
            birth.write(directory)
            lend(directory, request.env.get(AGENT_VARIABLE, ""), request.env.get(DISPLAY_VARIABLE, ""))
            answer = await self.order(directory, path, env, request)
        except BaseException as error:
            shutil.rmtree(directory, ignore_errors=True)
            raise tell_why(error) from error
        session = Session(birth, self.config.log_max_bytes, self.changed)
        session.note("launched", pid=answer["program"], keeper=answer["keeper"])
        self.enroll(session)
        self.nursery.start_soon(session.keep_in_touch)
        return session

    async def order(
        self, directory: str, path: str, env: dict[str, str], request: messages.Launch
    ) -> dict[str, Any]:
        order = {
            "path": path, "argv": request.command, "directory": request.directory, "env": env,
            "rows": request.rows, "cols": request.cols, "umask": request.umask, "nofile": request.nofile,
        }  # fmt: skip
        # Once ordered it becomes a session or nothing, whoever leaves meanwhile.
        with trio.CancelScope(shield=True):
            answer = await self.hatchery.order(directory, order)
        return answer  # noqa: RET504  mypy knows that a scope may swallow; a shielded one cannot

    # -- find

    def find(self, word: str) -> Session:
        """By id, else by name: a running one first, else the one that had it last."""
        plain = word.removeprefix("@")
        if plain.isascii() and plain.isdigit():
            session = self.by_id.get(number_of(plain))
            if session is None:
                raise NoSuchSession(f"session {plain} not found")
            return session
        named = [session for session in self.by_id.values() if plain and session.facts.name == plain]
        if not named:
            raise NoSuchSession(f'no session named "{plain}"', self.suggest(plain))
        return max(named, key=lambda session: (session.is_running(), session.number))

    def suggest(self, word: str) -> str:
        import difflib

        names = [session.facts.name for session in self.by_id.values() if session.facts.name]
        close = difflib.get_close_matches(word, names, 1)
        return f'did you mean "{close[0]}"? (cw list)' if close else ""

    def tagged(self, tags: list[str]) -> list[Session]:
        """Those that have any of the tags."""
        found = [session for session in self.by_id.values() if set(tags) & set(session.facts.tags)]
        if tags and not found:
            raise NoSuchSession(f"no session is tagged {' or '.join(map(repr, tags))}")
        return found

    def select(self, words: list[str], tags: list[str]) -> list[Session]:
        """Each once, in the order asked for."""
        chosen = [*map(self.find, words), *self.tagged(tags)]
        return list(dict.fromkeys(chosen))

    def running(self) -> list[Session]:
        return [session for session in self.by_id.values() if session.is_running()]

    def attended(self) -> int:
        """How many hold descriptors of ours."""
        return sum(session.door is not None for session in self.by_id.values())

    # -- forget

    def forget(self, session: Session) -> int | None:
        """Remove an ended session with its log; how many bytes that freed. None: it is forgotten already."""
        if self.by_id.get(session.number) is not session:
            return None
        size = 0
        with suppress(FileNotFoundError):  # somebody removed it by hand
            size = sum(os.lstat(entry.path).st_blocks * 512 for entry in os.scandir(session.directory))
            shutil.rmtree(session.directory)
        session.attending.forget()
        self.by_id.pop(session.number, None)
        self.requests.pop(session.birth.request, None)
        self.changed()
        return size

    # -- the index

    def changed(self) -> None:
        self.stale.set()

    async def keep_index(self) -> None:
        """sessions.json follows what changes, half a second behind; it is for people and scripts, never read by us."""
        while True:
            await self.stale.wait()
            await trio.sleep(0.5)
            await self.write_index()

    async def write_index(self) -> None:
        """Others have their turn meanwhile: what they change makes it stale again."""
        async with self.indexing:
            self.stale = trio.Event()
            there = [session for _, session in sorted(self.by_id.items())]
            try:
                write_whole(INDEX, as_list(await describe_several(there, as_item)))
            except OSError as error:
                journal.warning("%s is not up to date: %s", INDEX, error)


def as_item(said: dict[str, Any]) -> str:
    return "  " + json.dumps(said, indent=2).replace("\n", "\n  ")


def as_list(items: list[str]) -> str:
    """What json makes of them all at once, with an indent of two."""
    return "[\n" + ",\n".join(items) + "\n]\n" if items else "[]\n"


def last_touch() -> float:
    """When a daemon last wrote something down, as when it leaves or output comes: older bytes were seen by it."""
    touched = 0.0
    for path in (INDEX, *(f"{SESSIONS}/{name}/{TIMES}" for name in os.listdir(SESSIONS))):
        with suppress(OSError):
            touched = max(touched, os.stat(path).st_mtime)
    return touched


def tell_why(error: BaseException) -> BaseException:
    if isinstance(error, HatcheryLost):
        return CannotLaunch(error.message, error.hint)
    if not isinstance(error, OSError) or isinstance(error, CodewireError):
        return error
    if error.errno in NO_ROOM:
        return DiskFull("there is no room in the home directory for another session")
    return CannotLaunch(f"the session cannot be written down: {error.strerror}")


async def read_last_id() -> int:
    """Once it can be read: no id is given twice. But a disk that fails for good is not waited for."""
    with trio.move_on_after(limits.VISIT_SECONDS):
        while True:
            try:
                return parse_last_id()
            except OSError as error:
                journal.warning("%s cannot be read just now: %s", LAST_ID, error.strerror)
            await trio.sleep(0.5)
    return 0


def parse_last_id() -> int:
    """OSError: nobody can know just now."""
    try:
        with open(LAST_ID, encoding="ascii", errors="replace") as file:
            found = int(file.read(20))
            if not 0 <= found < 1 << 53:
                raise ValueError(f"{found} was never an id")
            return found
    except FileNotFoundError:
        return 0
    except (OSError, ValueError) as error:
        if is_passing(error):
            raise
        journal.warning("%s is corrupt, set aside as %s", LAST_ID, set_aside(LAST_ID))
        return 0


def check_index() -> None:
    """Nothing is read from it, but a person may want what a crash or an editor left of it."""
    try:
        with open(INDEX, encoding="utf-8") as file:
            json.load(file)
    except FileNotFoundError:
        return
    except (OSError, ValueError, RecursionError) as error:
        if is_passing(error):
            return
        journal.warning("%s is corrupt, set aside as %s", INDEX, set_aside(INDEX))


def birth_of(number: int) -> Birth:
    """What session.json says; if it is corrupt it is set aside, and only what was in it is gone.

    OSError: nobody can know just now.
    """
    directory = f"{SESSIONS}/{number}"
    try:
        birth = read_birth(directory)
        if birth.id == number:
            return birth
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        if is_passing(error):
            raise
        journal.warning("%s is corrupt, set aside as %s", error, set_aside(f"{directory}/{BIRTH}"))
    made = os.stat(directory).st_mtime
    return Birth({"id": number, "command": ["?"], "created_at": made})
