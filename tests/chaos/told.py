"""How large an episode is, and what it came to."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from tests.chaos.oracle import Verdict
from tests.chaos.parts import Kind
from vitals.failpoint import POINTS

_OFTEN = (
    ("gateway.session", 3),
    ("gateway.connected", 1),
    ("gateway.resent", 10),
    ("gateway.receipt", 15),
    ("gateway.forg", 15),
    ("gateway.", 120),
    ("notify.", 2),
    ("", 40),
)
# The failpoints that a life may carry, and how often each is passed between two kills, about.
PASSED: Mapping[str, int] = {
    name: next((most for start, most in _OFTEN if name.startswith(start)), 1) for name in POINTS
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much of everything; `kills` of gateway, of server and of broker, of which `wipes` take its disk."""

    readings: int = 25_200  # 700 of each device; 20 seeds are half a million
    homes: int = 6
    devices: int = 6  # in each home
    seconds: float = 60.0  # within which all is measured
    kills: int = 15
    wipes: int = 5
    database: int = 7  # kills of PostgreSQL
    points: Mapping[str, int] = field(default_factory=lambda: PASSED)
    rest: float = 300.0  # seconds: for the last outage's back-off, killed notifiers' leases and a busy machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """A kill, once so many readings were handed over. `number`: of its kind, from 0; `how`: where there are ways."""

    position: int
    kind: Kind
    number: int
    how: str = ""


@dataclass(kw_only=True)
class Told:
    """What an episode came to, as the results file has it."""

    seed: int
    database: str
    seconds: float = 0.0
    sent: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    ways: Counter[str] = field(default_factory=Counter)
    points: Counter[str] = field(default_factory=Counter)
    silence_s: float = 0.0  # the longest time in which nothing new was stored, the first start included
    back_s: dict[str, list[float]] = field(default_factory=dict)  # from kills to the first effect afterwards
    restarts: int = 0  # of servers that found no database
    cpu_s: float = 0.0  # of everything
    verdict: Verdict = field(default_factory=Verdict)

    @property
    def holds(self) -> bool:
        """Whether nothing at all was wrong."""
        return not self.verdict.wrong

    def line(self) -> dict[str, Any]:
        """As JSON has it."""
        row = {each.name: getattr(self, each.name) for each in fields(self)}
        return row | {"verdict": asdict(self.verdict)}
