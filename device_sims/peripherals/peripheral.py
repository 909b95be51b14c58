"""What all simulated devices have in common: stored records, handed over oldest first, and a radio that sleeps.

A record leaves the memory only when its indication was confirmed. A device advertises only while it has something to
hand over, stays silent otherwise, and hangs up when it has been idle for a while.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from bumble import hci
from bumble.core import AdvertisingData
from bumble.gatt import Service

from device_sims import gatt_server as gatt
from device_sims.air import Air, RadioController
from device_sims.device_clock import DeviceClock
from device_sims.encode import battery
from device_sims.peripherals.bumble_device import bumble_device, insist_on_passkey
from device_sims.peripherals.clock_characteristic import clock_characteristic
from device_sims.peripherals.record import FRAME_BYTES_MAX, DeviceSpec, Moment, Record, RecordRefusedError

_LOG = logging.getLogger(__name__)

LINGER_S = 20.0  # a real device does not wait for ever for its gateway to say goodbye


class Peripheral(ABC):
    """A simulated device on the air. `kind`, its services and what it speaks are the subclass's."""

    kind = ""
    service_uuids: tuple[int, ...] = ()
    default_characteristic = ""
    has_clock = False  # one that a gateway can read and set (0x2A2B)
    broadcasts = False  # it tells everybody, and nobody connects

    def __init__(self, air: Air, spec: DeviceSpec, bonds: Path | None = None, clock: DeviceClock | None = None) -> None:
        self.air = air
        self.spec = spec
        self.clock = clock
        self.radio = RadioController(spec.address, air=air, public_address=spec.address if spec.public else None)
        self.records: deque[Record] = deque()
        self.connections = 0
        self._speaking: dict[str, gatt.CheckedCharacteristic] = {}
        self._losses: set[Moment] = set()
        self._connection: Any = None
        self._handover: asyncio.Task[None] | None = None
        self._advertising: asyncio.Task[None] | None = None
        self._bedtime: asyncio.TimerHandle | None = None
        self._awake = asyncio.Event()
        self._alone = asyncio.Event()
        self._alone.set()
        self._stopped = asyncio.Event()
        self._device = self._make_device(bonds)

    @property
    def characteristics(self) -> tuple[str, ...]:
        """What a record can be sent on."""
        return tuple(self._speaking)

    @property
    def has_news(self) -> bool:
        """Whether there is a reason to advertise."""
        return bool(self.records)

    async def start(self) -> None:
        """Put the device on the air; it stays silent until it has something to say."""
        await self._device.power_on()
        self._advertising = asyncio.create_task(self._advertise_when_needed(), name=f"advertise {self.spec.address}")

    async def stop(self) -> None:
        """Take the batteries out; the records stay."""
        self._stopped.set()  # beside cancelling: before Python 3.12 `wait_for` may swallow a cancellation
        self._awake.set()
        if self._bedtime is not None:
            self._bedtime.cancel()
        tasks = [each for each in (self._advertising, self._handover) if each is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.radio.power_cycle()

    def measure(self, frame: bytes, characteristic: str | None = None) -> None:
        """A person uses the device, which then has `frame` to say; raises `RecordRefusedError`."""
        self.store(frame, characteristic)

    def store(self, frame: bytes, characteristic: str | None = None, *, cut: bool = False) -> Record:
        """Keep `frame` and hand it over as soon as a gateway comes; raises `RecordRefusedError`."""
        name = (characteristic or self.default_characteristic).upper()
        if name not in self.characteristics:
            known = ", ".join(self.characteristics)
            raise RecordRefusedError(f"characteristic: this {self.kind} has no {name}; it has {known}")
        if len(frame) > FRAME_BYTES_MAX:
            raise RecordRefusedError(f"frame: {len(frame)} bytes are more than the {FRAME_BYTES_MAX} ATT can carry")
        record = Record(characteristic=name, frame=frame, cut=cut)
        self.records.append(record)
        self.press()
        return record

    def press(self) -> None:
        """Wake the device without measuring; it says what it has."""
        self._awake.set()
        if self._connection is not None:
            self._begin_handover()

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

    def lose_link_at(self, moment: Moment) -> None:
        """Lose the link once, the next time this moment comes."""
        self._losses.add(moment)

    def _passes(self, moment: Moment) -> bool:
        """Whether the link is lost at this moment."""
        if moment not in self._losses:
            return False
        self._losses.discard(moment)
        self.air.cut(self.radio, heard=moment in (Moment.SAID, Moment.ANSWERED))
        return True

    async def forget_bonds(self) -> None:
        """A factory reset, or new batteries in a cheap device."""
        await self._device.keystore.delete_all()

    # --- building

    def _make_device(self, bonds: Path | None) -> Any:
        device = bumble_device(self.radio, self.spec, bonds)
        voice = gatt.Voice(server=device.gatt_server, bonded=self.spec.bonded, subscribed=self._on_subscribed)
        level = voice.speaking(0x2A19, gatt.READ | gatt.NOTIFY, battery(self.spec.battery))
        services = [*self._own_services(voice), Service("180F", [level]), self._information_service()]
        if self.clock is not None:
            services.append(Service("1805", [clock_characteristic(voice, self.clock)]))
        for service in services:
            device.add_service(service)
        gatt.when_discovering(device.gatt_server, lambda: self._passes(Moment.DISCOVERING))
        device.on(device.EVENT_CONNECTION, self._on_connection)
        return device

    @abstractmethod
    def _own_services(self, voice: gatt.Voice) -> Sequence[Service]:
        """The services that this kind of device is made for; fills `_speaking`."""

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
            if self.has_news and self._connection is None:
                await self._start_advertising()
                self._set_bedtime()

    async def _start_advertising(self) -> None:
        name = self.spec.model.encode()[:26]
        uuids = b"".join(uuid.to_bytes(2, "little") for uuid in self.service_uuids)
        await self._device.start_advertising(
            own_address_type=self._own_address_type(),
            advertising_data=structures((0x01, b"\x06"), (0x03, uuids)),
            scan_response_data=structures((AdvertisingData.COMPLETE_LOCAL_NAME, name)),
            advertising_interval_min=self.spec.interval_ms,
            advertising_interval_max=self.spec.interval_ms,
        )

    def _own_address_type(self) -> Any:
        return hci.OwnAddressType.PUBLIC if self.spec.public else hci.OwnAddressType.RANDOM

    def _set_bedtime(self) -> None:
        if self._bedtime is not None:
            self._bedtime.cancel()
        if self.spec.awake_s is not None:
            self._bedtime = asyncio.get_running_loop().call_later(self.spec.awake_s, self._fall_asleep)

    def _fall_asleep(self) -> None:
        if self._connection is None and not self._stopped.is_set():
            in_background(self.sleep())

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
        if self.spec.passkey is not None:
            insist_on_passkey(self._device, connection)
        self._passes(Moment.CONNECTED)
        self._hang_up_when_idle(connection)

    def _on_disconnection(self, _reason: object) -> None:
        self._connection = None
        self._alone.set()
        if self._handover is not None:
            self._handover.cancel()
        self._awake.set()

    def _on_subscribed(self, _bearer: Any, _characteristic: gatt.CheckedCharacteristic) -> None:
        if not self._passes(Moment.SUBSCRIBED):
            self._begin_handover()

    def _begin_handover(self) -> None:
        if self._connection is not None and (self._handover is None or self._handover.done()):
            self._handover = asyncio.get_running_loop().create_task(
                self._hand_over(self._connection), name=f"hand over {self.spec.address}"
            )

    async def _hand_over(self, connection: Any) -> None:
        while (
            not self._stopped.is_set()
            and self._connection is connection
            and (record := self._next(connection)) is not None
        ):
            if not await self._say(connection, record):
                return
            if self._connection is connection:
                self._delete(record)
                if self._passes(Moment.HANDED_OVER):
                    return
        self._hang_up_when_idle(connection)

    async def _say(self, connection: Any, record: Record) -> bool:
        """Say `record` and, where that is asked for, wait for its confirmation; False when none came."""
        server = self._device.gatt_server
        characteristic = self._speaking[record.characteristic]
        if record.cut:
            record.cut = False
            self.lose_link_at(Moment.SAID)
        lost = self._passes(Moment.SAID)
        record.sent += 1
        if not characteristic.properties & gatt.INDICATE:
            await server.notify_subscriber(connection, characteristic, record.frame)
            return not lost
        try:
            await server.indicate_subscriber(connection, characteristic, record.frame)
        except TimeoutError:
            _LOG.info("%s: the gateway did not confirm a record in time", self.spec.address)
            self.cut_link()
            return False
        return True

    def _next(self, connection: Any) -> Record | None:
        return next((record for record in self.records if self._hears(connection, record)), None)

    def _hears(self, connection: Any, record: Record) -> bool:
        return gatt.is_subscribed(self._device.gatt_server, connection, self._speaking[record.characteristic])

    def _delete(self, record: Record) -> None:
        if record in self.records:
            self.records.remove(record)
        record.done()

    def _hang_up_when_idle(self, connection: Any) -> None:
        asyncio.get_running_loop().call_later(LINGER_S, self._hang_up, connection, self.connections)

    def _hang_up(self, connection: Any, number: int) -> None:
        busy = self._handover is not None and not self._handover.done()
        if self._connection is connection and self.connections == number and not busy:
            in_background(connection.disconnect())


def in_background(coroutine: Coroutine[Any, Any, object]) -> None:
    """Let `coroutine` run; that it fails when the link is gone anyway is no news."""
    task = asyncio.get_running_loop().create_task(coroutine)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())


def structures(*parts: tuple[int, bytes]) -> bytes:
    """Advertising data of these parts: type and value."""
    return b"".join(bytes([len(value) + 1, kind]) + value for kind, value in parts)
