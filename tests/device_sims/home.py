"""A home for tests: an air, an adapter behind a real HCI socket, and devices that advertise every 20 ms."""

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bleak import BleakClient, BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from device_sims.air import Air, Conditions, RadioController
from device_sims.bleak_bumble import BumbleBackend
from device_sims.hci_server import HciServer
from device_sims.peripherals import DeviceSpec, Oximeter, Peripheral
from device_sims.quiet import hush

ADDRESS = "A0:11:22:33:44:55"
DEADLINE_S = 30.0  # a loaded machine needs a few; more means that it will not come


class Home:
    """The other side of the radio for a test: what a gateway would do, one call each."""

    def __init__(self, folder: Path) -> None:
        hush()
        self.folder = folder
        self.air = Air(conditions=Conditions(supervision_s=0.05))
        self.radio = RadioController("adapter", air=self.air, public_address="F0:00:00:00:00:01")
        self.server = HciServer(self.radio, folder / "home.hci")
        self.devices: list[Peripheral] = []

    def backend(self) -> BumbleBackend:
        return BumbleBackend(name="sim0", transport=f"unix-client:{self.server.path}")

    async def add(self, kind: type[Peripheral] = Oximeter, **spec: Any) -> Any:
        described = {"address": ADDRESS, "model": "Testoximeter", "interval_ms": 20} | spec
        bonds, clock = described.pop("bonds", None), described.pop("clock", None)
        device = kind(self.air, DeviceSpec(**described), bonds=bonds, clock=clock)
        await device.start()
        self.devices.append(device)
        return device

    async def find(self, backend: BumbleBackend, address: str = ADDRESS) -> BLEDevice:
        """The device with `address`, once it advertises."""
        return (await sight(backend, address))[0]

    def client(self, backend: BumbleBackend, device: BLEDevice | str, **more: Any) -> BleakClient:
        return BleakClient(device, **({"timeout": 3.0} | more), **backend.client_args)

    async def close(self) -> None:
        """Take everything off the air."""
        for device in self.devices:
            await device.stop()
        await self.server.stop()


async def sight(backend: BumbleBackend, address: str = ADDRESS) -> tuple[BLEDevice, AdvertisementData]:
    """The device with `address` and what it advertises, once it does."""
    found: asyncio.Future[tuple[BLEDevice, AdvertisementData]] = asyncio.get_running_loop().create_future()

    def take(device: BLEDevice, data: AdvertisementData) -> None:
        if device.address == address and not found.done():
            found.set_result((device, data))

    async with BleakScanner(take, **backend.scanner_args):
        return await asyncio.wait_for(found, DEADLINE_S)


def short_folder() -> Path:
    """A new folder whose name leaves room for a unix socket's (107 bytes at most)."""
    return Path(tempfile.mkdtemp(prefix="varde-"))


async def eventually(condition: Callable[[], object]) -> None:
    """Wait until something is true; fails when it does not become so."""
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)
