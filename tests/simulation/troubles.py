"""What goes wrong in one run. Each seed has troubles of its own: some kinds often, some never, as in life."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, fields

from tests.simulation.agenda import Killed


@dataclass(frozen=True, slots=True, kw_only=True)
class Troubles:
    """How bad it is. `every`: mean seconds between two of a kind; 0: never. The others: chances each time."""

    # The air at home.
    radio_cut: float  # the link to a device ends before an indication is heard, or before it is confirmed
    # The line from home to the broker.
    line_cut_every: float
    line_delay: float  # seconds at most
    swallowed: float  # a message that the broker took is gone
    doubled: float  # it comes twice
    shuffled: float  # it comes late, after others
    # The machines.
    gateway_kill_every: float
    server_kill_every: float
    broker_kill_every: float
    wiped: float  # the broker comes back with nothing
    together: float  # what kills the server kills the broker, with its data
    crash: float  # at each named point of the gateway's and the server's work
    refused: float  # the database does not take a transaction now
    between: float  # another loop of the server has its turn right before a transaction
    watch_stop_every: float
    watchers: int
    # Clocks.
    device_jump_every: float
    gateway_jump: float  # at a restart
    # People.
    click_every: float
    ill: float  # the chance that a value is beyond a limit
    channel_fails: float


_CALM = {"watchers": 1, "line_delay": 0.2, "click_every": 5_000.0, "ill": 0.3}
_RANGES: dict[str, tuple[float, float]] = {
    "radio_cut": (0.05, 0.4),
    "line_cut_every": (600, 8_000),
    "line_delay": (0.01, 20),
    "swallowed": (0.02, 0.3),
    "doubled": (0.02, 0.3),
    "shuffled": (0.02, 0.3),
    "gateway_kill_every": (1_500, 10_000),
    "server_kill_every": (1_500, 10_000),
    "broker_kill_every": (1_500, 10_000),
    "wiped": (0.2, 1.0),
    "together": (0.1, 0.6),
    "crash": (0.01, 0.1),
    "refused": (0.01, 0.1),
    "between": (0.05, 0.5),
    "watch_stop_every": (2_000, 10_000),
    "watchers": (2, 2),
    "device_jump_every": (5_000, 20_000),
    "gateway_jump": (0.2, 0.8),
    "click_every": (800, 5_000),
    "ill": (0.1, 0.7),
    "channel_fails": (0.1, 0.6),
}


def draw(rng: random.Random) -> Troubles:
    """The troubles of one run: each kind is there in every second one."""
    drawn = {
        field.name: rng.uniform(*_RANGES[field.name]) if rng.random() < 0.5 else _CALM.get(field.name, 0.0)
        for field in fields(Troubles)
    }
    return Troubles(**{**drawn, "watchers": int(drawn["watchers"])})  # type: ignore[arg-type]


class Fate:
    """Decides, by the seed, where it strikes; never any more once `calm` is set."""

    def __init__(self, rng: random.Random, troubles: Troubles) -> None:
        self.rng = rng
        self.troubles = troubles
        self.calm = False
        self.crashes: dict[str, int] = {}

    def strikes(self, chance: float) -> bool:
        """Whether it happens this time."""
        return chance > 0 and not self.calm and self.rng.random() < chance

    def crash(self, point: str) -> None:
        """A named point at which the process may die; raises `Killed`."""
        if self.strikes(self.troubles.crash):
            raise self.killed(point)

    def killed(self, point: str) -> Killed:
        """The end of a process at this point, counted."""
        self.crashes[point] = self.crashes.get(point, 0) + 1
        return Killed(point)

    def pick(self, these: Sequence[float]) -> float:
        """One of them."""
        return self.rng.choice(these)

    def within(self, low: float, high: float) -> float:
        """A number between two."""
        return self.rng.uniform(low, high)

    def wait(self, every: float) -> float:
        """Seconds until the next one of its kind."""
        return self.rng.expovariate(1 / every)
