"""One adapter: scans without end, and visits those of our devices that it hears, one at a time.

Connect from the advertisement, at once, with the very object that the stack gave: an address alone can be forgotten by
the stack meanwhile.
"""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from gateway.broadcasts import Broadcasts
from gateway.flights import backoff
from gateway.health import Health
from gateway.kinds import KINDS
from gateway.link import Bond, BondLost, NotAuthenticated, Sighting, Stack
from gateway.presence import Presence
from gateway.radio import RadioSilent
from gateway.receivers import Receivers
from gateway.spool import SpoolFull
from gateway.talk import Talk
from gateway.visits import Visits
from gateway.waits import Waits, happens, stop_if_told
from gateway.watchdog import Step, Watchdog

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """What all adapters of one gateway share: `visits` are the devices to connect to, `broadcasts` those to listen to;
    nobody else's device is ever read."""

    visits: Mapping[str, Visits]
    broadcasts: Broadcasts
    talk: Talk
    waits: Waits
    watchdog: Watchdog
    health: Health
    receivers: Receivers = field(default_factory=Receivers)


class Adapter:
    """The adapter called `name`; `opened` makes its stack, anew after every failure."""

    def __init__(self, name: str, opened: Callable[[], AbstractAsyncContextManager[Stack]], home: Home) -> None:
        self._name = name
        self._opened = opened
        self._home = home
        self._waits = home.waits
        self._health = home.health.adapter(name)
        self._presence = Presence(log, f"adapter={name}")
        self._seen: dict[str, tuple[object, float]] = {}
        self._advertised = asyncio.Event()
        self._rng = random.Random()  # noqa: S311 - jitter is no secret

    async def run(self) -> None:
        """Until cancelled; raises `RadioSilent`."""
        attempt = 0
        while True:
            stop_if_told()
            started_at = time.monotonic()
            try:
                await self._open_and_scan()
            except RadioSilent:
                raise
            except asyncio.CancelledError:  # ours, or one that a stack let escape from a future of its own
                stop_if_told()
                self._failed("CancelledError: the stack gave up")
            # Every Bluetooth stack fails in words of its own; none of them may silence the home for good.
            except Exception as error:  # noqa: BLE001
                self._failed(f"{type(error).__name__}: {error}")
            attempt = 0 if time.monotonic() - started_at > self._waits.session else attempt + 1
            await asyncio.sleep(backoff(self._waits.again, self._waits.again_max, attempt, self._rng))

    def _failed(self, reason: str) -> None:
        self._presence.gone(reason)
        self._health.failures += 1
        if self._home.watchdog.is_hopeless(time.monotonic()):
            raise RadioSilent(f"adapter {self._name}: {reason}") from None

    async def _open_and_scan(self) -> None:
        """Scan with a stack of its own until a silence asks for another."""
        async with self._opened() as stack:
            while True:
                await self._scan(stack)
                step = self._home.watchdog.silent(self._name, time.monotonic())
                log.info("silence adapter=%s step=%s", self._name, step.value)
                if step is Step.GIVE_UP:
                    raise RadioSilent(f"adapter {self._name}: nobody heard for {self._waits.given_up:g} s")
                if step is Step.RESET:
                    self._health.resets += 1
                    await stack.reset()
                    return
                self._health.rescans += 1

    async def _scan(self, stack: Stack) -> None:
        """Scan and visit until nobody at all was heard for `silence`."""
        async with stack.scan(self._note):
            self._presence.back()
            async for visits, handle in self._awake():
                await self._visit(visits, handle, stack)

    def _note(self, sighting: Sighting) -> None:
        now, address = time.monotonic(), sighting.address
        self._home.watchdog.heard(self._name, now)
        self._home.receivers.alive(self._name, now)
        if address in self._home.visits:
            self._seen[address] = (sighting.handle, now)
            self._home.receivers.heard(self._name, address, sighting.strength, now)
        elif address in self._home.broadcasts:
            self._home.broadcasts.note(sighting)
        else:
            self._health.stranger(address)
        self._advertised.set()

    async def _awake(self) -> AsyncIterator[tuple[Visits, object]]:
        """The known devices that advertise now, as they come; ends at a silence."""
        heard_at = time.monotonic()
        while time.monotonic() - heard_at < self._waits.silence:
            stop_if_told()
            self._advertised.clear()
            for address, (handle, seen_at) in list(self._seen.items()):
                if time.monotonic() - seen_at > self._waits.fresh:
                    self._seen.pop(address, None)
                elif self._may_visit(address):
                    yield self._home.visits[address], handle
                    self._seen.pop(address, None)  # what it advertised before the visit is no reason for another
                    heard_at = time.monotonic()
            # A device that has to wait goes on advertising: with the next advertisement it is looked at again.
            if await happens(self._advertised, self._waits.silence):
                heard_at = time.monotonic()

    def _may_visit(self, address: str) -> bool:
        may = self._home.visits[address].may_begin()
        return may and self._home.receivers.may_visit(self._name, address, time.monotonic())

    async def _visit(self, visits: Visits, handle: object, stack: Stack) -> None:
        address = visits.device.address
        device = self._home.health.device(address)
        most = self._waits.session + (self._waits.records if KINDS[visits.device.kind].records else 0)
        self._health.sessions += 1
        with visits.visit() as heard:
            try:
                async with asyncio.timeout(most):
                    await self._home.talk.with_device(visits, stack, handle, heard)
            except NotAuthenticated as error:
                device.failures += 1
                self._home.receivers.failed(address, no_keys=True)
                device.bonds[self._name] = await _bond_behind(error, stack, address)
                visits.presence.gone(f"bond {device.bonds[self._name].value}: {error}")
            except (OSError, EOFError, SpoolFull) as error:  # LinkFailed and TimeoutError are OSErrors
                device.failures += 1
                self._home.receivers.failed(address)
                visits.presence.gone(f"{type(error).__name__}: {error}")
            else:
                bonded = await _bonded(stack, address)
                self._home.receivers.visited(self._name, address, bonded=bonded)
                if bonded:
                    device.bonds[self._name] = Bond.BONDED


async def _bond_behind(error: NotAuthenticated, stack: Stack, address: str) -> Bond:
    """Why there was no encrypted link: keys that the other side has lost, or none at all. Nothing is removed for it."""
    return Bond.LOST if isinstance(error, BondLost) or await _bonded(stack, address) else Bond.REFUSED


async def _bonded(stack: Stack, address: str) -> bool:
    try:
        return bool(await stack.bonded(address))
    except (OSError, EOFError) as error:
        log.debug("bond_unknown device=%s reason=%r", address, str(error))
        return False
