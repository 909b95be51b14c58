"""The way to the server: MQTT 3.1.1, QoS 1, and nothing is forgotten but on the server's own word.

Theory of operation. A broker's acknowledgement says nothing about the server, so this module ignores it. What is in the
spool is sent, oldest first, up to a window; what gets no receipt is sent again. A receipt counts only with a seal made
with this gateway's key for its receipts topic; any other is counted and changes nothing. Each connection begins anew,
with a clean session and everything still in the spool: no state has to agree between two sides that may both have
been killed. Repeats are harmless, for the server knows the ids.

Paho runs its network loop on a thread of its own and hands over through the event loop; the spool is only touched on
the event loop's thread.
"""

import asyncio
import logging
import random
import socket
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from gateway.exchange import Exchange
from gateway.exchange import Identity as Identity
from gateway.flights import Patience, backoff
from gateway.heartbeat import OFFLINE
from gateway.presence import Presence
from gateway.settings import MqttSettings
from gateway.spool import Spool
from vitals.topics import Lane, topic

log = logging.getLogger(__name__)

_KEEPALIVE_S = 30  # a dead peer is noticed after 45 s; mobile routers forget an idle connection after minutes
_DIAL_S = 10.0  # for TCP, TLS, CONNACK and SUBACK together
_FAREWELL_S = 2.0  # for the broker to take the last status
_STEADY_S = 10.0  # a connection that held so long starts the back-off anew


class LinkLost(ConnectionError):  # noqa: N818 - a state of the world, not a fault
    """The broker is not there, or not for us; the message says why."""


class Uplink:
    """Holds a connection to the broker for the exchange with the server, and makes another when it is lost."""

    def __init__(
        self,
        identity: Identity,
        spool: Spool,
        broker: MqttSettings,
        patience: Patience,
        obey: Callable[[bytes], None] = lambda _payload: None,
    ) -> None:
        self._identity = identity
        self._obey = obey
        self._broker = broker
        self._patience = patience
        self._rng = random.Random()  # noqa: S311 - jitter is no secret
        self._exchange = Exchange(identity, spool, patience, self._rng)
        self._presence = Presence(log, f"broker={broker.host}:{broker.port}")
        self._wake = asyncio.Event()

    @property
    def receipts_refused(self) -> int:
        """How many receipts had not our seal or made no sense."""
        return self._exchange.receipts_refused

    def wake(self) -> None:
        """Say that the spool has something new; from the event loop's thread."""
        self._wake.set()

    async def run(self, status: Callable[[int], bytes]) -> None:
        """Connect, serve, and connect again, until cancelled; raises `SpoolBroken`.

        `status` makes the body of the heartbeat from `receipts_refused`.
        """
        attempt = 0
        while True:
            connected_at = time.monotonic()
            line = _Line(self._identity, self._broker, self._wake)
            try:
                await line.dial()
                self._presence.back()
                connected_at = time.monotonic()
                await self._serve(line, status)
            except OSError as error:  # LinkLost, and what sockets and TLS raise
                self._presence.gone(str(error) or type(error).__name__)
            finally:
                await line.close()
            attempt = 0 if time.monotonic() - connected_at >= _STEADY_S else attempt + 1
            wait = backoff(self._patience.reconnect_first, self._patience.reconnect_max, attempt, self._rng)
            await asyncio.sleep(wait)

    async def _serve(self, line: "_Line", status: Callable[[int], bytes]) -> None:
        self._exchange.begin(time.monotonic())
        while True:
            self._wake.clear()
            while line.inbox:
                self._hear(*line.inbox.popleft())
            line.check()
            due = self._exchange.speak(line, status, time.monotonic())
            await self._sleep(due - time.monotonic())

    def _hear(self, lane: Lane, payload: bytes) -> None:
        if lane is Lane.RECEIPTS:
            self._exchange.hear(payload)
        else:
            self._obey(payload)
            self._exchange.announce()

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self._wake.wait()
        except TimeoutError:
            pass  # nothing new: something is due


class _Line:
    """One connection to the broker. `inbox` holds what came for us; `wake` is set at every change."""

    def __init__(self, identity: Identity, broker: MqttSettings, wake: asyncio.Event) -> None:
        self.inbox: deque[tuple[Lane, bytes]] = deque()
        self._identity = identity
        self._broker = broker
        self._wake = wake
        self._loop = asyncio.get_running_loop()
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._is_open = False
        self._lost: str | None = None
        self._client = self._make_client()

    async def dial(self) -> None:
        """Return when connected and subscribed; raises OSError (`LinkLost` when the broker does not want us)."""
        try:
            async with asyncio.timeout(_DIAL_S):
                await asyncio.to_thread(self._client.connect, self._broker.host, self._broker.port, _KEEPALIVE_S)
                self._client.loop_start()
                await self._ready
        except TimeoutError:
            raise LinkLost(f"no answer within {_DIAL_S:g} s") from None

    def check(self) -> None:
        """Raises `LinkLost` when the connection is gone."""
        if self._lost is not None:
            raise LinkLost(self._lost)

    def publish(self, lane: Lane, body: bytes, *, retain: bool = False) -> Callable[[], bool]:
        """Hand `body`, sealed, to the network thread; returns what tells whether the broker has taken it."""
        return partial(_is_taken, self._hand_over(lane, body, retain=retain))

    def _hand_over(self, lane: Lane, body: bytes, *, retain: bool) -> mqtt.MQTTMessageInfo:
        name, payload = self._identity.sealed(lane, body)
        return self._client.publish(name, payload, qos=1, retain=retain)

    async def close(self) -> None:
        """Say goodbye if there is still somebody to say it to; nothing is called back after this."""
        if self._is_open and self._lost is None:
            # A clean end suppresses the last will, so the will is published in person.
            farewell = self._hand_over(Lane.STATUS, OFFLINE, retain=True)
            await asyncio.to_thread(_wait_for, farewell)
        self._client.on_disconnect = self._client.on_message = self._client.on_connect = self._client.on_subscribe = (
            None
        )
        self._ready.cancel()
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)

    def _make_client(self) -> mqtt.Client:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._identity.gateway,
            protocol=mqtt.MQTTv311,
            clean_session=True,
            reconnect_on_failure=False,
        )
        client.connect_timeout = _DIAL_S / 2
        client.max_inflight_messages_set(1000)  # the window is ours, not paho's
        client.username_pw_set(self._broker.username, self._broker.password)
        if self._broker.tls:
            client.tls_set(ca_certs=None if self._broker.tls_ca is None else str(self._broker.tls_ca))
        name, payload = self._identity.sealed(Lane.STATUS, OFFLINE)
        client.will_set(name, payload, qos=1, retain=True)
        client.on_socket_open = _without_delay
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_disconnect = self._on_disconnect
        return client

    # What follows runs on paho's thread.

    def _on_connect(self, client: mqtt.Client, _data: Any, _flags: Any, code: ReasonCode, _properties: Any) -> None:
        if code.is_failure:
            self._tell(self._lose, f"refused: {code}")
        else:
            client.subscribe([(topic(self._identity.gateway, lane), 1) for lane in (Lane.RECEIPTS, Lane.COMMANDS)])

    def _on_subscribe(
        self, _client: mqtt.Client, _data: Any, _id: int, codes: list[ReasonCode], _properties: Any
    ) -> None:
        if codes[1].is_failure:
            log.warning("commands_not_heard reason=%r", str(codes[1]))
        if codes[0].is_failure:
            self._tell(self._lose, "the broker does not let this gateway hear its receipts")
        else:
            self._tell(self._open)

    def _on_message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        lane = Lane.COMMANDS if message.topic == topic(self._identity.gateway, Lane.COMMANDS) else Lane.RECEIPTS
        self._tell(self._receive, lane, message.payload)

    def _on_disconnect(self, _client: mqtt.Client, _data: Any, _flags: Any, code: ReasonCode, _properties: Any) -> None:
        self._tell(self._lose, f"disconnected: {code}")

    def _tell(self, what: Callable[..., None], *args: object) -> None:
        self._loop.call_soon_threadsafe(what, *args)

    # And this on the event loop's.

    def _open(self) -> None:
        self._is_open = True
        if not self._ready.done():
            self._ready.set_result(None)

    def _receive(self, lane: Lane, payload: bytes) -> None:
        self.inbox.append((lane, payload))
        self._wake.set()

    def _lose(self, reason: str) -> None:
        self._lost = self._lost or reason
        if not self._ready.done():
            self._ready.set_exception(LinkLost(self._lost))
        self._wake.set()


def _without_delay(_client: mqtt.Client, _data: Any, connection: Any) -> None:
    # With Nagle's algorithm a small window against a delayed acknowledgement runs at a 27th of the speed.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _is_taken(sent: mqtt.MQTTMessageInfo) -> bool:
    try:
        return sent.is_published()
    except (RuntimeError, ValueError):  # it did not even get onto the line
        return True


def _wait_for(farewell: mqtt.MQTTMessageInfo) -> None:
    try:
        farewell.wait_for_publish(_FAREWELL_S)
    except (RuntimeError, ValueError) as error:  # the connection broke meanwhile: then the broker has our will
        log.debug("farewell_lost reason=%r", str(error))
