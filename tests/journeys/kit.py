"""The gateway of a journey: seals with its own key, publishes under the wire contract, waits for sealed receipts."""

import json
import threading
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from time import monotonic
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from varde.demo.broker import Account
from vitals.reading import GatewayId, Reading
from vitals.seal import seal, unseal
from vitals.topics import Lane, topic
from vitals.wire import parse_receipt, render_reading

RECEIPT_S = 20.0


class Kit:
    """One gateway's connection, from `open` to `close`."""

    def __init__(self, gateway: GatewayId, key: bytes, account: Account, port: int) -> None:
        self.gateway, self._key, self._port = gateway, key, port
        self._receipts: Counter[str] = Counter()
        self._news = threading.Condition()
        self._listening = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=gateway)
        self._client.username_pw_set(account.name, account.password)
        self._client.on_connect = lambda client, *_: client.subscribe(topic(gateway, Lane.RECEIPTS), qos=1)
        self._client.on_subscribe = lambda *_: self._listening.set()
        self._client.on_message = self._on_message

    def open(self) -> None:
        """Connect, and listen for receipts."""
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        assert self._listening.wait(RECEIPT_S), "the broker did not take the gateway's subscription"

    def close(self) -> None:
        """Disconnect, if it is connected."""
        self._client.disconnect()
        self._client.loop_stop()

    def send(self, readings: Sequence[Reading]) -> None:
        """Publish, and return once the server has receipted every one of them anew."""
        with self._news:
            wanted = Counter({each.id: self._receipts[each.id] + 1 for each in readings})
        for each in readings:
            self._publish(Lane.READINGS, render_reading(each))
        deadline = monotonic() + RECEIPT_S
        with self._news:
            while any(self._receipts[name] < times for name, times in wanted.items()):
                assert self._news.wait(deadline - monotonic()), f"no receipt in {RECEIPT_S:g} s"

    def report(self, at: datetime, *, online: bool) -> None:
        """Say that it is there, or let the broker's word stand for it that it is gone."""
        told: dict[str, Any] = {"online": online} | ({"at": at.isoformat()} if online else {})
        self._publish(Lane.STATUS, json.dumps(told).encode(), retain=True)

    def _publish(self, lane: Lane, body: bytes, *, retain: bool = False) -> None:
        where = topic(self.gateway, lane)
        self._client.publish(where, seal(self._key, where, body), qos=1, retain=retain)

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        receipt = parse_receipt(unseal(self._key, message.topic, bytes(message.payload)))
        with self._news:
            self._receipts.update(receipt.accepted)
            self._news.notify_all()
