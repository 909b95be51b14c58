"""Weight Scale Service 1.0.1 (0x2A9D) and Body Composition Service 1.0 (0x2A9C)."""

import struct
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from device_sims.encode.numbers import UNSUCCESSFUL, date_time, flag_bits, steps, whole

UNKNOWN_USER = 0xFF
_TENTH = Decimal("0.1")


def mass_step(*, imperial: bool) -> Decimal:
    """What one step of a mass is: kilograms or pounds."""
    return Decimal("0.01") if imperial else Decimal("0.005")


def _height_step(*, imperial: bool) -> Decimal:
    return _TENTH if imperial else Decimal("0.001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighing:
    """A weight measurement (0x2A9D). `weight` is in kg, in lb with `imperial`; None is "unsuccessful".

    `bmi` and `height` (metres, inches with `imperial`) come together or not at all.
    """

    weight: Decimal | None
    imperial: bool = False
    taken_at: datetime | None = None
    with_time: bool = False
    user: int | None = None
    bmi_and_height: tuple[Decimal, Decimal] | None = None

    def __bytes__(self) -> bytes:
        timed = self.with_time or self.taken_at is not None
        flags = flag_bits(self.imperial, timed, self.user, self.bmi_and_height)
        parts = [bytes([flags]), _mass(self.weight, imperial=self.imperial)]
        if timed:
            parts.append(date_time(self.taken_at))
        if self.user is not None:
            parts.append(whole(self.user, 1, "user"))
        if self.bmi_and_height is not None:
            bmi, height = self.bmi_and_height
            parts.append(steps(bmi, _TENTH, "bmi"))
            parts.append(steps(height, _height_step(imperial=self.imperial), "height"))
        return b"".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """A body composition measurement (0x2A9C). `body_fat` is in %; None is "unsuccessful".

    Masses in kg and height in metres, in lb and inches with `imperial`; `metabolism` in kJ, `impedance` in ohm.
    `more_follows` is the flag of a measurement that takes several packets.
    """

    body_fat: Decimal | None
    imperial: bool = False
    taken_at: datetime | None = None
    with_time: bool = False
    user: int | None = None
    metabolism: int | None = None
    muscle_percentage: Decimal | None = None
    muscle_mass: Decimal | None = None
    fat_free_mass: Decimal | None = None
    soft_lean_mass: Decimal | None = None
    body_water_mass: Decimal | None = None
    impedance: Decimal | None = None
    weight: Decimal | None = None
    height: Decimal | None = None
    more_follows: bool = False

    def __bytes__(self) -> bytes:
        timed = self.with_time or self.taken_at is not None
        masses = (self.muscle_mass, self.fat_free_mass, self.soft_lean_mass, self.body_water_mass)
        flags = flag_bits(
            self.imperial,
            timed,
            self.user,
            self.metabolism,
            self.muscle_percentage,
            *masses,
            self.impedance,
            self.weight,
            self.height,
            self.more_follows,
        )
        fat = struct.pack("<H", UNSUCCESSFUL) if self.body_fat is None else steps(self.body_fat, _TENTH, "body fat")
        parts = [struct.pack("<H", flags), fat, date_time(self.taken_at) if timed else b""]
        parts += [whole(self.user, 1, "user")] if self.user is not None else []
        parts += [whole(self.metabolism, 2, "metabolism")] if self.metabolism is not None else []
        mass, length = mass_step(imperial=self.imperial), _height_step(imperial=self.imperial)
        fields = (
            (self.muscle_percentage, _TENTH),
            *((each, mass) for each in masses),
            (self.impedance, _TENTH),
            (self.weight, mass),
            (self.height, length),
        )
        parts += [steps(value, step, "body composition") for value, step in fields if value is not None]
        return b"".join(parts)


def _mass(weight: Decimal | None, *, imperial: bool) -> bytes:
    return struct.pack("<H", UNSUCCESSFUL) if weight is None else steps(weight, mass_step(imperial=imperial), "weight")
