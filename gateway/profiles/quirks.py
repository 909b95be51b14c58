"""Where real models leave the specification, as data: one row a model and characteristic, with its source.

Without a row the specification holds, strictly. Two rows for one model and characteristic are an error.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirk:
    """One model's way with one characteristic.

    `models` are the names under which it is enrolled; capitals do not matter. `ignored_flags` are reserved bits of the
    flags field that it sets without meaning anything. `factor` is what its numbers are multiplied by after the
    specification's own resolution. Fields are named as in the decoder's errors: `big_endian` are sent the other way
    round, `unannounced` are there although the flags do not say so, `zero_is_nothing` mean "no value" when they are 0;
    `placeholder` is the field whose 0 makes the whole frame one that the device sends while it still measures.
    """

    models: tuple[str, ...]
    characteristic: str
    source: str
    ignored_flags: int = 0
    factor: Decimal = Decimal(1)
    big_endian: frozenset[str] = frozenset()
    unannounced: frozenset[str] = frozenset()
    zero_is_nothing: frozenset[str] = frozenset()
    placeholder: str | None = None

    def concerns(self, characteristic: str, model: str) -> bool:
        """Whether this row is about that model's characteristic."""
        names = {name.casefold() for name in self.models}
        return characteristic == self.characteristic and " ".join(model.split()).casefold() in names


class QuirkError(LookupError):
    """The table contradicts itself; `DecodeError` would blame the device for it."""


NONE = Quirk(models=(), characteristic="", source="the specification")

QUIRKS: tuple[Quirk, ...] = (
    # Captured 94.9 kg reads as 9.49 kg by the specification; bit 6 of the flags is always set.
    Quirk(
        models=("Renpho ES-WBE28", "ES-WBE28"),
        characteristic="2A9D",
        ignored_flags=0b0100_0000,
        factor=Decimal(10),  # 0.05 kg a step where the service says 0.005
        source="KristianP26/ble-scale-sync, tests/scales/renpho.test.ts",
    ),
    # 35 of 36 indications of one captured session said 0 % fat: it sends them while it still measures.
    Quirk(
        models=("Beurer BF788", "BF788"),
        characteristic="2A9C",
        placeholder="body_fat",
        source="KristianP26/ble-scale-sync, tests/scales/beurer-bf720.test.ts",
    ),
    # The flags explain 18 bytes, 19 come: the user is sent unannounced; pulse and status are the other way round; bit 6
    # of the flags is always set; the mean pressure is always 0.
    Quirk(
        models=("Beurer BM85", "BM85"),
        characteristic="2A35",
        ignored_flags=0b0100_0000,
        big_endian=frozenset({"pulse", "measurement status"}),
        unannounced=frozenset({"user id"}),
        zero_is_nothing=frozenset({"mean_pressure"}),
        source="derdilla/blood-pressure-monitor-fl, ble_measurement_data_test.dart",
    ),
)


def quirk_of(characteristic: str, model: str | None, table: Sequence[Quirk] = QUIRKS) -> Quirk:
    """The row for this model's characteristic, or `NONE`; raises `QuirkError` when there are two."""
    if model is None:
        return NONE
    rows = [row for row in table if row.concerns(characteristic, model)]
    if len(rows) > 1:
        raise QuirkError(f"{len(rows)} quirks for model {model!r}, characteristic {characteristic}")
    return rows[0] if rows else NONE
