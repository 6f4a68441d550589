"""a moment or a time to last as people say it: 10m, 14:05, 2026-11-21T14:05, seconds since 1970; 7d, 1h30m, never"""

from __future__ import annotations

from codewire_py.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
EARLIEST = 1e8  # seconds since 1970; a smaller number would be an age, and is better said with its unit
LATEST = 1e11
HINT = "for example 10m or 1h30m (ago), 14:05, 2026-11-21T14:05, yesterday, or seconds since 1970"


def moment(word: str, now: float, hint: str = HINT) -> float:
    """Seconds since 1970. A clock time is the last one there was; dates without a zone are in ours."""
    text = word.strip().lower()
    for read in (
        since_1970,
        lambda _: ago(text, now),
        lambda _: day(text, now),
        lambda _: clock(text, now),
        date,
    ):
        found = read(text)
        if found is not None and 0 <= found < LATEST:
            return found
    raise UsageError(f"{word!r} is no moment", hint)


def moment_or_none(word: str | None, now: float) -> float:
    """As the wire has it: -1 where none was given."""
    return -1.0 if word is None else moment(word, now)


def since_1970(text: str) -> float | None:
    found = number(text.removeprefix("@"))
    return found if found is not None and (found >= EARLIEST or text.startswith("@")) else None


def ago(text: str, now: float) -> float | None:
    """`90s`, `1h30m`, `2d`, also with `ago` behind."""
    found = span(text.removesuffix("ago").strip())
    return None if found is None else now - found


def duration(word: str) -> float:
    """Seconds that something lasts; 0: for ever. A number alone could be of anything."""
    text = word.strip().lower()
    found = 0.0 if text == "never" else span(text)
    if found is None or not (0 < found < LATEST or text == "never"):
        raise UsageError(f"{word!r} is not a time", "for example: 7d, 12h, 30m, 90s, 1h30m, or never")
    return found


def span(text: str) -> float | None:
    """`90s`, `1h30m`, `2d`"""
    total, digits = 0.0, ""
    for char in text:
        if char not in UNITS:
            digits += char
            continue
        count = number(digits)
        if count is None:
            return None
        total, digits = total + count * UNITS[char], ""
    return total if text and not digits else None


def number(text: str) -> float | None:
    if not text.replace(".", "", 1).isdigit() or not text.isascii():
        return None
    return float(text)


def day(text: str, now: float) -> float | None:
    if text == "now":
        return now
    if text not in ("today", "yesterday"):
        return None
    from datetime import datetime, timedelta

    midnight = datetime.fromtimestamp(now).replace(hour=0, minute=0, second=0, microsecond=0)  # noqa: DTZ006  ours
    return (midnight - timedelta(days=text == "yesterday")).timestamp()


def clock(text: str, now: float) -> float | None:
    """The last time it was so late."""
    from datetime import datetime, time, timedelta

    if ":" not in text or "-" in text or not text[0].isdigit():
        return None
    try:
        at = time.fromisoformat(text.zfill(5 if text.count(":") == 1 else 8))
    except ValueError:
        return None
    if at.tzinfo is not None:
        return None
    then = datetime.combine(datetime.fromtimestamp(now), at)  # noqa: DTZ006  ours
    return (then if then.timestamp() <= now else then - timedelta(days=1)).timestamp()


def date(text: str) -> float | None:
    from datetime import datetime

    try:
        found: datetime = datetime.fromisoformat(text.upper())
        return found.timestamp()
    except (ValueError, OverflowError, OSError):
        return None
