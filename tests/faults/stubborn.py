"""`python -m tests.faults.stubborn SETTINGS`: the gateway's program, with one oximeter that never gives up.

It says each record until the gateway has confirmed it. What was confirmed and what was not is said on standard output.
"""

import asyncio
import sys
from collections.abc import Sequence
from datetime import timedelta
from types import ModuleType
from typing import Any

from gateway import __main__ as program
from gateway.radio import Hear, KnownDevice, Notification, Report, Session, unreported
from gateway.spool import SpoolFull
from vitals.clock import SystemClock

_EVERY_S = 0.003
_FULL_S = 0.05


def frame(number: int) -> bytes:
    """A spot check (PLX 1.0.1, no clock) that no other number has."""
    return b"\x00" + (70 + number % 30).to_bytes(2, "little") + (40 + number // 30).to_bytes(2, "little")


def number_of(values: Any) -> int:
    """Which record these values are."""
    return int(values["spo2"]) - 70 + 30 * (int(values["pulse"]) - 40)


class Radio:
    """One device in range, and one session."""

    def __init__(self, *_: object, **__: object) -> None:
        self._number = int(sys.argv[2])

    async def run(self, devices: Sequence[KnownDevice], hear: Hear, report: Report = unreported) -> None:
        """Measure until the process ends."""
        now = SystemClock().now()
        session = Session(id=f"from {self._number}", device=devices[0].address, opened_at=now)
        report(session)
        while True:
            said = Notification(
                device=devices[0].address,
                model=None,
                characteristic="2A5E",
                payload=frame(self._number),
                heard_at=now + timedelta(milliseconds=self._number),
                session=session,
            )
            try:
                hear(said)
            except SpoolFull:
                print("full", self._number, flush=True)
                await asyncio.sleep(_FULL_S)
                continue
            print("confirmed", self._number, flush=True)
            self._number += 1
            await asyncio.sleep(_EVERY_S)


if __name__ == "__main__":
    stand_in: Any = ModuleType("gateway.radio_bleak")
    stand_in.BleakRadio = Radio
    sys.modules["gateway.radio_bleak"] = stand_in
    sys.exit(program.main(["--settings", sys.argv[1]]))
