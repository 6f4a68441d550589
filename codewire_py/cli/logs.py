"""cw logs: what a session has printed"""

from __future__ import annotations

import os

from codewire_py.cli import context, show
from codewire_py.cli.table import Argument, Command, Option
from codewire_py.client.follow import Follower, begin_reading
from codewire_py.wire.messages import Logs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codewire_py.cli.table import Given


def run(given: Given) -> int:
    request = Logs(
        session=given["session"], local=True, follow=given["follow"], inside=context.inside(),
        tail=-1 if given["tail"] is None else max(0, given["tail"]),
    )  # fmt: skip
    presence, begun = begin_reading(context.home(), request)
    if begun.released and begun.offset <= begun.released and request.tail < 0:
        show.note(
            f"[cw] the oldest {show.size(begun.released)} of this log have been released (log.max_bytes)"
        )
    follower = Follower(begun, presence, lambda data: show.write(1, data), looks(given["raw"]))
    follower.read_all()
    if given["follow"]:
        follower.follow_until(None)
    else:
        follower.write_rest()
    follower.close()
    return 0


def looks(is_raw: bool) -> str:
    """Exact bytes; harmless bytes on a terminal; plain text elsewhere."""
    if is_raw:
        return "raw"
    return "quiet" if os.isatty(1) else "plain"


COMMAND = Command(
    run,
    "Print what a session has printed, also after it has ended.",
    Argument("session", metavar="SESSION", is_session=True),
    Option("--follow -f", "Go on until the session ends."),
    Option("--tail -t", "Only the last N lines.", int, metavar="N"),
    Option("--raw", "The exact bytes, also where plain text is the default."),
    examples="cw logs 1 --tail 20\ncw logs api -f\ncw logs 1 --raw > recording",
)
