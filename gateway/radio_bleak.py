"""The real radio: bleak, on the machine's own Bluetooth stack or on a backend named in the settings.

Who confirms an indication? A backend of our own does after the callback has returned, so a record that could not be
kept stays in the device. BlueZ does not ask us: its daemon confirms by itself as soon as the indication arrives, in
parallel with telling us. Two things keep that window small: the callback writes to disk before it returns, and a
session that could keep nothing is not opened (`Report` raises), so that nothing is subscribed and nothing confirmed.
"""

import asyncio
import importlib
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any

from bleak import BleakClient, BleakScanner
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import BleakDBusError, BleakError, BleakGATTProtocolError
from bleak.uuids import normalize_uuid_16

from gateway.adapter import Adapter, Home
from gateway.broadcasts import Broadcasts
from gateway.health import Health
from gateway.kinds import KINDS
from gateway.link import BondLost, LinkFailed, NotAuthenticated, Sighting, Stack
from gateway.pairing import Enrolment
from gateway.radio import Backend, BackendFactory, Hear, KnownDevice, RadioSilent, Report, unreported
from gateway.settings import AdapterSettings, SettingsError
from gateway.talk import Listener, Talk
from gateway.visits import Visits
from gateway.waits import Waits
from gateway.watchdog import Watchdog
from vitals.clock import Clock

if TYPE_CHECKING:
    from gateway.bluez import Bluez

__all__ = ["BleakRadio", "Waits"]


class BleakRadio:
    """A `Radio` over one or more adapters. Raises `SettingsError` when a backend cannot be found.

    `enrolment` says which device a person wants bonded now, `sure` whether `clock` may be trusted to set others.
    """

    def __init__(
        self,
        adapters: Sequence[AdapterSettings],
        clock: Clock,
        waits: Waits | None = None,
        sure: Callable[[], bool] = lambda: True,
    ) -> None:
        self.health = Health()
        self.enrolment = Enrolment()
        self._adapters = [(each, _factory(each, self.enrolment)) for each in adapters]
        self._clock = clock
        self._sure = sure
        self._waits = waits or Waits()

    async def run(self, devices: Sequence[KnownDevice], hear: Hear, report: Report = unreported) -> None:
        """See `Radio.run`; raises `RadioSilent` when only a restart can help."""
        listener = Listener(
            hear=hear,
            report=report,
            clock=self._clock,
            health=self.health,
            pairs=self.enrolment.allows,
            sure=self._sure,
        )
        home = Home(
            visits={each.address: Visits(each, self._waits) for each in devices if KINDS[each.kind].services},
            broadcasts=Broadcasts(devices, self._clock, hear, report),
            talk=Talk(listener, self._waits),
            waits=self._waits,
            watchdog=Watchdog(self._waits.given_up),
            health=self.health,
        )
        try:
            async with asyncio.TaskGroup() as group:
                for settings, factory in self._adapters:
                    group.create_task(Adapter(settings.name, self._opener(factory), home).run())
        except* RadioSilent as silent:
            error = silent.exceptions[0]
            raise RadioSilent(str(error)) from None

    def _opener(self, factory: Callable[[], Backend]) -> Callable[[], AbstractAsyncContextManager[Stack]]:
        @asynccontextmanager
        async def opened() -> AsyncIterator[Stack]:
            async with factory() as backend:
                yield _BleakStack(backend, self._waits)

        return opened


class _SystemBackend:
    """The machine's own stack: BlueZ on Linux, where an adapter may be named by its address; else what bleak finds."""

    def __init__(self, settings: AdapterSettings, enrolment: Enrolment) -> None:
        if settings.transport is not None:
            raise SettingsError(f"adapter {settings.name}: transport needs a backend")
        self._bluez = _bluez(settings, enrolment)
        self._name = settings.name

    @property
    def scanner_args(self) -> Mapping[str, Any]:
        # Every advertisement counts: a scale may say something new in one that looks the same.
        return {"bluez": {"adapter": self._adapter(), "filters": {"DuplicateData": True}}}

    @property
    def client_args(self) -> Mapping[str, Any]:
        return {"bluez": {"adapter": self._adapter()}}

    async def __aenter__(self) -> "Backend":
        if self._bluez is not None:
            await self._bluez.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bluez is not None:
            self._bluez.close()

    async def bonded(self, address: str) -> bool | None:
        """Whether the stack has the keys of a bond."""
        return None if self._bluez is None else await self._bluez.bonded(address)

    async def reset(self) -> None:
        """Switch the adapter off and on."""
        if self._bluez is not None:
            await self._bluez.reset()

    def _adapter(self) -> str:
        return self._name if self._bluez is None else self._bluez.name


def _bluez(settings: AdapterSettings, enrolment: Enrolment) -> "Bluez | None":
    if sys.platform != "linux":  # no D-Bus, and no library for it
        return None
    from gateway.bluez import Bluez

    return Bluez(settings.name, settings.address, enrolment)


def _factory(settings: AdapterSettings, enrolment: Enrolment) -> Callable[[], Backend]:
    if settings.backend is None:
        return partial(_SystemBackend, settings, enrolment)
    module, _, attribute = settings.backend.partition(":")
    try:
        factory: BackendFactory = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise SettingsError(f"adapter {settings.name}: backend {settings.backend!r}: {error}") from None
    return partial(factory, name=settings.name, transport=settings.transport)


class _BleakStack:
    """A `Stack` over a backend of bleak's."""

    def __init__(self, backend: Backend, waits: Waits) -> None:
        self._backend = backend
        self._waits = waits

    @asynccontextmanager
    async def scan(self, note: Callable[[Sighting], None]) -> AsyncIterator[None]:
        def detected(device: BLEDevice, advertisement: AdvertisementData) -> None:
            data = {_short(uuid): bytes(value) for uuid, value in advertisement.service_data.items()}
            address, strength = device.address.upper(), advertisement.rssi
            note(Sighting(address=address, handle=device, strength=strength, service_data=data))

        async with BleakScanner(detected, **self._backend.scanner_args):
            yield

    def link(self, handle: Any, services: Sequence[str], lost: Callable[[], None]) -> "_BleakLink":
        return _BleakLink(handle, services, lost, (self._waits.connect, self._backend.client_args))

    async def bonded(self, address: str) -> bool | None:
        ask = getattr(self._backend, "bonded", None)  # only BlueZ can say
        return None if ask is None else await ask(address)

    async def reset(self) -> None:
        reset = getattr(self._backend, "reset", None)
        if reset is not None:
            await reset()


class _BleakLink:
    """A `Link` over a client of bleak's."""

    def __init__(
        self, handle: Any, services: Sequence[str], lost: Callable[[], None], how: tuple[float, Mapping[str, Any]]
    ) -> None:
        self._handle = handle
        self._services = [_long(uuid) for uuid in services]
        self._lost = lost
        self._timeout, self._client_args = how
        self._client = self._make(pair=False)

    def _make(self, *, pair: bool) -> BleakClient:
        return BleakClient(
            self._handle,
            disconnected_callback=lambda _client: self._lost(),
            services=self._services,
            timeout=self._timeout,
            pair=pair,
            **self._client_args,
        )

    async def connect(self, *, pair: bool) -> None:
        if pair:
            self._client = self._make(pair=True)
        with _in_our_words():
            await self._client.connect()

    def has(self, uuid: str) -> bool:
        return self._find(uuid) is not None

    def _find(self, uuid: str) -> BleakGATTCharacteristic | None:
        """The first one: some devices have two batteries, and bleak does not choose."""
        wanted = _long(uuid)
        return next((each for each in self._client.services.characteristics.values() if each.uuid == wanted), None)

    def _characteristic(self, uuid: str) -> BleakGATTCharacteristic:
        found = self._find(uuid)
        if found is None:
            raise LinkFailed(f"has no {uuid}")
        return found

    async def subscribe(self, uuid: str, heard: Callable[[bytes], None]) -> None:
        with _in_our_words():
            await self._client.start_notify(
                self._characteristic(uuid), lambda _characteristic, data: heard(bytes(data))
            )

    async def read(self, uuid: str) -> bytes:
        with _in_our_words():
            return bytes(await self._client.read_gatt_char(self._characteristic(uuid)))

    async def write(self, uuid: str, data: bytes) -> None:
        with _in_our_words():
            await self._client.write_gatt_char(self._characteristic(uuid), data, response=True)

    async def disconnect(self) -> None:
        with _in_our_words():
            await self._client.disconnect()


# The ATT errors that encryption would cure (Core Specification, Vol 3, Part F, 3.4.1.1); BlueZ's names for the rest.
_ATT_NOT_AUTHENTICATED = frozenset({0x05, 0x08, 0x0C, 0x0F})
_DBUS_NOT_AUTHENTICATED = ("Authentication", "NotPermitted", "NotAuthorized")
_LOST = ("PIN_OR_KEY_MISSING", "no longer knows its bond")  # what the virtual stack says; BlueZ says less


@contextmanager
def _in_our_words() -> Iterator[None]:
    try:
        yield
    except BleakError as error:
        words = f"{type(error).__name__}: {error}"
        if any(word in words for word in _LOST):
            raise BondLost(words) from error
        raise (NotAuthenticated(words) if _is_about_bonds(error) else LinkFailed(words)) from error


def _is_about_bonds(error: BleakError) -> bool:
    if isinstance(error, BleakGATTProtocolError):
        return error.code in _ATT_NOT_AUTHENTICATED
    if isinstance(error, BleakDBusError):
        return any(word in error.dbus_error for word in _DBUS_NOT_AUTHENTICATED)
    return "pairing" in str(error)


def _long(uuid: str) -> str:
    return normalize_uuid_16(int(uuid, 16))


def _short(uuid: str) -> str:
    return uuid[4:8].upper() if uuid == _long(uuid[4:8]) else uuid.upper()
