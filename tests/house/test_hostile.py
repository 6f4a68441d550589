"""promise 9: whatever a program prints, nobody else is harmed: not its shell, not a viewer, not the daemon"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from codewire_py.stream.quiet import Quiet
from codewire_py.wire.messages import Attach, Attached
from homes import Home
from peers import Peer
from seeing import MEBIBYTE, pss

EVIL = b"touch /tmp/pwned"
LONG = 64 << 10

# Every way to have a terminal say something that one has told it before, or that stands in the question.
PARROTS = [
    b"\x1b]2;%b\x07\x1b[21t", b"\x1b]1;%b\x07\x1b[20t", b"\x1b]l%b\x1b\\\x1b[21t", b"\x1b[22;2t\x1b]2;%b\x07\x1b[23;2t\x1b[21t",
    b"\x1b]11;%b\x07\x1b]11;?\x07", b"\x1b]10;?;%b;?\x07", b"\x1b]4;9;%b\x07\x1b]4;9;?\x07", b"\x1b]4;%b;?\x07", b"\x1b]52;c;%b\x07\x1b]52;c;?\x07",
    b"\x1bP$q%b\x1b\\", b"\x1bP$q\n%b\n\x1b\\", b"\x1bP+q%b\x1b\\", b"\x1bP1;2$q%b\x1b\\", b"\x90$q%b\x9c", b"\xc2\x90$q%b\xc2\x9c", b"\x9d2;%b\x9c\x9b21t",
    b"\x1b[%b$p", b"\x1b[?%b$p", b"\x1b[%bn", b"\x1b[%bc", b"\x1b[>%bq", b"\x1b[%bx", b"\x05%b\x05", b"\x1b_G%b\x1b\\", b"\x1b]8;;%b\x07\x1b[6n",
    b"\x1b]60;%b\x07", b"\x1b]702;?%b\x07", b"\x1b]50;%b\x07\x1b]50;?\x07", b"\x1b[?1;%bS", b"\x1b]99;%b:p=?\x07", b"\x1bP!|%b\x1b\\", b"\x1b^%b\x1b\\",
]  # fmt: skip
SAYINGS = [
    EVIL,
    b"\n" + EVIL + b"\n",
    b"\r" + EVIL + b"\r",
    b"\x9b0c\n" + EVIL + b"\x85",
    b";`" + EVIL + b"`",
    (EVIL + b"\n") * (LONG // 17),
]

# All that may be typed by itself: numbers, and words of our own.
ANSWERS = re.compile(
    rb"(?:\x1b\[[>?]?[0-9]{1,5}(?:;[0-9]{1,5})*(?:[cnRut]|\$y)"
    rb"|\x1b\](?:4;[0-9]{1,3}|1[012]);rgb:(?:[0-9a-f]{4}/){2}[0-9a-f]{4}(?:\x07|\x1b\\)"
    rb"|\x1b\][lL]\x1b\\|\x1bP!\|00000000\x1b\\|\x1bP>\|codewire\([0-9.a-z]+\)\x1b\\"
    rb"|\x1bP0[$+]r\x1b\\|\x1bP1\$r[0-9;:]*(?: q|r|m)\x1b\\)*"
)
# Says everything in a file, then asks what every terminal answers, and tells what it was typed until then.
SPEAK = """
import os, sys, tty
tty.setraw(0)
os.write(1, b"ready")
with open(sys.argv[1], "rb") as file:
    said = file.read().split(b"--next--")
heard = b""
for part in said:
    while part:
        part = part[os.write(1, part):]
    os.write(1, b"\\x18\\x1b\\\\\\x1b[5n")
    before = len(heard)
    while not heard[before:].endswith(b"\\x1b[0n"):
        heard += os.read(0, 65536)
os.write(1, b"\\x1bc<<" + heard.hex().encode() + b">>")
os.read(0, 1)
"""
HEARD = re.compile(rb"<<([0-9a-f]*)>>")


@pytest.fixture(scope="module")
def home(shared_home: Home) -> Home:
    shared_home.cw("start")
    return shared_home


def heard(home: Home, said: bytes, file: Path) -> bytes:
    """What a program that says it is typed by us."""
    file.write_bytes(said)
    id = home.python(SPEAK, str(file))
    home.until(lambda: HEARD.search(home.log(id)[-1 << 20 :]), "it to have heard all answers")
    found = HEARD.search(home.log(id)[-1 << 20 :])
    assert found
    home.cw("kill", str(id))
    return bytes.fromhex(found[1].decode())


@pytest.mark.parametrize("saying", SAYINGS, ids=["plain", "lines", "returns", "c1", "shell", "long"])
def test_nothing_that_is_printed_is_typed(home: Home, tmp_path: Path, saying: bytes) -> None:
    """Titles, colours, settings, capabilities, anything: `cat` of a file never types a word of it into the shell."""
    said = b"--next--".join(form.replace(b"%b", saying) for form in PARROTS)
    typed = heard(home, said, tmp_path / "said")
    assert typed.count(b"\x1b[0n") >= len(PARROTS)
    assert ANSWERS.fullmatch(typed), typed[:2000]


# -- odd askers


ECHOING = """
import os, sys, termios
modes = termios.tcgetattr(0)
modes[3] |= termios.ECHO
for flag in (termios.ICANON, termios.ECHOCTL):
    modes[3] &= ~flag
modes[3] |= int(sys.argv[1])
termios.tcsetattr(0, termios.TCSANOW, modes)
os.write(1, b"ready")
os.read(0, 1)
for query in bytes.fromhex(sys.argv[2]).split(b" "):
    os.write(1, query)
os.write(1, b"\\x1b[5n")
data = b""
while not data.endswith((b"0n", b"\\n")):
    data += os.read(0, 65536)
os.write(1, b"\\x1b[5n")
while data.count(b"0n") < 2:
    data += os.read(0, 65536)
os.write(1, b"<<" + data.hex().encode() + b">>")
os.read(0, 1)
"""
EVERY_QUERY = (
    b"\x1b[c \x1b[>c \x1b[=c \x1b[>q \x1b[6n \x1b[?6n \x1b[?996n \x1b[?u \x1b[?7$p \x1b[4$p \x1b]11;?\x07 \x1b]4;1;?\x07 "
    b"\x1bP$qm\x1b\\ \x1bP$qx\x1b\\ \x1bP+q544e\x1b\\ \x1b[11t \x1b[13t \x1b[14t \x1b[16t \x1b[18t \x1b[20t \x1b[21t"
)


def test_an_answer_that_comes_back_is_no_question(home: Home) -> None:
    """A terminal that echoes what is typed, controls and all, makes no loop: each is answered once."""
    id = home.python(ECHOING, "0", EVERY_QUERY.hex())
    home.until_printed(id, b"ready")
    home.cw("send", str(id), "--no-newline", "x")
    home.until(lambda: HEARD.search(home.log(id)), "the answers")
    found = HEARD.search(home.log(id))
    assert found
    typed = bytes.fromhex(found[1].decode())
    assert ANSWERS.fullmatch(typed)
    assert typed.count(b"\x1b[?0u") == 1
    assert typed.count(b"\x1b") <= len(EVERY_QUERY.split(b" ")) * 2 + 2  # a string has two
    home.cw("kill", str(id))


CANONICAL = """
import os, sys
os.write(1, bytes.fromhex(sys.argv[1]).replace(b" ", b"") + b"asked")
line = os.read(0, 65536)
os.write(1, b"<<" + line.hex().encode() + b">>")
os.read(0, 1)
"""


def test_one_that_asks_line_by_line_gets_answers_before_the_next_line(home: Home) -> None:
    """In canonical mode, with echo, as `cat FILE` in a shell asks: they wait, end no line, and are echoed as text."""
    id = home.python(CANONICAL, EVERY_QUERY.hex())
    home.until(lambda: home.log(id).endswith(b"^[]l^[\\"), "the last answer to be echoed")
    home.cw("send", str(id), "typed")
    home.until(lambda: HEARD.search(home.log(id)), "the line")
    found = HEARD.search(home.log(id))
    assert found
    line = bytes.fromhex(found[1].decode())
    assert line.endswith(b"typed\n")
    assert ANSWERS.fullmatch(line.removesuffix(b"typed\n"))
    assert b"\r" not in line
    assert line.count(b"\n") == 1
    home.cw("kill", str(id))


LISTENING = "import os, tty\ntty.setraw(0)\nos.write(1, b'ready')\nos.write(1, b'<<%s>>' % os.read(0, 99).hex().encode())\nos.read(0, 1)"


def test_who_asks_and_dies_is_answered_by_nobody(home: Home) -> None:
    """And nobody else hears the answer: not the session that is launched next, not one that was there."""
    there = home.python(LISTENING)
    home.until_printed(there, b"ready")
    asked = EVERY_QUERY.replace(b" ", b"").decode()
    for _ in range(8):
        home.cw("wait", str(home.launch("printf", "%s", asked)))
    after = home.python(LISTENING)
    home.until_printed(after, b"ready")
    for id in (there, after):
        home.cw("send", str(id), "--no-newline", "x")
        home.until_printed(id, b"<<78>>")
        home.cw("kill", str(id))
    for trouble in ("Traceback", "not attended", "failed"):
        assert trouble not in home.journal()


# -- what grows


MORE = 900 << 10  # bytes at once: all of it is drawn, and nothing skimmed
CHATTER = """
import os, sys, tty
tty.setraw(0)
form, most, number = eval(sys.argv[1]), int(sys.argv[2]), 0
while True:
    data = bytearray()
    while len(data) < most:
        number += 1
        data += form.replace(b"%d", b"%d" % number).replace(b"%c", b"%d;%d;%d" % (number % 256, number // 256 % 256, number // 65536))
    data += b"done %d." % (number)
    while data:
        data = data[os.write(1, data):]
    while b"x" not in os.read(0, 65536):
        pass
"""
GROWING = {
    "styles": b"\x1b[38;2;%cmx", "links": b"\x1b]8;id=%d;http://x/%d\x07x", "titles": b"\x1b[22;2t\x1b]2;title %d\x07", "tab stops": b"\x1b[%dG\x1bH",
    "saved": b"\x1b7\x1b[?1049h\x1b7\x1b[?1049l\x1b[%dG", "kitty": b"\x1b[>%du\x1b[?1049h\x1b[>%du\x1b[?1049l", "palette": b"\x1b]4;%d;#123456\x07\x1b]1%d;#123\x07",
    "keys": b"\x1b[>%d;%dm\x1b[?%dh\x1b[%dh", "shapes": b"\x1b[%d q\x1b[%d;%dr", "marks": b"e\xcc\x81\xcc%d", "sequences": b"\x1b[%d;%d;%d;%d;%dX\x1b[%d!%dz",
    "strings": b"\x1b]%d;%d\x07\x1bP%d|%d\x1b\\\x1b_%d\x1b\\", "questions": b"\x1b[c\x1b]4;%d;?\x07\x1bP$q%d\x1b\\", "charsets": b"\x1b(%d\x1b)%d\x1b*%d",
}  # fmt: skip
MOST_MEMORY = 24 * MEBIBYTE  # 4 of scrollback, and what Python needs to keep as many rows, styles, ways


@pytest.mark.parametrize("name", GROWING)
def test_the_daemon_does_not_grow(home: Home, name: str) -> None:
    """However many different things a program prints; and meanwhile others are served."""
    id = home.python(CHATTER, repr(GROWING[name]), str(MORE))
    before = pss(home.daemon())
    for _ in range(3):
        seen = len(home.log(id))
        home.until(
            lambda seen=seen: b"done" in home.log(id)[seen:][-40:] or b"done" in home.log(id)[-40:],
            "it to have printed",
        )
        assert id in [session["id"] for session in home.list()]
        assert "size" in home.cw("screen", str(id), "--json").stdout
        home.cw("send", str(id), "--no-newline", "x")
    assert pss(home.daemon()) - before < MOST_MEMORY
    home.cw("kill", str(id))
    home.cw("remove", str(id))


# -- what people see


HOSTILE = (
    b"\x1b]0;title\x1b]52;c;Zm9v\x07\x1b]2;\xc2\x9b31m\xc2\x9d52;c;Zm9v\xc2\x9cname\x07first\r\n\x1b]52;c;Zm9v\x07\x1b]52;c;?\x07\x1bP$qm\x1b\\\x1b[c\x1b[6n"
    b"\x1b]8;;http://x/\x1b]52;c;Zm9v\x07link\x1b]8;;\x1b\\ \x9b5n\xc2\x9b5n\xc2\x9d52;c;Zm9v\xc2\x9c \x1b_Gi=1,a=q;AAAA\x1b\\\x1b]1337;File=:Zm9v\x07"
    b"\x1b]9;notify\x07\x1b]777;notify;a;b\x07\x1b]50;#1\x07\x1b]7;file:///\x07\x1b[5i\x1b[4i\x1b[8;5;5t\x1b[2t\x1b[?5n\x1b]11;?\x07\x1b[0x\x05\x07\x7f"
    b"\x1b]133;A\x07\x1bPq#0;2;0;0;0~-\x1b\\\x1b^pm\x1b\\\x1bXsos\x1b\\\x1bktitle\x1b\\\x1b#8\x1b[2J\x1b[Hlast needle \x01\x02\x0b\x0c\xe2\x80\xa8\xe2\x80\xaeend\r\n"
)
FILLED = b"".join(
    b"%d %b" % (number, HOSTILE) for number in range(40)
)  # more than a screen: some is scrollback
SHOW = "import os, sys, tty\ntty.setraw(0)\nos.write(1, open(sys.argv[1], 'rb').read() + b'\\x1b[mdone')\nwhile True: os.read(0, 1)"
SAFE = {
    "screen": ("screen", "ID", "--scrollback", "500"), "screen json": ("screen", "ID", "--json", "--scrollback", "500"),
    "search": ("search", "needle|link", "ID"), "search json": ("search", "needle|link", "ID", "--json"), "rendered": ("logs", "ID", "--rendered"),
    "logs": ("logs", "ID"), "list": ("list",), "list json": ("list", "--json"), "status": ("status", "ID"), "status json": ("status", "ID", "--json"),
    "export": ("export", "ID", "-"), "export v2": ("export", "ID", "-", "--v2"),
}  # fmt: skip
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@pytest.fixture(scope="module")
def shown(home: Home, tmp_path_factory: pytest.TempPathFactory) -> int:
    """A session with a hostile past and a hostile command."""
    file = tmp_path_factory.mktemp("shown") / "said"
    file.write_bytes(FILLED)
    id = home.python(SHOW, str(file), "\x1b]2;evil\x07\x1b[31m\n\x7f\u009b5n")
    home.until_printed(id, b"\x1b[mdone")
    return id


@pytest.mark.parametrize("name", SAFE)
def test_no_sequence_reaches_a_persons_terminal(home: Home, shown: int, name: str) -> None:
    """In what is told about a session there is text, and line ends, and nothing that a terminal would obey."""
    told = home.cw(*(str(shown) if word == "ID" else word for word in SAFE[name])).stdout
    assert told
    assert not OBEYED.findall(told), OBEYED.findall(told)


# What a paint may consist of, beside text: styles, links, moves, erasing, modes, the title, tab stops, character sets.
PAINTED = re.compile(
    rb"\x1b\[[0-9;:]*m|\x1b\[[0-9;]*[HJKGrXC]|\x1b\[\?[0-9;]+[hl]|\x1b\[[0-9;]+[hl]|\x1b\[3?g|\x1b\[0? q|\x1b\[[1-6] q|\x1b\[[<>=][0-9;]*[um]"
    rb"|\x1b\]8;[^\x00-\x1f\x7f]*(?:\x07|\x1b\\)|\x1b\]2;[^\x00-\x1f\x7f]*(?:\x07|\x1b\\)|\x1b\]1(?:0[4]|1[0-9])\x1b\\|\x1b\[2[23];[0-9]t"
    rb"|\x1b\[\?5W|\x1b[78=>H\\no]|\x1b[()*+][A-Z0-9]|[\r\n\x0e\x0f\x18]"
)


def test_a_paint_is_only_a_picture(home: Home, shown: int) -> None:
    """No question, no clipboard, no notification, no image is shown again to one who attaches."""
    with Peer(home) as peer:
        paint = peer.ask(Attach(session=str(shown), scrollback=1000)).hear(Attached).paint
    assert b"needle" in paint
    assert Quiet().feed(paint) == paint
    left = PAINTED.sub(b"", paint).decode()
    assert not OBEYED.findall(left), [
        left[max(0, at.start() - 10) : at.end() + 30] for at in OBEYED.finditer(left)
    ][:5]
