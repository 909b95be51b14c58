"""Dates and times as browsers send them, read by the patient's own clock."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo


def moment_of(typed: str, zone: ZoneInfo) -> datetime | None:
    """ "2026-11-22T07:30" by the clock of `zone`, aware; None: it is no such time. Raises nothing."""
    try:
        wall = datetime.fromisoformat(typed)
    except ValueError:
        return None
    return _aware(wall, zone) if len(typed) >= len("2026-11-22T07:30") and wall.tzinfo is None else None


def day_of(typed: str, zone: ZoneInfo, *, ends: bool = False) -> datetime | None:
    """ "2026-11-22": its midnight by the clock of `zone`, the one after it where it `ends`; None: it is no date."""
    try:
        day = date.fromisoformat(typed)
        if ends:
            day = date.fromordinal(day.toordinal() + 1)
    except (ValueError, OverflowError):
        return None
    return _aware(datetime.combine(day, time(0)), zone)


def _aware(wall: datetime, zone: ZoneInfo) -> datetime | None:
    """None outside the years that a person can mean."""
    return wall.replace(tzinfo=zone).astimezone(UTC) if 1900 < wall.year < 2200 else None
