"""A radio without radio: bleak's backend at the door just behind it, for more readings than any virtual air carries.

Everything from bleak's callback on is the gateway's own. A device is at the other end of a unix socket, in the process
of the test, and behaves as one that sends indications: it holds each record until the gateway has confirmed it, and
the gateway confirms after the callback has returned and not when it raised. A gateway that is killed in between leaves
the record in the device, which sends it again.

Imported by gateways: bleak and the standard library only.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, AdvertisementDataCallback, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakError
from bleak.uuids import normalize_uuid_16

SCAN, CONNECT = b"scan\n", b"connect "  # the first line that a gateway says, the second with an address
CONFIRMED = b"\x06"

_SERVICE, _SPOT_CHECK = normalize_uuid_16(0x1822), normalize_uuid_16(0x2A5E)
_HEARD = AdvertisementData(
    local_name=None,
    manufacturer_data={},
    service_data={},
    service_uuids=[_SERVICE],
    tx_power=None,
    rssi=-50,
    platform_data=(),
)


class DoorBackend:
    """The stack behind one adapter; `transport` is the path of the home's socket."""

    def __init__(self, *, name: str, transport: str | None) -> None:
        self._path = transport or name

    @property
    def scanner_args(self) -> Mapping[str, Any]:
        """What `bleak.BleakScanner` gets besides its own."""
        return {"backend": DoorScanner, "door": self._path}

    @property
    def client_args(self) -> Mapping[str, Any]:
        """What `bleak.BleakClient` gets besides its own."""
        return {"backend": DoorClient, "door": self._path}

    async def __aenter__(self) -> "DoorBackend":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is held."""


class DoorScanner(BaseBleakScanner):
    """Hears the addresses that the home calls out, a line each."""

    def __init__(
        self,
        detection_callback: AdvertisementDataCallback | None,
        service_uuids: list[str] | None,
        _scanning_mode: str = "active",
        *,
        door: str,
        **_bleak: Any,
    ) -> None:
        super().__init__(detection_callback, service_uuids)
        self._door = door
        self._hearing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self.seen_devices = {}
        reader, writer = await asyncio.open_unix_connection(self._door)
        writer.write(SCAN)
        self._hearing = asyncio.create_task(self._hear(reader, writer))

    async def stop(self) -> None:
        if self._hearing is not None:
            self._hearing.cancel()
            await asyncio.wait([self._hearing])

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer):
            while line := await reader.readline():
                address = line.decode().strip()
                device = self.create_or_update_device(address, address, None, {}, _HEARD)
                self.call_detection_callbacks(device, _HEARD)


class DoorClient(BaseBleakClient):
    """One connection to one oximeter."""

    def __init__(
        self,
        address_or_ble_device: BLEDevice | str,
        *,
        door: str,
        disconnected_callback: Callable[[], None] | None = None,
        timeout: float = 30.0,
        **_bleak: Any,
    ) -> None:
        super().__init__(address_or_ble_device, disconnected_callback=disconnected_callback, timeout=timeout)
        self._door = door
        self._line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._listening: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        return self.address

    @property
    def mtu_size(self) -> int:
        return 23

    @property
    def is_connected(self) -> bool:
        return self._line is not None

    async def connect(self, pair: bool, **_bleak: Any) -> None:
        self._line = await asyncio.open_unix_connection(self._door)
        self._line[1].write(CONNECT + self.address.encode() + b"\n")
        self.services = BleakGATTServiceCollection()
        service = BleakGATTService(None, 1, _SERVICE)
        self.services.add_service(service)
        self.services.add_characteristic(
            BleakGATTCharacteristic(None, 2, _SPOT_CHECK, ["indicate"], lambda: 20, service)
        )

    async def disconnect(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.wait([self._listening])
        self._hang_up()

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **_bleak: Any
    ) -> None:
        self._listening = asyncio.create_task(self._listen(callback))

    async def _listen(self, callback: NotifyCallback) -> None:
        """Confirm each frame after the callback has returned; the end of the other side is a lost link."""
        assert self._line is not None
        reader, writer = self._line
        try:
            while True:
                length = (await reader.readexactly(1))[0]
                callback(bytearray(await reader.readexactly(length)))
                writer.write(CONFIRMED)
        except (OSError, asyncio.IncompleteReadError):
            self._hang_up()
            if self._disconnected_callback is not None:
                self._disconnected_callback()
        except Exception:  # noqa: BLE001 - what the gateway could not keep is not confirmed, and it knows why
            self._hang_up()

    def _hang_up(self) -> None:
        if self._line is not None:
            self._line[1].close()
            self._line = None

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        """The link is closed instead."""

    async def pair(self, *_bleak: Any, **_more: Any) -> None:
        """Nothing here is encrypted."""

    async def unpair(self) -> None:
        """Nothing here is bonded."""

    async def read_gatt_char(self, *_bleak: Any, **_more: Any) -> bytearray:
        raise BleakError("an oximeter that only indicates")

    async def read_gatt_descriptor(self, *_bleak: Any, **_more: Any) -> bytearray:
        raise BleakError("an oximeter that only indicates")

    async def write_gatt_char(self, *_bleak: Any, **_more: Any) -> None:
        raise BleakError("an oximeter that only indicates")

    async def write_gatt_descriptor(self, *_bleak: Any, **_more: Any) -> None:
        raise BleakError("an oximeter that only indicates")
