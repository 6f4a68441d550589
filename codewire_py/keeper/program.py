"""start one program in a terminal of its own, as its caller would have"""

from __future__ import annotations

import errno
import os
import resource
import signal
import struct
from typing import Any

import ptyprocess

Order = dict[str, Any]


def start_program(order: Order) -> ptyprocess.PtyProcess:
    """Raise what went wrong if the program cannot run; otherwise it has been exec'd when this returns.

    ptyprocess would look the program up in our PATH, unwind our stack in the child on a bad directory, and leave
    signals ignored: so we hand it an absolute path and do the rest ourselves where it reports errors properly.
    """
    struct.pack("HH", order["rows"], order["cols"])  # its child would carry the error up into our own stack
    return ptyprocess.PtyProcess.spawn(
        [order["path"]],
        preexec_fn=lambda: become_program(order),
        dimensions=(order["rows"], order["cols"]),
    )


def become_program(order: Order) -> None:
    forget_signals()
    os.umask(order["umask"])
    limit_files(order["nofile"])
    os.chdir(order["directory"])
    path, argv, environ = order["path"], order["argv"], order["env"]
    try:
        os.execve(path, argv, environ)
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise
        os.execve(
            "/bin/sh", ["/bin/sh", path, *argv[1:]], environ
        )  # a script without #!, as a shell would do


def forget_signals() -> None:
    """Ignored signals survive exec; a program must get them as from a shell."""
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        try:
            signal.signal(number, signal.SIG_DFL)
        except (OSError, ValueError):
            continue
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def limit_files(soft: int) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if 0 < soft <= hard or hard == resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
