"""The real radio: bleak, on the machine's own Bluetooth stack or on a backend named in the settings.

Health devices are silent until somebody has measured; then they advertise for some seconds, wait for a connection, hand
over their records the moment somebody subscribes, and delete a record when its indication is confirmed. So: scan all
the time; connect from the advertisement, at once, with the very object that bleak gave (an address alone can be
forgotten by the stack meanwhile); subscribe before anything else; stay until it is quiet; disconnect in order.

Who confirms? A backend of our own confirms an indication after the callback has returned, so a record that could not
be kept stays in the device. BlueZ does not ask us: its daemon confirms by itself as soon as the indication arrives, in
parallel with telling us. Two things keep that window small: the callback writes to disk before it returns, and a
session that could keep nothing is not opened (`Report` raises), so that nothing is subscribed and nothing confirmed.

How a session ended is part of what was heard. It ended in order only if this side disconnected, after the last thing
it heard was kept, and heard nothing more while doing so; whatever else happened is a cut link.
"""

import asyncio
import contextlib
import importlib
import logging
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any
from uuid import uuid4

from bleak import BleakClient, BleakScanner
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import BleakError
from bleak.uuids import normalize_uuid_16

from gateway.flights import backoff
from gateway.kinds import BATTERY_LEVEL, BATTERY_SERVICE, KINDS
from gateway.presence import Presence
from gateway.radio import (
    Backend,
    BackendFactory,
    Hear,
    KnownDevice,
    Notification,
    Report,
    Session,
    SessionState,
    unreported,
)
from gateway.settings import AdapterSettings, SettingsError
from gateway.spool import SpoolFull
from vitals.clock import Clock

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """Seconds of real time.

    `connect`: a device that fell asleep must not hold the adapter. `quiet`: records follow each other within
    milliseconds, some devices think for a second first. `drain`: a stream never gets quiet. `session`: bleak waits for
    a D-Bus answer that may never come. `farewell`: likewise, for a disconnect. `fresh`: an advertisement older than
    this says nothing about now. `silence`: no advertisement from anybody; scanners are known to fall asleep after
    hours. `again` and `again_max`: between two visits to one device, longer when there was nothing to fetch.
    """

    connect: float = 10.0
    quiet: float = 2.0
    drain: float = 40.0
    session: float = 60.0
    farewell: float = 5.0
    fresh: float = 3.0
    silence: float = 90.0
    again: float = 0.5
    again_max: float = 60.0


class BleakRadio:
    """A `Radio` over one or more adapters. Raises `SettingsError` when a backend cannot be found."""

    def __init__(self, adapters: Sequence[AdapterSettings], clock: Clock, waits: Waits | None = None) -> None:
        self._adapters = [(each, _factory(each)) for each in adapters]
        self._clock = clock
        self._waits = waits or Waits()

    async def run(self, devices: Sequence[KnownDevice], hear: Hear, report: Report = unreported) -> None:
        """See `Radio.run`."""
        visits = {device.address: _Visits(device, self._waits) for device in devices}
        talk = _Talk(self._clock, self._waits, hear, report)
        async with asyncio.TaskGroup() as group:
            for settings, factory in self._adapters:
                group.create_task(_Adapter(settings, factory, visits, talk).run())


class _SystemBackend:
    """The machine's own stack: BlueZ, by the adapter's name."""

    def __init__(self, *, name: str, transport: str | None) -> None:
        if transport is not None:
            raise SettingsError(f"adapter {name}: transport needs a backend")
        self._arguments = {"bluez": {"adapter": name}}

    @property
    def scanner_args(self) -> Mapping[str, Any]:
        return self._arguments

    @property
    def client_args(self) -> Mapping[str, Any]:
        return self._arguments

    async def __aenter__(self) -> "Backend":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


def _factory(settings: AdapterSettings) -> BackendFactory:
    if settings.backend is None:
        return _SystemBackend
    module, _, attribute = settings.backend.partition(":")
    try:
        factory: BackendFactory = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise SettingsError(f"adapter {settings.name}: backend {settings.backend!r}: {error}") from None
    return factory


class _Visits:
    """When to connect to one device: one visit at a time, soon again after a success, ever later without one."""

    def __init__(self, device: KnownDevice, waits: Waits) -> None:
        self.device = device
        self.presence = Presence(log, f"device={device.address}")
        self._waits = waits
        self._rng = random.Random()  # noqa: S311 - jitter is no secret
        self._vain = 0
        self._not_before = 0.0
        self._busy = False

    def may_begin(self) -> bool:
        return not self._busy and time.monotonic() >= self._not_before

    @contextlib.contextmanager
    def visit(self) -> Any:
        """One visit; the value given is called when something was heard."""
        self._busy = True
        self._vain += 1
        try:
            yield self._heard
        finally:
            self._busy = False
            wait = backoff(self._waits.again, self._waits.again_max, self._vain, self._rng)
            self._not_before = time.monotonic() + wait

    def _heard(self) -> None:
        self._vain = 0


class _Adapter:
    """Scans without end on one adapter and visits what it hears, one device at a time."""

    def __init__(
        self, settings: AdapterSettings, factory: BackendFactory, visits: Mapping[str, _Visits], talk: "_Talk"
    ) -> None:
        self._settings = settings
        self._factory = factory
        self._visits = visits
        self._talk = talk
        self._waits = talk.waits
        self._presence = Presence(log, f"adapter={settings.name}")
        self._seen: dict[str, tuple[BLEDevice, float]] = {}
        self._advertised = asyncio.Event()
        self._rng = random.Random()  # noqa: S311 - jitter is no secret

    async def run(self) -> None:
        attempt = 0
        while True:
            _stop_if_told()
            started_at = time.monotonic()
            try:
                async with self._factory(name=self._settings.name, transport=self._settings.transport) as backend:
                    while True:
                        await self._scan(backend)
            except asyncio.CancelledError:  # ours, or one that a stack let escape from a future of its own
                _stop_if_told()
                self._presence.gone("CancelledError: the stack gave up")
            # Every Bluetooth stack fails in words of its own; none of them may silence the home for good.
            except Exception as error:  # noqa: BLE001
                self._presence.gone(f"{type(error).__name__}: {error}")
            attempt = 0 if time.monotonic() - started_at > self._waits.session else attempt + 1
            await asyncio.sleep(backoff(self._waits.again, self._waits.again_max, attempt, self._rng))

    async def _scan(self, backend: Backend) -> None:
        """Scan and visit until nobody at all was heard for `silence`; then a new scan may wake the scanner."""
        async with BleakScanner(self._note, **backend.scanner_args):
            self._presence.back()
            async for visits, device in self._awake():
                await self._visit(visits, device, backend)
        log.debug("silence adapter=%s", self._settings.name)

    def _note(self, device: BLEDevice, _advertisement: AdvertisementData) -> None:
        address = device.address.upper()
        if address in self._visits:  # nobody else's device is ever read
            self._seen[address] = (device, time.monotonic())
        self._advertised.set()

    async def _awake(self) -> AsyncIterator[tuple[_Visits, BLEDevice]]:
        """The known devices that advertise now, as they come; ends at a silence."""
        heard_at = time.monotonic()
        while time.monotonic() - heard_at < self._waits.silence:
            _stop_if_told()
            self._advertised.clear()
            for address, (device, seen_at) in list(self._seen.items()):
                if time.monotonic() - seen_at > self._waits.fresh:
                    self._seen.pop(address, None)
                elif self._visits[address].may_begin():
                    yield self._visits[address], device
                    self._seen.pop(address, None)  # what it advertised before the visit is no reason for another
                    heard_at = time.monotonic()
            # A device that has to wait goes on advertising: with the next advertisement it is looked at again.
            if await _happens(self._advertised, self._waits.silence):
                heard_at = time.monotonic()

    async def _visit(self, visits: _Visits, device: BLEDevice, backend: Backend) -> None:
        with visits.visit() as heard:
            try:
                async with asyncio.timeout(self._waits.session):
                    await self._talk.to(visits, device, backend, heard)
            except (BleakError, OSError, EOFError, SpoolFull) as error:  # TimeoutError is an OSError
                visits.presence.gone(f"{type(error).__name__}: {error}")


class _Talk:
    """One session after another, with whatever device, over whatever backend."""

    def __init__(self, clock: Clock, waits: Waits, hear: Hear, report: Report) -> None:
        self.waits = waits
        self._clock = clock
        self._hear = hear
        self._report = report

    async def to(self, visits: _Visits, device: BLEDevice, backend: Backend, heard: Callable[[], None]) -> None:
        """Connect, take what the device has, disconnect. Raises what bleak raises, and `SpoolFull`."""
        known, kind = visits.device, KINDS[visits.device.kind]
        ears = _Ears(heard)
        client = BleakClient(
            device,
            disconnected_callback=lambda _client: ears.lose(),
            services=[normalize_uuid_16(int(uuid, 16)) for uuid in (kind.service, BATTERY_SERVICE)],
            timeout=self.waits.connect,
            **backend.client_args,
        )
        state = SessionState.CUT
        try:
            await client.connect()
            _stop_if_told()
            session = Session(id=uuid4().hex, device=known.address, opened_at=self._clock.now())
            self._report(session)
            try:
                visits.presence.back()
                state = await self._take(client, known, session, ears)
            finally:
                self._report(replace(session, state=state))
        finally:
            if state is SessionState.CUT:
                await self._leave(client)

    async def _take(self, client: BleakClient, known: KnownDevice, session: Session, ears: "_Ears") -> SessionState:
        def listener(uuid: str) -> Callable[[BleakGATTCharacteristic, bytearray], None]:
            def callback(_characteristic: BleakGATTCharacteristic, payload: bytearray) -> None:
                with ears.listening():
                    self._hear(self._notification(known, session, uuid, bytes(payload)))

            return callback

        present = {uuid: _characteristic(client, uuid) for uuid in KINDS[known.kind].measurements}
        if not any(present.values()):
            raise BleakError(f"has none of {', '.join(present)}")
        for uuid, characteristic in present.items():
            if characteristic is not None:
                await client.start_notify(characteristic, listener(uuid))
        await ears.until_quiet(self.waits.quiet, self.waits.drain)
        if not ears.deaf:
            await self._read_battery(client, known, session)
        heard = ears.count
        if not ears.deaf:
            ears.leaving = True
            await client.disconnect()
        # An indication that crossed with our disconnect may not have been confirmed, and will then be sent again.
        return SessionState.CUT if ears.deaf or ears.count != heard else SessionState.ENDED

    async def _read_battery(self, client: BleakClient, known: KnownDevice, session: Session) -> None:
        characteristic = _characteristic(client, BATTERY_LEVEL)
        if characteristic is None:
            return
        try:
            level = bytes(await client.read_gatt_char(characteristic))
        except (BleakError, OSError) as error:  # nice to know, not worth losing an orderly end for
            log.debug("battery_unread device=%s reason=%r", known.address, str(error))
        else:
            self._hear(self._notification(known, session, BATTERY_LEVEL, level))

    def _notification(self, known: KnownDevice, session: Session, uuid: str, payload: bytes) -> Notification:
        return Notification(
            device=known.address,
            model=known.model,
            characteristic=uuid,
            payload=payload,
            heard_at=self._clock.now(),
            session=session,
        )

    async def _leave(self, client: BleakClient) -> None:
        try:
            async with asyncio.timeout(self.waits.farewell):
                await client.disconnect()
        except (BleakError, OSError, EOFError) as error:
            log.debug("not_disconnected device=%s reason=%r", client.address, str(error))


class _Ears:
    """What one session has heard so far, and whether it can still hear."""

    def __init__(self, heard: Callable[[], None]) -> None:
        self.count = 0
        self.deaf = False  # the link is gone, or a notification could not be kept
        self.leaving = False  # our own disconnect is no loss
        self._heard = heard
        self._at = time.monotonic()
        self._changed = asyncio.Event()

    @contextlib.contextmanager
    def listening(self) -> Any:
        """Around one notification: counted when it was kept; when that failed, this session is over."""
        try:
            yield
        except BaseException:
            self.lose()
            raise
        self.count += 1
        self._at = time.monotonic()
        self._heard()

    def lose(self) -> None:
        """The other side is gone, or cannot be trusted to us any more."""
        if not self.leaving:
            self.deaf = True
        self._changed.set()

    async def until_quiet(self, quiet: float, most: float) -> None:
        """Return when nothing came for `quiet` seconds, after `most` seconds, or at once when deaf."""
        begun = self._at = time.monotonic()
        while not self.deaf:
            _stop_if_told()
            now = time.monotonic()
            left = min(self._at + quiet, begun + most) - now
            if left <= 0:
                return
            await _happens(self._changed, left)


def _stop_if_told() -> None:
    """Ends a run whose cancellation was swallowed on the way: before Python 3.12 `wait_for`, which Bluetooth stacks
    use inside, does so when its result comes at the same moment."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def _happens(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


def _characteristic(client: BleakClient, uuid: str) -> BleakGATTCharacteristic | None:
    return client.services.get_characteristic(normalize_uuid_16(int(uuid, 16)))
