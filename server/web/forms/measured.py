"""What somebody typed in as measured, read strictly: a number in the unit beside the field, or a message. Pure.

No unit is guessed and nothing is converted. A number that a living person can hardly have is asked about once more;
whoever says that it is right sends it, and the rules hold it back until a person has looked.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from alerts.plan import Plan
from alerts.service_hours import wall
from server.web.words.terms import N_
from vitals.metrics import METRICS
from vitals.reading import Extreme

# What people can read off an instrument or count themselves, in the order of the form.
BY_HAND = (
    *("systolic", "diastolic", "pulse", "spo2", "temperature", "respiration", "weight", "glucose", "pef", "fev1"),
    "cat",
)
_CAT_MAX = 40
# Where the metrics have no plausible range: asked about once more outside these, an assumption of this project.
_BOUNDS = {"pef": (Decimal(20), Decimal(900)), "fev1": (Decimal("0.1"), Decimal(8))}
_TOGETHER = ("systolic", "diastolic")
_NUMBER = re.compile(r"[0-9]{1,4}(?:[.,][0-9]{1,2})?", re.ASCII)
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3])[:.]([0-5][0-9])", re.ASCII)
_EXTREMES = {"lo": Extreme.LO, "hi": Extreme.HI}  # what a glucose meter shows instead of a number
_AHEAD = timedelta(minutes=1)

NOT_A_NUMBER = N_("Write a number as it stands on the instrument, such as 37,5.")
CAT = N_("The sum of the eight answers is a number from 0 to 40.")
UNLIKELY = N_("This is an unusual value. Look once more. If it is right, tick that below and send again.")
BOTH = N_("Write both numbers of the blood pressure.")
NOTHING = N_("Write at least one value.")
NO_TIME = N_("Write the time of day, such as 07:30.")
AHEAD = N_("This time has not come yet.")
WHICH_DAY = N_("Choose when you measured.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was typed: values and when, or what is wrong by field."""

    values: Mapping[str, Decimal | Extreme]
    taken_at: datetime
    wrong: Mapping[str, str]

    @property
    def is_unlikely(self) -> bool:
        """Whether something was typed that the reader is asked about once more."""
        return UNLIKELY in self.wrong.values()


def enterable(plan: Plan | None) -> tuple[str, ...]:
    """The metrics that this plan's rules hear and that can be typed in, those with a schedule first."""
    if plan is None:
        return ()
    scheduled = {metric for name in plan.missing for metric in plan.rules[name].listens_to}
    heard = [each for each in BY_HAND if each in plan.listeners]
    return tuple(sorted(heard, key=lambda metric: metric not in scheduled))


def read(typed: Mapping[str, str], metrics: Sequence[str], zone: ZoneInfo, now: datetime) -> Measured:
    """The values of `metrics` and the moment; `now` is aware."""
    wrong: dict[str, str] = {}
    values: dict[str, Decimal | Extreme] = {}
    for metric in metrics:
        text = typed.get(metric, "").strip()
        if not text:
            continue
        value = _value(metric, text)
        if value is None:
            wrong[metric] = CAT if metric == "cat" else NOT_A_NUMBER
        elif not (_is_likely(metric, value) or typed.get("is_right") == "yes"):
            wrong[metric] = UNLIKELY
        else:
            values[metric] = value
    for one, other in (_TOGETHER, _TOGETHER[::-1]):
        if other in metrics and typed.get(one, "").strip() and not typed.get(other, "").strip():
            wrong[other] = BOTH
    if not values and not wrong:
        wrong["form"] = NOTHING
    taken_at = _moment(typed, zone, now, wrong)
    return Measured(values=values, taken_at=taken_at, wrong=wrong)


def _value(metric: str, text: str) -> Decimal | Extreme | None:
    if metric == "glucose" and text.lower() in _EXTREMES:
        return _EXTREMES[text.lower()]
    if not _NUMBER.fullmatch(text):
        return None
    number = Decimal(text.replace(",", "."))
    return None if metric == "cat" and number > _CAT_MAX else number


def _is_likely(metric: str, value: Decimal | Extreme) -> bool:
    if isinstance(value, Extreme):
        return True
    low, high = _BOUNDS.get(metric, (None, None))
    if low is not None and high is not None:
        return low <= value <= high
    return METRICS[metric].is_plausible(value)


def _moment(typed: Mapping[str, str], zone: ZoneInfo, now: datetime, wrong: dict[str, str]) -> datetime:
    """When it was measured, by the patient's wall clock; `now` where that cannot be read."""
    day = typed.get("when", "now")
    if day not in ("now", "today", "yesterday"):
        wrong["when"] = WHICH_DAY
    if day not in ("today", "yesterday"):
        return now
    clock = _CLOCK.fullmatch(typed.get("clock", "").strip())
    if clock is None:
        wrong["clock"] = NO_TIME
        return now
    date = now.astimezone(zone).date() - timedelta(days=int(day == "yesterday"))
    moment = wall(date, int(clock[1]) * 60 + int(clock[2]), zone)
    if moment > now + _AHEAD:
        wrong["clock"] = AHEAD
        return now
    return min(moment, now)
