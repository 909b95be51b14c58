"""A home: oximeters that measure and re-send, and a gateway made of the real relay, spool and exchange.

Pretended are only the radio and the socket. The gateway's process may die at any named point; its spool is a real file
that the next process opens.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

from gateway.exchange import Exchange, Identity
from gateway.flights import Patience, backoff
from gateway.heartbeat import OFFLINE, Status, render
from gateway.radio import KnownDevice, Notification, Session, SessionState
from gateway.relay import Clocks, Relay
from gateway.reserve import Reserve
from gateway.spool import Message, Spool
from tests.simulation.agenda import Agenda, Killed, StreetClock
from tests.simulation.broker import Broker, Line
from tests.simulation.ledger import Ledger, Record
from tests.simulation.troubles import Fate
from vitals.reading import GatewayId, ReadingId
from vitals.topics import Lane, topic

OSLO = ZoneInfo("Europe/Oslo")
# As in life, but a heartbeat every other hour and a slower last resend: they would be most of what happens.
PATIENCE = Patience(heartbeat=7200.0, resend_max=300.0)
_FORGETS_AFTER = 55.0  # a device without clock re-sends no longer (decision 0004, known edges)
_PULSES = 7  # so many measurements of one device are told apart by their pulse
_WELL, _ILL = (97, 96, 95), (94, 93, 92, 91, 90, 88, 86)


@dataclass(slots=True, kw_only=True, eq=False)
class Device:
    """An oximeter on a bedside table. `clock` None: it has none, and re-sends only for a minute."""

    address: str
    clock: StreetClock | None
    records: list[Record]
    measured: int = 0

    def measure(self, at: datetime, spo2: int) -> Record:
        """A measurement, kept in the device until somebody confirms it."""
        self.measured += 1
        shown = None if self.clock is None else self.clock.now().astimezone(OSLO).replace(tzinfo=None, microsecond=0)
        pulse = 60 + self.measured % _PULSES
        self.records.append(Record(device=self.address, spo2=spo2, pulse=pulse, shown=shown))
        return self.records[-1]


def frame(record: Record) -> bytes:
    """Pulse Oximeter Service 1.0.1, spot-check measurement."""
    numbers = record.spo2.to_bytes(2, "little") + record.pulse.to_bytes(2, "little")
    if record.shown is None:
        return b"\x00" + numbers
    at = record.shown
    return b"\x01" + numbers + at.year.to_bytes(2, "little") + bytes((at.month, at.day, at.hour, at.minute, at.second))


class MortalSpool(Spool):
    """The real spool of a process that may die right before and right after each of its transactions."""

    fate: Fate
    kept: Callable[[], None]

    @classmethod
    def of(cls, path: Path, fate: Fate, kept: Callable[[], None]) -> Self:
        """The spool at `path`; `kept` is called when a message is on the disk."""
        spool = cls.open(path)
        assert isinstance(spool, cls)
        spool.fate, spool.kept = fate, kept
        return spool

    def keep(self, message: Message, real_now: datetime) -> bool:
        self.fate.crash("gateway: between hear and keep")
        new = super().keep(message, real_now)
        self.kept()
        self.fate.crash("gateway: between keep and confirm")
        return new

    def forget(self, ids: Sequence[ReadingId]) -> int:  # type: ignore[override]
        self.fate.crash("gateway: between receipt and forget")
        return super().forget(ids)


class _Process:
    """One life of the gateway's program."""

    def __init__(self, home: "Home") -> None:
        home.life += 1
        self.home = home
        self.alive = True
        self.spool = MortalSpool.of(home.path, home.fate, home.note_kept)
        known = [KnownDevice(address=each.address, kind="oximeter") for each in home.devices]
        self.relay = Relay(self.spool, known, Clocks(given=home.clock, real=home.clock), self._wake)
        self.rng = random.Random(home.fate.rng.getrandbits(32))
        self.exchange = Exchange(home.identity, self.spool, PATIENCE, self.rng)
        self.line: Line | None = None
        self._attempt = 0
        self._turn = 0

    def _wake(self) -> None:
        self.home.agenda.after(0.001, self.speak)

    def dial(self) -> None:
        """Connect, or try again later, as `Uplink.run` does."""
        if not self.alive:
            return
        home = self.home
        receipts = topic(home.identity.gateway, Lane.RECEIPTS)
        will = home.identity.sealed(Lane.STATUS, OFFLINE)
        line = Line(hear=self._hear, lost=lambda: self._lost(line), receipts=receipts, will=will)
        if not home.broker.connect(line):
            self._again()
            return
        self.line, self._attempt = line, 0
        self.exchange.begin(home.agenda.seconds)
        self.speak()

    def _again(self) -> None:
        self._attempt += 1
        wait = backoff(PATIENCE.reconnect_first, PATIENCE.reconnect_max, self._attempt, self.rng)
        self.home.agenda.after(wait, self.dial)

    def _lost(self, line: Line) -> None:
        if self.alive and self.line is line:
            self.line = None
            self._again()

    def speak(self) -> None:
        """Say what is due, and be called again when something is."""
        if not self.alive or self.line is None:
            return
        self._turn += 1
        turn, agenda = self._turn, self.home.agenda
        with self.home.mortal():
            due = self.exchange.speak(self, self._status, agenda.seconds)
            agenda.at(due, lambda: self.speak() if turn == self._turn else None)

    def _status(self, refused: int) -> bytes:
        status = Status(
            at=self.home.clock.now(),
            spool=self.spool.depth,
            refused=0,
            receipts_refused=refused,
            heard={},
            version="simulated",
        )
        return render(status)

    def publish(self, lane: Lane, body: bytes, *, retain: bool = False) -> Callable[[], bool]:
        """The outlet of the exchange; the line takes everything at once."""
        del retain  # the server reads every status when it comes
        if self.line is not None:
            self.home.broker.publish(self.line, *self.home.identity.sealed(lane, body))
        self.home.fate.crash("gateway: between publish and receipt")
        return lambda: True

    def _hear(self, payload: bytes) -> None:
        if not self.alive:
            return
        with self.home.mortal():
            self.exchange.hear(payload)
        self.speak()


class _Mortal:
    """Around whatever the gateway does: who dies in it is dead, and nobody else notices."""

    def __init__(self, home: "Home") -> None:
        self._home = home

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> bool:
        if not isinstance(error, Killed):
            return False
        self._home.kill(error.point)
        return True


class Home:
    """One gateway and its devices."""

    def __init__(
        self, agenda: Agenda, fate: Fate, broker: Broker, identity: Identity, place: tuple[Path, Sequence[Device]]
    ) -> None:
        self.agenda = agenda
        self.fate = fate
        self.broker = broker
        self.identity = identity
        self.path, self.devices = place
        self.clock = StreetClock(agenda)
        self.ledger = Ledger()
        self.life = 0
        self._process: _Process | None = None
        self._saying: Record | None = None
        self._visits = 0

    @property
    def name(self) -> GatewayId:
        return self.identity.gateway

    @property
    def process(self) -> _Process | None:
        """The program that runs now."""
        return self._process

    @property
    def has_records(self) -> bool:
        """Whether a device has something to say yet."""
        return any(device.records for device in self.devices)

    def mortal(self) -> _Mortal:
        return _Mortal(self)

    # The machine.

    def start(self) -> None:
        """Switch the gateway on."""
        if self._process is not None:
            return
        if self.fate.strikes(self.fate.troubles.gateway_jump):
            self._jump()
        self._process = _Process(self)
        self.agenda.note(self.name, "up, spool", self._process.spool.depth)
        self._process.dial()

    def _jump(self) -> None:
        self.clock.off = self.fate.pick((0.0, 0.0, -7.0, 40.0, 900.0, -900.0, 3_600.0, -7_200.0))
        for device in self.devices:  # nobody can tell any more what a device without clock says again
            if device.clock is None:
                device.records.clear()
        self.agenda.note(self.name, "clock off by", self.clock.off)

    def kill(self, why: str) -> None:
        """The program is gone; what was committed is in the spool's file."""
        process, self._process = self._process, None
        if process is None:
            return
        self.agenda.note(self.name, "killed:", why)
        process.alive = False
        process.spool.close()
        if process.line is not None:
            self.broker.cut(process.line, notice=0.01)
        self.agenda.after(self.fate.within(1, 40) if self.fate.strikes(0.7) else self.fate.within(1, 900), self.start)

    def stop(self) -> None:
        """The end of the run."""
        if self._process is not None:
            self._process.alive = False
            self._process.spool.close()
            self._process = None

    def cut_line(self) -> None:
        """The house has no internet for a moment."""
        if self._process is not None and self._process.line is not None:
            self.agenda.note(self.name, "line cut")
            self.broker.cut(self._process.line, notice=self.fate.within(0.01, 45))

    def note_kept(self) -> None:
        """The spool has the record that is being said."""
        if self._saying is not None:
            self._saying.kept = True

    # The air.

    def measure(self, device: Device, spo2: int) -> None:
        """Somebody measures; the device offers it to the gateway."""
        record = self.ledger.new(device.measure(self.agenda.now, spo2))
        self.agenda.note(device.address, "measures", record.spo2, record.pulse, record.shown)
        self.agenda.after(self.fate.within(1, 20), lambda: self.visit(device))

    def visit(self, device: Device) -> None:
        """The gateway connects to a device that has something to say."""
        self._forget_old(device)
        if not device.records:
            return
        process = self._process
        if process is None:
            self.agenda.after(self.fate.within(5, 30), lambda: self.visit(device))
            return
        self._visits += 1
        session = Session(id=f"{self.name} {self._visits}", device=device.address, opened_at=self.clock.now())
        with self.mortal():
            process.relay.report(session)
            state = self._listen(process, device, session)
            process.relay.report(replace(session, state=state))
        if device.records:
            self.agenda.after(self.fate.within(2, 40), lambda: self.visit(device))

    def _forget_old(self, device: Device) -> None:
        if device.clock is None:
            device.records = [
                each
                for each in device.records
                if each.tried_at is None or self.agenda.seconds - each.tried_at <= _FORGETS_AFTER
            ]

    def _listen(self, process: _Process, device: Device, session: Session) -> SessionState:
        """Everything the device has to say, until it is confirmed or the link is cut."""
        for record in list(device.records):
            record.tried_at = self.agenda.seconds if record.tried_at is None else record.tried_at
            if self.fate.strikes(self.fate.troubles.radio_cut / 2):
                return SessionState.CUT
            self._saying = record
            notification = Notification(
                device=device.address,
                model=None,
                characteristic="2A5E",
                payload=frame(record),
                heard_at=self.clock.now(),
                session=session,
            )
            process.relay.hear(notification)
            self._saying = None
            self.agenda.spend(0.05)
            if self.fate.strikes(self.fate.troubles.radio_cut / 2):  # kept, and the device does not know
                return SessionState.CUT
            record.confirmed = True
            device.records.remove(record)
        return SessionState.ENDED

    def jump_device(self) -> None:
        """A device's clock is set, to whatever somebody believes the time is."""
        clocks = [each.clock for each in self.devices if each.clock is not None]
        if clocks:
            clock = self.fate.rng.choice(clocks)
            clock.off = self.fate.pick((0.0, 0.0, 13.0, -45.0, 400.0, -1_500.0, 7_211.0, -86_403.0, 259_207.0))
            self.agenda.note(self.name, "device clock off by", clock.off)


def spo2(fate: Fate) -> int:
    """A value near the limits, so that alerts come and go."""
    return fate.rng.choice(_ILL if fate.rng.random() < fate.troubles.ill else _WELL)


def clear(path: Path) -> None:
    """Remove a spool but for its reserve, which takes longer to make than all the rest."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    Reserve(path.with_name(f"{path.name}.reserve")).hold()
