"""small programs that tests launch, as Python source"""

from __future__ import annotations

# Answers each line it is typed with <line>.
ECHO_LINES = """
import sys
print("ready", flush=True)
for line in sys.stdin:
    print(f"<{line.strip()}>", flush=True)
"""

# Shows what it is typed, read by read, in hexadecimal.
SHOW_HEX = """
import os, tty
tty.setraw(0)
os.write(1, b"ready")
while True:
    os.write(1, b"<" + os.read(0, 65536).hex().encode() + b">")
"""

# Reads so many bytes and says so.
COUNT_BYTES = """
import os, sys, tty
tty.setraw(0)
os.write(1, b"ready")
left = int(sys.argv[1])
while left > 0:
    left -= len(os.read(0, 65536))
print("got it all", left)
"""

# Waits for SIGUSR1, then reads so many bytes and gives them back.
GIVE_BACK = """
import os, signal, sys, tty
tty.setraw(0)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
os.write(1, b"ready")
signal.sigwait([signal.SIGUSR1])
left = int(sys.argv[1])
while left > 0:
    data = os.read(0, 65536)
    left -= len(data)
    os.write(1, data)
"""

# Says what it was given.
SHOW_ITSELF = """
import json, os, sys
said = {"argv": sys.argv[1:], "cwd": os.getcwd(), "env": dict(os.environ)}
print(f"<{json.dumps(said)}>", flush=True)
input()
"""


def heed(**handlers: str) -> str:
    """A program that runs until a signal; `TERM="sys.exit(3)"` says what it does on SIGTERM."""
    lines = [
        f"signal.signal(signal.SIG{name}, lambda *_: {action})"
        if action
        else f"signal.signal(signal.SIG{name}, 1)"
        for name, action in handlers.items()
    ]
    return "\n".join(
        ["import os, signal, sys", *lines, "print('ready', flush=True)", "while True: signal.pause()"]
    )
