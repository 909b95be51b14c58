"""Bleak's backend for the virtual radio: the gateway's own calls, on bumble instead of BlueZ.

What BlueZ does by itself is done here too: it pairs when a device asks for encryption, encrypts again with the bond it
has, and tries once more. Unlike BlueZ an indication is confirmed only after the callback has returned.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, NoReturn
from uuid import UUID

from bleak.assigned_numbers import CharacteristicPropertyName, gatt_char_props_to_strs
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, AdvertisementDataCallback, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakDeviceNotFoundError, BleakError, BleakGATTProtocolError
from bumble.core import AdvertisingData

from device_sims.adapter import Adapter
from device_sims.gatt_link import PAIRING_CURES, AttError, GattLink, LinkError, attempt
from device_sims.quiet import hush

_LOG = logging.getLogger(__name__)


class BumbleBackend:
    """The stack behind one adapter of the gateway; `transport` is where its HCI is, as bumble names it."""

    def __init__(self, *, name: str, transport: str | None) -> None:
        if not transport:
            raise ValueError(f"adapter {name}: transport is missing (for example unix-client:/run/home.hci)")
        hush()
        self.adapter = Adapter(name=name, transport=transport)

    @property
    def scanner_args(self) -> Mapping[str, Any]:
        """What `bleak.BleakScanner` gets besides its own."""
        return {"backend": BumbleScanner, "virtual_adapter": self.adapter}

    @property
    def client_args(self) -> Mapping[str, Any]:
        """What `bleak.BleakClient` gets besides its own."""
        return {"backend": BumbleClient, "virtual_adapter": self.adapter}

    async def __aenter__(self) -> "BumbleBackend":
        """Open the adapter; raises BleakError when it is not there."""
        try:
            await self.adapter.open()
        except LinkError as error:
            raise BleakError(str(error)) from None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.adapter.close()


class BumbleScanner(BaseBleakScanner):
    """Reports every advertisement that the adapter hears."""

    def __init__(
        self,
        detection_callback: AdvertisementDataCallback | None,
        service_uuids: list[str] | None,
        _scanning_mode: str = "active",
        *,
        virtual_adapter: Adapter,
        **_bleak: Any,
    ) -> None:
        super().__init__(detection_callback, service_uuids)
        self._adapter = virtual_adapter

    async def start(self) -> None:
        self.seen_devices = {}
        try:
            await self._adapter.scan(self._heard)
        except LinkError as error:
            raise BleakError(str(error)) from None

    async def stop(self) -> None:
        try:
            await self._adapter.scan(None)
        except LinkError as error:
            _LOG.info("the scan ended with its adapter: %s", error)

    def _heard(self, advertisement: Any) -> None:
        data = _advertisement_data(advertisement)
        if not self.is_allowed_uuid(data.service_uuids):
            return
        address = advertisement.address.to_string(False)
        device = self.create_or_update_device(address, address, data.local_name, {}, data)
        self.call_detection_callbacks(device, data)


class BumbleClient(BaseBleakClient):
    """One connection to one device."""

    def __init__(
        self,
        address_or_ble_device: BLEDevice | str,
        *,
        virtual_adapter: Adapter,
        disconnected_callback: Callable[[], None] | None = None,
        services: set[str] | None = None,
        timeout: float = 30.0,
        **_bleak: Any,
    ) -> None:
        super().__init__(address_or_ble_device, disconnected_callback=disconnected_callback, timeout=timeout)
        self._adapter = virtual_adapter
        self._wanted = services
        self._connection: Any = None
        self._link: GattLink | None = None
        self._notifying: dict[int, Callable[[bytes], None]] = {}

    @property
    def name(self) -> str:
        return self.address

    @property
    def mtu_size(self) -> int:
        return 23 if self._link is None else int(self._link.mtu)

    @property
    def is_connected(self) -> bool:
        return self._link is not None and not self._link.gone

    async def connect(self, pair: bool, **_bleak: Any) -> None:
        if self.address not in self._adapter.addresses:
            raise BleakDeviceNotFoundError(self.address, f"{self.address} was never heard by {self._adapter.name}")
        try:
            self._connection, self._link = await self._adapter.connect(self.address, self._timeout)
            self._connection.on(self._connection.EVENT_DISCONNECTION, self._on_disconnection)
            async with asyncio.timeout(self._timeout):
                if pair and not self._connection.is_encrypted:
                    await self._adapter.pair(self._connection, self._link)
                self.services = await self._discover(self._link)
        except (LinkError, AttError) as error:
            await self._hang_up()
            _fail(error)
        except BaseException:
            await self._hang_up()
            raise

    async def disconnect(self) -> None:
        await self._hang_up()

    async def pair(self, *_bleak: Any, **_more: Any) -> None:
        link = self._open_link()
        try:
            await self._adapter.pair(self._connection, link)
        except LinkError as error:
            _fail(error)

    async def unpair(self) -> None:
        await self._adapter.forget(self.address)

    async def read_gatt_char(
        self, characteristic: BleakGATTCharacteristic, *, use_cached: bool = False, **_bleak: Any
    ) -> bytearray:
        return await self._read(characteristic.handle)

    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, *, use_cached: bool = False, **_bleak: Any
    ) -> bytearray:
        return await self._read(descriptor.handle)

    async def write_gatt_char(self, characteristic: BleakGATTCharacteristic, data: Any, response: bool) -> None:
        await self._write(characteristic.handle, bytes(data), response)

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: Any) -> None:
        await self._write(descriptor.handle, bytes(data), response=True)

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **_bleak: Any
    ) -> None:
        link = self._open_link()

        def take(value: bytes) -> None:
            callback(bytearray(value))

        self._notifying[characteristic.handle] = take
        await self._secured("subscribing", lambda: link.subscribe(characteristic.obj, take))

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        link = self._open_link()
        take = self._notifying.pop(characteristic.handle, None)
        await self._secured("unsubscribing", lambda: link.unsubscribe(characteristic.obj, take))

    async def _read(self, handle: int) -> bytearray:
        link = self._open_link()
        return bytearray(await self._secured("reading", lambda: link.read_value(handle)))

    async def _write(self, handle: int, data: bytes, response: bool) -> None:
        link = self._open_link()
        await self._secured("writing", lambda: link.write_value(handle, data, with_response=response))

    async def _secured(self, what: str, act: Callable[[], Any]) -> Any:
        """`act`, once more after pairing when the device insists on an encrypted link."""
        link = self._open_link()
        try:
            try:
                return await attempt(what, link, act())
            except AttError as error:
                if error.code not in PAIRING_CURES:
                    raise
                await self._adapter.pair(self._connection, link)
                return await attempt(what, link, act())
        except (LinkError, AttError) as error:
            _fail(error)

    def _open_link(self) -> GattLink:
        if self._link is None or self._link.gone:
            raise BleakError(f"{self.address} is not connected")
        return self._link

    async def _hang_up(self) -> None:
        connection, link, self._connection = self._connection, self._link, None
        if connection is None or link is None or link.gone:
            return
        try:
            async with asyncio.timeout(2.0):
                await attempt("disconnecting", link, connection.disconnect())
        except (LinkError, TimeoutError) as error:
            _LOG.info("%s did not disconnect in order: %s", self.address, error)

    def _on_disconnection(self, *_reason: object) -> None:
        if self._disconnected_callback is not None:
            self._disconnected_callback()

    async def _discover(self, link: GattLink) -> BleakGATTServiceCollection:
        collection = BleakGATTServiceCollection()
        for service in await attempt("looking for services", link, link.discover_services()):
            uuid = _uuid_text(service.uuid)
            if self._wanted is None or uuid in self._wanted:
                collection.add_service(BleakGATTService(service, service.handle, uuid))
                await self._discover_characteristics(link, collection, service)
        return collection

    async def _discover_characteristics(
        self, link: GattLink, collection: BleakGATTServiceCollection, service: Any
    ) -> None:
        owner = collection.services[service.handle]
        found = await attempt("looking for characteristics", link, link.discover_characteristics((), service))
        for each in found:
            properties: list[CharacteristicPropertyName] = list(gatt_char_props_to_strs(int(each.properties)))
            characteristic = BleakGATTCharacteristic(
                each, each.handle, _uuid_text(each.uuid), properties, lambda: self.mtu_size - 3, owner
            )
            collection.add_characteristic(characteristic)
            for descriptor in await attempt("looking for descriptors", link, link.discover_descriptors(each)):
                collection.add_descriptor(
                    BleakGATTDescriptor(descriptor, descriptor.handle, _uuid_text(descriptor.type), characteristic)
                )


def _fail(error: LinkError | AttError) -> NoReturn:
    if isinstance(error, AttError):
        raise BleakGATTProtocolError(error.code) from None
    raise BleakError(str(error)) from error


def _uuid_text(uuid: Any) -> str:
    return str(UUID(bytes=bytes(reversed(uuid.uuid_128_bytes))))


def _advertisement_data(advertisement: Any) -> AdvertisementData:
    uuids: list[str] = []
    service_data: dict[str, bytes] = {}
    names: dict[int, str] = {}
    for kind, value in advertisement.data.ad_structures:
        if kind in _UUID16_LISTS:
            uuids += [_uuid16_text(value[at : at + 2]) for at in range(0, len(value) - 1, 2)]
        elif kind == AdvertisingData.SERVICE_DATA_16_BIT_UUID:
            service_data[_uuid16_text(value[:2])] = value[2:]
        elif kind in _NAMES:
            names[kind] = value.decode(errors="replace")
    return AdvertisementData(
        local_name=names.get(AdvertisingData.COMPLETE_LOCAL_NAME, names.get(AdvertisingData.SHORTENED_LOCAL_NAME)),
        manufacturer_data={},
        service_data=service_data,
        service_uuids=uuids,
        tx_power=None,
        rssi=advertisement.rssi,
        platform_data=(advertisement,),
    )


_UUID16_LISTS = (
    AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
    AdvertisingData.INCOMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
)
_NAMES = (AdvertisingData.COMPLETE_LOCAL_NAME, AdvertisingData.SHORTENED_LOCAL_NAME)


def _uuid16_text(little_endian: bytes) -> str:
    return f"0000{int.from_bytes(little_endian, 'little'):04x}-0000-1000-8000-00805f9b34fb"
