"""What a single device is like: how its clock goes wrong, and what is left in its battery."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class ClockShape(StrEnum):
    """The ways in which clocks of real devices go wrong."""

    RIGHT = "right"
    OFF = "off"  # set once, by hand
    DRIFTS = "drifts"  # some seconds a day
    NEVER_SET = "never_set"  # and says so


@dataclass(frozen=True, slots=True, kw_only=True)
class Personality:
    """One device's clock and battery; drawn from its address, so that it stays the same device in every run."""

    shape: ClockShape
    offset_s: float = 0.0
    drift_s_per_day: float = 0.0
    battery: int = 80

    def shown(self, at: datetime, began: datetime, zone: ZoneInfo) -> datetime | None:
        """What the device's own clock shows at `at`: naive local time, None when it was never set."""
        if self.shape is ClockShape.NEVER_SET:
            return None
        days = (at - began).total_seconds() / 86_400
        wrong = timedelta(seconds=self.offset_s + self.drift_s_per_day * days)
        return (at + wrong).astimezone(zone).replace(tzinfo=None, microsecond=0)


def personality(address: str) -> Personality:
    """The device at `address`; most clocks are right or nearly so."""
    chance = random.Random(f"device {address}")  # noqa: S311
    shape = chance.choices(tuple(ClockShape), weights=(6, 2, 2, 1))[0]
    return Personality(
        shape=shape,
        offset_s=chance.uniform(-90, 90) if shape is ClockShape.OFF else 0.0,
        drift_s_per_day=chance.uniform(-8, 8) if shape is ClockShape.DRIFTS else 0.0,
        battery=chance.randint(35, 98),
    )
