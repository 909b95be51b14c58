"""Readings and receipts as JSON, version 1 of the wire. Pure: bytes in, values out, and back.

Numbers are read as exact decimals. Unknown fields are ignored, so that a newer gateway can speak to an older server;
an unknown metric is refused, so that nothing is judged under a wrong name. Every refusal names field and reason.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any, NoReturn, TypeVar
from uuid import UUID

from vitals.metrics import METRICS
from vitals.reading import ClockSource, DeviceId, Extreme, Measurement, Quality, Reading, ReadingId, RefusedFrame
from vitals.wire_plain import read_plainly

BODY_BYTES_MAX = 16_384  # a blood pressure with every flag is under 600; more is an attack or a mistake
_DIGITS_MAX = 28  # the precision of Python's decimals; no instrument gives more than 7
_MAGNITUDE_MAX = 12  # powers of ten either way: an SFLOAT reaches 10^11, and 1E999999 would fill the memory
_TEXT_MAX = 64
_OFFSET_MAX = 2 * 10**9  # seconds; a clock that stands at 1970 is 1.8 of it behind, and four bytes hold it
_FLAGS_MAX = 32
_ISO_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)")

_PLAIN_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # as we write it; others are read more slowly

_Word = TypeVar("_Word", bound=StrEnum)


class WireError(ValueError):
    """A message that breaks the contract; `field` says where, `reason` in words."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.field = field
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """One message the server did not accept and why; it is kept in quarantine there."""

    id: ReadingId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The server's word, after its COMMIT, for what the gateway may now forget."""

    accepted: tuple[ReadingId, ...] = ()
    rejected: tuple[Rejection, ...] = ()


def render_reading(reading: Reading) -> bytes:
    """A reading as the JSON body of version 1."""
    values: dict[str, Any] = {m.metric: m.value for m in reading.measurements}
    return _render(
        {
            "id": reading.id,
            "device": reading.device,
            "model": reading.model,
            "taken_at": _time_text(reading.taken_at),
            "clock": reading.clock.value,
            "offset_s": reading.offset_s,
            "values": values,
            "quality": reading.quality.value,
            "flags": list(reading.flags),
            "battery": reading.battery,
        }
    )


def parse_reading(body: bytes) -> Reading:
    """The reading in a JSON body; raises `WireError`."""
    return read_plainly(body) or read_in_full(body)


def read_in_full(body: bytes) -> Reading:
    """The same, however the contract's JSON is spelt, and with words for what breaks it."""
    fields = _object(body)
    flags = _flags(fields)
    measurements = _measurements(fields)
    if not measurements and not flags:
        raise WireError("values", "empty, and no flag says why")
    return Reading(
        id=_id(fields, "id"),
        device=DeviceId(_text(fields, "device").upper()),
        model=_optional_text(fields, "model"),
        taken_at=_time(fields, "taken_at"),
        clock=_choice(fields, "clock", ClockSource, ClockSource.DEVICE),
        offset_s=_whole(fields, "offset_s", -_OFFSET_MAX, _OFFSET_MAX) or 0,
        measurements=measurements,
        quality=_choice(fields, "quality", Quality, Quality.GOOD),
        flags=flags,
        battery=_whole(fields, "battery", 0, 100),
    )


def render_frame(frame: RefusedFrame) -> bytes:
    """An unreadable frame as the JSON body of version 1."""
    return _render(
        {
            "id": frame.id,
            "device": frame.device,
            "model": frame.model,
            "characteristic": frame.characteristic,
            "frame": frame.frame.hex(),
            "heard_at": _time_text(frame.heard_at),
            "reason": frame.reason,
        }
    )


def parse_frame(body: bytes) -> RefusedFrame:
    """The unreadable frame in a JSON body; raises `WireError`."""
    fields = _object(body)
    try:
        raw = bytes.fromhex(_text(fields, "frame", longest=4096, empty=True))
    except ValueError:
        raise WireError("frame", "not hexadecimal") from None
    return RefusedFrame(
        id=_id(fields, "id"),
        device=DeviceId(_text(fields, "device").upper()),
        model=_optional_text(fields, "model"),
        characteristic=_text(fields, "characteristic"),
        frame=raw,
        heard_at=_time(fields, "heard_at"),
        reason=_text(fields, "reason", longest=400),
    )


def render_receipt(receipt: Receipt) -> bytes:
    """A receipt as the JSON body of version 1."""
    rejected = [{"id": each.id, "reason": each.reason} for each in receipt.rejected]
    return _render({"accepted": list(receipt.accepted), "rejected": rejected})


def parse_receipt(body: bytes) -> Receipt:
    """The receipt in a JSON body; raises `WireError`."""
    fields = _object(body, longest=1_048_576)  # a receipt names up to a batch of ids
    accepted = fields.get("accepted", [])
    rejected = fields.get("rejected", [])
    if not isinstance(accepted, list) or not isinstance(rejected, list):
        raise WireError("accepted", "accepted and rejected must be lists")
    return Receipt(
        accepted=tuple(_id({"accepted": each}, "accepted") for each in accepted),
        rejected=tuple(_rejection(each) for each in rejected),
    )


def peek_id(body: bytes) -> ReadingId | None:
    """The id of a message that could not be accepted, so that its receipt can name it; None when it has none."""
    try:
        return _id(_object(body), "id")
    except WireError:
        return None


def _rejection(value: object) -> Rejection:
    if not isinstance(value, dict):
        raise WireError("rejected", "each must be an object with id and reason")
    return Rejection(id=_id(value, "id"), reason=_text(value, "reason", longest=400))


def _render(fields: Mapping[str, Any]) -> bytes:
    """`fields` as compact JSON; decimals keep every digit, which the standard writer's floats would not."""
    return ("{" + ",".join(f"{json.dumps(name)}:{_json(value)}" for name, value in fields.items()) + "}").encode()


def _json(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return _render(value).decode()
    return _ENCODER.encode(value)


def _object(body: bytes, longest: int = BODY_BYTES_MAX) -> dict[str, Any]:
    if len(body) > longest:
        raise WireError("", f"{len(body)} bytes are more than the {longest} allowed")
    try:
        fields = _DECODER.decode(body.decode())
    except UnicodeDecodeError:
        raise WireError("", "not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise WireError("", f"not JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise WireError("", "nested too deeply") from None
    except ArithmeticError:  # an exponent beyond what a decimal can hold
        raise WireError("", "has a number that no instrument gives") from None
    if not isinstance(fields, dict):
        raise WireError("", "not a JSON object")
    return fields


def _no_constant(text: str) -> NoReturn:
    raise WireError("", f"{text} is not a number on this wire")


class _Beyond(Decimal):
    """A number that no instrument gives."""


def _number(text: str) -> Decimal:
    return _remembered(text) if len(text) <= _DIGITS_MAX else _judged(text)


def _judged(text: str) -> Decimal:
    value = Decimal(text)
    return value if carries(value) else _Beyond(text)


_remembered = lru_cache(maxsize=4096)(_judged)  # by its text: equal numbers may differ in their digits
_DECODER = json.JSONDecoder(parse_float=_number, parse_int=_number, parse_constant=_no_constant)
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def _measurements(fields: Mapping[str, Any]) -> tuple[Measurement, ...]:
    values = fields.get("values")
    if not isinstance(values, dict):
        raise WireError("values", "missing" if "values" not in fields else "must be an object of metric and number")
    return tuple([Measurement(metric=name, value=_value(name, values[name])) for name in sorted(values)])


def _value(name: str, value: object) -> Decimal | Extreme:
    if type(value) is Decimal and name in METRICS:
        return value
    field = f"values.{name[:_TEXT_MAX]}"
    if name not in METRICS:
        raise WireError(field, "unknown metric")
    if isinstance(value, str) and value in set(Extreme):
        return Extreme(value)
    if isinstance(value, Decimal):
        raise WireError(field, "has more digits than any instrument gives")
    raise WireError(field, 'must be a number, "LO" or "HI"')


def carries(value: Decimal) -> bool:
    """Whether the wire takes a number of so many digits; a device's floats can say more than any instrument means."""
    has_few = len(str(value)) <= _DIGITS_MAX or len(value.as_tuple().digits) <= _DIGITS_MAX  # the first is cheaper
    return has_few and abs(value.adjusted()) <= _MAGNITUDE_MAX


def _flags(fields: Mapping[str, Any]) -> tuple[str, ...]:
    flags = fields.get("flags", [])
    if not isinstance(flags, list) or not all(isinstance(each, str) and len(each) <= _TEXT_MAX for each in flags):
        raise WireError("flags", f"must be a list of texts of at most {_TEXT_MAX} characters")
    if len(flags) > _FLAGS_MAX:
        raise WireError("flags", f"more than {_FLAGS_MAX}")
    return tuple(flags)


def _id(fields: Mapping[str, Any], field: str) -> ReadingId:
    text = _text(fields, field)
    if _PLAIN_UUID.fullmatch(text):
        return ReadingId(text)
    try:
        return ReadingId(str(UUID(text)))
    except ValueError:
        raise WireError(field, "not a UUID") from None


def _text(fields: Mapping[str, Any], field: str, longest: int = _TEXT_MAX, *, empty: bool = False) -> str:
    value = fields.get(field)
    if type(value) is str and 0 < len(value) <= longest and value.isprintable():
        return value
    if field not in fields:
        raise WireError(field, "missing")
    if not isinstance(value, str):
        raise WireError(field, "must be a text")
    if not value and not empty:
        raise WireError(field, "empty")
    if len(value) > longest:
        raise WireError(field, f"longer than {longest} characters")
    if not value.isprintable():
        raise WireError(field, "has characters that cannot be printed")
    return value


def _optional_text(fields: Mapping[str, Any], field: str) -> str | None:
    return None if fields.get(field) is None else _text(fields, field)


def _whole(fields: Mapping[str, Any], field: str, low: int, high: int) -> int | None:
    value = fields.get(field)
    if value is None:
        return None
    if not isinstance(value, Decimal) or not low <= value <= high or value != value.to_integral_value():
        raise WireError(field, f"must be a whole number from {low} to {high}")
    return int(value)


def _choice(fields: Mapping[str, Any], field: str, choices: type[_Word], default: _Word) -> _Word:
    value = fields.get(field, default)
    chosen: _Word | None = _spelt(choices).get(value) if isinstance(value, str) else None
    if chosen is not None:
        return chosen
    raise WireError(field, f"must be one of {', '.join(choices)}")


@cache
def _spelt(choices: type[_Word]) -> Mapping[str, _Word]:
    return {each.value: each for each in choices}


def _time(fields: Mapping[str, Any], field: str) -> datetime:
    text = _text(fields, field)
    if not _ISO_TIME.fullmatch(text):
        raise WireError(field, "must be an RFC 3339 time with its zone, such as 2026-11-22T07:31:05Z")
    try:
        moment = datetime.fromisoformat(text.upper())
        return moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise WireError(field, "no such date or time") from None


def _time_text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
