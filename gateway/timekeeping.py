"""When a reading was true: the device's own clock where it can be believed, else the moment it was heard. Pure.

Many devices have a clock of their own that can be read (0x2A2B). What it showed at the beginning of the session says by
how much it is wrong, and the device's times are moved by that. Such a clock is taken to run evenly: it is not moved to
summer time unless somebody sets it, and in an hour that exists twice it says which one it means.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from vitals.reading import ClockSource

# A clock may run a little fast; more than this ahead and it was never set, or set in the wrong zone.
AHEAD_MAX = timedelta(minutes=10)
# Devices store some weeks of records. Further back lies the clock of a device that lost its battery (1970, 2000).
BEHIND_MAX = timedelta(days=60)
# A clock that is read shows what it is a second later; what is nearer than this is right.
RIGHT_WITHIN = timedelta(seconds=10)
# No record is from later than the moment at which its own clock was read; its time may have been rounded up.
_LATER_MAX = timedelta(minutes=1)
# What the wire takes: a clock at 1970 is 56 years behind.
_OFFSET_MAX = timedelta(seconds=2 * 10**9)

NOT_TRUSTED = "device_time_not_trusted"
CORRECTED = "device_clock_corrected"
CHANGED = "device_clock_changed"  # the record does not fit the clock as it is now; it fits as it is


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockShown:
    """What a device's clock showed (naive, its local time) at the moment `at` (UTC)."""

    shown: datetime
    at: datetime

    def is_right(self, zone: ZoneInfo) -> bool:
        """Whether it showed the time of `zone`; an hour that exists twice is read as its first."""
        utc = _utc(self.shown, zone)
        return utc is not None and abs(utc - self.at) <= RIGHT_WITHIN

    def moved(self, device_time: datetime) -> datetime | None:
        """The moment (UTC) at which this clock, had it run evenly, showed `device_time`."""
        try:
            return self.at + (device_time - self.shown)
        except OverflowError:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """`taken_at` in UTC, where it comes from, what was added to the device's clock, and whether its time is fit to tell
    records apart."""

    taken_at: datetime
    clock: ClockSource
    flags: tuple[str, ...] = ()
    running: bool = False  # the device's clock was set and not reset, right or wrong: no two records show the same
    offset_s: int = 0

    @property
    def trusted(self) -> bool:
        """Whether the device's own time was believed, as it is or corrected, and was not reset."""
        return self.clock is ClockSource.DEVICE or (self.clock is ClockSource.CORRECTED and self.running)


def timing(
    device_time: datetime | None,
    heard_at: datetime,
    zone: ZoneInfo,
    *,
    clock_set: bool = True,
    seen: ClockShown | None = None,
) -> Timing:
    """The timing of a record that says `device_time` (naive, local in `zone`) and was heard at `heard_at` (UTC).

    `seen` is what the device's clock showed in this session. A local time that does not exist or exists twice is read
    with the offset before the change, unless `seen` knows better.
    """
    if device_time is None:
        return Timing(taken_at=heard_at, clock=ClockSource.GATEWAY)
    plain = _utc(device_time, zone)
    running = clock_set and plain is not None and plain - heard_at >= -BEHIND_MAX
    wrong = seen is not None and clock_set and not seen.is_right(zone)
    if wrong and seen is not None and plain is not None:
        corrected = _corrected(seen.moved(device_time), plain, heard_at, running=running)
        if corrected is not None:
            return corrected
    if running and plain is not None and plain - heard_at <= AHEAD_MAX:
        return Timing(taken_at=plain, clock=ClockSource.DEVICE, running=True, flags=(CHANGED,) if wrong else ())
    return Timing(taken_at=heard_at, clock=ClockSource.GATEWAY, flags=(NOT_TRUSTED,), running=running)


def _corrected(moved: datetime | None, plain: datetime, heard_at: datetime, *, running: bool) -> Timing | None:
    if moved is None or not -BEHIND_MAX <= moved - heard_at <= _LATER_MAX:
        return None  # the record was made before this clock was changed
    moved = min(moved, heard_at)
    if abs(moved - plain) > _OFFSET_MAX:
        return None
    return Timing(
        taken_at=moved,
        clock=ClockSource.CORRECTED,
        flags=(CORRECTED,),
        running=running,
        offset_s=round((moved - plain).total_seconds()),
    )


def _utc(local: datetime, zone: ZoneInfo) -> datetime | None:
    try:
        return local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    except OverflowError:  # the first or the last day of the calendar, on the wrong side of Greenwich
        return None
