import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from gateway.flights import Patience
from gateway.health import Health
from gateway.pairing import Enrolment
from gateway.radio import (
    Hear,
    KnownDevice,
    Notification,
    RadioSilent,
    Recall,
    Report,
    Session,
    SessionState,
    unreported,
)
from gateway.relay import Clocks, Relay, RelayEnded, run
from gateway.settings import AdapterSettings, MqttSettings, Settings
from gateway.spool import Spool, SpoolBroken, SpoolFull
from tests.broker import Mosquitto, free_port
from tests.gateway.receiver import GATEWAY, KEY, Receiver
from tests.gateway.waiting import until
from vitals.clock import ManualClock
from vitals.seal import seal
from vitals.topics import Lane, topic
from vitals.wire import parse_frame, parse_reading

OXIMETER = KnownDevice(address="C0:FF:EE:00:00:01", kind="oximeter", model="3230")
SCALE = KnownDevice(address="C0:FF:EE:00:00:02", kind="scale", timezone="Europe/Oslo")
METER = KnownDevice(address="C0:FF:EE:00:00:03", kind="glucometer")
SHOWN = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
REAL = datetime(2030, 1, 1, tzinfo=UTC)
QUICK = Patience(resend_first=0.3, resend_max=1.0, reconnect_first=0.05, reconnect_max=0.3, heartbeat=0.2)


class HandRadio:
    """A radio without devices: the test says what is heard."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.known: Sequence[KnownDevice] = ()
        self._hear: Hear | None = None
        self._report: Report = unreported
        self.running = asyncio.Event()
        self.health = Health()
        self.enrolment = Enrolment()

    async def run(self, devices: Sequence[KnownDevice], hear: Hear, report: Report = unreported) -> None:
        self.known, self._hear, self._report = devices, hear, report
        self.running.set()
        await asyncio.Event().wait()

    def visit(self, device: KnownDevice, *frames: str, ends: SessionState = SessionState.ENDED) -> None:
        """One session in which the device says `frames` ("2A5E 0062...")."""
        session = self.open(device)
        for frame in frames:
            self.say(device, session, frame)
        self._report(replace(session, state=ends))

    def open(self, device: KnownDevice) -> Session:
        session = Session(id=uuid4().hex, device=device.address, opened_at=self.clock.now())
        self._report(session)
        return session

    def report(self, device: KnownDevice) -> Recall | None:
        """What the radio is told when a session with `device` opens."""
        return self._report(Session(id=uuid4().hex, device=device.address, opened_at=self.clock.now()))

    def say(self, device: KnownDevice, session: Session, frame: str) -> None:
        assert self._hear is not None
        characteristic, payload = frame.split()
        self._hear(
            Notification(
                device=device.address,
                model=device.model,
                characteristic=characteristic,
                payload=bytes.fromhex(payload),
                heard_at=self.clock.now(),
                session=session,
            )
        )


def settings(folder: Path, port: int) -> Settings:
    return Settings(
        id=GATEWAY,
        key=KEY,
        spool=folder / "spool.db",
        clock=None,
        mqtt=MqttSettings(port=port),
        adapters=(AdapterSettings(name="hand"),),
        devices=(OXIMETER, SCALE, METER),
    )


class Home:
    """A relay on a hand radio. `shown` and `real` are its clocks."""

    def __init__(self) -> None:
        self.shown = ManualClock(SHOWN)
        self.real = ManualClock(REAL)
        self.radio = HandRadio(self.shown)

    @asynccontextmanager
    async def relaying(self, folder: Path, port: int) -> AsyncIterator[HandRadio]:
        stop = asyncio.Event()
        clocks = Clocks(given=self.shown, real=self.real)
        task = asyncio.create_task(run(settings(folder, port), self.radio, clocks, stop, QUICK))
        await self.radio.running.wait()
        try:
            yield self.radio
        finally:
            stop.set()
            await task
            self.radio.running.clear()

    def pass_time(self, seconds: float) -> None:
        self.shown.advance(timedelta(seconds=seconds))
        self.real.advance(timedelta(seconds=seconds))


def spooled(folder: Path) -> list[dict[str, object]]:
    spool = Spool.open(folder / "spool.db")
    bodies = [json.loads(each.body) for each in spool.oldest(100)]
    spool.close()
    return bodies


async def test_from_a_frame_to_the_server(broker: Mosquitto, tmp_path: Path) -> None:
    with Receiver(broker.host, broker.port) as receiver:
        async with Home().relaying(tmp_path, broker.port) as radio:
            radio.visit(OXIMETER, "2A5E 0053006000", "2A5E 006200")
            await until(lambda: len(receiver.bodies) == 2)
            await until(lambda: receiver.statuses[-1]["spool"] == 0 and receiver.statuses[-1]["heard"])
            status = receiver.statuses[-1]
        first, second = receiver.bodies.values()
        reading, frame = parse_reading(first), parse_frame(second)
        assert {each.metric: int(each.value) for each in reading.measurements} == {"spo2": 83, "pulse": 96}
        assert (reading.device, reading.model, reading.taken_at) == (OXIMETER.address, "3230", SHOWN)
        assert (frame.frame, frame.device) == (bytes.fromhex("006200"), OXIMETER.address)
        assert frame.reason.startswith("truncated: pulse")
        assert status["refused"] == 1
        assert status["heard"] == {OXIMETER.address: "2026-11-22T07:00:00Z"}
        assert status["versions"] == {"varde": "0.1.0"}
    assert spooled(tmp_path) == []


async def test_an_order_is_answered_in_the_status(broker: Mosquitto, tmp_path: Path) -> None:
    order = {
        "id": str(uuid4()),
        "expires_at": "2026-11-22T07:05:00Z",
        "kind": "pairing_window",
        "device": SCALE.address,
    }
    with Receiver(broker.host, broker.port) as receiver:
        home = Home()
        async with home.relaying(tmp_path, broker.port):
            await until(lambda: receiver.statuses)
            sealed = seal(KEY, topic(GATEWAY, Lane.COMMANDS), json.dumps(order).encode())
            for _ in range(2):
                receiver.publish(Lane.COMMANDS, sealed)
            await until(lambda: receiver.statuses[-1]["commands"])
            status = receiver.statuses[-1]
    assert status["commands"] == {order["id"]: "obeyed"}
    assert (status["pairing"], home.radio.enrolment.allows(SCALE.address)) == (SCALE.address, True)


async def test_a_list_of_devices_is_listened_to_without_losing_a_reading(broker: Mosquitto, tmp_path: Path) -> None:
    listed = [{"address": METER.address, "kind": METER.kind, "timezone": METER.timezone}]
    order = {"id": str(uuid4()), "expires_at": "2026-11-22T07:05:00Z", "kind": "configuration", "devices": listed}
    with Receiver(broker.host, broker.port) as receiver:
        home = Home()
        async with home.relaying(tmp_path, broker.port) as radio:
            assert list(radio.known) == [OXIMETER, SCALE, METER]
            radio.visit(OXIMETER, "2A5E 0062004800")
            await until(lambda: receiver.statuses)
            radio.running.clear()
            receiver.publish(Lane.COMMANDS, seal(KEY, topic(GATEWAY, Lane.COMMANDS), json.dumps(order).encode()))
            await asyncio.wait_for(radio.running.wait(), 20)
            assert list(radio.known) == [METER]
            await until(lambda: receiver.statuses[-1].get("configuration") == order["id"])
            status = receiver.statuses[-1]
        async with home.relaying(tmp_path, broker.port) as radio:  # and after a restart, whatever the file says
            assert list(radio.known) == [METER]
        assert len(receiver.bodies) == 1
    assert status["commands"] == {order["id"]: "obeyed"}
    assert status["heard"] == {}  # of its own devices


async def test_contact_is_known_after_a_restart(tmp_path: Path) -> None:
    home = Home()
    async with home.relaying(tmp_path, free_port()) as radio:
        radio.visit(OXIMETER, "2A5E 0062004800")
    spool = Spool.open(tmp_path / "spool.db")
    relay = Relay(spool, (OXIMETER, SCALE), Clocks(given=home.shown, real=home.real), lambda: None)
    assert relay.state(0).heard == {OXIMETER.address: SHOWN}
    spool.close()


async def test_with_nobody_to_send_to_everything_waits_on_the_disk(tmp_path: Path) -> None:
    home = Home()
    async with home.relaying(tmp_path, free_port()) as radio:
        radio.visit(OXIMETER, "2A5E 0062004800")
        home.pass_time(3600)
        radio.visit(SCALE, "2A9D 00803e")
    assert [body["values"] for body in spooled(tmp_path)] == [{"spo2": 98, "pulse": 72}, {"weight": 80.0}]


async def test_the_same_bytes_in_three_slots_are_three_readings(tmp_path: Path) -> None:
    home = Home()
    async with home.relaying(tmp_path, free_port()) as radio:
        for _ in range(3):
            radio.visit(OXIMETER, "2A5E 0062004800")
            home.pass_time(4 * 3600)
    assert len(spooled(tmp_path)) == 3


@pytest.mark.parametrize(("gap", "readings"), [(0.2, 1), (59, 1), (61, 2)])
async def test_the_same_bytes_after_a_cut_link_are_one_reading_for_a_minute(
    tmp_path: Path, gap: float, readings: int
) -> None:
    home = Home()
    async with home.relaying(tmp_path, free_port()) as radio:
        radio.visit(OXIMETER, "2A5E 0062004800", "2A5E 006200", ends=SessionState.CUT)
        home.pass_time(gap)
        radio.visit(OXIMETER, "2A5E 0062004800", "2A5E 006200")
    assert len(spooled(tmp_path)) == 2 * readings


@pytest.mark.parametrize(
    ("frame", "ends", "readings"),
    [
        ("2A5E 0162004800ea070b16090000", SessionState.CUT, 1),  # an hour ahead at first: 09:00 in Oslo, heard at 08:00
        ("2A5E 0162004800d0070101000000", SessionState.CUT, 2),  # a clock that was reset to 2000 tells nothing apart
        ("2A5E 0162004800ea070b16090000", SessionState.ENDED, 2),
    ],
)
async def test_a_record_is_the_same_whether_or_not_its_time_is_trusted_by_now(
    tmp_path: Path, frame: str, ends: SessionState, readings: int
) -> None:
    home = Home()
    async with home.relaying(tmp_path, free_port()) as radio:
        radio.visit(OXIMETER, frame, ends=ends)
    home.pass_time(52 * 60)
    async with home.relaying(tmp_path, free_port()) as radio:
        radio.visit(OXIMETER, frame)
    bodies = spooled(tmp_path)
    assert len(bodies) == readings
    assert bodies[0]["taken_at"] == "2026-11-22T07:00:00Z"


async def test_a_restart_between_hearing_and_resending_makes_no_second_reading(tmp_path: Path) -> None:
    home = Home()
    async with home.relaying(tmp_path, free_port()) as radio:
        radio.say(OXIMETER, radio.open(OXIMETER), "2A5E 0062004800")  # and the session never ends: as after a kill
    home.pass_time(20)
    async with home.relaying(tmp_path, free_port()) as radio:
        radio.visit(OXIMETER, "2A5E 0062004800")
        home.pass_time(5)
        radio.visit(OXIMETER, "2A5E 0062004800")  # this one is new: the session before ended in order
    assert len(spooled(tmp_path)) == 2


async def test_the_battery_travels_with_the_next_reading(tmp_path: Path) -> None:
    home = Home()
    async with home.relaying(tmp_path, free_port()) as radio:
        radio.visit(OXIMETER, "2A5E 0062004800", "2A19 33")
        home.pass_time(3600)
        radio.visit(OXIMETER, "2A5E 0061004800", "2A19 65")  # 101 %: a frame to look at, not a battery
    bodies = spooled(tmp_path)
    assert [body.get("battery") for body in bodies] == [None, 51, None]
    assert bodies[2]["reason"] == "battery level: 101 % is more than 100"


async def test_devices_are_told_to_the_radio_and_their_zone_counts(tmp_path: Path) -> None:
    home = Home()
    async with home.relaying(tmp_path, free_port()) as radio:
        assert radio.known == (OXIMETER, SCALE, METER)
        radio.visit(SCALE, "2A9D 02803eea070b16071e00")
    assert spooled(tmp_path)[0]["taken_at"] == "2026-11-22T06:30:00Z"


RECORD = "2A18 06{:04x}ea070b1607{:02x}0037c011"


async def test_a_meters_record_is_known_by_its_number_and_the_newest_is_remembered(tmp_path: Path) -> None:
    home = Home()
    async with home.relaying(tmp_path, free_port()) as radio:
        radio.visit(METER, RECORD.format(0x0100, 1), RECORD.format(0x0200, 2), "2A34 02020001")
        home.pass_time(3600)
        radio.visit(METER, RECORD.format(0x0200, 2), RECORD.format(0x0300, 3), ends=SessionState.CUT)
    assert [body["values"] for body in spooled(tmp_path)] == [{"glucose": 5.5}] * 3
    async with home.relaying(tmp_path, free_port()) as radio:
        assert radio.report(METER) == Recall(sequence=2, frame=bytes.fromhex(RECORD.format(0x0200, 2).split()[1]))


GLUCOSE = "2A18 120600ea07080816300078b011"  # number 6, its context follows


@pytest.mark.parametrize(
    ("frames", "flags"),
    [
        ((GLUCOSE, "2A34 02060001"), ["before_meal"]),
        ((GLUCOSE, "2A34 03060003" + "2dd0" + "02"), ["after_meal", "carbohydrate_g:45"]),
        ((GLUCOSE, "2A34 02070001"), []),  # of another record
        ((GLUCOSE,), []),
    ],
)
async def test_what_a_person_noted_beside_a_record_travels_with_it(
    tmp_path: Path, frames: tuple[str, ...], flags: list[str]
) -> None:
    home = Home()
    async with home.relaying(tmp_path, free_port()) as radio:
        radio.visit(METER, *frames)
        assert radio.report(METER) is not None  # the memory is known
    (body,) = spooled(tmp_path)
    noted = [flag for flag in body["flags"] if flag.startswith(("before", "after", "carb"))]  # type: ignore[attr-defined]
    assert noted == flags


async def test_a_record_with_a_context_is_the_same_reading_without_it(tmp_path: Path) -> None:
    home = Home()
    async with home.relaying(tmp_path, free_port()) as radio:
        radio.visit(METER, GLUCOSE, "2A34 02060001", ends=SessionState.CUT)
        radio.visit(METER, GLUCOSE)
    assert len(spooled(tmp_path)) == 1


async def test_a_clock_seen_to_be_wrong_corrects_the_records_of_its_session(tmp_path: Path) -> None:
    home = Home()
    stamped = "2A9D 02803eea070b16091e00"  # 09:30 by a clock that is two hours ahead
    async with home.relaying(tmp_path, free_port()) as radio:
        radio.visit(SCALE, "2A2B ea070b160a0000000000", stamped)
        home.pass_time(3600)
        radio.visit(SCALE, "2A9D 02003eea070b16081e00")  # nobody looked at the clock this time
    first, second = spooled(tmp_path)
    assert (first["taken_at"], first["clock"], first["offset_s"]) == ("2026-11-22T06:30:00Z", "corrected", -7200)
    assert first["flags"] == ["device_clock_corrected"]
    assert (second["taken_at"], second["clock"], second["offset_s"]) == ("2026-11-22T07:30:00Z", "device", 0)


async def test_nothing_is_corrected_by_a_clock_that_may_be_wrong(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path / "spool.db")
    clock = ManualClock(SHOWN)
    relay = Relay(spool, (SCALE,), Clocks(given=clock, real=clock, sure=lambda: False), lambda: None)
    radio = HandRadio(clock)
    radio._hear, radio._report = relay.hear, relay.report
    radio.visit(SCALE, "2A2B ea070b16072800000000", "2A9D 02803eea070b16071e00")
    spool.close()
    assert [(body["clock"], body["taken_at"]) for body in spooled(tmp_path)] == [("device", "2026-11-22T06:30:00Z")]


async def test_a_record_is_the_same_before_and_after_its_clock_was_set(tmp_path: Path) -> None:
    home = Home()
    stamped = "2A9D 02803eea070b16071e00"
    async with home.relaying(tmp_path, free_port()) as radio:
        radio.visit(SCALE, "2A2B ea070b16072800000000", stamped, ends=SessionState.CUT)  # 20 minutes behind
        home.pass_time(30)
        radio.visit(SCALE, "2A2B ea070b16080030000000", stamped)
    assert [body["clock"] for body in spooled(tmp_path)] == ["corrected"]


def relay_on(spool: Spool) -> tuple[Relay, HandRadio]:
    clock = ManualClock(SHOWN)
    relay = Relay(spool, (OXIMETER,), Clocks(given=clock, real=clock), lambda: None)
    radio = HandRadio(clock)
    radio._hear, radio._report = relay.hear, relay.report
    return relay, radio


async def test_when_the_spool_is_full_no_session_opens_and_no_record_is_taken(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path / "spool.db", messages_max=2)
    _, radio = relay_on(spool)
    session = radio.open(OXIMETER)
    for frame in ("2A5E 0061004800", "2A5E 0062004800"):
        radio.say(OXIMETER, session, frame)
    with pytest.raises(SpoolFull):
        radio.say(OXIMETER, session, "2A5E 0063004800")
    with pytest.raises(SpoolFull):
        radio.open(OXIMETER)
    spool.close()


async def test_a_broken_disk_ends_the_relay_instead_of_losing_readings_quietly(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path / "spool.db")
    relay, radio = relay_on(spool)
    session = radio.open(OXIMETER)
    spool.database.execute("PRAGMA query_only = 1")
    with pytest.raises(SpoolBroken):
        radio.say(OXIMETER, session, "2A5E 0061004800")
    with pytest.raises(SpoolBroken):
        await relay.broken()
    spool.close()


async def test_what_ends_the_radio_ends_the_relay(tmp_path: Path) -> None:
    class Failing(HandRadio):
        async def run(self, devices: Sequence[KnownDevice], hear: Hear, report: Report = unreported) -> None:
            raise RuntimeError("no radio at all")

    clocks = Clocks(given=ManualClock(SHOWN), real=ManualClock(REAL))
    with pytest.raises(RuntimeError, match="no radio at all"):
        await run(settings(tmp_path, free_port()), Failing(ManualClock(SHOWN)), clocks, asyncio.Event(), QUICK)


async def test_a_silent_radio_is_counted_for_the_next_process(tmp_path: Path) -> None:
    class Silent(HandRadio):
        async def run(self, devices: Sequence[KnownDevice], hear: Hear, report: Report = unreported) -> None:
            raise RadioSilent("nobody heard")

    clocks = Clocks(given=ManualClock(SHOWN), real=ManualClock(REAL))
    for _ in range(2):
        with pytest.raises(RadioSilent):
            await run(settings(tmp_path, free_port()), Silent(ManualClock(SHOWN)), clocks, asyncio.Event(), QUICK)
    spool = Spool.open(tmp_path / "spool.db")
    assert spool.counted("radio_given_up") == 2
    spool.close()


@pytest.mark.parametrize("ends", ["returns", "is cancelled"])
async def test_a_radio_that_ends_without_being_told_is_not_a_clean_stop(tmp_path: Path, ends: str) -> None:
    class Quitting(HandRadio):
        async def run(self, devices: Sequence[KnownDevice], hear: Hear, report: Report = unreported) -> None:
            if ends == "is cancelled":
                raise asyncio.CancelledError

    clocks = Clocks(given=ManualClock(SHOWN), real=ManualClock(REAL))
    with pytest.raises(RelayEnded, match="without being told"):
        await run(settings(tmp_path, free_port()), Quitting(ManualClock(SHOWN)), clocks, asyncio.Event(), QUICK)


FORBIDDEN = ("fastapi", "sqlalchemy", "pydantic", "apscheduler", "typer", "alerts", "server", "bumble", "device_sims")


@pytest.mark.parametrize("module", ["gateway.relay", "gateway.radio_bleak", "gateway.__main__"])
def test_a_raspberry_pi_loads_no_server_library(module: str) -> None:
    program = f"import sys, {module}; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    root = Path(__file__).parents[2]
    loaded = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    ).stdout.split()
    assert "gateway" in loaded
    assert "vitals" in loaded
    assert not set(FORBIDDEN) & set(loaded)
    assert "bleak" not in loaded or module == "gateway.radio_bleak"
