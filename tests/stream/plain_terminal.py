"""a slow, plain terminal, one byte at a time: what it would show, obey and answer"""

from __future__ import annotations

STRING_LEADS = {"]": "osc", "P": "dcs", "_": "apc", "^": "pm", "X": "sos", "k": "title"}


class Terminal:
    """Follows the state diagram of a VT500, with 8-bit controls off; `events` is what happened."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []
        self.cut_short: list[tuple[str, str]] = []  # strings that another escape or a cancel interrupted
        self._state = "ground"
        self._body = ""
        self._may_end = False  # an escape came in a string: perhaps the first half of its end

    def feed(self, data: bytes) -> None:
        for char in data.decode("latin-1"):
            self._take(char)

    def _take(self, char: str) -> None:
        if char in "\x18\x1a":
            self._interrupt()
        elif char == "\x1b":
            may_end = self._state in STRING_LEADS.values()
            self._interrupt()
            self._state, self._may_end = "escape", may_end
        elif self._state in STRING_LEADS.values():
            self._take_in_string(char)
        elif char < " " or char == "\x7f":
            self._may_end = False
            if char != "\x7f":
                self.events.append(("control", char))
        elif char > "\x7f":
            self._state = "ground"
            self.events.append(("text", char))
        else:
            getattr(self, f"_take_in_{self._state}")(char)

    def _interrupt(self) -> None:
        if self._state in STRING_LEADS.values():
            self.cut_short.append((self._state, self._body))
        self._state, self._body, self._may_end = "ground", "", False

    def _dispatch(self, kind: str) -> None:
        self.events.append((kind, self._body))
        self._state, self._body = "ground", ""

    def _take_in_ground(self, char: str) -> None:
        self.events.append(("text", char))

    def _take_in_escape(self, char: str) -> None:
        if not self._body and char == "[":
            self._state = "csi"
        elif not self._body and char in STRING_LEADS:
            self._state = STRING_LEADS[char]
        elif not self._body and char == "\\" and self._may_end:
            self.events.append(self.cut_short.pop())  # it was no interruption
            self._state = "ground"
        else:
            self._body += char
            if char >= "0":
                self._dispatch("escape")

    def _take_in_csi(self, char: str) -> None:
        self._body += char
        if char >= "@":
            self._dispatch("csi")

    def _take_in_string(self, char: str) -> None:
        if char == "\x07" and self._state == "osc":
            self._dispatch("osc")
        else:
            self._body += char


# ── what it answers ────────────────────────────────────────────────────────────────────────────────────

WINDOW_REPORTS = {11, 13, 14, 15, 16, 18, 19, 20, 21}


def asks(kind: str, body: str) -> bool:
    """Whether one of the terminals in use answers this."""
    if kind == "control":
        return body == "\x05"
    body = "".join(char for char in body if " " <= char != "\x7f")
    match kind:
        case "csi":
            return asks_csi(body)
        case "osc":
            return asks_osc(body)
        case "dcs":
            return body.lstrip("0123456789;:<=>?").startswith(("$q", "+q", "+Q", "@kitty-"))
        case "apc":
            return body.startswith("G") and "a=q" in body[1:].partition(";")[0].split(",")
    return (kind, body) == ("escape", "Z")


def asks_csi(body: str) -> bool:
    lead = body[0] if body[0] in "<=>?" else ""
    final = body[len(lead) :].lstrip("0123456789;:")
    numbers = body[len(lead) : len(body) - len(final)]
    if lead + final == "t":
        return int(numbers.replace(":", ";").split(";")[0] or 0) in WINDOW_REPORTS
    if lead + final == "> q":
        return numbers in ("", "100", "101")
    return lead + final in {
        "c", ">c", "=c", "n", "?n", "$p", "?$p", ">q", "?u", "?S", "?m", "?g", "x", "$u", "$w", "*y", "+x", "&u", ",u",
        '"v', "'|", "#R", "#S", "#|",
    }  # fmt: skip


def asks_osc(body: str) -> bool:
    number, _, rest = body.partition(";")
    if not number.isdigit():
        return False
    match int(number):
        case 0 | 1 | 2 | 7 | 8 | 9 | 66 | 133 | 633 | 777:
            return False
        case 60 | 61 | 5113 | 5522:
            return True
        case 52:
            return rest.partition(";")[2].startswith("?")
        case 99:
            return bool({"p=?", "p=alive"} & set(rest.partition(";")[0].split(":")))
        case 1337:
            return rest.startswith(("ReportCellSize", "ReportVariable=", "RequestUpload=", "Capabilities"))
    return ";?" in ";" + rest or "=?" in rest


def is_ours(kind: str, body: str) -> bool:
    """Whether it is a question that the daemon answers."""
    body = "".join(char for char in body if " " <= char != "\x7f")
    if not asks(kind, body):
        return False
    match kind:
        case "csi":
            return is_our_csi(body)
        case "osc":
            return int(body.partition(";")[0]) in (4, 10, 11, 12)
        case "dcs":
            return body.lstrip("0123456789;:<=>?").startswith(("$q", "+q"))
    return kind == "escape"


def is_our_csi(body: str) -> bool:
    lead = body[0] if body[0] in "<=>?" else ""
    final = body[len(lead) :].lstrip("0123456789;:")
    numbers = body[len(lead) : len(body) - len(final)]
    match lead + final:
        case "c" | ">c" | "=c" | ">q" | "?u":
            return numbers.strip("0") == ""
        case "n" | "?n":
            return (lead, numbers.lstrip("0")) in {("", "5"), ("", "6"), ("?", "6"), ("?", "996")}
        case "$p" | "?$p":
            return numbers.isdigit() or not numbers
    return final == "t"


def copies(kind: str, body: str) -> bool:
    """Whether it puts something on the clipboard."""
    body = "".join(char for char in body if " " <= char != "\x7f")
    number, _, rest = body.partition(";")
    if kind != "osc" or not number.isdigit():
        return False
    return int(number) == 52 or (int(number) == 1337 and rest.startswith(("Copy=", "CopyToClipboard")))
