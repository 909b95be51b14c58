"""A Bluetooth adapter of the central: bumble's host on an HCI transport, opened again when it was lost.

The other end of the transport is a `RadioController` in the process of the air, as a chip is at the other end of USB.
"""

import asyncio
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bumble import hci
from bumble.device import ConnectionParametersPreferences, Device, DeviceConfiguration
from bumble.host import Host
from bumble.keys import JsonKeyStore, MemoryKeyStore
from bumble.pairing import PairingConfig, PairingDelegate
from bumble.transport import open_transport

from device_sims.gatt_link import BondLostError, GattLink, LinkError, attempt

_LOG = logging.getLogger(__name__)

REOPEN_S = 0.5  # a transport that went away is tried again this often
COMMAND_S = 5.0  # an adapter that does not answer a command for so long is taken for dead
# What BlueZ asks for: a link is given up after 420 ms of silence.
_PARAMETERS = {hci.HCI_LE_1M_PHY: ConnectionParametersPreferences(supervision_timeout=420)}

Heard = Callable[[Any], None]


class _Keyboard(PairingDelegate):  # type: ignore[misc]
    """The person who pairs: types the passkey, or nothing when nobody told one."""

    def __init__(self, typed: int | None) -> None:
        super().__init__(PairingDelegate.DISPLAY_OUTPUT_AND_KEYBOARD_INPUT)
        self._number = typed

    async def get_number(self) -> int | None:
        return self._number


class Adapter:
    """Scans and connects. Bonds are kept beside the transport's socket, as BlueZ keeps them beside its adapter.

    Passkeys are typed from the file `.passkeys` beside them: JSON, address to number.
    """

    def __init__(self, *, name: str, transport: str) -> None:
        self.name = name
        self.transport = transport
        self.heard: Heard | None = None  # gets every advertisement while scanning
        self.addresses: dict[str, hci.Address] = {}
        self._device: Any = None
        self._wire: Any = None
        self._initiating = asyncio.Lock()  # one connection attempt at a time, as in real controllers
        self._keeper: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    @property
    def is_open(self) -> bool:
        """Whether the adapter answers now."""
        return self._device is not None

    async def open(self) -> None:
        """Open the transport and keep it open; raises `LinkError` when it cannot be opened now."""
        self._closing.clear()
        await self._open()
        self._keeper = asyncio.create_task(self._keep_open(), name=f"adapter {self.name}")

    async def close(self) -> None:
        """Give the adapter back."""
        self._closing.set()  # beside cancelling: before Python 3.12 `wait_for` may swallow a cancellation
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
            self._keeper = None
        await self._close_wire()

    async def scan(self, heard: Heard | None) -> None:
        """Start scanning, or stop with None; goes on by itself when the adapter was away."""
        self.heard = heard
        if self._device is None:
            if heard is not None:
                raise LinkError(f"adapter {self.name} is not there")
            return
        await self._apply_scan()

    async def connect(self, address: str, timeout_s: float) -> tuple[Any, GattLink]:
        """A connection to `address` with its GATT link, encrypted when there is a bond.

        Raises TimeoutError when the device does not answer within `timeout_s`, `BondLostError` and `LinkError`.
        """
        device = self.device
        peer = self.addresses[address]
        async with asyncio.timeout(timeout_s), self._initiating:
            connection = await self._initiate(device, peer, timeout_s)
        link = GattLink(connection)
        connection.gatt_client = link
        connection.on(connection.EVENT_DISCONNECTION, link.on_disconnection)
        try:
            if await device.keystore.get(str(connection.peer_address)) is not None:
                await attempt("encrypting", link, connection.encrypt())
            await attempt("agreeing on a packet size", link, link.request_mtu(517))
        except BaseException:
            link.give_up()
            raise
        return connection, link

    async def pair(self, connection: Any, link: GattLink) -> None:
        """Bond with the device, with its passkey where it shows one; raises `LinkError`."""
        await attempt("pairing", link, connection.pair())

    async def forget(self, address: str) -> None:
        """Drop the bond with `address`, if there is one."""
        peer = self.addresses.get(address)
        if peer is not None and await self.device.keystore.get(str(peer)) is not None:
            await self.device.keystore.delete(str(peer))

    @property
    def device(self) -> Any:
        """Bumble's device; raises `LinkError` while the adapter is away."""
        if self._device is None:
            raise LinkError(f"adapter {self.name} is not there")
        return self._device

    async def _initiate(self, device: Any, peer: Any, timeout_s: float) -> Any:
        try:
            return await attempt(
                "connecting",
                None,
                device.connect_le(
                    peer,
                    connection_parameters_preferences=_PARAMETERS,
                    own_address_type=hci.OwnAddressType.PUBLIC,
                    timeout=None,
                ),
            )
        except BaseException:
            await self._call_off(device, peer)
            raise

    async def _call_off(self, device: Any, peer: Any) -> None:
        """Cancel a connection attempt; when it succeeded in the same moment, hang up."""
        if device is not self._device:
            return
        cancelled = device.send_sync_command_raw(hci.HCI_LE_Create_Connection_Cancel_Command())
        try:
            await asyncio.shield(attempt("cancelling", None, asyncio.wait_for(cancelled, COMMAND_S)))
        except (LinkError, TimeoutError) as error:
            _LOG.info("the connection attempt to %s could not be cancelled: %s", peer, error)
        for connection in tuple(device.connections.values()):
            if connection.peer_address == peer:
                GattLink(connection).give_up()

    async def _keep_open(self) -> None:
        while not self._closing.is_set():
            await self._wire.source.terminated
            _LOG.warning("adapter %s is gone; trying again", self.name)
            await self._close_wire()
            while self._device is None and not self._closing.is_set():
                await asyncio.sleep(REOPEN_S)
                try:
                    await self._open()
                except LinkError:
                    continue
            if self._closing.is_set():
                return
            _LOG.warning("adapter %s is back", self.name)
            try:
                await self._apply_scan()
            except LinkError as error:
                _LOG.warning("adapter %s does not scan: %s", self.name, error)

    async def _open(self) -> None:
        try:
            async with asyncio.timeout(COMMAND_S):
                self._wire = await attempt("opening the adapter", None, open_transport(self.transport))
                device = self._make_device(self._wire)
                await attempt("switching the adapter on", None, device.power_on())
        except (LinkError, TimeoutError) as error:
            await self._close_wire()
            raise LinkError(f"adapter {self.name} ({self.transport}): {error or 'does not answer'}") from None
        device.on(device.EVENT_ADVERTISEMENT, self._on_advertisement)
        self._device = device

    def _make_device(self, wire: Any) -> Any:
        config = DeviceConfiguration(name="gateway", gap_service_enabled=True, gatt_service_enabled=True)
        device = Device(config=config, host=Host(wire.source, wire.sink))
        device.keystore = self._bonds()
        device.pairing_config_factory = lambda connection: PairingConfig(
            sc=True, mitm=False, bonding=True, delegate=_Keyboard(self._typed(connection.peer_address.to_string(False)))
        )
        return device

    def _typed(self, address: str) -> int | None:
        """What somebody in the home reads from the device's display and types."""
        path = self._beside(".passkeys")
        if path is None or not path.exists():
            return None
        number = json.loads(path.read_text()).get(address)
        return None if number is None else int(number)

    def _bonds(self) -> Any:
        path = self._beside(".bonds")
        return MemoryKeyStore() if path is None else JsonKeyStore("adapter", str(path))

    def _beside(self, suffix: str) -> Path | None:
        """The file with this suffix beside the transport's socket, where the transport has one in a folder."""
        scheme, _, path = self.transport.partition(":")
        return None if scheme != "unix-client" or path.startswith("@") else Path(path).with_suffix(suffix)

    async def _close_wire(self) -> None:
        device, wire, self._device, self._wire = self._device, self._wire, None, None
        if device is not None:
            device.remove_all_listeners(device.EVENT_ADVERTISEMENT)
            device.on_flush()  # every open connection hears that it ended
        if wire is not None:
            await wire.close()

    async def _apply_scan(self) -> None:
        device = self.device
        if device.scanning:
            await attempt("stopping the scan", None, device.stop_scanning())
        if self.heard is not None:
            await attempt(
                "scanning", None, device.start_scanning(active=True, own_address_type=hci.OwnAddressType.PUBLIC)
            )

    def _on_advertisement(self, advertisement: Any) -> None:
        address = advertisement.address.to_string(False)
        self.addresses[address] = advertisement.address
        if self.heard is not None:
            self.heard(advertisement)


__all__ = ["Adapter", "BondLostError", "LinkError"]
