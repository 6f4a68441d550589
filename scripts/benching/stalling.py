"""one key after the other while a neighbour's flood is printed, and caught up with"""

from __future__ import annotations

import itertools
import math
import select
import time
from collections.abc import Callable, Iterator

from benching.clock import Deadline, pause
from benching.contestants import Contestant
from benching.echoing import ECHO, KEYS, WARM_UPS, press, wake
from benching.material import END, Materials
from benching.metrics import Metric, Plan, Row, Target, Unfit, Values
from benching.player import Player
from benching.spawning import time_command
from benching.terminals import Client

SECONDS_TO_PRINT = 60.0
SECONDS_TO_CATCH_UP = 15.0
KEYS_WHILE_CATCHING_UP = 50
KEYS_BETWEEN_LISTS = 8
NOT_MUCH = Target(3.0, is_absolute=True)


class Typist:
    """Types into one session, drains a client of another, asks for the list now and then."""

    def __init__(self, host: Contestant) -> None:
        self.host = host
        self.client = host.attach(host.launch(ECHO))
        self.keys: Iterator[bytes] = (bytes([code]) for code in itertools.cycle(KEYS))
        wake(self.client, self.keys)
        for _ in range(WARM_UPS):
            self.press()
        self.lists: list[float] = []

    def press(self) -> float:
        return press(self.client, next(self.keys))

    def press_while(self, goes_on: Callable[[int], bool]) -> list[float]:
        times: list[float] = []
        while goes_on(len(times)):
            times.append(self.press())
            argv = self.host.list_argv()
            if argv and len(times) % KEYS_BETWEEN_LISTS == 1:
                self.lists.append(time_command(argv, self.host.env))
        return times


def stalling_metrics(plan: Plan) -> list[Metric]:
    flood = f"{plan.flood / 1e6:.0f} MB of a neighbour"
    return [
        Metric(
            "stall",
            (
                beside_idle("stall-printed", f"echo of a key while {flood} are printed"),
                beside_idle("stall-caught", f"… while {flood} are caught up with"),
                Row("stall-worst", "… the worst of both, as it is", "ms"),
                Row("stall-list", "… the worst `list` meanwhile", "ms"),
            ),
            lambda host, materials: measure_stall(host, materials, plan),
            15.0,
            2,
        )
    ]


def beside_idle(key: str, title: str) -> Row:
    return Row(key, f"{title}, p99, so much worse than idle", "ms", NOT_MUCH, is_compared=False)


def measure_stall(host: Contestant, materials: Materials, plan: Plan) -> Values:
    if not host.paints:
        raise Unfit("has nothing to catch up with")
    typist = Typist(host)
    neighbour = Player(host, materials, materials.lines(plan.flood))
    pause(1.0)
    idle = p99([typist.press() for _ in range(plan.keys // 4)])
    neighbour.order("play")
    deadline = Deadline(SECONDS_TO_PRINT, "the neighbour's last byte")
    printed = typist.press_while(lambda _: is_playing(neighbour, deadline))
    caught = typist.press_while(Catching(host.attach(neighbour.session)).goes_on)
    values = {
        "stall-printed": p99(printed) - idle,
        "stall-caught": p99(caught) - idle,
        "stall-worst": max(printed + caught),
    }
    return values | ({"stall-list": max(typist.lists)} if typist.lists else {})


def is_playing(player: Player, deadline: Deadline) -> bool:
    deadline.left()
    return not select.select([player.played], [], [], 0)[0]


class Catching:
    """A client that is shown the flood's end; read between two keys."""

    def __init__(self, client: Client) -> None:
        self.client, self.tail = client, b""
        self.until = time.monotonic() + SECONDS_TO_CATCH_UP
        self.is_there = False

    def goes_on(self, pressed: int) -> bool:
        while not self.client.is_gone and (data := self.client.read()):
            self.tail = (self.tail + data)[-2 * len(END) - len(data) :]
            self.is_there = self.is_there or END in self.tail
        return pressed < KEYS_WHILE_CATCHING_UP or not (self.is_there or time.monotonic() > self.until)


def p99(times: list[float]) -> float:
    return sorted(times)[math.ceil(len(times) * 0.99) - 1]
