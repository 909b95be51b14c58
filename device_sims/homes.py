"""All homes of a town in one process: each with its own air, its devices, and an adapter on a unix socket."""

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from device_sims.air import Air, RadioController
from device_sims.device_clock import DeviceClock
from device_sims.devices import personality
from device_sims.hci_server import HciServer
from device_sims.peripherals import KINDS, DeviceSpec, Peripheral
from device_sims.scenario import Life, Planned, Shown, plan
from device_sims.town import TownDevice, TownHome, TownPerson
from vitals.clock import Clock

_LOG = logging.getLogger(__name__)

SOCKET_BYTES_MAX = 100  # the system takes 107 and a gateway's settings may name it in other words
_AHEAD = timedelta(hours=26)  # a person's plan is looked at so far ahead: it has every slot of the day
_LOOK_AGAIN_S = 30.0  # real seconds; a clock may be moved while nobody measures


class HomeError(RuntimeError):
    """A home cannot be opened; the message says why."""


def hci_path(data: Path, home: str) -> Path:
    """Where the adapter of this home listens."""
    return data / "air" / f"{home}.hci"


@dataclass(frozen=True, slots=True, kw_only=True)
class Time:
    """The given clock, and when the lives in this town began on it (aware UTC)."""

    clock: Clock
    began: datetime


@dataclass(slots=True)
class House:
    """One home on the air."""

    home: TownHome
    data: Path
    number: int  # among the homes of the town: makes the adapter's address
    time: Time
    interval_ms: int = 100
    devices: dict[str, Peripheral] = field(default_factory=dict)
    _server: HciServer | None = None

    async def open(self) -> None:
        """Put adapter and devices on the air; raises `HomeError`."""
        path = hci_path(self.data, self.home.name)
        if len(str(path).encode()) > SOCKET_BYTES_MAX:
            raise HomeError(f"{path} is too long for a unix socket; choose a data folder with a shorter path")
        air = Air(seed=self.number)
        adapter = RadioController(self.home.name, air=air, public_address=f"02:56:41:00:{self.number:02X}:FE")
        for device in self.home.devices:
            self.devices[device.address] = await self._add(air, device)
        self._tell_passkeys(path)
        self._server = HciServer(adapter, path)
        await self._server.start()

    async def close(self) -> None:
        """Take everything off the air."""
        if self._server is not None:
            await self._server.stop()
        for device in self.devices.values():
            await device.stop()

    async def _add(self, air: Air, device: TownDevice) -> Peripheral:
        spec = DeviceSpec(
            address=device.address,
            model=device.model,
            public=device.public,
            bonded=device.bonded,
            battery=personality(device.address).battery,
            interval_ms=self.interval_ms,
            passkey=device.passkey,
            awake_s=device.awake_s,
        )
        bonds = self.data / "air" / f"{self.home.name}.devices.bonds"
        kind = KINDS[device.kind]
        peripheral = kind(air, spec, bonds=bonds, clock=self._clock(device) if kind.has_clock else None)
        await peripheral.start()
        return peripheral

    def _clock(self, device: TownDevice) -> DeviceClock:
        """The clock inside; it shows the time of whoever measures with the device."""
        zones = (person.zone for person in self.home.persons if device.address in person.devices)
        zone = next(zones, ZoneInfo("Europe/Oslo"))
        return DeviceClock(personality(device.address), self.time.began, zone, self.time.clock)

    def clocks(self) -> Mapping[str, Shown]:
        """What each device with a clock shows, by address."""
        return {address: each.clock.shown for address, each in self.devices.items() if each.clock is not None}

    def _tell_passkeys(self, path: Path) -> None:
        """Somebody in the home reads the displays and types what they show into the kit."""
        shown = {device.address: device.passkey for device in self.home.devices if device.passkey is not None}
        if shown:
            path.with_suffix(".passkeys").write_text(json.dumps(shown))


async def live(house: House, person: TownPerson, since: datetime) -> None:
    """Let one person measure for ever, at the times of the scenario that come after `since` on the given clock."""
    life = Life(
        key=person.key,
        scenario=person.scenario,
        seed=person.seed,
        zone=person.zone,
        began=house.time.began,
        baselines=person.baselines,
    )
    done = since
    while True:
        coming = upcoming(house.home, life, person.devices, done)
        until = coming[0].at if coming else done + _AHEAD
        await _reach(house.time.clock, until)
        # Asked again: a clock that was set meanwhile shows another time.
        for each in upcoming(house.home, life, person.devices, done, house.clocks()) if coming else ():
            house.devices[each.address].measure(each.frame, each.characteristic)
            _LOG.info("%s measures with %s: %s", person.key, each.address, each.frame.hex())
        done = until + timedelta(microseconds=1)


def upcoming(
    home: TownHome, life: Life, addresses: Sequence[str], after: datetime, clocks: Mapping[str, Shown] | None = None
) -> list[Planned]:
    """What the person measures next: several when several devices are used at the same moment, none within a day."""
    kinds = {device.address: device.kind for device in home.devices}
    window = (after, after + _AHEAD)
    plans = {
        address: tuple(plan(life, address, kinds[address], window, (clocks or {}).get(address)))
        for address in addresses
    }
    found = [each for planned in plans.values() for each in planned]
    earliest = min((each.at for each in found), default=None)
    return [each for each in found if each.at == earliest]


async def _reach(clock: Clock, moment: datetime) -> None:
    """Wait on the given clock; it has no event to wait for, and may run fast."""
    while (left_s := clock.seconds_until(moment)) > 0:  # noqa: ASYNC110
        await asyncio.sleep(min(left_s, _LOOK_AGAIN_S))
