"""From what a device said to what the server is told: decode, time and identity together. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from gateway.identity import by_connection, by_device_time, by_sequence, reading_id
from gateway.kinds import COMPOSITION_SCALE, CONTEXT, CURRENT_TIME
from gateway.profiles import CLOCK_NOT_SET, Decoded, DecodeError, Special, decode
from gateway.profiles.mi_scale import without_impedance
from gateway.radio import Notification
from gateway.timekeeping import ClockShown, Timing, timing
from vitals.reading import DeviceId, Extreme, Measurement, Reading, ReadingId, RefusedFrame
from vitals.wire import carries

_FLAGS_MAX = 32  # what the wire takes; an oximeter that sets every bit has two more
_REASON_MAX = 400  # likewise

# A device says "above" or "below" what it can measure; the rules must hear that, and the flag keeps the device's word.
_EXTREMES = {Special.PLUS_INFINITY: Extreme.HI, Special.MINUS_INFINITY: Extreme.LO}


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryLevel:
    """Percent of a device's battery; it travels with the device's next reading."""

    percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NobodyMeasured:
    """A frame in order that tells of no measurement: a pressure on its way up, a weight that has not settled."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a person noted beside the record of that number: flags for its reading. Of what a meter can note, the meal
    and the carbohydrates; the rest (exercise, medication, health) is read and not told."""

    sequence: int
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What the gateway knows beside the frame: the zone, the start of the connection, what was said before."""

    zone: ZoneInfo
    start: datetime
    battery: int | None = None
    seen: ClockShown | None = None  # in this session
    said: ReadingId | None = None  # the id of the same bytes, when kept since the device's last orderly end


Said = Reading | RefusedFrame | BatteryLevel | NobodyMeasured | ClockShown | Context


def interpret(notification: Notification, around: Circumstances) -> Said:
    """What `notification` means; bytes that no profile can read become a `RefusedFrame`, never a guess."""
    try:
        decoded = decode(notification.characteristic, notification.payload, notification.model)
    except DecodeError as refusal:
        return _refused(notification, around.start, refusal.reason)
    if notification.characteristic == CURRENT_TIME and decoded.taken_at is not None:
        return ClockShown(shown=decoded.taken_at, at=notification.heard_at)
    if notification.characteristic == CONTEXT and decoded.sequence is not None:
        return Context(sequence=decoded.sequence, flags=_noted(decoded))
    if decoded.no_measurement is not None:
        return NobodyMeasured(reason=decoded.no_measurement)
    battery = decoded.metrics.get("battery")
    if battery is not None:
        return BatteryLevel(percent=int(battery))
    for metric, value in decoded.metrics.items():
        if value is not None and not carries(value):
            return _refused(notification, around.start, f"{metric}: {value} is more than any instrument means")
    return _reading(notification, decoded, around)


def _noted(decoded: Decoded) -> tuple[str, ...]:
    eaten = decoded.details.get("carbohydrate_g")
    meal = tuple(flag for flag in decoded.flags if flag != decoded.no_measurement)
    return meal if eaten is None or not carries(eaten) else (*meal, f"carbohydrate_g:{eaten.normalize():f}")


def with_context(reading: Reading, context: Context) -> Reading:
    """The reading with what a person noted beside it."""
    return replace(reading, flags=tuple(dict.fromkeys((*reading.flags, *context.flags)))[:_FLAGS_MAX])


def _refused(notification: Notification, start: datetime, reason: str) -> RefusedFrame:
    device, characteristic, frame = notification.device, notification.characteristic, notification.payload
    return RefusedFrame(
        id=reading_id(device, characteristic, frame, by_connection(start)),
        device=DeviceId(device.upper()),
        model=notification.model,
        characteristic=characteristic,
        frame=frame,
        heard_at=notification.heard_at,
        reason=reason[:_REASON_MAX],
    )


def _reading(notification: Notification, decoded: Decoded, around: Circumstances) -> Reading:
    clock_set = CLOCK_NOT_SET not in decoded.flags
    when = timing(decoded.taken_at, notification.heard_at, around.zone, clock_set=clock_set, seen=around.seen)
    mark = _mark(decoded, when, around.start)
    words = tuple(f"{name}:{word}" for name, word in decoded.special.items())
    return Reading(
        # Whether a device's time is trusted depends on when it is heard; what the record is does not.
        id=around.said
        if around.said is not None and when.running
        else reading_id(notification.device, notification.characteristic, essence(notification), mark),
        device=DeviceId(notification.device.upper()),
        model=notification.model,
        taken_at=when.taken_at,
        clock=when.clock,
        offset_s=when.offset_s,
        measurements=_measurements(decoded.metrics, decoded.special),
        quality=decoded.quality,
        # Each word once; those that explain missing values and times first, should there be too many.
        flags=tuple(dict.fromkeys((*words, *when.flags, *decoded.flags)))[:_FLAGS_MAX],
        battery=around.battery,
    )


def essence(notification: Notification) -> bytes:
    """The bytes by which a reading is known again: of a scale that first tells the weight and then the impedance too,
    those of the weight, for it is one weighing."""
    if notification.characteristic == COMPOSITION_SCALE:
        return without_impedance(notification.payload)
    return notification.payload


def _mark(decoded: Decoded, when: Timing, start: datetime) -> str:
    if decoded.sequence is not None:
        return by_sequence(decoded.sequence)
    if decoded.taken_at is not None and when.trusted:
        return by_device_time(decoded.taken_at)
    return by_connection(start)


def _measurements(metrics: Mapping[str, Decimal | None], special: Mapping[str, Special]) -> tuple[Measurement, ...]:
    values = {name: _EXTREMES.get(special[name]) if name in special else value for name, value in metrics.items()}
    return tuple(Measurement(metric=name, value=value) for name, value in values.items() if value is not None)
