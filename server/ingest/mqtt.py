"""The door to the broker: messages in, held until somebody acknowledges them; receipts out.

The broker keeps what is not acknowledged and, thanks to a fixed client id and a durable session, what arrives while the
server is away. It is not trusted to: what it loses, the gateway sends again for want of a receipt.
"""

import threading
from collections.abc import Sequence
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from server.ingest.client import Client
from server.ingest.packets import Message
from server.ingest.waiting import Incoming as Incoming
from server.ingest.waiting import Waiting
from server.settings import Settings
from vitals.clock import Clock
from vitals.topics import Lane, every_gateway

_LANES = (Lane.READINGS, Lane.FRAMES, Lane.STATUS)
_SHARED = "$share/varde/"
_KEEP_ALIVE_SECONDS = 30
_RECONNECT_SECONDS = (1, 15)
_RECEIPTS_WAITING_MAX = 20_000  # a lost receipt only means that the gateway asks again
# All of them may be on their way: the broker's word for one comes behind thousands of readings when those pile up, and
# the library looks through all that are, at every such word, as long as their number is limited by anything but 0.
_RECEIPTS_INFLIGHT_MAX = 0
_ROOM_SECONDS = 0.005  # between two looks whether there is room for a receipt


class Broker:
    """A connection that comes back by itself; safe to use from several threads."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._waiting = Waiting(clock)
        self._connections = 0
        self._connected = threading.Event()
        self._closing = threading.Event()
        self._client = self._make_client()

    @property
    def connected(self) -> bool:
        """Whether the broker is there and our subscriptions are made."""
        return self._connected.is_set()

    def open(self) -> None:
        """Start to connect, in the background, and keep trying; also again after `close`."""
        if self._closing.is_set():  # a client that was stopped leaves sockets behind when it starts again
            self._client = self._make_client()
            self._closing.clear()
        self._client.connect_async(self._settings.mqtt_host, self._settings.mqtt_port, _KEEP_ALIVE_SECONDS)
        self._client.loop_start()

    def close(self) -> None:
        """Say goodbye; what was not acknowledged comes again next time."""
        self._closing.set()
        self._client.disconnect()
        self._client.loop_stop()
        self._client.let_go()
        self._connected.clear()

    def take(self, most: int, linger_seconds: float, wait_seconds: float) -> list[Incoming]:
        """Up to `most` messages, fresh ones first: waits for one, then `linger_seconds` for company; may be empty.

        Raises RuntimeError when nobody listens to the broker any more.
        """
        if not self._is_listening():
            raise RuntimeError("the thread that listens to the broker has ended")
        return self._waiting.take(most, linger_seconds, wait_seconds)

    def take_plenty(self, most: int, wait_seconds: float) -> list[Incoming]:
        """Up to `most` readings for a second loop, once plenty of them wait; may be empty."""
        return self._waiting.take_plenty(most, wait_seconds)

    def acknowledge(self, batch: Sequence[Incoming]) -> None:
        """Let the broker forget these; those of an older connection it sends again anyway.

        What came with QoS 0 has no number, and a broker that is told of number 0 hangs up.
        """
        self._client.acknowledge([each.mid for each in batch if each.mid and each.connection == self._connections])

    def publish(self, topic: str, payload: bytes) -> None:
        """Send at least once while this process lives; kept while the broker is away, as far as there is room.

        While the broker is there but slower than we are, this waits for room: gateways that miss their receipts send
        everything again. Not while the network's thread waits for us in turn: then the gateways ask again.
        """
        while self._client.publish(topic, payload, qos=1).rc == MQTTErrorCode.MQTT_ERR_QUEUE_SIZE:
            if not self.connected or self._waiting.is_full() or self._closing.wait(_ROOM_SECONDS):
                return

    def _is_listening(self) -> bool:
        # Nothing else tells: a client whose thread died still says that it is connected.
        name = f"paho-mqtt-client-{self._settings.mqtt_client_id}"
        return self._closing.is_set() or any(thread.name == name for thread in threading.enumerate())

    def _make_client(self) -> Client:
        settings = self._settings
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=settings.mqtt_client_id,
            clean_session=False,
            protocol=paho.MQTTv311,
            manual_ack=True,
        )
        if settings.mqtt_username is not None:
            secret = settings.mqtt_password
            client.username_pw_set(settings.mqtt_username, secret.get_secret_value() if secret else None)
        if settings.mqtt_tls_ca is not None:
            client.tls_set(ca_certs=str(settings.mqtt_tls_ca))
        client.reconnect_delay_set(*_RECONNECT_SECONDS)
        client.max_queued_messages_set(_RECEIPTS_WAITING_MAX)
        client.max_inflight_messages_set(_RECEIPTS_INFLIGHT_MAX)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.heard = self._on_heard
        return client

    def _on_connect(
        self, client: paho.Client, _data: Any, _flags: paho.ConnectFlags, code: ReasonCode, _props: Properties | None
    ) -> None:
        if code.is_failure:
            return  # the client tries again by itself
        self._connections += 1
        share = _SHARED if self._settings.mqtt_shared else ""
        # A status is retained, and the broker sends retained messages to no shared subscription.
        client.subscribe([((share if lane is not Lane.STATUS else "") + every_gateway(lane), 1) for lane in _LANES])

    def _on_subscribe(
        self, _client: paho.Client, _data: Any, _mid: int, codes: list[ReasonCode], _props: Properties | None
    ) -> None:
        if not any(code.is_failure for code in codes):
            self._connected.set()

    def _on_disconnect(
        self, _client: paho.Client, _data: Any, _flags: Any, _code: ReasonCode, _props: Properties | None
    ) -> None:
        self._connected.clear()

    def _on_heard(self, messages: Sequence[Message]) -> None:
        """Pass on what was heard in one look: for each message by itself the threads would only wake each other."""
        now = self._connections
        heard = [Incoming(topic=topic, payload=payload, mid=mid, connection=now) for topic, mid, payload in messages]
        self._waiting.put(heard, self._closing.is_set)
