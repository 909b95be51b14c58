"""A home on the virtual air: one adapter behind a real HCI socket, and devices that advertise every 20 ms."""

import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from device_sims.air import Air, Conditions, RadioController
from device_sims.hci_server import HciServer
from device_sims.peripherals import DeviceSpec, Oximeter, Peripheral, Scale
from device_sims.quiet import hush
from gateway.radio import KnownDevice
from gateway.settings import AdapterSettings

BUMBLE = "device_sims.bleak_bumble:BumbleBackend"


class Home:
    """Devices are added as the test goes; `server` can be stopped and started as an adapter is pulled and plugged."""

    def __init__(self, folder: Path) -> None:
        hush()
        self.air = Air(conditions=Conditions(supervision_s=0.05))
        self.radio = RadioController("adapter", air=self.air, public_address="F0:00:00:00:00:01")
        self.server = HciServer(self.radio, folder / "home.hci")
        self.devices: list[Peripheral] = []

    async def add(self, known: KnownDevice) -> Any:
        """Put a simulated device with this address and kind on the air."""
        kind = {"oximeter": Oximeter, "scale": Scale}[known.kind]
        device = kind(self.air, DeviceSpec(address=known.address, model="Test", interval_ms=20))
        await device.start()
        self.devices.append(device)
        return device

    def adapter(self, backend: str = BUMBLE) -> AdapterSettings:
        """The gateway's side of this air."""
        return AdapterSettings(name="sim0", backend=backend, transport=f"unix-client:{self.server.path}")


@asynccontextmanager
async def on_the_air() -> AsyncIterator[Home]:
    """A running home, in a folder whose name leaves room for a unix socket's (108 bytes at most)."""
    folder = Path(tempfile.mkdtemp(prefix="varde-"))
    home = Home(folder)
    await home.server.start()
    try:
        yield home
    finally:
        for device in home.devices:
            await device.stop()
        await home.server.stop()
        shutil.rmtree(folder)
