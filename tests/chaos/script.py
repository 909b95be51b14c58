"""What the people of an episode measure, from its seed, and under which plan; and what a slow reader expects of it.

The plan has simple limits only, each met by a single reading, so that what it must raise can be said without the
engine: an alert of a rule if any reading was at or past its limit, and its condition as a reader finds it who goes
through the readings in the order in which they were taken.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import product
from uuid import UUID
from zoneinfo import ZoneInfo

from alerts.plan import Plan, from_mapping
from tests.chaos.ledger import Record

OSLO = ZoneInfo("Europe/Oslo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One rule of the plan: met at or past `at`; over after two readings in a row that are back by `deadband`."""

    metric: str
    side: int  # 1: above; -1: below
    at: int
    deadband: int
    priority: str

    def is_met(self, value: int) -> bool:
        return self.side * (value - self.at) >= 0

    def is_back(self, value: int) -> bool:
        return self.side * (self.at - value) >= self.deadband


LIMITS = {
    "spo2_low": Limit(metric="spo2", side=-1, at=91, deadband=2, priority="medium"),
    "spo2_very_low": Limit(metric="spo2", side=-1, at=87, deadband=2, priority="high"),
    "pulse_high": Limit(metric="pulse", side=1, at=121, deadband=5, priority="medium"),
    "pulse_very_high": Limit(metric="pulse", side=1, at=136, deadband=5, priority="high"),
}
_CLEAR_READINGS = 2

# Tenths: nothing, a little, much out of order. The second never leaves the first limit's deadband.
_SPO2 = (range(940, 990), range(895, 910), range(820, 860))
_PULSE = (range(550, 1100), range(1215, 1300), range(1370, 1500))
_STRETCH = (3, 25)  # readings in a row of one class


def plan(number: int, starts_at: datetime) -> Plan:
    """The plan of the `number`-th patient."""
    rules = {
        name: {
            "kind": "threshold",
            "metric": limit.metric,
            "side": "below" if limit.side < 0 else "above",
            "deadband": limit.deadband,
            "clear_readings": _CLEAR_READINGS,
            "bands": [{"limit": limit.at, "priority": limit.priority, "confirm": False}],
        }
        for name, limit in LIMITS.items()
    }
    return from_mapping(
        {
            "plan_id": str(UUID(int=number)),
            "rulebook": "chaos",
            "rulebook_version": "1",
            "rules": rules,
            "starts_at": starts_at.isoformat(),
        }
    )


def records(rng: random.Random, device: str, count: int, now: datetime) -> list[Record]:
    """What one device measures, no two frames alike; every second device has a clock, which shows the last minutes."""
    has_clock = rng.random() < 0.5
    depths = rng.choice((0, 0, 1, 2)), rng.choice((0, 0, 1, 2))
    onset = rng.randrange(count)
    pools: dict[tuple[int, int], list[tuple[int, int]]] = {}
    found: list[Record] = []
    newest = now.astimezone(OSLO).replace(microsecond=0, tzinfo=None)
    while len(found) < count:
        depth = (0, 0) if len(found) < onset else (rng.randint(0, depths[0]), rng.randint(0, depths[1]))
        pool = pools.setdefault(depth, _pool(rng, depth, count))
        for _ in range(min(rng.randint(*_STRETCH), count - len(found))):
            spo2, pulse = pool.pop()
            shown = newest - timedelta(seconds=count - len(found)) if has_clock else None
            found.append(
                Record(
                    device=device, number=len(found), spo2=Decimal(spo2) / 10, pulse=Decimal(pulse) / 10, shown=shown
                )
            )
    return found


def _pool(rng: random.Random, depth: tuple[int, int], count: int) -> list[tuple[int, int]]:
    every = list(product(_SPO2[depth[0]], _PULSE[depth[1]]))
    return rng.sample(every, min(count, len(every)))


def expected(handed_over: Sequence[Record]) -> dict[str, bool]:
    """The alerts that one device's records (in the order in which they were handed over) must lead to: rule ->
    whether its condition is there in the end."""
    in_order = sorted(handed_over, key=lambda each: each.shown or datetime.min)  # noqa: DTZ901 - those without a clock
    found: dict[str, bool] = {}
    for name, limit in LIMITS.items():
        clear = 0
        for record in in_order:
            value = int((record.spo2 if limit.metric == "spo2" else record.pulse).quantize(Decimal(1), ROUND_HALF_UP))
            if limit.is_met(value):
                found[name], clear = True, 0
            elif found.get(name):
                clear = clear + 1 if limit.is_back(value) else 0
                found[name] = clear < _CLEAR_READINGS
    return found
