"""When a reading was true: the device's own clock where it can be believed, else the moment it was heard. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from vitals.reading import ClockSource

# A clock may run a little fast; more than this ahead and it was never set, or set in the wrong zone.
AHEAD_MAX = timedelta(minutes=10)
# Devices store some weeks of records. Further back lies the clock of a device that lost its battery (1970, 2000).
BEHIND_MAX = timedelta(days=60)
NOT_TRUSTED = "device_time_not_trusted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """`taken_at` in UTC, where it comes from, and whether the device's own time is fit to tell records apart."""

    taken_at: datetime
    clock: ClockSource
    flags: tuple[str, ...] = ()
    running: bool = False  # the device's clock was set and not reset, right or wrong: no two records show the same

    @property
    def trusted(self) -> bool:
        """Whether the device's own time was believed."""
        return self.clock is ClockSource.DEVICE


def timing(device_time: datetime | None, heard_at: datetime, zone: ZoneInfo, *, clock_set: bool = True) -> Timing:
    """The timing of a record that says `device_time` (naive, local in `zone`) and was heard at `heard_at` (UTC).

    A local time that does not exist or exists twice is read with the offset before the change.
    """
    if device_time is None:
        return Timing(taken_at=heard_at, clock=ClockSource.GATEWAY)
    taken_at = _utc(device_time, zone)
    running = clock_set and taken_at is not None and taken_at - heard_at >= -BEHIND_MAX
    if running and taken_at is not None and taken_at - heard_at <= AHEAD_MAX:
        return Timing(taken_at=taken_at, clock=ClockSource.DEVICE, running=True)
    return Timing(taken_at=heard_at, clock=ClockSource.GATEWAY, flags=(NOT_TRUSTED,), running=running)


def _utc(local: datetime, zone: ZoneInfo) -> datetime | None:
    try:
        return local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    except OverflowError:  # the last day of the year 9999, west of Greenwich
        return None
