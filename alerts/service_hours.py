"""When somebody is at work: opening and closing of the follow-up service, in the patient's wall time.

A time that does not exist or exists twice (the two nights a year) is read with the offset before the change.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
_SEARCH_DAYS = 400  # a service that opens on no day of a whole year never opens


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Service hours: minutes since midnight (1440 is the day's end) on the given weekdays (Monday is 0)."""

    start: int = 0
    end: int = 1440
    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)


def wall(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """The moment, in UTC, at which the zone's clocks show so many minutes since midnight of `day`."""
    if minutes >= 1440:
        day, minutes = day + _DAY, minutes - 1440
    return datetime.combine(day, time(minutes // 60, minutes % 60), zone).astimezone(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Hours, the dates without service, and the zone that both are meant in."""

    hours: Hours
    closed: frozenset[date]
    zone: ZoneInfo

    def is_open(self, moment: datetime) -> bool:
        """Whether the service is open at `moment`; both ends belong to the hours: who is there at closing is told."""
        return any(start <= moment <= end for start, end in self._spans(moment - _DAY, 3))

    def opens(self, moment: datetime) -> datetime | None:
        """`moment` itself when open, else the next opening; None when it never opens."""
        for start, end in self._spans(moment):
            if moment < end:
                return max(moment, start)
        return None

    def after(self, moment: datetime, work: timedelta) -> tuple[datetime, datetime] | None:
        """When `work` of service time has passed since `moment`, and the end of the service day in which that falls."""
        left = work
        for start, end in self._spans(moment):
            begin = max(moment, start)
            if begin < end:
                if left <= end - begin:
                    return begin + left, end
                left -= end - begin
        return None

    def _spans(self, moment: datetime, days: int = _SEARCH_DAYS) -> Iterator[tuple[datetime, datetime]]:
        day = moment.astimezone(self.zone).date()
        for _ in range(days):
            if day.weekday() in self.hours.days and day not in self.closed:
                yield wall(day, self.hours.start, self.zone), wall(day, self.hours.end, self.zone)
            day += _DAY
