"""what a viewer may receive: a stream without the sequences that make a terminal answer

A terminal answers by typing, so a question that is replayed, or shown to several viewers, types into the
program or at somebody's prompt. Only an escape character begins a sequence, so strings need not be followed:
what is judged is what stands behind each escape, up to the byte that settles whether it is a question.
"""

from __future__ import annotations

import re  # noqa: TID253 - callers that must start fast import this floor when they need it

from codewire_py.stream import grammar
from codewire_py.stream.grammar import CONTROL, CONTROLS, ESC, INTRO, PARAMETER, SEQUENCE_MAX, STRING_MAX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_CAN = b"\x18"
_ENQ = b"\x05"

PASS: Final = 0  # whatever follows, it is no question
DROP: Final = 1  # whatever follows, it is not for a viewer
HOLD: Final = 2  # what follows decides

_ASKING_CSI = re.compile(
    rb"[>=]?[0-9;:]*c"  # what are you (DA1, DA2, DA3)
    rb"|\??[0-9;:]*n"  # status, cursor position, colour scheme (DSR)
    rb"|\??[0-9;:]*\$p"  # is this mode set (DECRQM)
    rb"|>[0-9;:]*q|>(?:10[01])?\x20q"  # name and version; the extra cursors of kitty
    rb"|0*(?:1[134568]|19|2[01])(?:[;:][0-9;:]*)?t"  # the window: state, place, sizes, titles
    rb"|\?[0-9;:]*[ugmS]"  # keyboard flags, key formats, modifiers, graphics
    rb"|[0-9;:]*x"  # line parameters (DECREQTPARM)
    rb"|[0-9;:]*(?:\$[uw]|&u|,u|\*y|\+x|\"v|'\||#[RS|])"  # rarer reports of the VT400s and xterm
)

# Everything that may turn out to be for nobody: judged one by one, so colours, moves and titles are left out.
_CANDIDATE = re.compile(
    INTRO
    + (
        rb"(?:\[(?:(?P<csi>PARAMETER{0,256}+[cnpqtuxySRvw|]|[CONTROL]*+\?PARAMETER{0,255}+[mg])"
        rb"|(?P<long>PARAMETER{257,}+[\x18\x1a\x40-\x7e]?))"
        rb"|(?P<osc>\](?!(?:[012789]|66|133|633|777);)[^\x07\x18\x1a\x1b]*+)(?:[\x07\x18\x1a]|\x1b\\)?"
        rb"|(?P<string>P[CONTROL\x30-\x3f]{0,256}+[$+@CONTROL\x30-\x3f][^\x18\x1a\x1b]*+|_G[^\x18\x1a\x1b]*+)"
        rb"(?:[\x18\x1a]|\x1b\\)?"
        rb"|Z)"
    )
    .replace(b"PARAMETER", PARAMETER)
    .replace(b"CONTROL", CONTROL)
)
_INTRO = re.compile(INTRO)
_PARAMETERS = re.compile(PARAMETER + rb"*+")
_NUMBERS = re.compile(rb"[" + CONTROL + rb"\x30-\x3f]*+")
_DIGITS = re.compile(rb"[" + CONTROL + rb"0-9]*+")
_WITH_BODY = frozenset((b"[", b"]", b"P", b"X", b"^", b"_"))
_CANCEL = re.compile(rb"[\x18\x1a]")
_OVER = {b"]": re.compile(rb"[\x07\x18\x1a]"), b"P": _CANCEL, b"_": _CANCEL}
_ALL_BUT_CONTROLS: Final = bytes(set(range(256)) - set(CONTROLS) | {0x7F})

_NEVER_ASKING = frozenset((0, 1, 2, 7, 8, 9, 66, 133, 633, 777))  # text, which may hold any question mark
_ALWAYS_ASKING = frozenset((60, 61, 5113, 5522))  # allowed features, kitty's file transfer and clipboard
_ITERM_ASKS = (b"ReportCellSize", b"ReportVariable=", b"RequestUpload=", b"Capabilities")
_ITERM_COPIES = (b"Copy=", b"CopyToClipboard")
_WORD_MAX: Final = 64
_DCS_ASKS = (b"$q", b"+q", b"+Q", b"@kitty-")


class Quiet:
    """Passes on what makes no terminal answer and, unless `clipboard`, does not fill its clipboard."""

    __slots__ = ("_clipboard", "_held", "_open", "_skip")

    def __init__(self, clipboard: bool = False) -> None:
        self._clipboard = clipboard
        self.flush()

    def flush(self) -> bytes:
        """The stream has ended. What is held might be completed by what is printed next, so it is dropped."""
        self._held = b""
        self._skip: re.Pattern[bytes] | None = None  # how the sequence ends that is being left out
        self._open: re.Pattern[bytes] | None = None  # how the one ends that has been passed on so far
        return b""

    def hand_over(self) -> bytes | None:
        """What is held, for one who gets everything from here on; None while a sequence is being left out."""
        if self._skip is not None:
            return None
        held, self._held = self._held, b""
        return held

    def feed(self, data: bytes) -> bytes:
        if _ENQ in data:
            data = data.translate(None, _ENQ)
        if self._skip is None and not self._held and ESC not in data:
            self._open = self._open_at(data, len(data))
            return data
        buffer = self._held + data
        if self._skip is not None:
            end = self._skip.search(buffer)
            if end is None:
                self._held = ESC if buffer.endswith(ESC) else b""
                return b""
            self._skip = None
            buffer = buffer[end.end() :]
        return self._settle(buffer)

    def _settle(self, buffer: bytes) -> bytes:
        """Judge what is whole, hold or drop what is not."""
        start, outlook = self._tail(buffer)
        quiet = _CANDIDATE.sub(self._judge, buffer[:start])
        if outlook == DROP:
            quiet += self._guard(buffer, start)
            self._skip = grammar.ending(_lead(buffer[start:]))
            self._held = ESC if buffer.endswith(ESC) else b""
            self._open = None
        else:
            self._held = buffer[start:]
            self._open = self._open_at(buffer, start)
        return quiet

    def _tail(self, buffer: bytes) -> tuple[int, int]:
        """Where the undecided or unwelcome end of `buffer` begins, and which of the two it is."""
        last = buffer.rfind(ESC)
        if last < 0:
            return len(buffer), PASS
        if last == len(buffer) - 1:  # perhaps the first half of a string's end
            before = buffer.rfind(ESC, 0, last)
            outlook = foresee(buffer[before:last], self._clipboard) if before >= 0 else PASS
            if outlook != PASS and _lead(buffer[before:last]) not in (b"", b"["):
                return before, outlook
        outlook = foresee(buffer[last:], self._clipboard)
        return (len(buffer), PASS) if outlook == PASS else (last, outlook)

    def _judge(self, match: re.Match[bytes]) -> bytes:
        if not _is_unwelcome(match, self._clipboard):
            return match[0]
        # A terminal obeys the controls in the middle of a short sequence, a line feed say: these stay.
        kept = match[0].translate(None, _ALL_BUT_CONTROLS) if match.lastgroup in ("csi", None) else b""
        return self._guard(match.string, match.start()) + kept

    def _guard(self, buffer: bytes, start: int) -> bytes:
        """What must take the place of something dropped, lest what stands before it runs on behind it."""
        return _CAN if self._open_at(buffer, start) else b""

    def _open_at(self, buffer: bytes, start: int) -> re.Pattern[bytes] | None:
        """How the unfinished sequence ends that is passed on just before `start`, if there is one."""
        before = buffer.rfind(ESC, 0, start)
        if before < 0:
            return None if self._open is None or self._open.search(buffer, 0, start) else self._open
        tail = buffer[before:start]
        if foresee(tail, self._clipboard) == DROP:
            return None
        lead = _lead(tail)
        end = grammar.ending(lead)
        body = tail.index(lead, 1) + (lead in _WITH_BODY)
        return None if end.search(tail, body) else end


def is_query(sequence: bytes) -> bool:
    """Whether a terminal would answer this one whole sequence."""
    match = _CANDIDATE.fullmatch(sequence)
    return sequence == _ENQ or (match is not None and _is_unwelcome(match, clipboard=True))


def _is_unwelcome(match: re.Match[bytes], clipboard: bool) -> bool:
    match match.lastgroup:
        case "csi":
            return _ASKING_CSI.fullmatch(match["csi"].translate(None, CONTROLS)) is not None
        case "osc" | "string" as group:
            return _foresee_string(match[group], True, clipboard) == DROP
    return True  # too long for anybody, or ESC Z


def _lead(sequence: bytes) -> bytes:
    intro = _INTRO.match(sequence)
    return sequence[intro.end() : intro.end() + 1] if intro else b""


def foresee(tail: bytes, clipboard: bool) -> int:
    """What a sequence and whatever follows it may still become, given no other escape."""
    intro = _INTRO.match(tail)
    assert intro is not None
    lead = tail[intro.end() : intro.end() + 1]
    if not lead:
        return HOLD
    if lead == b"[":
        return _foresee_csi(tail[intro.end() + 1 :])
    if lead not in _OVER or _OVER[lead].search(tail, intro.end()):
        return PASS
    return _foresee_string(tail[intro.end() :], False, clipboard)


def _foresee_csi(tail: bytes) -> int:
    length = _length(_PARAMETERS, tail)
    if length < len(tail):
        return PASS
    return HOLD if length <= SEQUENCE_MAX else DROP


def _length(pattern: re.Pattern[bytes], text: bytes) -> int:
    match = pattern.match(text)
    return match.end() if match else 0


def _foresee_string(string: bytes, is_whole: bool, clipboard: bool) -> int:
    match string[:1]:
        case b"]":
            return _foresee_osc(string[1:], is_whole, clipboard)
        case b"P":
            return _foresee_dcs(string[1:], is_whole)
    return _foresee_apc(string[1:], is_whole)


def _foresee_osc(string: bytes, is_whole: bool, clipboard: bool) -> int:
    digits = _length(_DIGITS, string)
    if digits > SEQUENCE_MAX:
        return DROP
    if digits == len(string) and not is_whole:
        return HOLD
    number = string[:digits].translate(None, CONTROLS)
    if not number or string[digits : digits + 1] not in (b";", b""):
        return PASS
    code, rest = int(number), string[digits + 1 :]
    if code in _ALWAYS_ASKING or (code == 52 and not clipboard):
        return DROP
    if code == 52:
        return _foresee_copy(rest, is_whole)
    if code == 1337:
        return _foresee_word(rest, _ITERM_ASKS if clipboard else _ITERM_ASKS + _ITERM_COPIES, is_whole)
    return PASS if code in _NEVER_ASKING else _foresee_colour(code, rest, is_whole)


def _foresee_colour(code: int, rest: bytes, is_whole: bool) -> int:
    """For a colour, or anything else that is asked for with a question mark."""
    if len(rest) > STRING_MAX:
        return DROP
    if not is_whole:
        return HOLD
    text = b";" + rest.translate(None, CONTROLS)
    if code == 99:  # a notification, which is free to ask its reader something
        fields = text.split(b";")[1].split(b":")
        return DROP if b"p=?" in fields or b"p=alive" in fields else PASS
    return DROP if b";?" in text or b"=?" in text else PASS


def _foresee_copy(rest: bytes, is_whole: bool) -> int:
    selection, semicolon, text = rest.partition(b";")
    if len(selection) > SEQUENCE_MAX:
        return DROP
    if not semicolon:
        return PASS if is_whole else HOLD
    return _foresee_word(text, (b"?",), is_whole)


def _foresee_word(text: bytes, words: tuple[bytes, ...], is_whole: bool) -> int:
    head = text[:_WORD_MAX].translate(None, CONTROLS)
    if head.startswith(words):
        return DROP
    is_short = len(text) < _WORD_MAX and not is_whole
    return HOLD if is_short and any(word.startswith(head) for word in words) else PASS


def _foresee_dcs(string: bytes, is_whole: bool) -> int:
    numbers = _length(_NUMBERS, string)
    if numbers > SEQUENCE_MAX:
        return DROP
    return _foresee_word(string[numbers:], _DCS_ASKS, is_whole)


def _foresee_apc(string: bytes, is_whole: bool) -> int:
    if not string:
        return PASS if is_whole else HOLD
    if not string.startswith(b"G"):
        return PASS
    keys, semicolon, _ = string.partition(b";")
    if len(keys) > SEQUENCE_MAX:
        return DROP
    if not semicolon and not is_whole:
        return HOLD
    return DROP if b"a=q" in keys[1:].translate(None, CONTROLS).split(b",") else PASS
