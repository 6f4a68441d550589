"""how many descriptors the system lets us have, and who may take the last ones"""

from __future__ import annotations

import resource

from codewire_py.daemon import limits


def use_descriptors() -> None:
    """As many as the system lets us have; programs get back what their caller had."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = (
        limits.CONVERSATIONS * limits.DESCRIPTORS_EACH + limits.SESSION_COUNT * limits.DESCRIPTORS_OF_SESSION
    )
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(hard, wanted), hard)
    )


def most_descriptors() -> int:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def spared() -> int:
    """Those that no session holds on to, so that whoever comes is let in, and told."""
    return min(limits.SPARED_DESCRIPTORS, most_descriptors() // 2)


def is_spared(descriptor: int) -> bool:
    """The system gives the lowest number that is free, so that high ones are the last."""
    return descriptor >= most_descriptors() - spared()


def room_for(sessions: int) -> int:
    """How many conversations at once, beside so many sessions; fewer where we may have few descriptors."""
    left = max(spared(), most_descriptors() - sessions * limits.DESCRIPTORS_OF_SESSION)
    return max(1, min(limits.CONVERSATIONS, left // limits.DESCRIPTORS_EACH))
