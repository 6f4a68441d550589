"""which sequences make a terminal answer, and which of these the daemon answers

A query is judged by what stands behind its escape, as soon as that settles it: a string may be long.
"""

from __future__ import annotations

import re  # noqa: TID253 - callers that must start fast import this floor when they need it

from codewire_py.stream.grammar import CONTROL, CONTROLS, ESC, INTRO, PARAMETER, SEQUENCE_MAX, STRING_MAX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

ENQ: Final = b"\x05"

PASS: Final = 0  # whatever follows, it is no query
DROP: Final = 1  # whatever follows, it is not for a viewer
HOLD: Final = 2  # what follows decides


class Welcome:
    """What may reach a viewer. `unknown`: also the queries that the daemon does not answer."""

    __slots__ = ("clipboard", "unknown")

    def __init__(self, clipboard: bool, unknown: bool) -> None:
        self.clipboard, self.unknown = clipboard, unknown

    def doubtful(self) -> re.Pattern[bytes]:
        """Finds all that may turn out to be unwelcome."""
        return _ANSWERED if self.unknown else _ASKING


ALL_BUT_KNOWN: Final = Welcome(clipboard=True, unknown=True)
_NONE: Final = Welcome(clipboard=True, unknown=False)

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
_ANSWERED_CSI = re.compile(
    rb"[>=]?0*c|0*[56]n|\?0*(?:6|996)n|\??[0-9]*\$p|>0*q|\?0*u"
    rb"|0*(?:1[134568]|19|2[01])(?:[;:][0-9;:]*)?t"
)


def _doubtful(common: bytes, csi: bytes, osc: bytes, other: bytes) -> re.Pattern[bytes]:
    """What has to be judged one by one, so colours, moves and titles are left out."""
    form = (
        rb"(?:\[(?:(?P<csi>" + csi + rb")|(?P<long>PARAMETER{257,}+[\x18\x1a\x40-\x7e]?))"
        rb"|(?P<osc>\]" + osc + rb"[^\x07\x18\x1a\x1b]*+)(?:[\x07\x18\x1a]|\x1b\\)?"
        rb"|(?P<string>" + other + rb"[^\x18\x1a\x1b]*+)(?:[\x18\x1a]|\x1b\\)?"
        rb"|Z)"
    )
    intro = rb"\x1b(?!\[" + common + rb")" + INTRO.removeprefix(rb"\x1b")
    return re.compile(intro + form.replace(b"PARAMETER", PARAMETER).replace(b"CONTROL", CONTROL))


_TEXTS = rb"(?!(?:[012789]|66|133|633|777);)"
_DCS = rb"P[CONTROL\x30-\x3f]{0,256}+[$+@CONTROL\x30-\x3f]"
_ASKING = _doubtful(
    rb"[0-9;:]{0,256}+[mA-MPXdfhl]",
    rb"PARAMETER{0,256}+[cnpqtuxySRvw|]|[CONTROL]*+\?PARAMETER{0,255}+[mg]",
    _TEXTS,
    rb"(?:" + _DCS + rb"|_G)",
)
_ANSWERED = _doubtful(
    rb"[0-9;:?]{0,256}+[@-bd-mor-sv-~]",
    rb"PARAMETER{0,256}+[cnpqtu]",
    _TEXTS + rb"(?=[CONTROL]*+[0145])",
    _DCS,
)

_INTRO = re.compile(INTRO)
_PARAMETERS = re.compile(PARAMETER + rb"*+")
_NUMBERS = re.compile(rb"[" + CONTROL + rb"\x30-\x3f]*+")
_DIGITS = re.compile(rb"[" + CONTROL + rb"0-9]*+")
_CANCEL = re.compile(rb"[\x18\x1a]")
_OVER = {b"]": re.compile(rb"[\x07\x18\x1a]"), b"P": _CANCEL, b"_": _CANCEL}

_NEVER_ASKING = frozenset((0, 1, 2, 7, 8, 9, 66, 133, 633, 777))  # text, which may hold any question mark
_ALWAYS_ASKING = frozenset((60, 61, 5113, 5522))  # allowed features, kitty's file transfer and clipboard
_ANSWERED_COLOURS = frozenset((4, 10, 11, 12))
_ITERM_ASKS = (b"ReportCellSize", b"ReportVariable=", b"RequestUpload=", b"Capabilities")
_ITERM_COPIES = (b"Copy=", b"CopyToClipboard")
_WORD_MAX: Final = 64
_DCS_ASKS = (b"$q", b"+q", b"+Q", b"@kitty-")
_DCS_ANSWERED = (b"$q", b"+q")


def is_query(sequence: bytes) -> bool:
    """Whether a terminal would answer this one whole sequence."""
    match = _ASKING.fullmatch(sequence)
    return sequence == ENQ or (match is not None and is_unwelcome(match, _NONE))


def is_known(query: bytes) -> bool:
    """Whether the daemon answers it, whoever looks."""
    match = _ANSWERED.fullmatch(query)
    return match is not None and match.lastgroup != "long" and is_unwelcome(match, ALL_BUT_KNOWN)


def is_unwelcome(match: re.Match[bytes], welcome: Welcome) -> bool:
    match match.lastgroup:
        case "csi":
            pattern = _ANSWERED_CSI if welcome.unknown else _ASKING_CSI
            return pattern.fullmatch(match["csi"].translate(None, CONTROLS)) is not None
        case "osc" | "string" as group:
            return _foresee_string(match[group], True, welcome) == DROP
    return True  # too long for anybody, or ESC Z


def tail(buffer: bytes, welcome: Welcome) -> tuple[int, int]:
    """Where the undecided or unwelcome end of `buffer` begins, and which of the two it is."""
    last = buffer.rfind(ESC)
    if last < 0:
        return len(buffer), PASS
    if last == len(buffer) - 1:  # perhaps the first half of a string's end
        before = buffer.rfind(ESC, 0, last)
        outlook = foresee(buffer[before:last], welcome) if before >= 0 else PASS
        if outlook != PASS and lead_of(buffer[before:last]) not in (b"", b"["):
            return before, outlook
    outlook = foresee(buffer[last:], welcome)
    return (len(buffer), PASS) if outlook == PASS else (last, outlook)


def lead_of(sequence: bytes) -> bytes:
    intro = _INTRO.match(sequence)
    return sequence[intro.end() : intro.end() + 1] if intro else b""


def foresee(begun: bytes, welcome: Welcome) -> int:
    """What a sequence and whatever follows it may still become, given no other escape."""
    intro = _INTRO.match(begun)
    assert intro is not None
    lead = begun[intro.end() : intro.end() + 1]
    if not lead:
        return HOLD
    if lead == b"[":
        return _foresee_csi(begun[intro.end() + 1 :])
    if lead not in _OVER or _OVER[lead].search(begun, intro.end()):
        return PASS
    return _foresee_string(begun[intro.end() :], False, welcome)


def _foresee_csi(body: bytes) -> int:
    length = _length(_PARAMETERS, body)
    if length < len(body):
        return PASS
    return HOLD if length <= SEQUENCE_MAX else DROP


def _length(pattern: re.Pattern[bytes], text: bytes) -> int:
    match = pattern.match(text)
    return match.end() if match else 0


def _foresee_string(string: bytes, is_whole: bool, welcome: Welcome) -> int:
    match string[:1]:
        case b"]":
            return _foresee_osc(string[1:], is_whole, welcome)
        case b"P":
            return _foresee_dcs(string[1:], is_whole, welcome)
    return PASS if welcome.unknown else _foresee_apc(string[1:], is_whole)


def _foresee_osc(string: bytes, is_whole: bool, welcome: Welcome) -> int:
    digits = _length(_DIGITS, string)
    if digits > SEQUENCE_MAX:
        return DROP
    if digits == len(string) and not is_whole:
        return HOLD
    number = string[:digits].translate(None, CONTROLS)
    if not number or string[digits : digits + 1] not in (b";", b""):
        return PASS
    code, rest = int(number), string[digits + 1 :]
    if code == 52 and not welcome.clipboard:
        return DROP
    if code == 1337:
        asks = () if welcome.unknown else _ITERM_ASKS
        return _foresee_word(rest, asks if welcome.clipboard else asks + _ITERM_COPIES, is_whole)
    if welcome.unknown:
        return _foresee_colour(code, rest, is_whole) if code in _ANSWERED_COLOURS else PASS
    if code == 52:
        return _foresee_copy(rest, is_whole)
    if code in _ALWAYS_ASKING:
        return DROP
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
    if words and head.startswith(words):
        return DROP
    is_short = len(text) < _WORD_MAX and not is_whole
    return HOLD if is_short and any(word.startswith(head) for word in words) else PASS


def _foresee_dcs(string: bytes, is_whole: bool, welcome: Welcome) -> int:
    numbers = _length(_NUMBERS, string)
    if numbers > SEQUENCE_MAX:
        return DROP
    return _foresee_word(string[numbers:], _DCS_ANSWERED if welcome.unknown else _DCS_ASKS, is_whole)


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
