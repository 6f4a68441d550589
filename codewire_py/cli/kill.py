"""cw kill: end sessions"""

from __future__ import annotations

from codewire_py.cli import context, show
from codewire_py.cli.table import JSON, MANY, TAG, Argument, Command, Option, seconds
from codewire_py.client.connection import ask
from codewire_py.errors import UsageError
from codewire_py.wire.messages import Kill, Killed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codewire_py.cli.table import Given


def run(given: Given) -> int:
    if not (given["sessions"] or given["tag"] or given["all"]):
        error = UsageError(
            "Must specify either a session ID or --all to kill all sessions.",
            "Usage: cw kill <ID> or cw kill --all",
        )
        error.exit_status = 1
        raise error
    grace = context.config().kill_grace if given["grace"] is None else given["grace"]
    request = Kill(
        sessions=given["sessions"], tags=given["tag"], everything=given["all"], grace=float(grace),
        signal=signal_number(given["signal"]), tree=given["tree"],
    )  # fmt: skip
    killed = ask(context.where(), request, Killed)
    if given["json"]:
        show.say_json({"sessions": killed.sessions, "left": killed.left})
    else:
        tell(given, killed)
    return 0


def tell(given: Given, killed: Killed) -> None:
    many = given["all"] or given["tag"]
    for session in killed.sessions:
        if given["signal"] and session["status"] == "running":
            show.say(f"Signal sent to session {session['id']}.")
        elif not many:
            show.say(f"Session {session['id']} killed.")
    if many and not given["signal"]:
        show.say(f"Killed {len(killed.sessions)} session(s).")
    for left in killed.left:
        show.note(
            f"[cw] session {left['session']}: process {left['pid']} lives on: {show.clean(str(left['command']))}"
        )
    if killed.left and not given["tree"]:
        show.note("[cw] it had left the session; end such processes with: cw kill --tree")


def signal_number(word: str | None) -> int:
    """By name or number; nothing given is 0."""
    if not word:
        return 0
    import signal

    if word.isascii() and word.isdigit():
        found = int(word)
    else:
        name = word.upper().removeprefix("SIG")
        found = int(getattr(signal, f"SIG{name}", 0))
    if found not in {int(number) for number in signal.valid_signals()}:
        raise UsageError(
            f"there is no signal {word!r}", "for example: --signal INT, --signal HUP, --signal 9"
        )
    return found


COMMAND = Command(
    run,
    "End sessions: every process in their terminal, SIGTERM first, SIGKILL after the grace.",
    Argument("sessions", MANY, "SESSION", is_session=True),
    Option("--all", "Every running session."),
    TAG,
    Option("--grace", "Seconds between SIGTERM and SIGKILL (5).", seconds, metavar="SECONDS"),
    Option("--signal", "Only send this signal.", str, metavar="NAME"),
    Option("--tree", "Also end processes that have left the session (daemons it started)."),
    JSON,
    examples="cw kill 1 2 api\ncw kill --tag review --grace 20\ncw kill 1 --signal INT",
)
