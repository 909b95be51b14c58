"""Glucose Service 1.0.1: measurement (0x2A18), context (0x2A34), record access control point (0x2A52)."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from device_sims.encode.numbers import Sfloat, date_time, flag_bits, sfloat, whole

CAPILLARY_BLOOD, FINGER = 1, 1
CONTROL_SOLUTION_TYPE, CONTROL_SOLUTION_PLACE = 10, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Glucose:
    """A stored record (0x2A18). `concentration` in mol/L, in kg/L with `by_mass`; without one the meter has no value.

    `base_time` is the meter's clock when it was set last, `offset_min` what a person has turned its hands since.
    """

    sequence: int
    base_time: datetime | None
    offset_min: int | None = None
    concentration: Sfloat | None = None
    by_mass: bool = False
    kind: int = CAPILLARY_BLOOD
    place: int = FINGER
    status: int | None = None
    context_follows: bool = False

    def __bytes__(self) -> bytes:
        per_litre = self.concentration is not None and not self.by_mass
        flags = flag_bits(self.offset_min, self.concentration, per_litre, self.status, self.context_follows)
        parts = [bytes([flags]), whole(self.sequence, 2, "sequence"), date_time(self.base_time)]
        parts += [whole(self.offset_min, 2, "time offset", signed=True)] if self.offset_min is not None else []
        if self.concentration is not None:
            parts += [sfloat(self.concentration), bytes([self.place << 4 | self.kind])]
        parts += [whole(self.status, 2, "status")] if self.status is not None else []
        return b"".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class GlucoseContext:
    """What a person noted beside the record of the same sequence number (0x2A34). Pairs come together.

    `carbohydrate` is id and kg; `tester_and_health` two nibbles; `exercise` seconds and percent; `medication` id and
    kg, or litres with `in_litres`; `hba1c` in percent.
    """

    sequence: int
    carbohydrate: tuple[int, Sfloat] | None = None
    meal: int | None = None
    tester_and_health: tuple[int, int] | None = None
    exercise: tuple[int, int] | None = None
    medication: tuple[int, Sfloat] | None = None
    in_litres: bool = False
    hba1c: Sfloat | None = None
    extended: int | None = None

    def __bytes__(self) -> bytes:
        flags = flag_bits(
            self.carbohydrate,
            self.meal,
            self.tester_and_health,
            self.exercise,
            self.medication,
            self.in_litres,
            self.hba1c,
            self.extended,
        )
        parts = [bytes([flags]), whole(self.sequence, 2, "sequence")]
        parts += [whole(self.extended, 1, "extended flags")] if self.extended is not None else []
        parts += [_with_id(self.carbohydrate)] if self.carbohydrate is not None else []
        parts += [whole(self.meal, 1, "meal")] if self.meal is not None else []
        if self.tester_and_health is not None:
            tester, health = self.tester_and_health
            parts.append(bytes([health << 4 | tester]))
        if self.exercise is not None:
            duration_s, intensity = self.exercise
            parts += [whole(duration_s, 2, "exercise duration"), whole(intensity, 1, "exercise intensity")]
        parts += [_with_id(self.medication)] if self.medication is not None else []
        parts += [sfloat(self.hba1c)] if self.hba1c is not None else []
        return b"".join(parts)


def _with_id(pair: tuple[int, Sfloat]) -> bytes:
    identity, amount = pair
    return whole(identity, 1, "id") + sfloat(amount)


class OpCode(IntEnum):
    """GLS 1.0.1, 3.4: what is asked of a meter's memory, and what it answers."""

    REPORT = 1
    DELETE = 2
    ABORT = 3
    COUNT = 4
    COUNT_RESPONSE = 5
    RESPONSE = 6


class Operator(IntEnum):
    """Which records are meant."""

    NULL = 0
    ALL = 1
    UP_TO = 2
    FROM = 3
    WITHIN = 4
    FIRST = 5
    LAST = 6


class Answer(IntEnum):
    """Response code values."""

    SUCCESS = 1
    OP_CODE_NOT_SUPPORTED = 2
    INVALID_OPERATOR = 3
    OPERATOR_NOT_SUPPORTED = 4
    INVALID_OPERAND = 5
    NO_RECORDS = 6
    ABORT_UNSUCCESSFUL = 7
    NOT_COMPLETED = 8
    OPERAND_NOT_SUPPORTED = 9


BY_SEQUENCE = 1  # filter type: sequence number


def access_ended(request: int, answer: Answer) -> bytes:
    """The indication (0x2A52) that ends a request: 06 00 01 01."""
    return bytes([OpCode.RESPONSE, Operator.NULL, request, answer])


def number_of_records(count: int) -> bytes:
    """The answer (0x2A52) to "how many": 05 00 and the number."""
    return bytes([OpCode.COUNT_RESPONSE, Operator.NULL]) + whole(count, 2, "number of records")
