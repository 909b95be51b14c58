"""A server as far as a gateway can tell: hears everything, remembers it, and gives receipts when told to."""

import json
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from vitals.reading import GatewayId, ReadingId
from vitals.seal import seal, unseal
from vitals.topics import Lane, topic
from vitals.wire import Receipt, Rejection, render_receipt

GATEWAY = GatewayId("gw-test")
KEY = bytes(range(32))


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """How the receiver gets in; `ca` means TLS."""

    username: str | None = None
    password: str | None = None
    ca: Path | None = None


class Receiver:
    """Connects to the broker, again and again if need be. `ids` counts what arrived on the two durable lanes."""

    def __init__(self, host: str, port: int, *, answers: bool = True, login: Login | None = None) -> None:
        self.answers = answers
        self.rejects: dict[ReadingId, str] = {}
        self.ids: Counter[ReadingId] = Counter()
        self.bodies: dict[ReadingId, bytes] = {}
        self.statuses: list[dict[str, object]] = []
        self._ready = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="receiver", protocol=mqtt.MQTTv311)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe([("varde/v1/+/#", 1)])
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = lambda _client, _data, message: self._hear(message)
        login = login or Login()
        self._client.username_pw_set(login.username, login.password)
        if login.ca is not None:
            self._client.tls_set(ca_certs=str(login.ca))
        self._client.connect(host, port)

    def give(self, receipt: Receipt, key: bytes = KEY, gateway: GatewayId = GATEWAY) -> None:
        """Publish a receipt on the gateway's topic, sealed with `key` for `gateway`'s topic."""
        sealed = seal(key, topic(gateway, Lane.RECEIPTS), render_receipt(receipt))
        self.publish(Lane.RECEIPTS, sealed)

    def publish(self, lane: Lane, payload: bytes) -> None:
        """Publish any bytes on one of the gateway's lanes and wait for the broker."""
        self._client.publish(topic(GATEWAY, lane), payload, qos=1).wait_for_publish(5)

    def __enter__(self) -> "Receiver":
        self._client.loop_start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        # Paho closes its inner sockets when it is collected; without these it is no part of a circle.
        self._client.on_connect = self._client.on_subscribe = self._client.on_message = None

    def _hear(self, message: mqtt.MQTTMessage) -> None:
        lane = message.topic.rsplit("/", 1)[1]
        if lane in (Lane.RECEIPTS, Lane.COMMANDS):
            return
        body = unseal(KEY, message.topic, message.payload)  # raises, and fails the test, when the gateway forgot to
        if lane == Lane.STATUS:
            self.statuses.append({"retained": message.retain, **json.loads(body)})
            return
        key = ReadingId(json.loads(body)["id"])
        self.ids[key] += 1
        self.bodies[key] = body
        if self.answers:
            sealed = seal(KEY, topic(GATEWAY, Lane.RECEIPTS), render_receipt(self._receipt(key)))
            self._client.publish(topic(GATEWAY, Lane.RECEIPTS), sealed, qos=1)

    def _receipt(self, key: ReadingId) -> Receipt:
        if key in self.rejects:
            return Receipt(rejected=(Rejection(id=key, reason=self.rejects[key]),))
        return Receipt(accepted=(key,))
