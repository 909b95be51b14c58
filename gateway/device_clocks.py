"""Whose clocks are set, and when: one row a model, as data, with its source. Pure.

A clock is read at the beginning of a session, before any record comes, so that a wrong one can be corrected for
(`timekeeping`); it is set at the end, when everything that was stamped with the old time has been handed over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class ClockPolicy(StrEnum):
    """What the gateway does with a device's clock, besides reading it."""

    SET = "set"  # at each connection
    # When it notifies its time and is more than `OFF_MIN` wrong, or by what it shows where it cannot notify: some
    # devices lose records when they are set often, or unasked.
    SET_WHEN_OFF = "set_when_off"
    NEVER = "never"  # it cannot be set, or nobody has tried


OFF_MIN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockRow:
    """A model is meant when its name begins with one of `models`; capitals do not matter."""

    models: tuple[str, ...]
    policy: ClockPolicy
    source: str


_BLESSED = "weliem/blessed-android, BluetoothHandler.java"

CLOCKS: tuple[ClockRow, ...] = (
    ClockRow(models=("A&D", "UA-651BLE", "UC-352BLE", "UT-201BLE"), policy=ClockPolicy.SET, source=_BLESSED),
    ClockRow(models=("Beurer", "BM85", "BF7", "BF9"), policy=ClockPolicy.SET, source=_BLESSED),
    ClockRow(models=("Omron", "HEM-"), policy=ClockPolicy.SET_WHEN_OFF, source=_BLESSED),
)


def clock_policy(model: str | None, table: Sequence[ClockRow] = CLOCKS) -> ClockPolicy:
    """The policy for `model`; a clock that nobody has tried to set is left alone and corrected for."""
    name = " ".join((model or "").split()).casefold()
    for row in table:
        if name and any(name.startswith(each.casefold()) for each in row.models):
            return row.policy
    return ClockPolicy.NEVER


def is_to_be_set(policy: ClockPolicy, shown: datetime | None, now: datetime, zone: ZoneInfo) -> bool:
    """Whether to set a clock that showed `shown` (naive, local in `zone`; None: nothing) at `now`."""
    if policy is not ClockPolicy.SET_WHEN_OFF:
        return policy is ClockPolicy.SET
    local = now.astimezone(zone).replace(tzinfo=None)
    return shown is None or abs(shown - local) > OFF_MIN


_MANUAL_UPDATE = 1  # CTS 1.1, 3.1.2.1; what other collectors say


def current_time_frame(now: datetime, zone: ZoneInfo) -> bytes:
    """`now` as a Current Time (0x2A2B) in the device's own zone."""
    local = now.astimezone(UTC).astimezone(zone)
    fields = (local.month, local.day, local.hour, local.minute, local.second, local.isoweekday())
    return local.year.to_bytes(2, "little") + bytes((*fields, local.microsecond * 256 // 1_000_000, _MANUAL_UPDATE))
