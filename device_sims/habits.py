"""When a person measures: in slots of the wall clock, at about the usual minute, and not always. Pure and seeded."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """Slots as wall-clock times; `keeps` is the share of slots that are kept, `wobble_min` how punctual the person is.

    `opening` (seconds, from and to) is a first measurement soon after the beginning, when the kit has just come.
    """

    slots: tuple[tuple[time, time], ...]
    keeps: float = 1.0
    wobble_min: float = 10.0
    opening: tuple[float, float] | None = None


def times(
    habit: Habit, *, seed: int, zone: ZoneInfo, began: datetime, window: tuple[datetime, datetime]
) -> Iterator[datetime]:
    """The moments in `window` (from, inclusive; to, exclusive; aware UTC) at which the person measures, in order."""
    start, end = window
    if habit.opening is not None:
        opening = began + timedelta(seconds=_chance(seed, "opening").uniform(*habit.opening))
        if start <= opening < end:
            yield opening
    day = (start.astimezone(zone) - timedelta(days=1)).date()
    while day <= end.astimezone(zone).date():
        for number in range(len(habit.slots)):
            at = _in_slot(habit, number, seed, day, zone)
            if at is not None and start <= at < end and at > began + _SETTLE:
                yield at
        day += timedelta(days=1)


# Who has just measured to try the kit does not measure again at once.
_SETTLE = timedelta(hours=1, minutes=15)


def _in_slot(habit: Habit, number: int, seed: int, day: date, zone: ZoneInfo) -> datetime | None:
    begin, finish = habit.slots[number]
    length_s = (datetime.combine(day, finish) - datetime.combine(day, begin)).total_seconds()
    today = _chance(seed, f"{day.isoformat()} {number}")
    if today.random() >= habit.keeps:
        return None
    usual_s = _chance(seed, f"usual {number}").uniform(0.15, 0.6) * length_s
    offset_s = min(max(usual_s + today.gauss(0, habit.wobble_min * 60), 0.0), length_s - 1)
    local = datetime.combine(day, begin, tzinfo=zone) + timedelta(seconds=offset_s)
    return local.astimezone(UTC).replace(microsecond=0)


def _chance(seed: int, label: str) -> random.Random:
    return random.Random(f"{seed} {label}")  # noqa: S311 - a habit, not a secret
