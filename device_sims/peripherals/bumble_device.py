"""The radio inside a device: bumble's, with the bonds and the pairing that the device's maker has chosen."""

import asyncio
from pathlib import Path
from typing import Any

from bumble import hci
from bumble.device import Device, DeviceConfiguration
from bumble.host import Host
from bumble.keys import JsonKeyStore, MemoryKeyStore
from bumble.pairing import PairingConfig, PairingDelegate
from bumble.transport.common import AsyncPipeSink

from device_sims.air import RadioController
from device_sims.peripherals.record import DeviceSpec


class Display(PairingDelegate):  # type: ignore[misc]
    """A display that shows the device's passkey while somebody pairs."""

    def __init__(self, passkey: int) -> None:
        super().__init__(PairingDelegate.DISPLAY_OUTPUT_ONLY)
        self._passkey = passkey

    async def generate_passkey(self) -> int:
        return self._passkey


def bumble_device(radio: RadioController, spec: DeviceSpec, bonds: Path | None) -> Any:
    """A device that is not on yet; its bonds are kept in the file `bonds`, or only as long as it lives."""
    identity = hci.Address.PUBLIC_DEVICE_ADDRESS if spec.public else hci.Address.RANDOM_DEVICE_ADDRESS
    config = DeviceConfiguration(
        name=spec.model,
        address=hci.Address(spec.address, hci.Address.RANDOM_DEVICE_ADDRESS),
        identity_address_type=identity,
        gap_service_enabled=True,
    )
    device = Device(config=config, host=Host(radio, AsyncPipeSink(radio)))
    device.keystore = JsonKeyStore(spec.address, str(bonds)) if bonds else MemoryKeyStore()
    device.pairing_config_factory = lambda _connection: PairingConfig(
        sc=True,
        mitm=spec.passkey is not None,
        bonding=True,
        delegate=PairingDelegate() if spec.passkey is None else Display(spec.passkey),
        identity_address_type=PairingConfig.AddressType(identity),
    )
    return device


def insist_on_passkey(device: Any, connection: Any) -> None:
    """Hang up on whoever bonded without typing the passkey, and forget that bond.

    Bumble itself takes every bond for a good one.
    """

    def paired(keys: Any) -> None:
        if keys.ltk is None or not keys.ltk.authenticated:
            task = asyncio.get_running_loop().create_task(_forget(device, connection))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())

    connection.on(connection.EVENT_PAIRING, paired)


async def _forget(device: Any, connection: Any) -> None:
    await device.keystore.delete(str(connection.peer_address))
    await connection.disconnect()
