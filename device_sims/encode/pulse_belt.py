"""Heart Rate Service 1.0: heart rate measurement (0x2A37)."""

import struct
from dataclasses import dataclass

from device_sims.encode.numbers import EncodeError, whole

_CONTACT_SUPPORTED, _CONTACT = 1 << 2, 1 << 1


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartRate:
    """A heart rate in /min. `contact` None: this belt cannot tell; `rr` are intervals in 1/1024 s, oldest first."""

    pulse: int
    wide: bool = False  # two bytes although one would do
    contact: bool | None = None
    energy: int | None = None  # kJ since the last reset
    rr: tuple[int, ...] = ()

    def __bytes__(self) -> bytes:
        wide = self.wide or self.pulse > 0xFF
        flags = (
            wide
            | (0 if self.contact is None else _CONTACT_SUPPORTED | (_CONTACT if self.contact else 0))
            | (self.energy is not None) << 3
            | bool(self.rr) << 4
        )
        energy = b"" if self.energy is None else whole(self.energy, 2, "energy expended")
        try:
            intervals = struct.pack(f"<{len(self.rr)}H", *self.rr)
        except struct.error:
            raise EncodeError(f"rr: {self.rr} do not fit into 2 bytes each") from None
        return bytes([flags]) + whole(self.pulse, 2 if wide else 1, "pulse") + energy + intervals
