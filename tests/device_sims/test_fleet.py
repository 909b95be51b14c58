"""A fleet over a real broker: every reading has its receipt, forged ones count for nothing."""

import threading
from datetime import UTC, datetime, timedelta

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from device_sims.fleet import KITS_MAX, KitAccount, Load, reading, run
from tests.broker import Mosquitto
from vitals.reading import DeviceId, GatewayId
from vitals.seal import seal, unseal
from vitals.topics import Lane, parse_topic, topic
from vitals.wire import Receipt, Rejection, parse_reading, render_receipt

ACCOUNTS = [
    KitAccount(gateway=GatewayId(f"gw-fleet-{number}"), key=bytes([number]) * 32, device=DeviceId(f"D{number}"))
    for number in range(3)
]
LOAD = Load(readings=40, starts_at=datetime(2026, 11, 22, 6, tzinfo=UTC), window=7)


class Server:
    """Answers every reading; the first of each kit is rejected, and every receipt has a forged twin."""

    def __init__(self, broker):
        self.seen = {}
        self._keys = {account.gateway: account.key for account in ACCOUNTS}
        self._ready = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="server")
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._hear
        self._client.connect(broker.host, broker.port)
        self._client.loop_start()
        self._client.subscribe("varde/v1/+/readings", qos=1)
        assert self._ready.wait(5)

    def _hear(self, client, _data, message):
        gateway = parse_topic(message.topic).gateway
        heard = parse_reading(unseal(self._keys[gateway], message.topic, bytes(message.payload)))
        self.seen[heard.id] = heard
        first = heard.taken_at == LOAD.starts_at
        receipt = Receipt(rejected=(Rejection(id=heard.id, reason="no"),)) if first else Receipt(accepted=(heard.id,))
        where = topic(gateway, Lane.RECEIPTS)
        client.publish(where, seal(b"x" * 32, where, render_receipt(Receipt(accepted=(heard.id,)))), qos=1)
        client.publish(where, seal(self._keys[gateway], where, render_receipt(receipt)), qos=1)

    def stop(self):
        self._client.disconnect()
        self._client.loop_stop()


def test_every_reading_of_every_kit_is_answered(tmp_path):
    with Mosquitto(tmp_path / "broker") as broker:
        server = Server(broker)
        try:
            tally = run(ACCOUNTS, LOAD, (broker.host, broker.port), seconds=30)
        finally:
            server.stop()
    assert (tally.sent, tally.accepted, tally.rejected, tally.forged) == (120, 117, 3, 120)
    assert set(server.seen) == {reading(account, LOAD, number).id for account in ACCOUNTS for number in range(40)}


def test_a_load_is_the_same_every_time_and_its_readings_are_apart():
    first, again, next_one = (reading(ACCOUNTS[0], LOAD, number) for number in (0, 0, 1))
    assert first == again
    assert next_one.taken_at - first.taken_at == timedelta(seconds=60)
    assert next_one.id != first.id


def test_a_fleet_is_bounded():
    with pytest.raises(ValueError, match="more than the 2000"):
        run(ACCOUNTS * KITS_MAX, LOAD, ("127.0.0.1", 1), seconds=0)
