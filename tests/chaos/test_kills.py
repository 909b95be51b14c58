"""Nothing that a device handed over is lost or stored twice, whatever is killed while it is on its way."""

import asyncio
import json
import random
from collections import Counter
from datetime import timedelta
from pathlib import Path
from time import monotonic
from zoneinfo import ZoneInfo

import pytest
from paho.mqtt import client as paho

from server.db import tables
from tests.chaos.street import (
    GATEWAY,
    KEY,
    NEIGHBOUR,
    NEIGHBOUR_KEY,
    SCRIPT,
    SERVER,
    Street,
    address_of,
    spot_check,
    until,
)
from varde.demo.broker import Account
from vitals.clock import SystemClock
from vitals.seal import seal
from vitals.topics import Lane, topic
from vitals.wire import Receipt, render_receipt

READINGS = 2_000
DEVICES = 4
SEED = 20261122  # the kills' positions; printed, so that a red run can be repeated
_OSLO = ZoneInfo("Europe/Oslo")


@pytest.fixture
def short_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose name leaves room for a unix socket's."""
    return tmp_path_factory.mktemp("c")


def ledger() -> dict[tuple[str, int, int], bytes]:
    """What is measured: device, spo2 and pulse, each once, and its frame.

    Half of the devices write their own time into it; the others leave telling repeats apart to the gateway.
    """
    newest = SystemClock().now().astimezone(_OSLO).replace(microsecond=0)
    entries = {}
    for number in range(READINGS):
        device, turn = number % DEVICES, number // DEVICES
        spo2, pulse = 70 + turn % 30, 50 + turn // 30
        local = newest - timedelta(seconds=READINGS - number) if device < DEVICES // 2 else None
        entries[address_of(device), spo2, pulse] = spot_check(spo2, pulse, local)
    return entries


async def test_2000_readings_survive_the_kill_of_everything(short_folder: Path) -> None:
    chance = random.Random(SEED)
    # A few more readings arrive between the look and the kill, which still has to be within three quarters.
    positions = sorted(chance.sample(range(READINGS // 4, READINGS * 3 // 4 - 100), 4))
    entries = ledger()
    async with Street(short_folder, devices=DEVICES) as street:
        for child in (street.broker, street.server, street.gateway):
            await street.start(child)
        began = monotonic()
        by_address = {oximeter.spec.address: oximeter for oximeter in street.oximeters}
        records = [by_address[address].store(frame) for (address, _, _), frame in entries.items()]

        def handed_over() -> int:
            return sum(record.handed_over.done() for record in records)

        kills = [street.gateway, street.broker, street.broker, street.server]
        chance.shuffle(kills)
        wiped = False
        said = []
        for position, victim in zip(positions, kills, strict=True):
            await until(lambda reached=position: handed_over() >= reached, f"{position} readings are handed over")
            await street.kill(victim)
            said.append(f"{victim.name} at {handed_over()}")
            if victim is street.broker and not wiped:
                street.wipe_broker()
                wiped = True
                said[-1] = f"broker with its data at {handed_over()}"
            await street.start(victim)
        await until(lambda: handed_over() == READINGS, "every device has handed over everything", 120)
        await until(lambda: street.spooled() == 0, "the spool is empty", 120)
        stored = stored_values(street)
        sent = sum(record.sent for record in records)
        print(
            f"\nseed {SEED}; killed {', '.join(said)}; {READINGS} measured, {sent} sent over the air, "
            f"{sum(stored.values())} stored, {len(stored)} different, spool {street.spooled()}, "
            f"{monotonic() - began:.1f} s"
        )
        assert all(READINGS // 4 <= int(words.split()[-1]) <= READINGS * 3 // 4 for words in said)
        assert set(stored) == set(entries)
        assert set(stored.values()) == {1}
        assert not street.rows(tables.quarantine)


def stored_values(street: Street) -> Counter[tuple[str, int, int]]:
    """How often the database holds each reading, by device, spo2 and pulse; none may belong to nobody."""
    rows, measurements = street.together(tables.reading, tables.measurement)
    readings = {row["seq"]: row for row in rows}
    assert all(row["unclaimed"] is None for row in rows)
    values: dict[int, dict[str, int]] = {seq: {} for seq in readings}
    for row in measurements:
        values[row["reading_seq"]][row["metric"]] = int(row["value"])
    return Counter((readings[seq]["device"], each["spo2"], each["pulse"]) for seq, each in values.items())


async def test_a_forged_receipt_makes_the_gateway_forget_nothing(short_folder: Path) -> None:
    async with Street(short_folder, devices=1) as street:
        await street.start(street.broker)
        await street.start(street.gateway)
        for pulse in range(50, 60):
            street.oximeters[0].store(spot_check(97, pulse))
        await until(lambda: street.spooled() == 10, "ten readings wait for a server that is not there")
        ids = tuple(street.spooled_ids())
        everything = render_receipt(Receipt(accepted=ids))
        own_topic, other_topic = topic(GATEWAY, Lane.RECEIPTS), topic(GATEWAY, Lane.READINGS)
        forged = [
            everything,
            b"0" * 64 + b"\n" + everything,
            seal(NEIGHBOUR_KEY, own_topic, everything),
            seal(KEY, other_topic, everything),
            seal(KEY, own_topic, everything)[:-1] + b" }",
        ]
        genuine = seal(KEY, own_topic, render_receipt(Receipt(accepted=ids[:1])))
        # In order on one topic: once the genuine one had its effect, the gateway has seen the forged ones before it.
        await asyncio.to_thread(publish, street, SERVER, [(own_topic, payload) for payload in (*forged, genuine)])
        await until(lambda: street.spooled() < 10, "the genuine receipt has its effect")
        assert street.spooled_ids() == list(ids[1:])
        assert street.gateway.is_running
        await street.start(street.server)
        await until(lambda: street.spooled() == 0, "the server takes the rest")
        assert len(street.rows(tables.reading)) >= 9


async def test_a_reading_sealed_by_another_gateway_is_refused_and_visible(short_folder: Path) -> None:
    async with Street(short_folder, devices=1) as street:
        await street.start(street.broker)
        await street.start(street.server)
        where = topic(GATEWAY, Lane.READINGS)
        body = json.dumps(
            {
                "id": "5f1c2a54-0000-4000-8000-000000000001",
                "device": address_of(0),
                "taken_at": SystemClock().now().isoformat(),
                "values": {"spo2": 70},
            }
        ).encode()
        await asyncio.to_thread(publish, street, SCRIPT, [(where, seal(NEIGHBOUR_KEY, where, body))])
        await until(lambda: bool(street.rows(tables.quarantine)), "the message is in quarantine")
        (kept,) = street.rows(tables.quarantine)
        assert (kept["kind"], kept["gateway"]) == ("foreign_gateway", GATEWAY)
        assert "another gateway or a stranger wrote it" in kept["reason"]
        await until(
            lambda: 'varde_quarantine_total{kind="foreign_gateway"} 1.0' in street.page("/metrics"), "it is counted"
        )
        await asyncio.to_thread(publish, street, SCRIPT, [(where, seal(KEY, where, body))])
        await until(lambda: bool(street.rows(tables.reading)), "the same reading rightly sealed is taken")
        assert len(street.rows(tables.reading)) == 1


def publish(street: Street, account: Account, messages: list[tuple[str, bytes]]) -> None:
    """Publish in order under an account and return when the broker has everything."""
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=f"test-{NEIGHBOUR}-{account.name}")
    client.username_pw_set(account.name, account.password)
    client.connect("127.0.0.1", street.broker_port)
    client.loop_start()
    try:
        for where, payload in messages:
            client.publish(where, payload, qos=1).wait_for_publish(20)
    finally:
        client.disconnect()
        client.loop_stop()
