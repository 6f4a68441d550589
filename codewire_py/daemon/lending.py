"""lend a session what whoever attached last brought along: the ssh agent and the display

An agent is a socket, so its stable name is a link in the session's directory, which the program has as its
SSH_AUTH_SOCK. A display has no such name: X clients take a number, no path, and find their cookie by it. So the program
keeps the DISPLAY it was launched with, and a file beside the link says which one would be right now.
"""

from __future__ import annotations

import logging
import os
import stat
from contextlib import suppress

from codewire_py.home.paths import LONGEST_ADDRESS, SESSIONS, session_path
from codewire_py.home.records import write_whole

journal = logging.getLogger("codewire")
AGENT, DISPLAY = "agent", "display"
AGENT_VARIABLE, DISPLAY_VARIABLE = "SSH_AUTH_SOCK", "DISPLAY"
LONGEST_PATH, LONGEST_DISPLAY, MOST_LINKS = 4095, 255, 40


def lent_environment(env: dict[str, str], home: str, number: int) -> dict[str, str]:
    """What to set for a program, given what its caller has: the stable name, of an agent that can be lent.

    Also of one that is not there just now: the next one that attaches may bring another.
    """
    link, agent = f"{session_path(home, number)}/{AGENT}", env.get(AGENT_VARIABLE, "")
    is_name = is_path(agent) and (is_own_socket(agent) or not os.path.lexists(agent))
    return {AGENT_VARIABLE: link} if is_name and len(os.fsencode(link)) <= LONGEST_ADDRESS else {}


def lend(directory: str, agent: str, display: str) -> None:
    """To the session in that directory. What cannot be lent changes nothing."""
    try:
        lend_agent(f"{directory}/{AGENT}", agent)
        if is_display(display):
            write_whole(f"{directory}/{DISPLAY}", display + "\n")
    except OSError as error:
        journal.warning("%s: the agent or display of who attached is not lent: %s", directory, error)


def lend_agent(link: str, agent: str) -> None:
    """In one step: whoever connects meanwhile reaches the one before or this one."""
    agent = behind_own_link(agent) if is_path(agent) else ""
    if not is_path(agent) or leads_to(agent, link) or not is_own_socket(agent):
        return
    fresh = f"{link}.new"
    with suppress(FileNotFoundError):
        os.unlink(fresh)
    os.symlink(agent, fresh)
    os.rename(fresh, link)


def behind_own_link(agent: str) -> str:
    """One who sits in a session of ours brings what that was lent, and not its link, which goes with the session."""
    sessions, name = os.path.split(os.path.dirname(agent))
    if os.path.basename(agent) == AGENT and name.isdigit() and is_same(sessions, SESSIONS):
        with suppress(OSError):
            return os.readlink(agent)
    return agent


def is_path(agent: str) -> bool:
    return agent.startswith("/") and "\0" not in agent and len(os.fsencode(agent)) <= LONGEST_PATH


def is_own_socket(agent: str) -> bool:
    try:  # behind /proc/self/fd/5, which is something else to everybody, there is nothing
        found = os.stat(os.path.realpath(agent))
    except OSError:
        return False
    return stat.S_ISSOCK(found.st_mode) and found.st_uid == os.geteuid()


def leads_to(agent: str, link: str) -> bool:
    """Whether it is that link, or a link that ends there: to point it at itself would lose what it points at."""
    for _ in range(MOST_LINKS):
        if is_same(agent, link):
            return True
        try:
            agent = os.path.join(os.path.dirname(agent), os.readlink(agent))
        except OSError:
            return False
    return True


def is_same(one: str, other: str) -> bool:
    try:
        return os.path.samestat(os.lstat(one), os.lstat(other))
    except OSError:
        return False


def is_display(display: str) -> bool:
    return 0 < len(display) <= LONGEST_DISPLAY and display.isascii() and display.isprintable()
