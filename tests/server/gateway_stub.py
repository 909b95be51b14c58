"""What a gateway looks like from the broker: publishes sealed messages, collects the receipts it is sent."""

import threading
import time
from types import TracebackType
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from tests.broker import Mosquitto
from vitals.seal import unseal
from vitals.topics import Lane, gateway_id, topic
from vitals.wire import Receipt, parse_receipt

WAIT_S = 30.0


class GatewayStub:
    """Connected while in its `with` block."""

    def __init__(self, broker: Mosquitto, gateway: str, key: bytes) -> None:
        self.receipts: list[Receipt] = []
        self._receipts_topic = topic(gateway_id(gateway), Lane.RECEIPTS)
        self._key = key
        self._broker = broker
        self._ready = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"stub-{gateway}", clean_session=True)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._on_message

    def publish(self, where: str, payload: bytes, *, qos: int = 1) -> None:
        """Publish and wait for the broker's word that it has it."""
        self._client.publish(where, payload, qos=qos).wait_for_publish(WAIT_S)

    def publish_many(self, messages: list[tuple[str, bytes]]) -> None:
        handles = [self._client.publish(where, payload, qos=1) for where, payload in messages]
        for handle in handles:
            handle.wait_for_publish(WAIT_S)

    def accepted(self) -> list[str]:
        """Every id that a receipt accepted, repeats included."""
        return [each for receipt in self.receipts for each in receipt.accepted]

    def __enter__(self) -> "GatewayStub":
        self._client.connect(self._broker.host, self._broker.port)
        self._client.loop_start()
        assert self._ready.wait(WAIT_S)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, client: paho.Client, *_: Any) -> None:
        client.subscribe(self._receipts_topic, 1)

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        self.receipts.append(parse_receipt(unseal(self._key, message.topic, bytes(message.payload))))


def wait_for(what: Any, seconds: float = WAIT_S) -> None:
    """Wait until `what()` is true; fail when it never is."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.01)
