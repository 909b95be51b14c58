"""The clock inside one device while it runs: wrong in its own way, until somebody sets it."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from device_sims.devices import ClockShape, Personality
from vitals.clock import Clock


class DeviceClock:
    """Shows what `personality` makes of the given clock since `began` (aware UTC); drifts on after it was set."""

    def __init__(self, personality: Personality, began: datetime, zone: ZoneInfo, clock: Clock) -> None:
        self._personality = personality
        self._began = began
        self._zone = zone
        self._clock = clock
        self.settings = 0  # how often it was set

    def shown(self, at: datetime | None = None) -> datetime | None:
        """Naive local time on the display at `at`, which is now when not given; None when it was never set."""
        return self._personality.shown(at or self._clock.now(), self._began, self._zone)

    def set(self, local: datetime) -> None:
        """Turn the hands to `local` (naive); the zone is the one the device is in."""
        now = self._clock.now()
        # In the hour that summer time's end repeats, the nearer of the two moments is meant.
        candidates = (local.replace(tzinfo=self._zone, fold=fold) - now for fold in (0, 1))
        off: timedelta = min(candidates, key=abs)
        self._personality = Personality(
            shape=ClockShape.OFF,
            offset_s=off.total_seconds(),
            drift_s_per_day=self._personality.drift_s_per_day,
            battery=self._personality.battery,
        )
        self._began = now
        self.settings += 1
