"""A Mi scale: nobody connects to it; it tells everybody, in the service data of its advertisements.

While somebody stands on it the weight is not stabilised; then it is, and is repeated; then the person has stepped off.
"""

import asyncio
from collections.abc import Sequence

from bumble.device import AdvertisingType
from bumble.gatt import Service

from device_sims import gatt_server as gatt
from device_sims.encode.mi_scale import stepped_off, unsettled
from device_sims.peripherals.peripheral import Peripheral, structures
from device_sims.peripherals.record import Record, RecordRefusedError

REPEATS = 10  # advertisements with the same bytes
# 31 bytes of advertising data, less flags (3), service UUID (4), and what goes before service data (4).
BROADCAST_BYTES_MAX = 20
_NOT_CLASSIC = b"\x04"  # flags: not discoverable for connections, no classic Bluetooth


class MiScale(Peripheral):
    """Broadcasts each record for `REPEATS` advertisements; nobody confirms, so that is all."""

    kind = "mi_scale"
    service_uuids = (0x181D, 0x181B)
    default_characteristic = "181D"
    broadcasts = True

    def _own_services(self, voice: gatt.Voice) -> Sequence[Service]:
        return []

    @property
    def characteristics(self) -> tuple[str, ...]:
        return "181D", "181B"

    def measure(self, frame: bytes, characteristic: str | None = None) -> None:
        for state in (unsettled(frame), frame, stepped_off(frame)):
            self.store(state, characteristic)

    def store(self, frame: bytes, characteristic: str | None = None, *, cut: bool = False) -> Record:
        if len(frame) > BROADCAST_BYTES_MAX:
            raise RecordRefusedError(
                f"frame: {len(frame)} bytes are more than the {BROADCAST_BYTES_MAX} of a broadcast"
            )
        if cut:
            raise RecordRefusedError(f"cut: nobody connects to a {self.kind}, so there is no link to lose")
        self._alone.clear()
        return super().store(frame, characteristic)

    async def _start_advertising(self) -> None:
        while self.records:
            record = self.records[0]
            await self._broadcast(record)
            self._delete(record)
        await self.sleep()
        self._alone.set()

    async def _broadcast(self, record: Record) -> None:
        uuid = int(record.characteristic, 16).to_bytes(2, "little")
        record.sent += 1
        await self._device.start_advertising(
            advertising_type=AdvertisingType.UNDIRECTED,
            own_address_type=self._own_address_type(),
            advertising_data=structures((0x01, _NOT_CLASSIC), (0x02, uuid), (0x16, uuid + record.frame)),
            advertising_interval_min=self.spec.interval_ms,
            advertising_interval_max=self.spec.interval_ms,
        )
        enough = self.radio.le_legacy_advertiser.sent + REPEATS
        # Counted, not timed: a loaded machine is slow.
        while self.radio.le_legacy_advertiser.sent < enough:  # noqa: ASYNC110 - a chip tells nobody that it has sent
            await asyncio.sleep(self.spec.interval_ms / 1000)
