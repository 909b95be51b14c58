"""Oximeter and scale: GATT peripherals that hand over stored records, oldest first.

A record leaves the memory only when its indication was confirmed. A device advertises only while it has something to
hand over, stays silent otherwise, and hangs up when it has been idle for a while.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bumble import hci
from bumble.core import AdvertisingData
from bumble.device import Device, DeviceConfiguration
from bumble.gatt import Service
from bumble.host import Host
from bumble.keys import JsonKeyStore, MemoryKeyStore
from bumble.pairing import PairingConfig, PairingDelegate
from bumble.transport.common import AsyncPipeSink

from device_sims import gatt_server as gatt
from device_sims.air import Air, RadioController

_LOG = logging.getLogger(__name__)

FRAME_BYTES_MAX = 512  # the longest value ATT allows (Core Specification, Vol 3, Part F, 3.2.9)
LINGER_S = 20.0  # a real device does not wait for ever for its gateway to say goodbye

_ADVERTISE = hci.HCI_LE_Set_Advertising_Parameters_Command.AdvertisingType


class RecordRefusedError(ValueError):
    """The device cannot hold such a record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSpec:
    """What a device is. `public` is the kind of its address; `bonded` means that it speaks only on encrypted links."""

    address: str
    model: str
    maker: str = "Varde Simulated"
    public: bool = True
    bonded: bool = False
    battery: int = 80  # percent
    interval_ms: int = 100  # between advertisements


@dataclass(slots=True, kw_only=True, eq=False)
class Record:
    """One stored measurement; `handed_over` is done when the gateway has confirmed it."""

    characteristic: str
    frame: bytes
    cut: bool = False  # lose the link after the next indication of this record, before its confirmation
    sent: int = 0
    handed_over: "asyncio.Future[None]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Peripheral(ABC):
    """A simulated device on the air. `kind`, `service` and what it speaks are the subclass's."""

    kind = ""
    service_uuid = 0
    default_characteristic = ""

    def __init__(self, air: Air, spec: DeviceSpec, bonds: Path | None = None) -> None:
        self.air = air
        self.spec = spec
        self.radio = RadioController(spec.address, air=air, public_address=spec.address if spec.public else None)
        self.records: deque[Record] = deque()
        self.connections = 0
        self._speaking: dict[str, gatt.CheckedCharacteristic] = {}
        self._connection: Any = None
        self._handover: asyncio.Task[None] | None = None
        self._advertising: asyncio.Task[None] | None = None
        self._awake = asyncio.Event()
        self._alone = asyncio.Event()
        self._alone.set()
        self._stopped = asyncio.Event()
        self._device = self._make_device(bonds)

    @property
    def characteristics(self) -> tuple[str, ...]:
        """What a record can be sent on."""
        return tuple(self._speaking)

    async def start(self) -> None:
        """Put the device on the air; it stays silent until it has something to say."""
        await self._device.power_on()
        self._advertising = asyncio.create_task(self._advertise_when_needed(), name=f"advertise {self.spec.address}")

    async def stop(self) -> None:
        """Take the batteries out; the records stay."""
        self._stopped.set()  # beside cancelling: before Python 3.12 `wait_for` may swallow a cancellation
        self._awake.set()
        tasks = [each for each in (self._advertising, self._handover) if each is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.radio.power_cycle()

    def store(self, frame: bytes, characteristic: str | None = None, *, cut: bool = False) -> Record:
        """Keep `frame` and hand it over as soon as a gateway comes; raises `RecordRefusedError`."""
        name = (characteristic or self.default_characteristic).upper()
        if name not in self._speaking:
            known = ", ".join(self._speaking)
            raise RecordRefusedError(f"characteristic: this {self.kind} has no {name}; it has {known}")
        if len(frame) > FRAME_BYTES_MAX:
            raise RecordRefusedError(f"frame: {len(frame)} bytes are more than the {FRAME_BYTES_MAX} ATT can carry")
        record = Record(characteristic=name, frame=frame, cut=cut)
        self.records.append(record)
        self._awake.set()
        if self._connection is not None:
            self._begin_handover()
        return record

    async def parted(self) -> None:
        """Return when nobody is connected."""
        await self._alone.wait()

    def drop(self, record: Record) -> None:
        """Forget a record that nobody fetched."""
        if record in self.records:
            self.records.remove(record)
        record.handed_over.cancel()

    def walk_away(self) -> None:
        """Carry the device out of range; whatever link it has dies."""
        self.air.leave(self.radio)

    def come_back(self) -> None:
        """Bring the device back into range."""
        self.air.enter(self.radio)

    def cut_link(self) -> None:
        """Lose the link now; the device stays where it is and tries again."""
        self.air.cut(self.radio)

    async def forget_bonds(self) -> None:
        """A factory reset, or new batteries in a cheap device."""
        await self._device.keystore.delete_all()

    # --- building

    def _make_device(self, bonds: Path | None) -> Any:
        identity = hci.Address.PUBLIC_DEVICE_ADDRESS if self.spec.public else hci.Address.RANDOM_DEVICE_ADDRESS
        config = DeviceConfiguration(
            name=self.spec.model,
            address=hci.Address(self.spec.address, hci.Address.RANDOM_DEVICE_ADDRESS),
            identity_address_type=identity,
            gap_service_enabled=True,
        )
        device = Device(config=config, host=Host(self.radio, AsyncPipeSink(self.radio)))
        device.keystore = JsonKeyStore(self.spec.address, str(bonds)) if bonds else MemoryKeyStore()
        device.pairing_config_factory = lambda _connection: PairingConfig(
            sc=True,
            mitm=False,
            bonding=True,
            delegate=PairingDelegate(),
            identity_address_type=PairingConfig.AddressType(identity),
        )
        for service in (self._own_service(device), self._battery_service(device), self._information_service()):
            device.add_service(service)
        device.on(device.EVENT_CONNECTION, self._on_connection)
        return device

    @abstractmethod
    def _own_service(self, device: Any) -> Service:
        """The service that this kind of device is made for."""

    def _speak(self, device: Any, uuid: int, properties: Any, value: bytes = b"") -> gatt.CheckedCharacteristic:
        voice = gatt.Voice(server=device.gatt_server, bonded=self.spec.bonded, subscribed=self._on_subscribed)
        return voice.speaking(uuid, properties, value)

    def _battery_service(self, device: Any) -> Service:
        level = self._speak(device, 0x2A19, gatt.READ | gatt.NOTIFY, bytes([self.spec.battery]))
        return Service("180F", [level])

    def _information_service(self) -> Service:
        texts = {0x2A29: self.spec.maker, 0x2A24: self.spec.model, 0x2A25: self.spec.address.replace(":", "")}
        return Service("180A", [gatt.readable(uuid, text.encode()) for uuid, text in texts.items()])

    # --- being found

    async def _advertise_when_needed(self) -> None:
        while not self._stopped.is_set():
            await self._awake.wait()
            self._awake.clear()
            if self._stopped.is_set():
                return
            if self.records and self._connection is None:
                await self._start_advertising()

    async def _start_advertising(self) -> None:
        name = self.spec.model.encode()[:26]
        await self._device.start_advertising(
            own_address_type=hci.OwnAddressType.PUBLIC if self.spec.public else hci.OwnAddressType.RANDOM,
            advertising_data=_structures((0x01, b"\x06"), (0x03, self.service_uuid.to_bytes(2, "little"))),
            scan_response_data=_structures((AdvertisingData.COMPLETE_LOCAL_NAME, name)),
            advertising_interval_min=self.spec.interval_ms,
            advertising_interval_max=self.spec.interval_ms,
        )

    async def sleep(self) -> None:
        """Stop advertising although there are records left, as a device does after a while."""
        await self._device.stop_advertising()

    # --- handing over

    def _on_connection(self, connection: Any) -> None:
        self.connections += 1
        self._connection = connection
        self._alone.clear()
        self._device.legacy_advertiser = None  # the controller stopped advertising by itself
        connection.on(connection.EVENT_DISCONNECTION, self._on_disconnection)
        self._hang_up_when_idle(connection)

    def _on_disconnection(self, _reason: object) -> None:
        self._connection = None
        self._alone.set()
        if self._handover is not None:
            self._handover.cancel()
        self._awake.set()

    def _on_subscribed(self, _bearer: Any, _characteristic: gatt.CheckedCharacteristic) -> None:
        self._begin_handover()

    def _begin_handover(self) -> None:
        if self._connection is not None and (self._handover is None or self._handover.done()):
            self._handover = asyncio.get_running_loop().create_task(
                self._hand_over(self._connection), name=f"hand over {self.spec.address}"
            )

    async def _hand_over(self, connection: Any) -> None:
        server = self._device.gatt_server
        while (
            not self._stopped.is_set()
            and self._connection is connection
            and (record := self._next(connection)) is not None
        ):
            characteristic = self._speaking[record.characteristic]
            if record.cut:
                record.cut = False
                self.air.cut(self.radio, heard=True)
            record.sent += 1
            try:
                if characteristic.properties & gatt.INDICATE:
                    await server.indicate_subscriber(connection, characteristic, record.frame)
                else:
                    await server.notify_subscriber(connection, characteristic, record.frame)
            except TimeoutError:
                _LOG.info("%s: the gateway did not confirm a record in time", self.spec.address)
                self.cut_link()
                return
            if self._connection is connection:
                self._delete(record)
        self._hang_up_when_idle(connection)

    def _next(self, connection: Any) -> Record | None:
        server = self._device.gatt_server
        for record in self.records:
            if gatt.is_subscribed(server, connection, self._speaking[record.characteristic]):
                return record
        return None

    def _delete(self, record: Record) -> None:
        if record in self.records:
            self.records.remove(record)
        if not record.handed_over.done():
            record.handed_over.set_result(None)

    def _hang_up_when_idle(self, connection: Any) -> None:
        asyncio.get_running_loop().call_later(LINGER_S, self._hang_up, connection, self.connections)

    def _hang_up(self, connection: Any, number: int) -> None:
        busy = self._handover is not None and not self._handover.done()
        if self._connection is connection and self.connections == number and not busy:
            task = asyncio.get_running_loop().create_task(connection.disconnect())
            task.add_done_callback(lambda done: done.cancelled() or done.exception())


class Oximeter(Peripheral):
    """A fingertip pulse oximeter (Pulse Oximeter Service 1.0.1): spot checks indicated, live values notified."""

    kind = "oximeter"
    service_uuid = 0x1822
    default_characteristic = "2A5E"

    def _own_service(self, device: Any) -> Service:
        self._speaking = {
            "2A5E": self._speak(device, 0x2A5E, gatt.INDICATE),
            "2A5F": self._speak(device, 0x2A5F, gatt.NOTIFY),
        }
        # Supported features: measurement storage and time stamp for spot checks (bits 2 and 3).
        features = gatt.readable(0x2A60, (0x000C).to_bytes(2, "little"))
        return Service("1822", [*self._speaking.values(), features])


class Scale(Peripheral):
    """A weight scale (Weight Scale Service 1.0.1) that stores measurements with time stamps."""

    kind = "scale"
    service_uuid = 0x181D
    default_characteristic = "2A9D"

    def _own_service(self, device: Any) -> Service:
        self._speaking = {"2A9D": self._speak(device, 0x2A9D, gatt.INDICATE)}
        # Time stamps and several users supported (bits 0, 1), BMI (bit 2), accuracy of 0.05 kg (bits 3-6 = 4 is 0.05).
        features = gatt.readable(0x2A9E, (0x00000007 | 4 << 3).to_bytes(4, "little"))
        return Service("181D", [*self._speaking.values(), features])


KINDS: dict[str, type[Peripheral]] = {each.kind: each for each in (Oximeter, Scale)}


def _structures(*parts: tuple[int, bytes]) -> bytes:
    return b"".join(bytes([len(value) + 1, kind]) + value for kind, value in parts)
